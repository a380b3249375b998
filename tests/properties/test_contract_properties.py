"""An inverse contract is the linear one seen from the coin: what must hold for every account and every price."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stress
from stress.accounts import ACCOUNT, equity
from stress.exchange.contract import Inverse, Quanto
from stress.exchange.formulas import (
    inverse_bankruptcy_price,
    inverse_entry_value_price,
    inverse_liquidation_price,
)
from stress.exchange.margin import Tier, TierTable, is_breached, liquidation_prices

COIN = Inverse()
SIDES, PRICES = st.sampled_from([1, -1]), st.floats(1_000.0, 200_000.0)
CONTRACTS, LEVERAGE = st.integers(1, 10_000_000), st.floats(1.2, 90.0)
RATE = 0.005


def table(basis):
    return TierTable.of(
        (Tier(cap_coin=1e12, max_leverage=100, maintenance_margin_rate=RATE),), continuous=True, basis=basis
    )


@given(side=SIDES, contracts=CONTRACTS, entry=PRICES, leverage=LEVERAGE, price=PRICES)
def test_equity_in_coordinates_is_the_profit_in_coin(side, contracts, entry, leverage, price):
    collateral = contracts / entry / leverage
    found = equity(COIN.quantity(side * contracts), COIN.price(entry), collateral, COIN.price(price), 0.0)
    scale = contracts / min(entry, price)
    assert found == pytest.approx(collateral + side * contracts * (1 / entry - 1 / price), abs=1e-12 * scale)


@pytest.mark.parametrize(
    ("basis", "formula"), [("mark", inverse_liquidation_price), ("entry", inverse_entry_value_price)]
)
@given(side=SIDES, contracts=CONTRACTS, entry=PRICES, leverage=LEVERAGE)
def test_the_help_pages_price_is_where_the_rule_turns(basis, formula, side, contracts, entry, leverage):
    collateral = contracts / entry / leverage
    price = formula(side, contracts, entry, collateral, RATE)
    qty, at, tiers = COIN.quantity(side * contracts), COIN.price(entry), table(basis)
    if math.isfinite(price):
        worse, better = COIN.price(price * (1 - side * 1e-9)), COIN.price(price * (1 + side * 1e-9))
        assert is_breached(qty, at, collateral, worse, 0.0, tiers)
        assert not is_breached(qty, at, collateral, better, 0.0, tiers)
        row = np.array([(qty, at, collateral, *([0] * 7))], dtype=ACCOUNT)
        assert COIN.usd_price(liquidation_prices(row, tiers)[0, 0]) == pytest.approx(price)


@given(contracts=CONTRACTS, entry=PRICES, fall=st.floats(0.01, 0.45))
def test_a_long_loses_more_than_twice_as_much_in_twice_the_fall(contracts, entry, fall):
    once, twice = (
        -equity(COIN.quantity(contracts), COIN.price(entry), 0.0, COIN.price(entry * (1 - k * fall)), 0.0)
        for k in (1, 2)
    )
    assert twice > 2 * once


@given(side=SIDES, contracts=CONTRACTS, entry=PRICES, leverage=LEVERAGE)
def test_bankruptcy_is_beyond_liquidation(side, contracts, entry, leverage):
    collateral = contracts / entry / leverage
    bankrupt = inverse_bankruptcy_price(side, contracts, entry, collateral)
    for formula in (inverse_liquidation_price, inverse_entry_value_price):
        assert side * (formula(side, contracts, entry, collateral, RATE) - bankrupt) >= 0 or math.isinf(bankrupt)


@given(multiplier=st.floats(1e-8, 10.0), contracts=CONTRACTS, entry=PRICES, price=PRICES)
def test_a_quanto_pays_its_multiplier_whatever_the_price(multiplier, contracts, entry, price):
    quanto = Quanto(multiplier=multiplier, settlement_price_usd=30_000.0)
    found = equity(quanto.quantity(contracts), quanto.price(entry), 0.0, quanto.price(price), 0.0)
    assert found == pytest.approx(multiplier * contracts * (price - entry), rel=1e-12, abs=1e-12)


BOOK = {
    "run": {"name": "one", "horizon_hours": 1.0, "n_paths": 1},
    "market": {"kind": "scripted", "price_usd": 50_000.0},
    "liquidity": {
        "volume_usd_per_day": 2.0e9,
        "impact": {"kind": "linear", "log_price_per_daily_volume": 0.0},
        "source": "constant",
    },
    "exchange": {"contract": "inverse", "fee": "confiscate", "disposal": "immediate", "tick": 1e-5},
    "funding": {"interval_hours": 1.0, "mean_rate": 0.0, "sd_rate": 0.0},
    "fund": {"initial_coin": 10.0},
    "tier": [{"cap_coin": 1e6, "max_leverage": 100, "maintenance_margin_rate": RATE}],
    "layer": ["fund", "adl", "socialize"],
    "population": [
        {"kind": "account", "name": "one", "qty": 100_000, "entry_usd": 50_000.0, "collateral_coin": 0.2},
        {"kind": "maker", "name": "makers", "collateral_coin": 100.0},
    ],
}


def run(engine="auto", **overrides):
    return stress.run(stress.Scenario.from_tables(BOOK, overrides=overrides), engine=engine, ledger=True)


@pytest.mark.parametrize("engine", ["reference", "loop", "ladder"])
@pytest.mark.parametrize(("fill", "coin"), [(45_500.0, 0.0021978022), (45_000.0, -0.0222222222)])
def test_the_fund_gains_and_loses_in_coin_as_in_worked_example_20(engine, fill, coin):
    found = run(engine, shock=[{"at_hours": 0.5, "move": fill / 50_000.0 - 1.0}])
    assert found.ledger["qty"].tolist() == [100_000.0]
    assert found.fund_end[0] - 10.0 == pytest.approx(coin, abs=1e-8)
    assert found.price_min[0] == pytest.approx(fill)
    assert found.conservation_error[0] < 1e-9


@pytest.mark.parametrize("engine", ["reference", "loop", "ladder"])
def test_longs_pay_positive_funding_in_coin(engine):
    """One hour at 1 %: 100,000 contracts at 50,000 are 2 BTC, so the long pays 0.02 BTC; its margin was 0.2."""
    rates = {"funding.mean_rate": 0.01, "funding.clamp": 0.05}
    shock = [{"at_hours": 0.99, "move": 0.0}]
    thin = {"population.0.collateral_coin": 0.0290, **rates, "shock": shock, "run.horizon_hours": 2.0}
    paid = run(engine, **thin)
    assert paid.ledger["step"].tolist() == [60]
    assert run(engine, **thin, **{"population.0.qty": -100_000}).ledger.size == 0


@given(move=st.floats(-0.6, 1.5))
def test_books_balance_in_coin_at_every_price(move):
    found = run("loop", shock=[{"at_hours": 0.5, "move": move}])
    assert found.conservation_error[0] < 1e-12
