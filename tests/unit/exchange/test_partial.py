"""Partial policies, order limits and what is left of an account: worked examples of the venues' help pages."""

from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from stress.exchange.disposal import fillable_price
from stress.exchange.margin import Tier, TierTable, is_breached, maintenance_margin
from stress.exchange.orders import is_called, is_waiting
from stress.exchange.partial import (
    BlockLimits,
    Full,
    Partial,
    PortionThenRest,
    VolumeLimited,
    fund_fee_rate,
    just_enough,
    margin_shortage,
    one_tier_down,
    restoring_value,
    shortage_size,
    slice_of,
    two_tiers_down,
)
from stress.exchange.state import ExchangeState

# Bybit BTCUSDT, the first tiers of the margin-parameters page: (risk limit, leverage, maintenance rate).
BYBIT = TierTable.of(
    tuple(
        Tier(cap_usd=cap, max_leverage=leverage, maintenance_margin_rate=rate)
        for cap, leverage, rate in ((2e6, 100, 0.005), (2.6e6, 90, 0.0056), (3.2e6, 80, 0.0063), (3.8e6, 75, 0.0067))
    ),
    continuous=True,
)


def numbers(part, **more):
    """What rules read of a venue with this policy."""
    book = {
        "partial": SimpleNamespace(**part.as_numbers()),
        "tiers": BYBIT,
        "fee": SimpleNamespace(part_rate=0.0, other_rate=0.0),
        "disposal": SimpleNamespace(keeper_fee=0.0),
        "step_seconds": 60.0,
        "backstop_margin": 0.0,
    }
    return SimpleNamespace(**{**book, **more})


def account(qty, entry, collateral, wait=0):
    return SimpleNamespace(qty=qty, entry=entry, collateral=collateral, wait=wait)


# --- worked example 15: step down at Bybit

LONG = account(50.0, 50_000.0, 50_000.0)
VALUE, EQUITY = 50 * 49_250.0, 50_000.0 + 50 * (49_250.0 - 50_000.0)


def test_the_account_of_worked_example_15_is_liquidatable_at_49_250():
    assert (EQUITY, maintenance_margin(VALUE, BYBIT)) == (12_500.0, pytest.approx(12_590.0))
    assert is_breached(50.0, 50_000.0, 50_000.0, 49_250.0, 0.0, BYBIT)
    assert not is_breached(50.0, 50_000.0, 50_000.0, 49_251.9, 0.0, BYBIT)


def test_step_down_closes_what_exceeds_the_tier_below():
    assert one_tier_down(LONG, VALUE, EQUITY, 0.0, None, numbers(Full())) == pytest.approx(9.390863, abs=5e-7)


def test_the_account_survives_slippage_and_fee():
    sold = 9.390862944 * 49_250.0
    left = EQUITY - 0.003 * sold - 0.00055 * sold
    assert left == pytest.approx(10_858.125, abs=1e-3)
    assert left >= maintenance_margin(VALUE - sold, BYBIT) == pytest.approx(10_000.0)


def test_the_lowest_tier_is_closed_whole():
    small = account(1.0, 50_000.0, 500.0)
    assert one_tier_down(small, 49_700.0, 200.0, 0.0, None, numbers(Full())) == 1.0


# --- worked example 16: blocks of dYdX


@pytest.mark.parametrize(("value", "order"), [(5_000.0, 1_000.0), (50_000.0, 5_000.0), (2_000_000.0, 100_000.0)])
def test_a_block_closes_a_tenth_within_its_limits(value, order):
    assert slice_of(value, numbers(BlockLimits()).partial) == pytest.approx(order)


def test_a_step_has_time_for_as_many_slices_as_blocks():
    book = numbers(BlockLimits(slice_seconds=20.0), tiers=BYBIT)
    closed = BlockLimits.offer(LONG, 2_000_000.0, -1.0, 0.0, None, book)
    assert closed == pytest.approx(50.0 * 300_000.0 / 2_000_000.0)


def test_slices_stop_when_the_margin_is_restored():
    book = numbers(BlockLimits(slice_seconds=1.0, cap_usd=1e6, portion=0.01))
    closed = BlockLimits.offer(LONG, VALUE, EQUITY, 0.0, None, book)
    assert 0.0 < closed < 1.0


def test_volume_limited_orders_are_a_tenth_at_most_the_share_of_volume():
    book = numbers(VolumeLimited(cap_usd=50_000.0)).partial
    assert (slice_of(100_000.0, book), slice_of(1e9, book)) == (10_000.0, 50_000.0)


# --- worked example 17: the fillable price


@pytest.mark.parametrize(
    ("collateral", "spread", "price"), [(499.0, 0.1, 49_999.0), (499.0, 1.0, 49_990.0), (0.0, 0.1, 49_500.0)]
)
def test_the_fillable_price_moves_away_from_the_oracle_as_margin_goes(collateral, spread, price):
    tiers = TierTable.of((Tier(cap_usd=1e9, max_leverage=5, maintenance_margin_rate=0.1),), continuous=True)
    disposal = SimpleNamespace(bankruptcy_adjustment=1.0, spread_to_margin=spread)
    state, book = ExchangeState(mark=50_000.0), SimpleNamespace(disposal=disposal, tiers=tiers)
    assert fillable_price(account(0.1, 50_000.0, collateral), state, book) == pytest.approx(price)


