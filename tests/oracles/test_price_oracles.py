"""Exact laws of the price models through scenarios and the public API: D02, D15-D18 of the project's list of oracles.

A run tells the price at its horizon by what a fund held in the coin has gained, and the price before its last step by
its highest price, if for this one step a scripted shock lifts all paths to ten times their price.
"""

import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import stress
from stress.summary import liquidation_probability

HERE = Path(__file__).parent
HOUR_YEARS = 1.0 / 8760.0
PRICE = 50_000.0
SEVENTH = 86_400.0 / 7.0  # seconds: no whole number of minutes, so that the noise of a step is one number
NORMAL = {"tail_index": 200.0}  # from which noise is normal
NO_FRILLS = {
    "gbm": {},
    "merton": {"jumps_per_year": 0.0},
    "kou": {"jumps_per_year": 0.0},
    "hawkes": {"jumps_per_year": 0.0},
    "student_t": NORMAL,
    "garch": {"alpha": 0.0, "beta": 0.0, **NORMAL},
    "heston": {"vol_of_vol": 1e-3},
    "bates": {"vol_of_vol": 1e-3, "jumps_per_year": 0.0},
    "regime": NORMAL,
    "volatility_clock": {"log_vol_sd": 0.0, "jumps_per_year": 0.0, **NORMAL},
}


def scenario_of(market, *, hours, step=3_600.0, n_paths=100_000, name="still_fund"):
    size = {"run.horizon_hours": hours, "run.step_seconds": step, "run.n_paths": n_paths}
    return stress.Scenario.load(HERE / f"{name}.toml").with_(market={"price_usd": PRICE, **market}, **size)


def volatility(kind, vol):
    """Return the keys with which a model has one volatility."""
    return {"vol_calm_annual": vol, "vol_wild_annual": vol} if kind == "regime" else {"vol_annual": vol}


def log_returns(market, **size):
    """Return log(price at the horizon / price at the start) of every path."""
    return horizon(stress.run(scenario_of(market, **size)))


def horizon(run):
    return np.log1p(run.coin_pnl / run.facts.fund_initial)


def before_and_last(market, *, hours, step=3_600.0, **size):
    """Return the log-returns of all steps but the last, and of the last one, shape (2, n)."""
    hour = step / 3_600.0
    lifted = [{"at_hours": hours - 1.5 * hour, "move": 9.0}, {"at_hours": hours - 0.5 * hour, "move": -0.9}]
    run = stress.run(scenario_of(market, hours=hours, step=step, **size).with_(shock=lifted))
    before = np.log(run.price_max / (10.0 * PRICE))
    return np.stack([before, horizon(run) - before])


def close(sample, expected, errors=4.0):
    return abs(sample.mean() - expected) <= errors * sample.std() / math.sqrt(sample.size)


# D02: every model without its frills is Brownian motion, watched all the time.


@pytest.mark.parametrize("kind", NO_FRILLS)
def test_d02_a_model_without_its_frills_is_hit_as_often_as_brownian_motion(kind):
    market = {"kind": kind, **volatility(kind, 0.8), **NO_FRILLS[kind], "extremes": "bridge"}
    run = stress.run(scenario_of(market, hours=24.0, step=1_200.0, n_paths=20_000, name="one_account"))
    value = liquidation_probability(PRICE, 47_500.0 / 0.995, vol_annual=0.8, years=1.0 / 365.0)
    assert value == pytest.approx(0.275320284798, rel=1e-11)
    assert abs(run.liquidated_accounts.mean() - value) <= 4 * math.sqrt(value * (1.0 - value) / 20_000)


# D15: moments of GARCH.

D15 = {"omega": 2e-6, "alpha": 0.08, "beta": 0.90}


@cache
def garch_hours(omega, alpha, beta):
    """Return the returns of the first and of the second hour, shape (2, n)."""
    vol = math.sqrt(omega / (1.0 - alpha - beta) / HOUR_YEARS)
    market = {"kind": "garch", "vol_annual": vol, "alpha": alpha, "beta": beta, "vol_largest_annual": 100.0, **NORMAL}
    return before_and_last(market, hours=2.0, n_paths=200_000)


@pytest.fixture(params=[(D15, (1e-4, 4.432835821, 0.2052173913)), ({"omega": 1e-5, "alpha": 0.1, "beta": 0.7}, None)])
def garch(request):
    law, printed = request.param
    alpha, beta = law["alpha"], law["beta"]
    both = alpha + beta
    variance = law["omega"] / (1.0 - both)
    kurtosis = 3.0 * (1.0 - both**2) / (1.0 - both**2 - 2.0 * alpha**2)
    lag = alpha * (1.0 - alpha * beta - beta**2) / (1.0 - 2.0 * alpha * beta - beta**2)
    if printed is not None:
        assert (variance, kurtosis, lag) == pytest.approx(printed, rel=1e-9)
    return garch_hours(**law), variance, kurtosis, lag


def test_d15_variance_of_garch(garch):
    hours, variance, _, _ = garch
    assert all(close(returns**2, variance) for returns in hours)


def test_d15_kurtosis_of_garch(garch):
    hours, variance, kurtosis, _ = garch
    assert close(hours[0] ** 4, kurtosis * variance**2)


def test_d15_autocorrelation_of_squares_of_garch(garch):
    (first, second), variance, kurtosis, lag = garch
    assert close((first**2 - variance) * (second**2 - variance), lag * (kurtosis - 1.0) * variance**2)


# D16: Student-t noise, of every model that has it.

