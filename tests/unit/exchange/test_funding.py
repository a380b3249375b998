import numpy as np
import pytest
from pydantic import ValidationError

from stress.exchange.funding import Funding, margin_cap, premium_index, rate_of, rising_average, times_mmr
from stress.exchange.pricing import pay_funding
from stress.exchange.state import ExchangeState

N_PATHS, N_INTERVALS = 20_000, 30


@pytest.fixture(scope="module")
def rates():
    normals = np.random.default_rng(11).standard_normal((N_PATHS, N_INTERVALS))
    return Funding().rates(normals)


@pytest.mark.parametrize("interval", [0, 1, N_INTERVALS - 1])
def test_every_interval_has_the_stationary_mean(rates, interval):
    error = 1.05e-4 / np.sqrt(N_PATHS)
    assert abs(rates[:, interval].mean() - 0.712e-4) < 4 * error


@pytest.mark.parametrize("interval", [0, 1, N_INTERVALS - 1])
def test_every_interval_has_the_stationary_standard_deviation(rates, interval):
    error = 1.05e-4 / np.sqrt(2 * N_PATHS)
    assert abs(rates[:, interval].std() - 1.05e-4) < 4 * error


@pytest.mark.parametrize("lag", [1, 3])
def test_rates_persist_as_an_ar1(rates, lag):
    found = np.corrcoef(rates[:, 5], rates[:, 5 + lag])[0, 1]
    expected = 0.75**lag
    assert abs(found - expected) < 4 * (1 - expected**2) / np.sqrt(N_PATHS)


def test_rates_stop_at_the_clamp_on_both_sides():
    rates = Funding(sd_rate=0.01, clamp=1e-3).rates(np.random.default_rng(2).standard_normal((500, 4)))
    assert (rates.min(), rates.max()) == (-1e-3, 1e-3)


def test_a_clamped_rate_does_not_forget_the_deviation_behind_it():
    funding = Funding(mean_rate=0.0, sd_rate=1e-3, persistence=0.9, clamp=1e-3)
    rates = funding.rates(np.array([[5.0, 0.0, 0.0, 0.0]]))
    assert rates[0].tolist() == [1e-3] * 4


def test_funding_without_deviation_is_its_mean():
    assert Funding(mean_rate=1e-4, sd_rate=0.0).rates(np.ones((2, 3))).tolist() == [[1e-4] * 3] * 2


def test_a_horizon_shorter_than_an_interval_pays_no_funding():
    assert Funding().rates(np.empty((7, 0))).shape == (7, 0)


@pytest.mark.parametrize("key", ["persistence", "clamp", "sd_rate", "interval_hours"])
def test_a_negative_parameter_is_refused(key):
    with pytest.raises(ValidationError, match=key):
        Funding(**{key: -0.1})


# --- the formulas of venues, in the digits of their help pages


@pytest.mark.parametrize(
    ("premium", "rate"), [(3e-4, 1e-4), (12e-4, 7e-4), (-10e-4, -5e-4), (6e-4, 1e-4), (-4e-4, 1e-4)]
)
def test_the_rate_of_worked_example_35_is_the_premium_damped_towards_the_interest(premium, rate):
    assert rate_of(premium) == pytest.approx(rate, abs=1e-15)


def test_an_interval_of_four_hours_pays_half_as_in_worked_example_35():
    assert rate_of(12e-4, hours=4.0) == pytest.approx(3.5e-4, abs=1e-15)


def test_the_hour_of_hyperliquid_pays_an_eighth_as_in_worked_example_35():
    assert rate_of(12e-4, hours=1.0) == pytest.approx(0.875e-4, abs=1e-15)


def test_a_rate_stops_at_the_cap_of_its_interval():
    assert rate_of([0.6, -0.6], hours=1.0, cap=0.04).tolist() == [0.04, -0.04]


def test_without_interest_and_damping_the_rate_is_the_premium():
    assert rate_of(12e-4, interest=0.0, damping=0.0) == 12e-4


def test_the_weights_of_bybit_rise_as_in_worked_example_36():
    assert rising_average([1e-4, 2e-4, 6e-4]) == pytest.approx(3.83333e-4, abs=5e-10)


@pytest.mark.parametrize(
    ("bid", "ask", "premium"), [(50_060.0, 50_080.0, 12e-4), (49_920.0, 49_940.0, -12e-4), (49_990.0, 50_010.0, 0.0)]
)
def test_the_premium_of_worked_example_37_is_how_far_the_index_lies_outside_the_impact_prices(bid, ask, premium):
    assert premium_index(50_000.0, bid, ask) == pytest.approx(premium, abs=1e-15)


def test_a_long_of_two_pays_seventy_as_in_worked_example_38():
    state = ExchangeState(mark=50_000.0)
    pay_funding(state, 7e-4)
    assert 2.0 * state.funding == pytest.approx(70.0)


@pytest.mark.parametrize(("initial", "maintenance", "cap"), [(0.05, 0.03, 0.12), (0.02, 0.012, 0.048)])
def test_the_cap_of_worked_example_39_is_a_multiple_of_the_span_of_margins(initial, maintenance, cap):
    assert margin_cap(6.0, initial, maintenance) == pytest.approx(cap)


def test_the_cap_of_binance_is_a_multiple_of_the_maintenance_rate():
    assert times_mmr(0.75, 0.004) == pytest.approx(0.003)


# --- an AR(1) of the premium


def test_a_premium_of_no_variation_pays_what_the_formula_says():
    funding = Funding(kind="premium", mean_premium=12e-4, sd_premium=0.0, interval_hours=4.0)
    assert funding.rates(np.ones((2, 3))) == pytest.approx(np.full((2, 3), 3.5e-4))


def test_small_premiums_pay_the_interest():
    rates = Funding(kind="premium", sd_premium=1e-4).rates(np.random.default_rng(5).standard_normal((400, 3)))
    assert np.mean(np.abs(rates - 1e-4) < 1e-15) > 0.99


def test_the_premium_persists_and_the_rate_stops_at_the_clamp():
    funding = Funding(kind="premium", sd_premium=0.01, clamp=1e-3)
    assert funding.rates(np.array([[3.0, 0.0, 0.0]]))[0].tolist() == [1e-3] * 3


@pytest.mark.parametrize("kind", ["rate", "premium"])
@pytest.mark.parametrize("hours", [1.0, 8.0])
def test_no_rate_within_four_deviations_exceeds_the_bound_that_the_ladder_is_built_for(kind, hours):
    funding = Funding(kind=kind, interval_hours=hours, clamp=0.05, mean_premium=2e-4)
    normals = np.full((1, 40), 4.0)
    normals[:, 1:] = 4.0 * (1.0 - 0.75) / np.sqrt(1.0 - 0.75**2)  # stays at four deviations
    for sign in (1.0, -1.0):
        assert np.abs(funding.rates(sign * normals)).max() <= funding.largest(4.0) * (1.0 + 1e-12)


def test_funding_at_another_interval_costs_the_same_a_day():
    hourly = Funding(mean_rate=8e-4, persistence=0.5).paid_every(1.0)
    assert (hourly.mean_rate, hourly.interval_hours) == (pytest.approx(1e-4), 1.0)
    assert hourly.persistence**8 == pytest.approx(0.5)
