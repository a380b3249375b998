"""Fits find the numbers that a history was made with, and doubt themselves where they should."""

import math

import numpy as np
import pytest
from scipy import stats

from stress.calibration import FITTERS
from stress.calibration import fit as fit_module
from stress.calibration.events import hawkes_log_likelihood
from stress.calibration.fit import POSITIVE, by_likelihood
from stress.calibration.hidden import binned, filter_states
from stress.calibration.volatility import _doubts, _near_one
from stress.candles import Candles
from stress.markets.garch import Garch
from stress.markets.hawkes import Hawkes
from stress.markets.merton import Merton
from stress.markets.regime import Regime
from stress.markets.volatility_clock import VolatilityClock

HOUR, YEAR = 3600, 365 * 86400.0
N = 6_000


def candles_of(returns):
    close = 100.0 * np.exp(np.cumsum(np.ravel(returns)))
    before = np.concatenate([[100.0], close[:-1]])
    high, low = np.maximum(before, close) * 1.0005, np.minimum(before, close) * 0.9995
    return Candles(HOUR * np.arange(close.size), before, high, low, close, HOUR)


@pytest.fixture(scope="module")
def history(draw_paths):
    """Hourly candles of one path of a market."""

    def make(market, n=N, seed=3):
        return candles_of(np.diff(draw_paths(market, 1, n, float(HOUR), seed=seed)[0], axis=1, prepend=0.0))

    return make


def assert_found(fit, errors=4.0, **truth):
    off = {
        key: (fit.market[key], value)
        for key, value in truth.items()
        if abs(fit.market[key] - value) > errors * fit.errors[key]
    }
    assert off == {}
    assert fit.flags == ()


def test_brownian_motion_is_found():
    returns = 0.007 * np.random.default_rng(1).standard_normal(N)
    assert_found(FITTERS["gbm"](candles_of(returns)), vol_annual=0.007 * math.sqrt(8760))


def test_student_t_is_found():
    returns = 0.003 * np.random.default_rng(1).standard_t(4.0, N)
    assert_found(FITTERS["student_t"](candles_of(returns)), tail_index=4.0)


def test_mertons_jumps_are_found(history):
    law = {"vol_annual": 0.5, "jumps_per_year": 300.0, "jump_mean": -0.01, "jump_sd": 0.03}
    assert_found(FITTERS["merton"](history(Merton(price_usd=1.0, **law), n=20_000)), **law)


@pytest.mark.parametrize(
    ("persistence", "error", "said"),
    [
        (0.96, 0.01, ()),
        (0.9989, 0.0005, ()),
        (0.99948, 0.0045, ("near-integrated: persistence 0.99948 is within 2 standard errors (0.0045) of one",)),
        (0.9999, 0.001, ()),  # cut, which says so itself
    ],
)
def test_a_persistence_that_cannot_be_told_from_one_is_flagged(persistence, error, said):
    assert tuple(line.rpartition(":")[0] for line in _near_one(persistence, error)) == said


def test_a_near_integrated_history_is_flagged(history):
    law = {"alpha": 0.02, "beta": 0.979, "tail_index": 8.0}
    fit = FITTERS["garch_qml"](history(Garch(price_usd=1.0, vol_annual=0.7, **law), n=3_000))
    assert any("near-integrated" in flag or "not stationary" in flag for flag in fit.flags)


@pytest.mark.parametrize("name", ["garch", "garch_qml"])
def test_garch_is_found(history, name):
    law = {"alpha": 0.08, "beta": 0.88, "tail_index": 6.0}
    fit = FITTERS[name](history(Garch(price_usd=1.0, vol_annual=0.7, **law), n=20_000))
    assert_found(fit, **law)
    assert fit.market["vol_annual"] == pytest.approx(0.7, rel=0.15)


def test_regimes_are_found(history):
    law = {"vol_calm_annual": 0.4, "vol_wild_annual": 1.6, "calm_hours": 120.0, "wild_hours": 40.0}
    fit = FITTERS["regime"](history(Regime(price_usd=1.0, tail_index=8.0, **law), n=20_000))
    assert_found(fit, **law)
    assert fit.states(history(Regime(price_usd=1.0, **law)))["start_wild"] == pytest.approx(0.25, abs=0.12)


def test_the_volatility_of_days_is_found(history):
    law = {"vol_annual": 0.7, "log_vol_sd": 0.5, "persistence_daily": 0.85, "tail_index": 5.0}
    market = VolatilityClock(price_usd=1.0, jumps_per_year=0.0, **law)
    assert_found(FITTERS["volatility_clock"](history(market, n=20_000)), **law)