STUDENT = {
    "student_t": {},
    "garch": {"alpha": 0.0, "beta": 0.0, "vol_largest_annual": 5.0},
    "regime": {},
    "volatility_clock": {"log_vol_sd": 0.0, "jumps_per_year": 0.0},
}
SD = 1e-4  # of an hour: so small that the drift is nothing


@cache
def student_losses(kind, nu):
    vol = SD / math.sqrt(HOUR_YEARS)
    market = {"kind": kind, **volatility(kind, vol), **STUDENT[kind], "tail_index": nu, "noise_largest": 1e9}
    return -log_returns(market, hours=1.0) / SD * math.sqrt(nu / (nu - 2.0))


@pytest.mark.parametrize(
    ("level", "quantile", "shortfall"),
    [
        (0.975, 3.18244630528, 5.03958306111),
        (0.99, 4.54070285857, 7.00308203624),
        (0.995, 5.84090930973, 8.91247339598),
    ],
)
@pytest.mark.parametrize("kind", STUDENT)
def test_d16_quantile_and_shortfall_of_student_t(kind, level, quantile, shortfall):
    losses, law = student_losses(kind, 3.0), stats.t(3.0)
    assert law.ppf(level) == pytest.approx(quantile, rel=1e-9)
    beyond = 1.0 - level
    assert shortfall == pytest.approx(law.pdf(quantile) / beyond * (3.0 + quantile**2) / 2.0, rel=1e-9)
    assert close((losses > quantile).astype(float), beyond)
    assert close(np.maximum(losses - quantile, 0.0), (shortfall - quantile) * beyond)


@pytest.mark.parametrize("nu", [2.6, 5.0])
def test_d16_other_degrees_of_freedom(nu):
    assert stats.kstest(student_losses("student_t", nu), stats.t(nu).cdf).pvalue > 1e-3


# D17: jumps that excite jumps.  A day is the unit of time; jumps are falls of exponential size, so that the mean square
# of what they move the price, less what they move it on average, is twice the squared mean size times their number.

SIZE = 1e-4


def mean_count(branching, decay, days, *, empty):
    """Return E N of base 2.5 (1 - branching) a day, from an empty start or from the mean rate (Hawkes 1971)."""
    if not empty:
        return 2.5 * days
    base, kick = 2.5 * (1.0 - branching), branching * decay
    gap = decay - kick
    return base * (decay * days / gap - kick * -math.expm1(-gap * days) / gap**2)


@pytest.mark.parametrize(
    ("branching", "decay", "days", "empty", "printed"),
    [
        (0.8, 2.0, 10.0, True, 20.0915781944),
        (0.8, 2.0, 10.0, False, 25.0),
        (0.4, 6.0, 3.0, True, None),
    ],
)
def test_d17_mean_number_of_jumps_that_excite_jumps(branching, decay, days, empty, printed):
    expected = mean_count(branching, decay, days, empty=empty)
    if printed is not None:
        assert expected == pytest.approx(printed, rel=1e-11)
    law = {"jumps_per_year": 2.5 * 365.0, "branching": branching, "memory_hours": 24.0 / decay, "jump_down": SIZE}
    start = {"start_rate": 0.0} if empty else {}
    market = {"kind": "hawkes", "vol_annual": 0.0, "jump_down_share": 1.0, **law, **start}
    moved = log_returns(market, hours=24.0 * days, step=SEVENTH, n_paths=40_000)
    assert close(moved, 0.0)
    assert close((moved / SIZE) ** 2, 2.0 * expected)


# D18: Heston's variance.

D18 = {"vol_annual": 0.8, "reversion_per_year": 3.0, "vol_of_vol": 1.2, "correlation": 0.0}
OTHER = {"vol_annual": 0.5, "reversion_per_year": 40.0, "vol_of_vol": 6.0, "correlation": -0.4}
BAR = SEVENTH / 3_600.0  # hours


@cache
def heston_month(kind, **law):
    """Return the log-returns of thirty days and of the four hours that follow."""
    jumps = {"jumps_per_year": 0.0} if kind == "bates" else {}
    market = {"kind": kind, "bar_seconds": SEVENTH, "start_vols_annual": [0.9], **law, **jumps}
    return before_and_last(market, hours=720.0 + BAR, step=SEVENTH, n_paths=40_000)


@pytest.fixture(params=[("heston", D18), ("bates", D18), ("heston", OTHER)], ids=["heston", "bates", "other"])
def heston(request):
    kind, law = request.param
    kappa, theta, xi, years = law["reversion_per_year"], law["vol_annual"] ** 2, law["vol_of_vol"], 30.0 / 365.0
    decay = math.exp(-kappa * years)
    mean = theta + (0.81 - theta) * decay
    spread = 0.81 * xi**2 / kappa * (decay - decay**2) + theta * xi**2 / (2.0 * kappa) * (1.0 - decay) ** 2
    integral = theta * years + (0.81 - theta) * (1.0 - decay) / kappa
    if law is D18:
        assert (mean, spread, integral) == pytest.approx((0.772850321813, 0.0737316934672, 0.0649859657882), rel=1e-11)
    return heston_month(kind, **law), mean, spread, integral


def test_d18_mean_log_price_of_heston(heston):
    (month, _), _, _, integral = heston
    assert close(month, -0.5 * integral)
    assert close(np.exp(month), 1.0)


def test_d18_mean_variance_of_heston_at_the_horizon(heston):
    (_, after), mean, _, _ = heston
    assert close(after**2 / (BAR * HOUR_YEARS), mean)


def test_d18_spread_of_hestons_variance_at_the_horizon(heston):
    (_, after), mean, spread, _ = heston
    assert close((after**2 / (BAR * HOUR_YEARS)) ** 2 / 3.0, mean**2 + spread)
