import tomllib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import brentq

from stress.accounts import ACCOUNT, bankruptcy_price, equity
from stress.exchange.margin import (
    MAX_TIERS,
    Tier,
    TierTable,
    breached,
    is_breached,
    liquidation_prices,
    maintenance_margin,
    tier_of,
)
from stress.toml import PRESETS

# Binance USD-M BTCUSDT of 2025-08-19: the published maintenance amounts (exchange_mechanics 2.2).
PUBLISHED_CUM = [
    *(0, 300, 1_500, 12_000, 132_000, 482_000, 2_982_000, 14_482_000),
    *(26_482_000, 41_482_000, 121_482_000, 421_482_000),
]


def table(*rows, continuous=True):
    names = ("cap_usd", "max_leverage", "maintenance_margin_rate")
    tiers = tuple(Tier(**dict(zip(names, row, strict=True))) for row in rows)
    return TierTable.of(tiers, continuous=continuous)


def binance():
    rows = tomllib.loads((PRESETS / "binance_usdm.toml").read_text())["tier"]
    return TierTable.of(tuple(Tier(**row) for row in rows), continuous=True)


BINANCE = binance()
HYPERLIQUID = table((150e6, 40, 0.0125), (1e12, 20, 0.025))
CLIFF = table((200, 100, 0.005), (350, 66, 0.01), (500, 50, 0.015), continuous=False)


def rows(*accounts):
    made = np.zeros(len(accounts), dtype=ACCOUNT)
    for row, (qty, entry, collateral) in zip(made, accounts, strict=True):
        row["qty"], row["entry"], row["collateral"] = qty, entry, collateral
    return made


def liquidation_price(qty, entry, collateral, tiers, funding=0.0):
    prices = liquidation_prices(rows((qty, entry, collateral)), tiers, funding)[0]
    return prices.max() if qty > 0 else prices.min()


@pytest.mark.parametrize(
    ("notional", "margin"),
    [
        (250_000, 1_000),
        (500_000, 2_200),
        (1_000_000, 5_000),
        (5_000_000, 38_000),
        (100_000_000, 2_018_000),
        (1_000_000_000, 128_518_000),
    ],
)
def test_maintenance_margin_of_binance_is_that_of_worked_example_1(notional, margin):
    assert maintenance_margin(float(notional), BINANCE) == pytest.approx(margin, rel=1e-12)


def test_maintenance_margin_of_hyperliquid_is_that_of_worked_example_2():
    assert maintenance_margin(200e6, HYPERLIQUID) == pytest.approx(3_125_000, rel=1e-12)


def test_hyperliquids_deduction_is_the_published_one():
    assert HYPERLIQUID.deduction[1] == pytest.approx(1_875_000, rel=1e-12)


@pytest.mark.parametrize(("notional", "margin"), [(180, 0.90), (230, 2.30)])
def test_a_cliff_applies_the_reached_rate_to_the_whole_position_as_in_worked_example_3(notional, margin):
    # The venue counts in XBT; here the same numbers are quote units.
    assert maintenance_margin(float(notional), CLIFF) == pytest.approx(margin, rel=1e-12)


def test_deductions_of_the_binance_preset_are_the_published_maintenance_amounts():
    assert BINANCE.deduction[: BINANCE.count] == pytest.approx(PUBLISHED_CUM, rel=1e-12)


def test_continuous_margin_is_the_progressive_sum_over_tiers():
    floors = np.array([0.0, *BINANCE.cap[: BINANCE.count - 1]])
    caps, rates = np.array(BINANCE.cap[: BINANCE.count]), np.array(BINANCE.rate[: BINANCE.count])
    for notional in np.geomspace(1e3, 1.7e9, 50):
        progressive = (rates * np.clip(np.minimum(notional, caps) - floors, 0.0, None)).sum()
        assert maintenance_margin(notional, BINANCE) == pytest.approx(progressive, rel=1e-12)


def test_continuous_margin_does_not_jump_at_a_cap():
    for cap in BINANCE.cap[: BINANCE.count - 1]:
        above = maintenance_margin(np.nextafter(cap, np.inf), BINANCE)
        assert above == pytest.approx(maintenance_margin(cap, BINANCE), rel=1e-12)


def test_a_notional_at_the_cap_belongs_to_the_lower_tier():
    assert [tier_of(n, CLIFF) for n in (200.0, 200.1, 350.0, 350.1)] == [0, 1, 1, 2]


def test_beyond_the_last_cap_the_last_tier_applies():
    assert tier_of(1e9, CLIFF) == 2


def test_tables_are_padded_to_one_length():
    assert {len(BINANCE.cap), len(CLIFF.rate), len(HYPERLIQUID.deduction)} == {MAX_TIERS}


# Worked examples 9 and 10 without their fee variants: this rulebook reserves no closing fee.
@pytest.mark.parametrize(
    ("qty", "collateral", "bankrupt", "liquidated"),
    [
        (1, 5_000, 45_000, 45_180.7229),
        (-1, 5_000, 55_000, 54_780.8765),
        (100, 250_000, 47_500, 47_858.5859),
        (-100, 250_000, 52_500, 52_099.0099),
    ],
)
def test_bankruptcy_and_liquidation_prices_are_those_of_worked_examples_9_and_10(qty, collateral, bankrupt, liquidated):
    assert bankruptcy_price(qty, 50_000.0, collateral, 0.0) == bankrupt
    assert liquidation_price(qty, 50_000.0, collateral, BINANCE) == pytest.approx(liquidated, abs=5e-5)


