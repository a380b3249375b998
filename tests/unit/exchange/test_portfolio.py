from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stress.accounts import bankruptcy_price
from stress.exchange.margin import Tier, TierTable
from stress.exchange.portfolio import (
    backing,
    move_to_desks,
    moved_since,
    portfolio_is_breached,
    quote_equity,
    read_levels,
    split_wallet,
    total_maintenance,
    watch,
)

# Binance USD-M, BTCUSDT, August 2025, first four tiers; a flat 1 % for ETH (worked example 11).
BTC = ((3e5, 150, 0.004), (8e5, 100, 0.005), (3e6, 75, 0.0065), (12e6, 50, 0.01))
ETH = ((1e12, 50, 0.01),)


def table(rows):
    names = ("cap_usd", "max_leverage", "maintenance_margin_rate")
    return TierTable.of(tuple(Tier(**dict(zip(names, row, strict=True))) for row in rows), continuous=True)


BOOKS = [SimpleNamespace(tiers=table(rows), monotone=1, cent=2.0**-7) for rows in (BTC, ETH)]


def desk(mark, funding=0.0):
    return SimpleNamespace(mark=mark, funding=funding, index=mark, alive_collateral=0.0, deposits=0.0)


def leg(symbol, qty, entry):
    return SimpleNamespace(symbol=symbol, qty=qty, entry=entry, collateral=0.0)


def two_legs():
    return 300_000.0, [leg(0, 20.0, 50_000.0), leg(1, 300.0, 3_000.0)]


def test_the_cross_liquidation_price_of_btc_is_that_of_the_worked_example():
    wallet, legs = two_legs()  # worked example 11
    assert not portfolio_is_breached(wallet, [], legs, [desk(40_090.5889), desk(2_700.0)], BOOKS, [], [])
    assert portfolio_is_breached(wallet, [], legs, [desk(40_090.5887), desk(2_700.0)], BOOKS, [], [])


def test_there_equity_is_maintenance_margin():
    wallet, legs = two_legs()  # worked example 11
    desks = [desk(40_090.5888), desk(2_700.0)]
    assert quote_equity(wallet, legs, desks) == pytest.approx(11_811.7765, abs=2e-3)
    assert total_maintenance(legs, desks, BOOKS) == pytest.approx(11_811.7765, abs=2e-3)


def test_bankruptcy_prices_share_the_equity_by_maintenance_margin():
    wallet, legs = two_legs()  # worked example 14
    desks = [desk(47_000.0), desk(2_700.0)]
    assert quote_equity(wallet, legs, desks) == 150_000.0
    split_wallet(wallet, legs, desks, BOOKS)
    prices = [bankruptcy_price(a.qty, a.entry, a.collateral, 0.0) for a in legs]
    assert prices == pytest.approx([44_279.7010, 2_381.3533], abs=6e-4)  # margin is in whole cents


def test_the_legs_get_all_of_the_wallet_and_no_more():
    wallet, legs = two_legs()
    split_wallet(wallet, legs, [desk(47_123.4), desk(2_711.3)], BOOKS)
    assert sum(a.collateral for a in legs) == wallet


def test_an_account_of_one_leg_keeps_its_collateral():
    legs = [leg(1, -3.0, 3_000.0)]
    split_wallet(1_234.5, legs, [desk(1.0), desk(3_300.0)], BOOKS)
    assert legs[0].collateral == 1_234.5


def test_a_closed_leg_gets_nothing_and_the_last_open_one_the_rounding():
    legs = [leg(0, 1.0, 50_000.0), leg(1, 0.0, 3_000.0)]
    split_wallet(5_000.0, legs, [desk(46_000.0), desk(3_000.0)], BOOKS)
    assert (legs[0].collateral, legs[1].collateral) == (5_000.0, 0.0)


def test_moving_margin_between_desks_creates_none():
    wallet, legs = two_legs()
    desks = [desk(47_000.0), desk(2_700.0)]
    split_wallet(wallet, legs, desks, BOOKS)
    move_to_desks(wallet, legs, desks)
    assert sum(d.alive_collateral for d in desks) == sum(d.deposits for d in desks) == 0.0


def test_a_leg_is_backed_by_the_profit_of_the_others():
    _, legs = two_legs()
    desks = [desk(51_000.0), desk(2_700.0)]
    assert backing([], legs, 0, desks, [], []) == -90_000.0
    assert backing([], legs, 1, desks, [], []) == 20_000.0


def test_at_equality_nobody_is_liquidated():
    legs = [leg(1, 100.0, 3_000.0)]
    assert not portfolio_is_breached(3_000.0, [], legs, [desk(1.0), desk(3_000.0)], BOOKS, [], [])
    assert portfolio_is_breached(2_999.99, [], legs, [desk(1.0), desk(3_000.0)], BOOKS, [], [])


positions = st.floats(0.1, 50.0), st.floats(0.02, 0.5), st.floats(0.5, 1.0)


@given(*positions)
def test_a_hedge_is_liquidated_later_than_its_legs_alone(size, leverage, fall):
    # Long BTC and short as much ETH: their wallet each when alone, together when hedged; both indices fall alike.
    margin = size * 50_000.0 * leverage
    long, short = leg(0, size, 50_000.0), leg(1, -size * 50_000.0 / 3_000.0, 3_000.0)
    desks = [desk(50_000.0 * fall), desk(3_000.0 * fall)]
    together = portfolio_is_breached(2.0 * margin, [], [long, short], desks, BOOKS, [], [])
    alone = portfolio_is_breached(margin, [], [long], desks, BOOKS, [], [])
    assert alone or not together


moves = st.floats(-0.3, 0.3)
prices = st.floats(-0.5, 0.5)


@given(moves, moves, st.floats(-0.02, 0.02), prices, st.floats(100.0, 1e6), st.floats(-10, 10), st.floats(-100, 100))
def test_within_the_cushion_nobody_is_liquidated(btc, eth, funding, coin, wallet, a, b):
    asset = SimpleNamespace(symbol=-1, count=2, cap=(5e4, 1e9), ratio=(0.95, 0.5), largest_ratio=0.95, debt=100.0)
    legs = [leg(0, a, 49_000.0), leg(1, b, 3_050.0)]
    weights, before, now = np.zeros(5), np.zeros(5), np.zeros(5)
    start, later = (
        [desk(50_000.0), desk(3_000.0)],
        [desk(50_000.0 * (1 + btc), 50_000.0 * funding), desk(3_000.0 * (1 + eth))],
    )
    cushion, reach = watch(wallet, [2.0], legs, start, BOOKS, [30_000.0], [asset], weights)
    read_levels(start, 2, [30_000.0], before)
    read_levels(later, 2, [30_000.0 * (1 + coin)], now)
    lost = float((weights * np.abs(now - before)).sum())
    if lost <= cushion or moved_since(before, now, 2) <= cushion / reach:
        assert not portfolio_is_breached(wallet, [2.0], legs, later, BOOKS, [30_000.0 * (1 + coin)], [asset])
        assert quote_equity(wallet, legs, later) >= -asset.debt
