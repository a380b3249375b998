"""Processes on bars: what a bar does, does not depend on the step (oracles D15, D16, D18)."""

import math

import numpy as np
import pytest
from scipy import stats

from stress.markets.base import Clock
from stress.markets.bates import Bates
from stress.markets.garch import Garch
from stress.markets.heston import Heston
from stress.markets.regime import Regime
from stress.markets.student_t import StudentT

HOUR, YEAR = 3600.0, 365 * 86400.0
LOOSE = {"noise_largest": 1e9}
HOURLY = math.sqrt(HOUR / YEAR)


def close(sample, expected, errors=4.0):
    return abs(sample.mean() - expected) < errors * sample.std() / math.sqrt(sample.size)


EVERY = pytest.mark.parametrize(
    "market",
    [
        StudentT(price_usd=1.0, vol_annual=0.7),
        Garch(price_usd=1.0, jumps_per_year=2_000.0),
        Heston(price_usd=1.0, bar_seconds=HOUR),
        Bates(price_usd=1.0, bar_seconds=HOUR),
        Regime(price_usd=1.0, calm_hours=3.0, wild_hours=2.0),
    ],
    ids=lambda market: market.kind,
)


@EVERY
def test_a_finer_step_is_the_same_path_looked_at_more_often(draw_paths, market):
    by_minute, by_ten, by_hour = (draw_paths(market, 20, round(12 * HOUR / s), s)[0] for s in (60.0, 600.0, HOUR))
    assert by_minute[:, 59::60] == pytest.approx(by_hour, abs=1e-12)
    assert by_ten[:, 5::6] == pytest.approx(by_hour, abs=1e-12)


@EVERY
def test_a_step_of_several_bars_adds_them_up(draw_paths, market):
    by_hour, by_four = (draw_paths(market, 20, round(12 * HOUR / s), s)[0] for s in (HOUR, 4 * HOUR))
    assert by_hour[:, 3::4] == pytest.approx(by_four, abs=1e-12)


@EVERY
def test_a_price_is_a_martingale(draw_paths, market):
    assert close(np.exp(draw_paths(market, 40_000, 12, HOUR)[0][:, -1]), 1.0)


@EVERY
def test_bars_that_do_not_fit_the_step_are_refused(market):
    assert dict(market.problems(Clock(10, 7.0))) == {"bar_seconds": "3600 must divide, or be divided by, 7 s"}


# --- Student-t


