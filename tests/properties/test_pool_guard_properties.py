from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stress.engines.rulebook import as_namespace
from stress.exchange.pool_guard import PoolGuard, compose_pool_guard, guard_numbers, pool_value, side_profit
from stress.exchange.ranking import Ranking
from stress.exchange.settlement import balance_error
from stress.exchange.state import ExchangeState
from stress.exchange.waterfall import Case

MARK, LOT, CENT = 45_000.0, 2.0**-10, 2.0**-7
TIERS = SimpleNamespace(count=1, cap=[1e12], rate=[0.005], deduction=[0.0], at_mark=1.0, at_entry=0.0)
EVERY_RANKING = sorted(kind for kind in Ranking.family if Ranking.member(kind).first is None)

# Size, profit a unit and margin a unit of longs and of shorts; the makers' margin; where the guard starts and ends.
TRADERS = st.lists(st.tuples(st.integers(1, 50_000), st.floats(-20_000.0, 20_000.0), st.floats(25_000.0, 60_000.0)))
POOLS, MOST, SHARES = st.floats(0.0, 5e6), st.floats(0.05, 1.5), st.floats(0.1, 1.0)


def guarded(account, longs, shorts, margin, most, until, ranking):
    rows = [(side, *row) for side, rows in ((1.0, longs), (-1.0, shorts)) for row in rows]
    accounts = [account(s * n * LOT, MARK - s * won, n * LOT * posted) for s, n, won, posted in rows]
    qty, cost = sum(a.qty for a in accounts), sum(a.qty * a.entry for a in accounts)
    collateral = sum(a.collateral for a in accounts)
    state = ExchangeState(
        initial_price=MARK,
        index=MARK,
        mark=MARK,
        alive_qty=qty,
        alive_cost=cost,
        alive_collateral=collateral,
        maker_qty=-qty,
        maker_cost=-qty * MARK,
        maker_collateral=margin,
        deposits=collateral + qty * MARK - cost + margin,
    )
    guard = as_namespace(guard_numbers(PoolGuard(max_factor=most, until_factor=until, ranking=ranking)))
    layers = SimpleNamespace(adl=SimpleNamespace(losers=0.0, one_usd=1.0))
    book = SimpleNamespace(guard=guard, layers=layers, lot=LOT, cent=CENT, tiers=TIERS, rehedge=0.0)
    before = [(won(state, accounts, side), pool_value(state)) for side in (1.0, -1.0)]
    compose_pool_guard()(state, book, Case(), accounts, range(len(accounts)))
    return state, accounts, before


def won(state, accounts, side):
    return side_profit(state, accounts, range(len(accounts)), side)


@given(TRADERS, TRADERS, POOLS, MOST, SHARES, st.sampled_from(EVERY_RANKING))
def test_no_side_is_left_above_the_largest_factor_and_the_books_balance(
    account, longs, shorts, margin, most, share, ranking
):
    until = min(0.99, share * most)
    state, accounts, before = guarded(account, longs, shorts, margin, most, until, ranking)
    assert balance_error(state) == pytest.approx(0.0, abs=1e-3)
    assert state.forgone_profit == 0.0
    largest = max((abs(MARK - a.entry) for a in accounts), default=0.0)
    pool = before[0][1]
    for side, (profit, _) in zip((1.0, -1.0), before, strict=True):
        left = won(state, accounts, side)
        if profit <= max(0.0, most * pool):
            assert left == pytest.approx(profit, abs=1e-3)
        else:  # realised from a pool that the other side had left; each account is rounded up to a lot
            due = min(profit, (profit - until * pool) / (1.0 - until))
            rounding = (len(accounts) if ranking == "pro_rata" else 1) * largest * LOT + CENT
            assert due - 1e-3 <= profit - left <= due + rounding
        pool -= profit - left
    assert pool_value(state) == pytest.approx(pool, abs=1e-3)


@given(TRADERS, TRADERS, POOLS)
def test_a_pool_that_can_pay_everybody_closes_nobody(account, longs, shorts, margin):
    state, _, _ = guarded(account, longs, shorts, margin + 1e12, 0.85, 0.77, "keeper_choice")
    assert state.deleveraged_notional == 0.0