def test_a_history_without_a_stationary_variance_is_flagged():
    grows = np.random.default_rng(2).standard_normal(N) * np.geomspace(0.001, 0.02, N)
    fit = FITTERS["garch_qml"](candles_of(grows))
    assert any("not stationary" in flag for flag in fit.flags)
    assert fit.market["alpha"] + fit.market["beta"] < 1.0


def test_noise_without_jumps_has_no_hawkes_process():
    fit = FITTERS["hawkes"](candles_of(0.005 * np.random.default_rng(2).standard_normal(2_000)))
    assert fit.flags == ("only 0 jumps: not fitted",)


def test_a_hawkes_process_has_the_variance_of_the_returns(history):
    law = {"jumps_per_year": 150.0, "branching": 0.5, "memory_hours": 6.0, "jump_up": 0.03, "jump_down": 0.03}
    candles = history(Hawkes(price_usd=1.0, vol_annual=0.4, **law), n=20_000)
    fit = FITTERS["hawkes"](candles).market
    down, up = fit["jump_down_share"], 1.0 - fit["jump_down_share"]
    jumps = fit["jumps_per_year"] * 2.0 * (up * fit["jump_up"] ** 2 + down * fit["jump_down"] ** 2)
    assert fit["vol_annual"] ** 2 + jumps == pytest.approx(np.mean(candles.returns**2) * 8760.0, rel=0.02)


def test_a_search_that_does_not_end_says_so(monkeypatch):
    monkeypatch.setattr(fit_module, "MAX_EVALUATIONS", 3)
    flags = by_likelihood(lambda p: -((p["x"] - 3.0) ** 2), {"x": (0.0, POSITIVE)})[3]
    assert flags[0] == "did not converge in 3 evaluations"


def test_a_recursion_that_did_not_converge_is_flagged():
    candles = candles_of(0.007 * np.random.default_rng(1).standard_normal(2_000))
    market = {"vol_annual": 0.655, "alpha": 0.0, "beta": 0.0, "gamma": 0.0, "vol_largest_annual": 10.0}
    assert _doubts(market, candles, converged=False) == ("did not converge",)
    assert _doubts(market, candles, converged=True) == ()


def test_a_flat_likelihood_has_no_standard_errors():
    _, errors, _, flags = by_likelihood(lambda p: 0.0 * p["x"], {"x": (0.0, POSITIVE)})
    assert errors == {}
    assert flags == ("no standard errors: flat",)


def test_standard_errors_are_those_of_theory():
    sample = np.random.default_rng(0).normal(0.0, 2.0, 5_000)
    found, errors, value, flags = by_likelihood(
        lambda p: float(stats.norm.logpdf(sample, scale=p["sd"]).sum()), {"sd": (0.0, POSITIVE)}
    )
    assert found["sd"] == pytest.approx(math.sqrt(np.mean(sample**2)), rel=1e-4)
    assert errors["sd"] == pytest.approx(found["sd"] / math.sqrt(2 * sample.size), rel=1e-2)
    assert value == pytest.approx(stats.norm.logpdf(sample, scale=found["sd"]).sum())
    assert flags == ()


def test_the_filter_sums_over_all_paths_of_the_states():
    # Three returns, two states: eight paths, added up by hand.
    density = np.array([[0.5, 0.1], [0.2, 0.3]])
    moves, start, bins = np.array([[0.9, 0.1], [0.4, 0.6]]), np.array([0.7, 0.3]), np.array([0, 1, 0])
    total = sum(
        start[a] * density[0, a] * moves[a, b] * density[1, b] * moves[b, c] * density[0, c]
        for a in range(2)
        for b in range(2)
        for c in range(2)
    )
    value, means = filter_states(bins, (density, moves, start), np.array([0.0, 1.0]))
    assert value == pytest.approx(math.log(total))
    assert means[0] == pytest.approx(0.3)
    after = start * density[0] / (start @ density[0])
    assert means[1] == pytest.approx((after @ moves)[1])


def test_bins_hold_their_returns():
    returns = np.random.default_rng(0).standard_t(3, 2_000) * 0.01
    middles, bins = binned(returns)
    assert np.abs(middles[bins] - returns).max() < 0.02 * np.abs(returns).max()
    assert np.abs(middles[bins] - returns).mean() < 1e-4


def test_the_likelihood_of_two_events_by_hand():
    # Rate 0.5 + 0.8 / 2 exp(-age / 2); events at 1 and 2, watched until 4.
    integral = 0.5 * 4 + 0.8 * ((1 - math.exp(-1.5)) + (1 - math.exp(-1.0)))
    expected = math.log(0.5) + math.log(0.5 + 0.4 * math.exp(-0.5)) - integral
    assert hawkes_log_likelihood(np.array([1.0, 2.0]), 4.0, 0.5, 0.8, 2.0) == pytest.approx(expected)