@pytest.mark.parametrize(("qty", "price"), [(1.0, 47_750.0), (-1.0, 52_250.0)])
def test_the_worst_fillable_price_of_the_genesis(qty, price):
    tiers = TierTable.of((Tier(cap_usd=1e9, max_leverage=20, maintenance_margin_rate=0.03),), continuous=True)
    disposal = SimpleNamespace(bankruptcy_adjustment=1.0, spread_to_margin=1.5)
    state, book = ExchangeState(mark=50_000.0), SimpleNamespace(disposal=disposal, tiers=tiers)
    assert fillable_price(account(qty, 50_000.0, 0.0), state, book) == pytest.approx(price)


# --- worked example 18: Drift


@pytest.mark.parametrize(("keeper", "fund", "size"), [(0.0, 0.0, 1.0), (0.01, 0.0, 1.1111), (0.01, 0.01, 1.25)])
def test_a_shortage_of_ten_at_ten_percent_margin_closes(keeper, fund, size):
    assert shortage_size(10.0, 100.0, 0.1, keeper, fund) == pytest.approx(size, abs=5e-5)


def test_the_funds_fee_is_what_margin_keeper_and_shortage_leave():
    assert fund_fee_rate(20.0, 10 * 100.0, 0.05, 0.01, 0.05) == pytest.approx(0.019)


def test_fees_beyond_the_margin_close_everything():
    assert shortage_size(10.0, 100.0, 0.01, 0.01, 0.0) == 1e300


def test_a_small_shortage_closes_everything():
    book = numbers(Partial.choose({"kind": "margin_shortage", "buffer": 0.0, "small_usd": 50.0}))
    equity = maintenance_margin(VALUE, BYBIT) - 49.0
    assert margin_shortage(LONG, VALUE, equity, equity + 49.0, ExchangeState(mark=49_250.0), book) == 50.0


# --- Binance, OKX, Hyperliquid


def test_one_large_order_just_restores_the_margin():
    fee = 0.001
    sold = restoring_value(VALUE, EQUITY, fee, BYBIT)
    left = VALUE - sold
    assert 0.0 < sold < VALUE
    assert EQUITY - fee * sold == pytest.approx(maintenance_margin(left, BYBIT))


def test_a_fee_above_the_maintenance_rate_leaves_nothing_to_restore():
    assert restoring_value(VALUE, EQUITY, 0.0125, BYBIT) == VALUE
    book = numbers(Full(), fee=SimpleNamespace(part_rate=0.0125, other_rate=0.0))
    assert just_enough(LONG, VALUE, EQUITY, 0.0, None, book) == 50.0


def test_two_tiers_down_from_the_third_tier():
    value = 3.0e6
    closed = two_tiers_down(account(60.0, 50_000.0, 0.0), value, 16_000.0, 0.0, None, numbers(Full()))
    assert closed == pytest.approx(60.0 * (1.0 - 2.0 / 3.0))


@pytest.mark.parametrize(("value", "equity"), [(2.5e6, 16_000.0), (3.0e6, 15_000.0)])
def test_low_tiers_and_equity_below_the_first_requirement_are_closed_whole(value, equity):
    assert two_tiers_down(account(60.0, 50_000.0, 0.0), value, equity, 0.0, None, numbers(Full())) == 60.0


@pytest.mark.parametrize(("value", "wait", "share"), [(200_000.0, 0, 0.2), (200_000.0, 5, 1.0), (90_000.0, 0, 1.0)])
def test_a_large_position_is_closed_by_a_fifth_first(value, wait, share):
    held = account(4.0, 50_000.0, 0.0, wait)
    assert PortionThenRest.offer(held, value, 0.0, 0.0, None, numbers(PortionThenRest())) == pytest.approx(4.0 * share)


# --- who is called


@pytest.mark.parametrize(
    ("collateral", "wait", "step", "called", "waiting"),
    [
        (5_000.0, 0, 9, False, False),  # healthy
        (200.0, 0, 9, True, False),  # breached and free
        (200.0, 10, 9, False, True),  # breached, cooling down
        (200.0, 9, 9, True, True),  # the cooldown is over
        (5_000.0, 10, 9, False, False),  # healthy again
        (-1.0, 10, 9, True, True),  # bankrupt: no cooldown protects it
        (5_000.0, -10, 9, False, True),  # an order in flight
        (5_000.0, -9, 9, True, True),  # which arrives, whatever the margin now
    ],
)
def test_an_account_is_called_when_its_order_executes_now(collateral, wait, step, called, waiting):
    held, state = account(1.0, 50_000.0, collateral, wait), ExchangeState(mark=50_000.0)
    assert is_called(held, state, numbers(Full()), step) == called
    assert is_waiting(held, state, numbers(Full())) == waiting


@pytest.mark.parametrize("kind", ["full", "step_down", "smart_ioc"])
def test_a_cooldown_is_no_key_of_policies_that_look_once(kind):
    with pytest.raises(ValidationError, match="cooldown_seconds"):
        Partial.choose({"kind": kind, "cooldown_seconds": 30.0})


def test_a_closed_account_is_never_called():
    assert not is_called(account(0.0, 50_000.0, 0.0, -3), ExchangeState(mark=1.0), numbers(Full()), 9)
