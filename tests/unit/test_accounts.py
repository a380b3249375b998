import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stress.accounts import ACCOUNT, EXACT_UNITS, bankruptcy_price, equity, grid, notional, quantize, unrealized_pnl


@pytest.mark.parametrize("qty", [2.0, -2.0])
def test_notional_is_positive_on_both_sides(qty):
    assert notional(qty, 45_000.0) == 90_000.0


def test_a_long_gains_what_a_short_loses():
    assert unrealized_pnl(2.0, 50_000.0, 51_000.0, 0.0) == 2_000.0
    assert unrealized_pnl(-2.0, 50_000.0, 51_000.0, 0.0) == -2_000.0


def test_funding_is_paid_by_longs_and_received_by_shorts():
    assert unrealized_pnl(2.0, 50_000.0, 50_000.0, 10.0) == -20.0
    assert unrealized_pnl(-2.0, 50_000.0, 50_000.0, 10.0) == 20.0


def test_equity_is_collateral_plus_profit():
    assert equity(2.0, 50_000.0, 10_000.0, 49_000.0, 0.0) == 8_000.0


@pytest.mark.parametrize(("qty", "price"), [(1.0, 45_000.0), (-1.0, 55_000.0)])
def test_bankruptcy_price_is_that_of_worked_example_9(qty, price):
    assert bankruptcy_price(qty, 50_000.0, 5_000.0, 0.0) == price


@given(
    qty=st.floats(1e-3, 1e4).flatmap(lambda q: st.sampled_from([q, -q])),
    leverage=st.floats(1.0, 125.0),
    funding=st.floats(-1e3, 1e3),
)
def test_equity_is_zero_at_the_bankruptcy_price(qty, leverage, funding):
    collateral = abs(qty) * 50_000.0 / leverage
    price = bankruptcy_price(qty, 50_000.0, collateral, funding)
    assert equity(qty, 50_000.0, collateral, price, funding) == pytest.approx(0.0, abs=1e-9 * abs(qty) * 5e4)


@pytest.mark.parametrize(("step", "unit"), [(0.001, 2.0**-10), (0.01, 2.0**-7), (0.1, 2.0**-4), (0.25, 0.25), (3, 2)])
def test_the_grid_is_the_largest_power_of_two_not_above_the_step(step, unit):
    assert grid(step) == unit


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_quantised_numbers_are_whole_multiples_of_the_grid(values):
    units = quantize(np.array(values), 0.001) / grid(0.001)
    assert (units == np.round(units)).all()


@given(st.floats(-1e6, 1e6))
def test_quantising_moves_a_number_by_at_most_half_a_unit(value):
    assert abs(quantize(value, 0.01) - value) <= 0.5 * grid(0.01)


def test_quantising_twice_changes_nothing():
    values = quantize(np.random.default_rng(1).normal(size=100), 0.001)
    assert (quantize(values, 0.001) == values).all()


def test_sums_of_quantised_products_do_not_depend_on_their_order():
    rng = np.random.default_rng(2)
    qty, entry = quantize(rng.normal(0, 10, 5_000), 0.001), quantize(rng.uniform(4e4, 6e4, 5_000), 0.1)
    terms = qty * entry
    forward = 0.0
    for term in terms:
        forward += term
    assert forward == terms[np.argsort(terms)].sum() == terms[::-1].cumsum()[-1]


def test_exactness_ends_where_floats_skip_whole_numbers():
    assert EXACT_UNITS + 1.0 == EXACT_UNITS
    assert EXACT_UNITS - 1.0 != EXACT_UNITS


def test_an_account_has_the_fields_of_the_vocabulary():
    told = ("qty", "entry", "collateral", "cohort", "cross", "wait")
    assert ACCOUNT.names == (*told, "stop", "target", "call", "spare")
