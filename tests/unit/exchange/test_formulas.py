import math
import tomllib

import pytest

from stress.exchange.formulas import (
    bankruptcy_price,
    entry_value_price,
    inverse_bankruptcy_price,
    inverse_entry_value_price,
    inverse_liquidation_price,
    liquidation_price,
    price_from_spare_margin,
)
from stress.exchange.margin import Tier, TierTable, maintenance_margin
from stress.toml import PRESETS

LONG, SHORT = 1, -1


def binance():
    rows = tomllib.loads((PRESETS / "binance_usdm.toml").read_text())["tier"]
    return TierTable.of(tuple(Tier(**row) for row in rows), continuous=True)


BINANCE = binance()


@pytest.mark.parametrize(
    ("side", "fee", "price"),
    [(LONG, 0.0, 45_000), (SHORT, 0.0, 55_000), (LONG, 0.0005, 45_022.5113), (SHORT, 0.0005, 54_972.5137)],
)
def test_bankruptcy_prices_are_those_of_worked_example_9_with_and_without_a_fee(side, fee, price):
    assert bankruptcy_price(side, 1.0, 50_000.0, 5_000.0, fee=fee) == pytest.approx(price, abs=5e-5)


@pytest.mark.parametrize(
    ("side", "qty", "collateral", "price"),
    [
        (LONG, 1.0, 5_000.0, 45_180.7229),
        (SHORT, 1.0, 5_000.0, 54_780.8765),
        (LONG, 100.0, 250_000.0, 47_858.5859),
        (SHORT, 100.0, 250_000.0, 52_099.0099),
    ],
)
def test_liquidation_prices_are_those_of_worked_examples_9_and_10(side, qty, collateral, price):
    assert liquidation_price(side, qty, 50_000.0, collateral, BINANCE) == pytest.approx(price, abs=5e-5)


def test_at_the_price_of_worked_example_10_equity_is_the_margin():
    price = liquidation_price(LONG, 100.0, 50_000.0, 250_000.0, BINANCE)
    assert 250_000 + 100 * (price - 50_000) == pytest.approx(35_858.5859, abs=5e-5)
    assert maintenance_margin(100 * price, BINANCE) == pytest.approx(35_858.5859, abs=5e-5)


def test_a_fee_in_the_margin_brings_liquidation_nearer_and_equity_then_covers_both():
    price = liquidation_price(LONG, 1.0, 50_000.0, 5_000.0, BINANCE, fee=0.0005)
    assert price > liquidation_price(LONG, 1.0, 50_000.0, 5_000.0, BINANCE)
    assert 5_000 + price - 50_000 == pytest.approx((0.004 + 0.0005) * price)


def test_a_position_that_is_fully_paid_for_has_no_liquidation_price():
    assert liquidation_price(LONG, 1.0, 50_000.0, 60_000.0, BINANCE) is None


def test_a_cross_account_counts_its_other_positions_as_collateral_as_in_worked_example_11():
    collateral = 300_000 - 8_100 + 300 * (2_700 - 3_000)
    price = liquidation_price(LONG, 20.0, 50_000.0, collateral, BINANCE)
    assert price == pytest.approx(40_090.5888, abs=5e-5)
    assert maintenance_margin(20 * price, BINANCE) + 8_100 == pytest.approx(11_811.7765, abs=5e-5)


def test_spare_margin_gives_the_price_of_worked_example_12_whatever_the_price_of_now():
    for price in (100_000.0, 95_000.0):
        spare = 20_000 + 2 * (price - 100_000) - 2 * price / 80
        assert price_from_spare_margin(LONG, 2.0, price, spare, 1 / 80) == pytest.approx(91_139.2405, abs=5e-5)


def test_the_backstop_of_worked_example_12_begins_at_two_thirds_of_the_margin():
    assert bankruptcy_price(LONG, 2.0, 100_000.0, 20_000.0) == 90_000
    assert bankruptcy_price(LONG, 2.0, 100_000.0, 20_000.0, fee=2 / 3 / 80) == pytest.approx(90_756.3025, abs=5e-5)


@pytest.mark.parametrize(("side", "price"), [(LONG, 45_250.0), (SHORT, 54_750.0)])
def test_margin_on_the_value_at_entry_of_a_linear_contract(side, price):
    assert entry_value_price(side, 50_000.0, 10.0, 0.005) == pytest.approx(price)


@pytest.mark.parametrize(
    ("side", "bankrupt", "current", "at_entry"),
    [(LONG, 45_454.5455, 45_681.8182, 45_662.1005), (SHORT, 55_555.5556, 55_277.7778, 55_248.6188)],
)
def test_inverse_prices_are_those_of_worked_example_13(side, bankrupt, current, at_entry):
    position = (side, 100_000.0, 50_000.0, 0.2)
    assert inverse_bankruptcy_price(*position) == pytest.approx(bankrupt, abs=5e-5)
    assert inverse_liquidation_price(*position, 0.005) == pytest.approx(current, abs=5e-5)
    assert inverse_entry_value_price(*position, 0.005) == pytest.approx(at_entry, abs=5e-5)


def test_a_fully_collateralised_inverse_short_of_worked_example_13_is_never_bankrupt():
    assert inverse_bankruptcy_price(SHORT, 100_000.0, 50_000.0, 2.0) == math.inf
    assert inverse_liquidation_price(SHORT, 100_000.0, 50_000.0, 2.0, 0.005) == math.inf
    assert inverse_entry_value_price(SHORT, 100_000.0, 50_000.0, 2.1, 0.005) == math.inf
