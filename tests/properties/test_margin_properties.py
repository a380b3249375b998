import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stress.accounts import ACCOUNT, bankruptcy_price
from stress.exchange.margin import Tier, TierTable, is_breached, liquidation_prices, maintenance_margin

SIDES = st.sampled_from([1.0, -1.0])
SIZES = st.floats(1e-3, 1e4)


@st.composite
def tier_tables(draw):
    """Caps and rates that rise, continuous."""
    caps = sorted(draw(st.lists(st.floats(1e4, 1e9), min_size=1, max_size=6, unique=True)))
    rates = sorted(draw(st.lists(st.floats(0.002, 0.3), min_size=len(caps), max_size=len(caps))))
    rows = zip(caps, rates, strict=True)
    return TierTable.of(
        tuple(Tier(cap_usd=cap, max_leverage=1, maintenance_margin_rate=rate) for cap, rate in rows), continuous=True
    )


def liquidation_price(qty, collateral, tiers):
    row = np.zeros(1, dtype=ACCOUNT)
    row["qty"], row["entry"], row["collateral"] = qty, 50_000.0, collateral
    prices = liquidation_prices(row, tiers)[0]
    return prices.max() if qty > 0 else prices.min()


@given(tiers=tier_tables(), notional=st.floats(1.0, 1e9), more=st.floats(1.0, 10.0))
def test_a_larger_position_never_needs_less_margin(tiers, notional, more):
    assert maintenance_margin(notional * more, tiers) >= maintenance_margin(notional, tiers) * (1 - 1e-12)


@given(tiers=tier_tables(), low=st.floats(1.0, 1e9), high=st.floats(1.0, 1e9))
def test_margin_is_convex_in_the_notional(tiers, low, high):
    middle = maintenance_margin(0.5 * (low + high), tiers)
    chord = 0.5 * (maintenance_margin(low, tiers) + maintenance_margin(high, tiers))
    assert middle <= chord * (1 + 1e-9) + 1e-9


@given(tiers=tier_tables(), side=SIDES, size=SIZES, leverage=st.floats(1.0, 100.0), more=st.floats(1.001, 2.0))
def test_the_liquidation_price_comes_nearer_with_leverage(tiers, side, size, leverage, more):
    near, far = (
        liquidation_price(side * size, size * 50_000.0 / level, tiers) for level in (leverage * more, leverage)
    )
    assert side * near >= side * far * (1 - side * 1e-12)


@given(tiers=tier_tables(), side=SIDES, size=SIZES, leverage=st.floats(1.1, 100.0))
def test_liquidation_comes_before_bankruptcy(tiers, side, size, leverage):
    collateral = size * 50_000.0 / leverage
    bankrupt = bankruptcy_price(side * size, 50_000.0, collateral, 0.0)
    assert side * liquidation_price(side * size, collateral, tiers) > side * bankrupt


@given(tiers=tier_tables(), side=SIDES, size=SIZES, leverage=st.floats(1.1, 100.0), step=st.sampled_from([-1e-6, 1e-6]))
def test_an_account_is_breached_on_one_side_of_its_liquidation_price_only(tiers, side, size, leverage, step):
    collateral = size * 50_000.0 / leverage
    price = liquidation_price(side * size, collateral, tiers)
    breached = is_breached(side * size, 50_000.0, collateral, price * (1 + step), 0.0, tiers)
    assert breached == (side * step < 0.0)


@given(tiers=tier_tables(), side=SIDES, size=SIZES, leverage=st.floats(1.1, 100.0), funding=st.floats(0.0, 200.0))
def test_funding_moves_the_liquidation_price_against_the_payer(tiers, side, size, leverage, funding):
    row = np.zeros(1, dtype=ACCOUNT)
    row["qty"], row["entry"], row["collateral"] = side * size, 50_000.0, size * 50_000.0 / leverage
    without, with_ = (liquidation_prices(row, tiers, paid)[0] for paid in (0.0, funding))
    assert (with_ >= without).all()


def test_examples_are_the_same_on_every_machine():
    from hypothesis import settings

    assert settings().derandomize
    assert settings().deadline is None


@pytest.mark.parametrize("qty", [1.0, -1.0])
def test_one_tier_is_the_textbook_formula(qty):
    tiers = TierTable.of((Tier(cap_usd=1e9, max_leverage=1, maintenance_margin_rate=0.005),), continuous=True)
    expected = (50_000.0 - qty * 5_000.0) / (1.0 - qty * 0.005)
    assert liquidation_price(qty, 5_000.0, tiers) == pytest.approx(expected, rel=1e-12)
