import math

import numpy as np
import pytest

from stress.accounts import ACCOUNT, bankruptcy_price, equity
from stress.exchange.contract import Contract, Inverse, Linear, Quanto
from stress.exchange.formulas import inverse_bankruptcy_price
from stress.exchange.margin import Tier, TierTable, is_breached, liquidation_prices, required_margin, tier_of
from stress.exchange.ranking import Standing, profit_times_leverage

COIN = Inverse()
QUANTO = Quanto(multiplier=1e-6, settlement_price_usd=40_000.0)
EVERY = pytest.mark.parametrize("contract", [Linear(), COIN, QUANTO], ids=lambda contract: contract.kind)
XBTUSD = ((200, 100, 0.005), (350, 66, 0.01), (500, 50, 0.015), (650, 40, 0.02))


def table(rows, *, basis="mark", continuous=False):
    tiers = [Tier(cap_coin=cap, max_leverage=lev, maintenance_margin_rate=rate) for cap, lev, rate in rows]
    return TierTable.of(tuple(tiers), continuous=continuous, basis=basis)


def seat(contracts, entry, collateral):
    """Return (qty, entry, collateral) of contracts of 1 USD in the coordinates of the inverse contract."""
    return COIN.quantity(contracts), COIN.price(entry), collateral


def record(contracts, entry, collateral):
    return np.array([(*seat(contracts, entry, collateral), *([0] * 7))], dtype=ACCOUNT)


@EVERY
def test_prices_and_sizes_come_back_from_coordinates(contract):
    assert contract.usd_price(contract.price(7_966.0)) == pytest.approx(7_966.0)
    assert contract.stated(contract.quantity(-3_000.0)) == pytest.approx(-3_000.0)


@EVERY
@pytest.mark.parametrize("move", [-0.5, -0.1, 0.4])
def test_a_move_in_coordinates_is_that_of_the_translated_price(contract, move):
    moved = contract.price(7_966.0 * (1.0 + move)) / contract.price(7_966.0) - 1.0
    assert contract.move(move) == pytest.approx(moved)


@EVERY
def test_a_long_gains_when_the_usd_price_rises(contract):
    qty, before, after = contract.quantity(10.0), contract.price(50_000.0), contract.price(51_000.0)
    assert qty * (after - before) > 0
    assert np.sign(qty) == contract.side


def test_profit_of_an_inverse_contract_is_in_coin():
    qty, entry, collateral = seat(100_000.0, 50_000.0, 0.2)
    assert equity(qty, entry, collateral, COIN.price(40_000.0), 0.0) == pytest.approx(0.2 + 1e5 * (1 / 5e4 - 1 / 4e4))


def test_profit_of_a_quanto_contract_is_multiplier_times_size_times_move():
    qty = QUANTO.quantity(1_000.0)
    assert equity(qty, QUANTO.price(200.0), 0.05, QUANTO.price(230.0), 0.0) == pytest.approx(0.05 + 1e-6 * 1_000 * 30)


@pytest.mark.parametrize(("contracts", "price"), [(100_000, 45_454.5455), (-100_000, 55_555.5556)])
def test_bankruptcy_in_coordinates_is_that_of_worked_example_13(contracts, price):
    found = COIN.usd_price(bankruptcy_price(*seat(contracts, 50_000.0, 0.2), 0.0))
    assert found == pytest.approx(price, abs=5e-5)


@pytest.mark.parametrize(
    ("contracts", "basis", "price"),
    [
        (100_000, "mark", 45_681.8182),
        (100_000, "entry", 45_662.1005),
        (-100_000, "mark", 55_277.7778),
        (-100_000, "entry", 55_248.6188),
    ],
)
def test_liquidation_in_coordinates_is_that_of_worked_example_13(contracts, basis, price):
    tiers = table(XBTUSD[:1], basis=basis)
    [[found]] = liquidation_prices(record(contracts, 50_000.0, 0.2), tiers)
    assert COIN.usd_price(found) == pytest.approx(price, abs=5e-5)
    side = math.copysign(1.0, contracts)
    beyond, before = (COIN.price(price * (1.0 - side * step)) for step in (1e-6, -1e-6))
    assert is_breached(*seat(contracts, 50_000.0, 0.2), beyond, 0.0, tiers)
    assert not is_breached(*seat(contracts, 50_000.0, 0.2), before, 0.0, tiers)


