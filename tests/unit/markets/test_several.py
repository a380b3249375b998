"""What moves one symbol of several: shared volatility is a t copula, crashes are a fair Poisson process."""

import math

import numpy as np
import pytest
from scipy import stats

from stress.markets.base import Clock, deviation_sampler
from stress.markets.noise import noise_numbers
from stress.markets.several import add_crashes, crash_drift, share_volatility, symbol_key
from stress.markets.student_t import StudentT
from stress.randomness import stream_key
from stress.rules import record

HOUR, NU = 3600.0, 3.2


@pytest.fixture(scope="module")
def pair(draw_paths):
    """Hourly returns of the market and of noise that shares its volatility, shape (2, n), in units of their sd."""
    market, clock = StudentT(price_usd=1.0, vol_annual=0.7, tail_index=NU, noise_largest=200.0), Clock(100, HOUR)
    paths, deviations = draw_paths(market, 4_000, 100, HOUR)[0], np.empty((4_000, 100))
    numbers = record(market.numbers(clock))
    deviation_sampler(type(market).deviations)(numbers, market.table(clock), stream_key(7), 0, deviations)
    own = np.empty_like(paths)
    share_volatility(record(noise_numbers(clock)), symbol_key(7, 1), 0, deviations, own)
    unit = 0.7 * math.sqrt(1.0 / 8760.0)
    return np.stack([np.diff(x, axis=1, prepend=0.0).ravel() + 0.5 * deviations.ravel() ** 2 for x in (paths, own)]) / (
        unit
    )


def both_below(rho, q):
    """Return P(X < its q quantile, Y < its q quantile) of the bivariate Student-t by one integral.

    Given Y = y, X is Student-t with nu + 1 degrees of freedom around rho y (Demarta and McNeil 2005, section 2).
    """
    law = stats.t(NU)
    edge = law.ppf(q)
    y = law.ppf(q * (np.arange(4_000) + 0.5) / 4_000)
    z = (edge - rho * y) * np.sqrt((NU + 1.0) / (NU + y * y) / (1.0 - rho * rho))
    return q * stats.t(NU + 1.0).cdf(z).mean()


@pytest.mark.parametrize("rho", [0.0, 0.81])
@pytest.mark.parametrize("q", [0.05, 0.005])
def test_falls_come_together_as_often_as_under_a_t_copula(pair, rho, q):
    x, y = pair[0], rho * pair[0] + math.sqrt(1.0 - rho * rho) * pair[1]
    edge = stats.t(NU).ppf(q) * math.sqrt((NU - 2.0) / NU)
    exact, found = both_below(rho, q), ((x < edge) & (y < edge)).mean()
    assert abs(found - exact) <= 4.0 * math.sqrt(exact / x.size)


def tail_dependence(nu, rho):
    """Return lim P(Y falls below its q quantile | X does) as q goes to 0 (Demarta and McNeil 2005, section 2)."""
    return 2.0 * stats.t(nu + 1.0).cdf(-math.sqrt((nu + 1.0) * (1.0 - rho) / (1.0 + rho)))


@pytest.mark.parametrize(("rho", "printed"), [(-0.5, 0.01), (0.0, 0.08), (0.5, 0.25), (0.9, 0.63)])
def test_tail_dependence_is_that_of_the_printed_table(rho, printed):
    assert round(float(tail_dependence(4.0, rho)), 2) == printed  # McNeil, Frey and Embrechts (2005), table 5.1


@pytest.mark.parametrize("rho", [0.0, 0.81])
def test_the_t_copula_tends_to_its_tail_dependence(rho):
    assert both_below(rho, 1e-9) / 1e-9 == pytest.approx(tail_dependence(NU, rho), rel=0.01)


def test_shared_volatility_has_the_market_s_tail_and_no_correlation(pair):
    assert abs(np.corrcoef(np.clip(pair, -5.0, 5.0))[0, 1]) < 0.02
    edge = stats.t(NU).ppf(0.01) * math.sqrt((NU - 2.0) / NU)
    assert (pair < edge).mean(axis=1) == pytest.approx([0.01, 0.01], rel=0.08)


def crashed(n, per_step, size, length, n_steps=100, drift=0.0):
    shocks = np.zeros((n, n_steps))
    add_crashes(symbol_key(7, 1), 0, per_step, size, length, drift, shocks)
    return shocks


def test_crashes_are_as_many_as_a_poisson_process_has():
    counts = np.round(crashed(20_000, 0.02, -1.0, 1e-9)[:, -1] / -1.0)
    assert abs(counts.mean() - 2.0) <= 4.0 * math.sqrt(2.0 / counts.size)
    assert counts.var() == pytest.approx(2.0, rel=0.05)


def test_a_crash_takes_its_time():
    paths = crashed(400, 0.002, -0.3, 20.0)
    alone = paths[np.abs(paths[:, -1] + 0.3) < 1e-12]
    steps = np.diff(alone, axis=1, prepend=0.0)
    assert len(alone) > 20
    assert steps.min() == pytest.approx(-0.3 / 20.0)
    assert (((steps < 0.0).sum(axis=1) == 20) | ((steps < 0.0).sum(axis=1) == 21)).all()


def test_crashes_take_nothing_from_a_price_on_average():
    size, per_step = math.log(0.7), 0.02
    price = np.exp(crashed(40_000, per_step, size, 1e-9, drift=crash_drift(per_step, size))[:, -1])
    assert abs(price.mean() - 1.0) <= 4.0 * price.std() / math.sqrt(price.size)
