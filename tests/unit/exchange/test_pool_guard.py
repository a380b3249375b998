from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from stress.exchange.pool_guard import PoolGuard, compose_pool_guard, pool_value, profit_to_realize, side_profit
from stress.exchange.settlement import balance_error
from stress.exchange.waterfall import Case

MARK, LOT = 50_000.0, 2.0**-27
GUARD = {"exchange.pool_guard": {"max_factor": 0.85, "until_factor": 0.77}}


@pytest.fixture
def guard(make_book, open_books):
    """Let the guard look at some accounts, whose pool is worth `pool` before it pays their open profits."""

    def run(accounts, pool, *, overrides=None, **opening):
        book = make_book({**GUARD, **(overrides or {})})
        opening.setdefault("maker_collateral", pool - sum(a.qty * (MARK - a.entry) for a in accounts))
        state = open_books(accounts, MARK, **opening)
        compose_pool_guard()(state, book, Case(), accounts, range(len(accounts)))
        return SimpleNamespace(state=state, book=book)

    return run


@pytest.fixture
def longs(make_account):
    """Longs with profits of 400,000 and 500,000 at the mark."""
    return [make_account(20, 30_000, 1e5), make_account(50, 40_000, 1e5)]


# --- how much


def test_the_profit_to_realize_leaves_the_pool_at_the_factor_that_ends_it():
    # 900 of 1,000 is 90 %: realising g leaves (900 - g) / (1,000 - g) = 77 %.
    due = profit_to_realize(900.0, 1_000.0, 0.85, 0.77)
    assert due == pytest.approx(565.2173913)
    assert (900.0 - due) / (1_000.0 - due) == pytest.approx(0.77)


@pytest.mark.parametrize("won", [-5.0, 0.0, 849.0, 850.0])
def test_nothing_is_realized_up_to_the_largest_factor(won):
    assert profit_to_realize(won, 1_000.0, 0.85, 0.77) == 0.0


@pytest.mark.parametrize("pool", [800.0, 0.0, -100.0])
def test_a_pool_that_is_worth_less_than_the_profits_realizes_them_all(pool):
    assert profit_to_realize(900.0, pool, 0.85, 0.77) == 900.0


# --- the worked example: 900,000 of open profit against a pool of 1,000,000


def test_the_largest_profit_is_closed_whole_and_the_next_one_in_part(guard, longs):
    guard(longs, 1e6)
    assert longs[1].qty == 0.0
    # 565,217.3913 less 500,000 is 65,217.3913, at 20,000 a unit 3.2608696 BTC.
    assert longs[0].qty == pytest.approx(20.0 - 3.26086957, abs=2 * LOT)


def test_the_factor_afterwards_is_the_one_that_ends_it(guard, longs):
    state = guard(longs, 1e6).state
    assert side_profit(state, longs, range(2), 1.0) == pytest.approx(334_782.61, abs=0.01)
    assert pool_value(state) == pytest.approx(434_782.61, abs=0.01)


def test_winners_keep_their_profit(guard, longs):
    state = guard(longs, 1e6).state
    assert longs[1].collateral == 1e5 + 500_000.0
    assert state.forgone_profit == 0.0


def test_what_is_closed_is_counted_at_the_mark(guard, longs):
    assert guard(longs, 1e6).state.deleveraged_notional == pytest.approx(53.26086957 * MARK, abs=0.01)


def test_the_makers_take_over_the_other_side_and_the_books_balance(guard, longs):
    state = guard(longs, 1e6).state
    assert state.maker_qty == -(longs[0].qty + longs[1].qty)
    assert balance_error(state) == pytest.approx(0.0, abs=1e-6)


def test_quantities_stay_whole_lots(guard, longs):
    guard(longs, 1e6)
    assert longs[0].qty % LOT == 0.0


def test_accounts_are_looked_at_again(guard, longs):
    assert guard(longs, 1e6, touched=0).state.touched == 1


# --- who


def test_another_ranking_takes_another_winner_first(guard, longs):
    guard(longs, 1e6, overrides={"exchange.pool_guard.ranking": "profit_leverage"})
    assert longs[0].qty == 0.0  # 2/3 x 2 against 1/4 x 4.17
    assert longs[1].qty == pytest.approx(50.0 - 16.52173913, abs=2 * LOT)


def test_pro_rata_takes_the_same_share_of_every_profit(guard, longs):
    guard(longs, 1e6, overrides={"exchange.pool_guard.ranking": "pro_rata"})
    closed = 565_217.3913 / 900_000.0
    assert [longs[0].qty, longs[1].qty] == pytest.approx([20 * (1 - closed), 50 * (1 - closed)], abs=1e-6)


def test_losers_of_the_side_count_against_it_and_are_not_closed(guard, longs, make_account):
    loser = make_account(10, 55_000, 1e5)  # -50,000: 850,000 of 1,000,000 is not above 85 %
    assert guard([*longs, loser], 1e6).state.deleveraged_notional == 0.0
    deep = make_account(10, 55_000, 1e5)
    assert guard([*longs, deep], 990_000.0).state.deleveraged_notional > 0.0
    assert deep.qty == 10.0


def test_the_other_side_is_looked_at_alone(guard, longs, make_account):
    short = make_account(-5, 60_000, 1e5)
    guard([*longs, short], 1e6)
    assert short.qty == -5.0
    assert longs[1].qty == 0.0


def test_shorts_are_reduced_as_longs_are(guard, make_account):
    shorts = [make_account(-20, 70_000, 1e5), make_account(-50, 60_000, 1e5)]
    guard(shorts, 1e6)
    assert shorts[1].qty == 0.0
    assert shorts[0].qty == pytest.approx(-20.0 + 3.26086957, abs=2 * LOT)


def test_a_winner_that_is_worth_nothing_is_passed_over(guard, longs, make_account):
    broke = make_account(100, 49_000, -100_000.0)  # what it has won, it owes
    guard([*longs, broke], 1e6)
    assert broke.qty == 100.0


def test_nothing_happens_below_the_largest_factor(guard, longs):
    state = guard(longs, 1.1e6).state
    assert (state.deleveraged_notional, longs[0].qty, longs[1].qty) == (0.0, 20.0, 50.0)


def test_nobody_is_there_to_be_reduced(guard):
    assert guard([], 1e6).state.deleveraged_notional == 0.0


def test_funding_paid_is_no_profit(guard, longs):
    # 1,000 a unit paid by 70 units: 830,000 of a pool that it leaves at 1,000,000.
    assert guard(longs, 1e6, funding=1_000.0).state.deleveraged_notional == 0.0


def test_some_of_what_is_closed_is_hedged_anew(guard, longs):
    state = guard(longs, 1e6, overrides={"exchange.adl_rehedge": 0.5}, open_interest=70 * MARK).state
    assert state.hedge == pytest.approx(0.5 * 53.26086957)
    assert state.common_hedge == 0.0


# --- settings


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"max_factor": 0.0, "until_factor": 0.5}, "greater than 0"),
        ({"max_factor": 0.9}, "until_factor"),
        ({"max_factor": 2.0, "until_factor": 1.0}, "less than 1"),
        ({"max_factor": 0.5, "until_factor": 0.6}, r"0\.6 is above max_factor = 0\.5"),
        ({"max_factor": 0.5, "until_factor": 0.4, "ranking": "size"}, "unknown kind 'size', known: binance"),
    ],
)
def test_a_guard_that_makes_no_sense_is_refused(settings, said):
    with pytest.raises(ValidationError, match=said):
        PoolGuard.model_validate(settings)
