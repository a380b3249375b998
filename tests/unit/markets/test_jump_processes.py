"""Merton, Kou and Hawkes against closed forms (oracles D07, D08, D17)."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from stress.markets.base import Clock
from stress.markets.hawkes import Hawkes
from stress.markets.jumps import poisson_count
from stress.markets.kou import Kou
from stress.markets.merton import Merton

YEAR, DAY = 365 * 86400.0, 86400.0
BANKRUPT_20X = 0.95  # of the entry


def close(sample, expected, errors=4.0):
    return abs(sample.mean() - expected) < errors * sample.std() / math.sqrt(sample.size)


def merton_terms(rate, mean, sd, vol, years):
    """Yield (weight, forward, sd) of Merton's Poisson mixture of log-normals."""
    factor = math.expm1(mean + 0.5 * sd * sd)
    for n in range(40):
        weight = stats.poisson.pmf(n, rate * years)
        yield (
            weight,
            math.exp(-rate * factor * years + n * (mean + 0.5 * sd * sd)),
            math.hypot(vol * years**0.5, n**0.5 * sd),
        )


def merton_put(strike, *law):
    total, below = 0.0, 0.0
    for weight, forward, sd in merton_terms(*law):
        d1 = math.log(forward / strike) / sd + 0.5 * sd
        total += weight * (strike * stats.norm.cdf(sd - d1) - forward * stats.norm.cdf(-d1))
        below += weight * stats.norm.cdf(sd - d1)
    return total, below


@pytest.mark.parametrize(
    ("law", "debt", "below"),
    [((100.0, -0.01, 0.04, 0.8), 169.200947176 / 50_000.0, 0.136400768344), ((300.0, 0.02, 0.02, 0.5), None, None)],
)
def test_a_gap_of_a_day_costs_what_mertons_mixture_says(draw_paths, law, debt, below):
    rate, mean, sd, vol = law
    market = Merton(price_usd=1.0, vol_annual=vol, jumps_per_year=rate, jump_mean=mean, jump_sd=sd)
    end = np.exp(draw_paths(market, 400_000, 1, DAY)[0][:, -1])
    formula = merton_put(BANKRUPT_20X, *law, 1 / 365)
    if debt is not None:
        assert formula == pytest.approx((debt, below), rel=1e-9)
    assert close(np.maximum(BANKRUPT_20X - end, 0.0), formula[0])
    assert close((end < BANKRUPT_20X).astype(float), formula[1])
    assert close(end, 1.0)


@pytest.mark.parametrize(("rate", "expected"), [(3.0, 0.25584304008), (0.01, 0.26059805478)])
def test_kous_price_passes_a_level_as_often_as_published(draw_paths, rate, expected):
    jumps = {"jumps_per_year": rate, "jump_up": 0.02, "jump_down": 0.03, "jump_down_share": 0.5}
    still = Kou(price_usd=1.0, vol_annual=0.2, **jumps)
    market = Kou(price_usd=1.0, vol_annual=0.2, drift_annual=0.1 + 0.5 * 0.2**2 - still.jump_drift(), **jumps)
    n_steps = 500
    highs = draw_paths(market, 60_000, n_steps, YEAR / n_steps)[2].max(axis=1)
    level = 0.3 - 0.5825971579 * 0.2 / math.sqrt(n_steps)  # Broadie, Glasserman and Kou: for a grid
    assert close((highs >= level).astype(float), expected)


def test_kous_jumps_have_the_moments_of_two_exponentials(draw_paths):
    market = Kou(price_usd=1.0, vol_annual=0.0, jumps_per_year=200.0, jump_up=0.04, jump_down=0.02, jump_down_share=0.3)
    end = draw_paths(market, 200_000, 4, DAY / 4)[0][:, -1]
    rate = 200.0 / 365.0
    assert close(end, rate * (0.7 * 0.04 - 0.3 * 0.02) + market.jump_drift() / 365.0)
    assert close((end - end.mean()) ** 2, rate * 2.0 * (0.7 * 0.04**2 + 0.3 * 0.02**2))
    assert close(np.exp(end), 1.0)


def test_jumps_come_at_the_same_time_whatever_the_step(draw_paths):
    market = Merton(price_usd=1.0, vol_annual=0.0, jumps_per_year=1_000.0, jump_mean=0.01, jump_sd=0.02)
    coarse, fine = (draw_paths(market, 50, n, DAY / n)[0] for n in (24, 240))
    assert fine[:, 9::10] == pytest.approx(coarse)


@pytest.mark.parametrize("mean", [0.0, 0.3, 20.0, 400.0])
def test_the_count_of_jumps_is_poisson(mean):
    for u, v in pairwise((0.001, 0.2, 0.5, 0.9, 0.9999)):
        assert poisson_count(u, mean) == stats.poisson.ppf(u, mean) if mean else poisson_count(v, mean) == 0


def test_more_jumps_than_are_drawn_are_refused():
    problems = dict(Merton(price_usd=1.0, vol_annual=0.5, jumps_per_year=50_000.0).problems(Clock(1440 * 30, 60.0)))
    assert problems == {"jumps_per_year": "makes 4,110 jumps a path, above 500"}


def hawkes(**changed):
    """Oracle D17 with a day for its unit of time: base 0.5, kick 1.6, decay 2; ten units are the horizon."""
    law = {"jumps_per_year": 2.5 * 365, "branching": 0.8, "memory_hours": 12.0, "jump_up": 1e-6, "jump_down": 1e-4}
    return Hawkes(price_usd=1.0, vol_annual=0.0, jump_down_share=1.0, **{**law, **changed})


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"start_rate": 0.0}, 20.0915781944),
        ({}, 25.0),
        ({"start_rate": 0.0, "branching": 0.4, "memory_hours": 6.0}, None),
    ],
)
def test_jumps_that_excite_jumps_come_as_often_as_hawkes_says(draw_paths, changed, expected):
    market = hawkes(**changed)
    end = draw_paths(market, 40_000, 240, 3600.0)[0][:, -1]
    decay = 24.0 / market.memory_hours
    gap, base = decay * (1.0 - market.branching), 2.5 * (1.0 - market.branching)
    formula = base * (decay * 10 / gap - decay * market.branching * (1.0 - math.exp(-gap * 10)) / gap**2)
    if changed == {}:
        formula = 25.0
    if expected is not None:
        assert formula == pytest.approx(expected, rel=1e-9)
    assert close(end, 0.0)  # what the rate takes off is what the jumps add
    assert close((end / 1e-4) ** 2, 2.0 * formula, errors=5.0)  # E N times the mean square of an exponential size