@pytest.mark.parametrize(("basis", "collateral"), [("mark", 2.0), ("entry", 2.01)])
def test_the_fully_collateralised_short_of_worked_example_13_survives_every_price(basis, collateral):
    tiers = table(XBTUSD[:1], basis=basis)
    account = seat(-100_000.0, 50_000.0, collateral)
    assert not any(is_breached(*account, COIN.price(usd), 0.0, tiers) for usd in (1e5, 1e7, 1e12))


@pytest.mark.parametrize(("value", "margin"), [(180, 0.90), (230, 2.30)])
def test_risk_limits_in_coin_are_cliffs_as_in_worked_example_3(value, margin):
    tiers = table(XBTUSD, basis="entry")
    contracts = value * 50_000.0
    for mark in (50_000.0, 30_000.0):  # on the value at entry the margin does not move with the price
        qty, entry, _ = seat(contracts, 50_000.0, 0.0)
        assert required_margin(qty, entry, COIN.price(mark), tiers) == pytest.approx(margin, rel=1e-12)


@pytest.mark.parametrize(("fill", "coin"), [(46_000, 0.0260869565), (45_000, -0.0222222222)])
def test_the_surplus_of_a_fill_is_that_of_worked_example_20(fill, coin):
    qty, entry, collateral = seat(100_000.0, 50_000.0, 0.2)
    found = equity(qty, entry, collateral, COIN.price(float(fill)), 0.0)
    assert found == pytest.approx(coin, abs=5e-11)
    expected = 1e5 * (1.0 / inverse_bankruptcy_price(1, 1e5, 5e4, 0.2) - 1.0 / fill)
    assert found == pytest.approx(expected, rel=1e-9)


def test_the_shortfall_of_worked_example_20_is_a_thousand_dollars_at_the_fill():
    assert equity(*seat(100_000.0, 50_000.0, 0.2), COIN.price(45_000.0), 0.0) * 45_000 == pytest.approx(-1_000)


def test_adl_ranks_an_inverse_winner_as_in_worked_example_28():
    (qty, entry, collateral), mark = seat(100_000.0, 40_000.0, 0.25), COIN.price(50_000.0)
    worth, profit = equity(qty, entry, collateral, mark, 0.0), qty * (mark - entry)
    assert COIN.usd_price(bankruptcy_price(qty, entry, collateral, 0.0)) == pytest.approx(36_363.6364, abs=5e-5)
    assert profit / (abs(qty) * entry) == pytest.approx(0.2)
    assert abs(qty) * mark / worth == pytest.approx(2.666667, abs=5e-7)
    winner = Standing(-1.0, entry, mark, profit, abs(qty) * entry, abs(qty) * mark, worth, 0.0, 1.0 / 50_000.0, 0.0)
    rank = profit_times_leverage(winner)
    assert rank == pytest.approx(0.533333, abs=5e-7)


def test_a_longs_loss_in_coin_grows_faster_than_the_fall():
    losses = [
        -equity(*seat(100_000.0, 50_000.0, 0.0), COIN.price(50_000.0 * (1 - fall)), 0.0) for fall in (0.1, 0.2, 0.4)
    ]
    assert losses[1] > 2 * losses[0]
    assert losses[2] > 2 * losses[1]


@pytest.mark.parametrize("beta", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("move", [-0.5, 0.3])
def test_what_an_asset_is_worth_in_money_is_affine_in_the_coordinate(beta, move):
    exposure = COIN.exposure(beta)
    in_coin = (1 + beta * move) / (1 + move)
    assert 1 - exposure + exposure * (1 + COIN.move(move)) == pytest.approx(in_coin)


def test_margin_at_entry_and_at_the_mark_agree_at_the_entry():
    for basis in ("mark", "entry"):
        tiers = table(XBTUSD, basis=basis)
        qty, entry, _ = seat(230 * 50_000.0, 50_000.0, 0.0)
        assert required_margin(qty, entry, entry, tiers) == pytest.approx(2.30)
        assert tier_of(abs(qty) * entry, tiers) == 1


def test_contracts_are_chosen_by_kind_and_a_quanto_needs_its_multiplier():
    assert isinstance(Contract.choose("inverse"), Inverse)
    with pytest.raises(ValueError, match="multiplier"):
        Contract.choose("quanto")