def test_equity_equals_maintenance_margin_at_the_liquidation_price_of_worked_example_10():
    price = liquidation_price(100, 50_000.0, 250_000.0, BINANCE)
    assert equity(100, 50_000.0, 250_000.0, price, 0.0) == pytest.approx(35_858.5859, abs=5e-5)
    assert maintenance_margin(100 * price, BINANCE) == pytest.approx(35_858.5859, abs=5e-5)


# Rate 1/128: every product is an exact float, so that equality is equality.
EXACT = table((1e9, 100, 1.0 / 128.0))


@pytest.mark.parametrize(("qty", "entry"), [(1.0, 1040.0), (-1.0, 1008.0)])
def test_equity_equal_to_maintenance_margin_is_healthy(qty, entry):
    assert equity(qty, entry, 24.0, 1024.0, 0.0) == maintenance_margin(1024.0, EXACT) == 8.0
    assert not is_breached(qty, entry, 24.0, 1024.0, 0.0, EXACT)


@pytest.mark.parametrize(("qty", "entry"), [(1.0, 1040.0), (-1.0, 1008.0)])
def test_equity_a_hair_below_maintenance_margin_is_breached(qty, entry):
    assert is_breached(qty, entry, 24.0 - 1e-12, 1024.0, 0.0, EXACT)


def test_nobody_without_a_position_is_breached():
    assert not is_breached(0.0, 1040.0, -1.0, 1024.0, 0.0, EXACT)


def test_funding_paid_by_longs_breaches_a_long_and_helps_a_short():
    assert is_breached(1.0, 1040.0, 24.0, 1024.0, 0.5, EXACT)
    assert not is_breached(-1.0, 1008.0, 23.75, 1024.0, 0.5, EXACT)


SIDES = st.sampled_from([1.0, -1.0])
SIZES = st.floats(1e-3, 2e4)
LEVERAGES = st.floats(1.0, 120.0)
MOVES = st.floats(0.3, 2.0)


@pytest.mark.parametrize("tiers", [BINANCE, HYPERLIQUID, CLIFF], ids=["binance", "hyperliquid", "cliff"])
@given(side=SIDES, size=SIZES, leverage=LEVERAGES, move=MOVES, funding=st.floats(-500.0, 500.0))
def test_breached_means_equity_below_maintenance_margin(tiers, side, size, leverage, move, funding):
    entry, mark = 50_000.0, 50_000.0 * move
    collateral = size * entry / leverage
    left = collateral + side * size * (mark - entry - funding)
    needed = maintenance_margin(size * mark, tiers)
    assume(abs(left - needed) > 1e-9 * size * mark)
    assert is_breached(side * size, entry, collateral, mark, funding, tiers) == (left < needed)


@pytest.mark.parametrize("basis", ["mark", "entry"])
@pytest.mark.parametrize("tiers", [BINANCE, HYPERLIQUID, CLIFF], ids=["binance", "hyperliquid", "cliff"])
def test_all_accounts_at_once_are_breached_as_each_alone_is(tiers, basis):
    rng, n = np.random.default_rng(8), 5_000
    accounts = np.zeros(n, ACCOUNT)
    accounts["qty"] = rng.choice([-1.0, 1.0], n) * np.exp(rng.uniform(-7.0, 10.0, n))
    accounts["entry"] = 50_000.0 * np.exp(rng.normal(0.0, 0.05, n))
    accounts["collateral"] = np.abs(accounts["qty"]) * accounts["entry"] * rng.uniform(0.0, 0.15, n)
    tiers = replace(tiers, at_mark=float(basis == "mark"), at_entry=float(basis == "entry"))
    alone = [is_breached(a["qty"], a["entry"], a["collateral"], 50_000.0, 0.0, tiers) for a in accounts]
    assert breached(accounts, 50_000.0, tiers).tolist() == alone
    assert 500 < sum(alone) < n - 500


@pytest.mark.parametrize("tiers", [BINANCE, HYPERLIQUID], ids=["binance", "hyperliquid"])
@given(side=SIDES, size=SIZES, leverage=st.floats(1.05, 120.0), funding=st.floats(-500.0, 500.0))
def test_liquidation_price_is_the_root_of_equity_minus_margin(tiers, side, size, leverage, funding):
    collateral = size * 50_000.0 / leverage

    def cushion(price):
        left = equity(side * size, 50_000.0, collateral, price, funding)
        return (left - maintenance_margin(size * price, tiers)) / size

    root = brentq(cushion, 0.0, 1e7, xtol=1e-9, rtol=1e-14)
    assert liquidation_price(side * size, 50_000.0, collateral, tiers, funding) == pytest.approx(root, rel=1e-9)


def test_a_fully_collateralised_long_has_no_liquidation_price():
    assert liquidation_price(1.0, 50_000.0, 60_000.0, BINANCE) <= 0.0