def test_quantile_and_shortfall_of_a_bar_are_those_of_student_t(draw_paths):
    nu, n = 3.0, 1_000_000
    market = StudentT(price_usd=1.0, vol_annual=0.01 / HOURLY, tail_index=nu, **LOOSE)
    losses = -draw_paths(market, n // 100, 100, HOUR)[0]
    losses = np.diff(losses, axis=1, prepend=0.0).ravel() / 0.01 * math.sqrt(nu / (nu - 2.0))
    for level, quantile, shortfall in (
        (0.975, 3.18244630528, 5.03958306111),
        (0.99, 4.54070285857, 7.00308203624),
        (0.995, 5.84090930973, 8.91247339598),
    ):
        assert stats.t(nu).ppf(level) == pytest.approx(quantile, rel=1e-9)
        density = stats.t(nu).pdf(quantile)
        assert shortfall == pytest.approx(density / (1 - level) * (nu + quantile**2) / (nu - 1), rel=1e-9)
        found = np.quantile(losses, level)
        assert abs(found - quantile) < 5 * math.sqrt(level * (1 - level) / n) / density
        assert losses[losses >= found].mean() == pytest.approx(shortfall, rel=0.03)


@pytest.mark.parametrize("nu", [2.6, 5.0])
def test_other_degrees_of_freedom_have_their_own_law(draw_paths, nu):
    market = StudentT(price_usd=1.0, vol_annual=0.001 / HOURLY, tail_index=nu, **LOOSE)
    returns = draw_paths(market, 60_000, 1, HOUR)[0].ravel() / 0.001 * math.sqrt(nu / (nu - 2.0))
    assert stats.kstest(returns, stats.t(nu).cdf).pvalue > 1e-3


# --- GARCH


def garch_returns(draw_paths, n_paths, n_bars, **law):
    unit = HOUR / YEAR
    omega, alpha, beta = law.pop("omega"), law.pop("alpha"), law.pop("beta")
    vol = math.sqrt(omega / (1.0 - alpha - beta) / unit)
    market = Garch(
        price_usd=1.0, vol_annual=vol, alpha=alpha, beta=beta, tail_index=200.0, vol_largest_annual=1e6, **LOOSE
    )
    paths = draw_paths(market, n_paths, n_bars, HOUR)[0]
    return np.diff(paths, axis=1, prepend=0.0)


@pytest.mark.parametrize(
    ("omega", "alpha", "beta", "expected"),
    [(2e-6, 0.08, 0.90, (1e-4, 4.432835821, 0.2052173913)), (1e-5, 0.10, 0.70, None)],
)
def test_moments_of_garch_are_bollerslevs(draw_paths, omega, alpha, beta, expected):
    both = alpha + beta
    variance = omega / (1 - both)
    kurtosis = 3 * (1 - both**2) / (1 - both**2 - 2 * alpha**2)
    lag = alpha * (1 - alpha * beta - beta**2) / (1 - 2 * alpha * beta - beta**2)
    if expected is not None:
        assert (variance, kurtosis, lag) == pytest.approx(expected, rel=1e-9)
        assert math.sqrt(variance * 8760.0) == pytest.approx(0.9359487165, rel=1e-9)
    returns = garch_returns(draw_paths, 4_000, 500, omega=omega, alpha=alpha, beta=beta)
    squares = returns**2
    assert close(squares.mean(axis=1), variance)
    assert (returns**4).mean() / squares.mean() ** 2 == pytest.approx(kurtosis, rel=0.12)
    both_sides = ((squares[:, 1:] - variance) * (squares[:, :-1] - variance)).mean() / squares.var()
    assert both_sides == pytest.approx(lag, abs=0.03)


def test_the_first_bar_already_has_the_stationary_variance(draw_paths):
    returns = garch_returns(draw_paths, 60_000, 40, omega=2e-6, alpha=0.08, beta=0.90)
    assert close(returns[:, 0] ** 2, 1e-4)
    assert close(returns[:, -1] ** 2, 1e-4)


def test_a_fall_raises_volatility_more_than_a_rise_with_gamma(draw_paths):
    market = Garch(price_usd=1.0, alpha=0.05, beta=0.8, gamma=0.2, tail_index=30.0)
    returns = np.diff(draw_paths(market, 100_000, 2, HOUR)[0], axis=1, prepend=0.0)
    after = [(returns[down, 1] ** 2).mean() for down in (returns[:, 0] < 0, returns[:, 0] > 0)]
    assert after[0] > 1.1 * after[1]


def test_todays_volatility_is_where_paths_start(draw_paths):
    market = Garch(price_usd=1.0, start_vols_annual=(1.5,), tail_index=30.0)
    returns = draw_paths(market, 40_000, 1, HOUR)[0].ravel()
    assert returns.std() == pytest.approx(1.5 * HOURLY, rel=0.03)


def test_a_list_of_volatilities_is_drawn_from_with_equal_chances(draw_paths):
    market = Garch(price_usd=1.0, start_vols_annual=(0.5, 1.5), tail_index=30.0)
    returns = draw_paths(market, 40_000, 1, HOUR)[0].ravel()
    assert returns.std() == pytest.approx(math.sqrt((0.5**2 + 1.5**2) / 2) * HOURLY, rel=0.03)


@pytest.mark.parametrize(
    ("changed", "key"),
    [({"alpha": 0.2, "beta": 0.9}, "alpha"), ({"vol_annual": 4.0, "vol_largest_annual": 3.0}, "vol_largest_annual")],
)
def test_a_variance_without_a_stationary_mean_is_refused(changed, key):
    assert key in dict(Garch(price_usd=1.0, **changed).problems(Clock(10, 60.0)))


# --- Heston


D18 = {"vol_annual": 0.8, "reversion_per_year": 3.0, "vol_of_vol": 1.2, "start_vols_annual": (0.9,)}


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        (D18, (0.0649859657882, -0.0324929828941)),
        ({**D18, "reversion_per_year": 40.0, "vol_of_vol": 6.0, "correlation": -0.4}, None),
    ],
)
def test_hestons_integrated_variance_and_log_price_have_their_means(draw_paths, law, expected):
    market = Heston(price_usd=1.0, bar_seconds=4 * HOUR, **law)
    years, kappa, theta, start = 30 / 365, market.reversion_per_year, market.vol_annual**2, 0.81
    integral = theta * years + (start - theta) * -math.expm1(-kappa * years) / kappa
    if expected is not None:
        assert (integral, -0.5 * integral) == pytest.approx(expected, rel=1e-9)
    paths = draw_paths(market, 6_000, 180, 4 * HOUR)[0]
    returns = np.diff(paths, axis=1, prepend=0.0)
    assert close((returns**2).sum(axis=1), integral, errors=5.0)
    assert close(paths[:, -1], -0.5 * integral)


