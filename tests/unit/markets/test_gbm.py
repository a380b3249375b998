import math

import numpy as np
import pytest
from scipy import stats

from stress.markets.base import Clock
from stress.markets.gbm import Gbm

N = 40_000
DAY = (24, 3600.0)  # steps, seconds


@pytest.fixture(scope="module")
def day(draw_paths):
    return draw_paths(Gbm(price_usd=1.0, vol_annual=0.8), N, *DAY)[0]


def test_the_price_is_a_martingale(day):
    relative = np.exp(day[:, -1])
    assert abs(relative.mean() - 1.0) < 4 * relative.std() / math.sqrt(N)


def test_the_drift_is_that_of_the_price(draw_paths):
    paths, _, _ = draw_paths(Gbm(price_usd=1.0, vol_annual=0.2, drift_annual=5.0), N, 365, 86400.0)
    relative = np.exp(paths[:, -1])
    assert abs(relative.mean() - math.exp(5.0)) < 4 * relative.std() / math.sqrt(N)


def test_a_day_has_the_annual_volatility_divided_by_the_root_of_365(day):
    sd = 0.8 / math.sqrt(365)
    assert abs(day[:, -1].std() - sd) < 4 * sd / math.sqrt(2 * N)


def test_returns_are_normal(day):
    sd = 0.8 / math.sqrt(365 * 24)
    assert stats.kstest(np.diff(day, axis=1)[:4_000].ravel() / sd + 0.5 * sd, "norm").pvalue > 1e-3


def test_returns_of_different_steps_are_uncorrelated(day):
    returns = np.diff(day, axis=1)
    assert abs(np.corrcoef(returns[:, 3], returns[:, 4])[0, 1]) < 4 / math.sqrt(N)


def test_the_minimum_of_a_fine_path_obeys_the_reflection_principle(draw_paths):
    # P(min < b) = 2 P(X_T < b) without drift, continuous monitoring; Siegmund's shift for the grid.
    n_steps, sd = 1_000, 0.02
    years = n_steps * 60.0 / (365 * 86400.0)
    market = Gbm(price_usd=1.0, vol_annual=sd / math.sqrt(years), drift_annual=0.5 * sd**2 / years)
    lows = draw_paths(market, 20_000, n_steps, 60.0)[1].min(axis=1)
    barrier = -0.03
    expected = 2 * stats.norm.cdf((barrier - 0.5826 * sd / math.sqrt(n_steps)) / sd)
    assert abs((lows < barrier).mean() - expected) < 4 * math.sqrt(expected * (1 - expected) / 20_000)


def test_no_volatility_and_no_drift_is_a_standing_price(draw_paths):
    assert not draw_paths(Gbm(price_usd=1.0, vol_annual=0.0), 2, 10, 60.0)[0].any()


def test_numbers_are_per_step():
    numbers = Gbm(price_usd=1.0, vol_annual=0.6).numbers(Clock(10, 365 * 86400.0 / 4))
    assert (numbers["sd"], numbers["drift"]) == (pytest.approx(0.3), pytest.approx(-0.045))