def test_hestons_variance_has_the_mean_and_the_spread_of_cox_ingersoll_and_ross(draw_paths):
    # The variance of a late bar, seen through the squares of its 240 minutes.
    market = Heston(price_usd=1.0, bar_seconds=4 * HOUR, correlation=0.0, **D18)
    kappa, theta, xi, years, start = 3.0, 0.64, 1.2, 30 / 365, 0.81
    mean = theta + (start - theta) * math.exp(-kappa * years)
    decay = math.exp(-kappa * years)
    spread = start * xi**2 / kappa * (decay - decay**2) + theta * xi**2 / (2 * kappa) * (1 - decay) ** 2
    assert (mean, spread) == pytest.approx((0.772850321813, 0.0737316934672), rel=1e-9)
    n, minutes = 3_000, 240
    paths = draw_paths(market, n, 181 * minutes, 60.0)[0][:, -minutes - 1 :]
    seen = (np.diff(paths, axis=1) ** 2).mean(axis=1) * YEAR / 60.0
    assert close(seen, mean)
    # A mean of 240 squares adds 2 v^2 / 240; the bar has the mean of two variances, one step apart.
    assert (seen.var() - 2 * (seen**2).mean() / minutes) == pytest.approx(spread, rel=0.12)


def test_the_stationary_variance_is_gamma():
    market = Heston(price_usd=1.0)
    ratio = 2 * market.reversion_per_year / market.vol_of_vol**2
    variances = market.table(Clock(10, 60.0))[0]
    assert variances.mean() == pytest.approx(market.vol_annual**2, rel=1e-2)
    assert stats.kstest(variances, stats.gamma(ratio * market.vol_annual**2, scale=1 / ratio).cdf).pvalue > 0.99


# --- regimes


def test_regimes_last_as_long_as_they_should_and_mix_their_variances(draw_paths):
    market = Regime(
        price_usd=1.0, vol_calm_annual=0.4, vol_wild_annual=2.0, calm_hours=30.0, wild_hours=10.0, tail_index=200.0
    )
    returns = np.diff(draw_paths(market, 20_000, 60, HOUR)[0], axis=1, prepend=0.0)
    squares = returns**2 / HOURLY**2
    mean = 0.75 * 0.4**2 + 0.25 * 2.0**2
    assert close(squares.mean(axis=1), mean)
    # Cov of the variances of two bars k apart: p q (v1 - v0)^2 e^(-k rate) ((1 - e^-rate) / rate)^2 e^rate.
    rate = 1 / 30 + 1 / 10
    for k in (2, 10):
        expected = 0.1875 * (4.0 - 0.16) ** 2 * math.exp(-(k - 1) * rate) * (-math.expm1(-rate) / rate) ** 2
        found = ((squares[:, k:] - mean) * (squares[:, :-k] - mean)).mean(axis=1)
        assert close(found, expected)


# --- the cap of the recursion


def test_the_cap_takes_as_much_off_the_mean_variance_as_the_docstring_says():
    variances = Garch(price_usd=1.0).table(Clock(1, HOUR))[2] / HOURLY**2
    assert variances.mean() == pytest.approx(0.89 * 0.7**2, rel=0.03)
