import math

import pytest

from stress.exchange.impact import Linear
from stress.exchange.settlement import (
    balance_error,
    close,
    compose,
    flatten,
    fund_value,
    record_event,
    sell_inventory,
    trade_with_makers,
)
from stress.exchange.state import MAX_COHORTS

SETTLE = compose(Linear).settle


@pytest.fixture
def books(make_account, open_books):
    """A long of 10, a short of 4 and the makers, opened at 50,000."""
    accounts = [make_account(10, 50_000, 50_000, cohort=1), make_account(-4, 50_000, 40_000, cohort=2)]
    return open_books(accounts, 50_000.0, maker_collateral=1e6), accounts


# --- the books


def test_the_books_balance_at_the_start(books):
    state, _ = books
    assert balance_error(state) == 0.0


@pytest.mark.parametrize("mark", [1.0, 44_000.0, 90_000.0])
def test_a_move_of_the_mark_is_zero_sum(books, mark):
    state, _ = books
    state.mark = mark
    assert balance_error(state) == pytest.approx(0.0, abs=1e-9)


def test_funding_is_zero_sum(books):
    state, _ = books
    state.funding = 12.5
    assert balance_error(state) == pytest.approx(0.0, abs=1e-9)


def test_balance_error_sees_a_lost_cent(books):
    state, _ = books
    state.released -= 0.01
    assert balance_error(state) == pytest.approx(0.01)


def test_balance_error_sees_a_position_that_nobody_holds(books):
    state, _ = books
    state.inventory += 0.001
    assert balance_error(state) >= 50.0


def test_a_trade_with_the_makers_creates_no_money(books):
    state, _ = books
    state.funding = 3.0
    profit = state.maker_qty * (state.mark - state.funding) - state.maker_cost
    trade_with_makers(state, -7.0, 50_000.0)  # at the mark: worth nothing to anybody
    assert state.maker_qty * (state.mark - state.funding) - state.maker_cost == pytest.approx(profit)


def test_makers_take_the_other_side_of_a_trade(books):
    state, _ = books
    before = state.maker_qty
    trade_with_makers(state, -7.0, 49_000.0)
    assert state.maker_qty == before + 7.0


def test_a_liquidation_and_its_trade_keep_the_books(books, make_book):
    state, accounts = books
    state.mark = state.index = 45_200.0
    SETTLE(state, make_book(), accounts[0], 45_100.0, 1.0)
    trade_with_makers(state, -10.0, 45_100.0)
    assert balance_error(state) == pytest.approx(0.0, abs=1e-9)


def test_a_partial_takeover_keeps_the_books(books, make_book):
    state, accounts = books
    state.mark = state.index = 44_700.0
    SETTLE(state, make_book(), accounts[0], 44_800.0, 0.25)
    state.inventory += 7.5
    trade_with_makers(state, -2.5, 44_800.0)
    assert balance_error(state) == pytest.approx(0.0, abs=1e-9)


def test_closing_an_account_takes_it_out_of_the_totals_of_the_living(books):
    state, accounts = books
    close(state, accounts[0])
    assert (state.alive_qty, state.alive_cost, state.alive_collateral) == (-4.0, -200_000.0, 40_000.0)


def test_a_liquidation_is_counted_with_its_notional_at_the_mark(books):
    state, accounts = books
    state.mark = 45_000.0
    close(state, accounts[0])
    assert (state.liquidated_accounts, state.liquidated_notional) == (1, 450_000.0)


# --- the fund


def test_the_fund_is_worth_its_flows_and_its_inventory_at_the_unwinding_price(books):
    state, _ = books
    state.surplus, state.fee_income, state.bad_debt, state.inventory_pnl = 100.0, 10.0, 30.0, -5.0
    state.inventory, state.inventory_cost = 2.0, 90_000.0
    assert fund_value(state, 44_000.0) == 75.0 - 2_000.0


def test_a_short_inventory_gains_when_the_price_falls(books):
    state, _ = books
    state.inventory, state.inventory_cost = -2.0, -110_000.0
    assert fund_value(state, 54_000.0) == 2_000.0


def test_funding_is_paid_by_a_long_inventory(books):
    state, _ = books
    state.inventory, state.inventory_cost, state.funding = 2.0, 90_000.0, 10.0
    assert fund_value(state, 45_000.0) == -20.0


def test_selling_a_share_of_the_inventory_realises_that_share_of_its_cost(books):
    state, _ = books
    state.inventory, state.inventory_cost = 4.0, 180_000.0
    sell_inventory(state, 0.25, 1.0, 44_000.0)
    assert (state.inventory, state.inventory_cost, state.inventory_pnl) == (3.0, 135_000.0, -1_000.0)


def test_selling_at_the_mark_leaves_the_marked_fund_as_it_was(books):
    state, _ = books
    state.inventory, state.inventory_cost = 4.0, 180_000.0
    before = fund_value(state, 44_000.0)
    sell_inventory(state, 0.25, 1.0, 44_000.0)
    assert fund_value(state, 44_000.0) == before


def test_an_inventory_that_nets_to_nothing_realises_its_cost(books):
    state, _ = books
    state.inventory, state.inventory_cost = 0.0, 700.0  # a long and a short taken over
    flatten(state)
    assert (state.inventory_cost, state.inventory_pnl) == (0.0, -700.0)


def test_an_inventory_that_is_held_is_not_flattened(books):
    state, _ = books
    state.inventory, state.inventory_cost = 1.0, 700.0
    flatten(state)
    assert (state.inventory_cost, state.inventory_pnl) == (700.0, 0.0)


# --- attribution


def test_bad_debt_is_attributed_to_the_cohort_of_the_account(books, make_book):
    state, accounts = books
    SETTLE(state, make_book(), accounts[0], 44_000.0, 1.0)
    assert state.cohort_loss[:3] == [0.0, 10_000.0, 0.0]


def test_surplus_counts_against_the_loss_of_a_cohort(books, make_book):
    state, accounts = books
    SETTLE(state, make_book(), accounts[0], 45_100.0, 1.0)
    assert state.cohort_loss[1] == -1_000.0


def test_what_the_fund_takes_over_is_noted_by_cohort(books, make_book):
    state, accounts = books
    state.mark = 45_000.0
    SETTLE(state, make_book(), accounts[0], 45_000.0, 0.6)
    assert state.cohort_taken[1] == pytest.approx(0.4 * 10 * 45_000)


def test_cohorts_beyond_the_last_place_share_it(make_account, make_book, open_books):
    account = make_account(10, 50_000, 50_000, cohort=MAX_COHORTS + 5)
    state = open_books([account], 50_000.0)
    SETTLE(state, make_book(), account, 44_000.0, 1.0)
    assert state.cohort_loss[-1] == 10_000.0


# --- the record


@pytest.fixture
def record(open_books, make_book):
    """Record a path of fund values; return the state after it."""

    def run(*values, fund=100.0, **state):
        state, book = open_books([], 50_000.0, **state), make_book(fund_initial=fund)
        for step, value in enumerate(values):
            record_event(state, book, step, value)
        return state

    return run


def test_drawdown_is_the_deepest_fall_below_the_start(record):
    assert record(5.0, -30.0, 10.0, -20.0).drawdown == 30.0


def test_a_fund_that_only_grows_has_no_drawdown(record):
    state = record(1.0, 5.0, 3.0)
    assert (state.drawdown, state.drawdown_step) == (0.0, -1)


def test_the_drawdown_is_dated_by_its_first_step(record):
    assert record(-10.0, -30.0, -30.0, -5.0).drawdown_step == 1


def test_a_deeper_loss_within_rounding_is_the_same_event(record):
    state = record(-10.0, -30.0, -30.0 * (1.0 + 0.9e-9))
    assert (state.drawdown_step, state.drawdown) == (1, 30.0 * (1.0 + 0.9e-9))


def test_a_loss_beyond_rounding_is_a_later_event(record):
    assert record(-10.0, -30.0, -30.0 * (1.0 + 1.1e-9)).drawdown_step == 2


def test_the_recorded_step_is_within_rounding_of_the_maximum_even_if_losses_creep(record):
    losses = [30.0 * (1.0 + 0.4e-9 * k) for k in range(20)]
    state = record(*(-loss for loss in losses))
    assert losses[state.drawdown_step] >= state.drawdown / (1.0 + 1e-9)


def test_ruin_is_a_loss_above_the_fund(record):
    assert record(-99.0, -101.0, 50.0, fund=100.0).ruin_step == 1


def test_a_loss_equal_to_the_fund_is_not_ruin(record):
    assert record(-100.0, fund=100.0).ruin_step == -1


def test_ruin_is_dated_by_its_first_step(record):
    assert record(-101.0, 0.0, -150.0, fund=100.0).ruin_step == 0


def test_gross_drawdown_gives_no_credit_for_income(record):
    state = record(-30.0, surplus=50.0, bad_debt=80.0)
    assert (state.drawdown, state.drawdown_gross) == (30.0, 80.0)


def test_gross_drawdown_includes_the_loss_of_the_inventory(record):
    state = record(-45.0, surplus=50.0, bad_debt=80.0)  # 15 of the 45 are inventory
    assert state.drawdown_gross == 95.0


def test_gains_of_the_inventory_are_income_too(record):
    state = record(-10.0, surplus=50.0, bad_debt=80.0)  # the inventory gained 20
    assert state.drawdown_gross == 80.0


@pytest.mark.parametrize("value", [-90.0, -30.0, -10.0, 40.0])
def test_gross_drawdown_is_never_below_net(record, value):
    state = record(value, surplus=50.0, bad_debt=60.0, fee_income=7.0)
    assert state.drawdown_gross >= state.drawdown


def test_the_worst_moment_remembers_the_cohorts_of_then(record, open_books, make_book):
    state, book = open_books([], 50_000.0), make_book()
    state.cohort_loss[3] = 20.0
    record_event(state, book, 0, -20.0)
    state.cohort_loss[3] = 5.0
    record_event(state, book, 1, -5.0)
    assert state.worst_loss[3] == 20.0


def test_the_record_keeps_the_extremes_of_the_mark(open_books, make_book):
    state = open_books([], 50_000.0)
    for mark in (51_000.0, 47_000.0, 49_000.0):
        state.mark = mark
        record_event(state, make_book(), 0, 0.0)
    assert (state.price_min, state.price_max) == (47_000.0, 51_000.0)


def test_the_record_keeps_the_worst_imbalance_per_open_interest(books, make_book):
    state, _ = books
    for lost in (0.5, 2.0, 0.0):
        state.released = lost
        record_event(state, make_book(), 0, 0.0)  # open interest 1e6
    assert state.conservation_error == pytest.approx(2e-6)


# --- the step


@pytest.fixture
def rules():
    return compose(Linear)


def test_a_step_opens_at_the_worlds_price(rules, books, make_book):
    state, _ = books
    rules.open_step(state, make_book(), 3, -0.1, [1.0] * 5)
    assert state.index == state.mark == 50_000.0 * math.exp(-0.1)


def test_fee_income_accrues_by_steps(rules, books, make_book):
    state, _ = books
    rules.open_step(state, make_book(fee_income_per_step=2.0), 3, 0.0, [1.0] * 5)
    assert state.fee_income == 8.0


def test_unwinding_sells_no_more_than_the_steps_volume(rules, books, make_book):
    state, _ = books
    state.inventory, state.inventory_cost, state.alive_qty = 6.0, 270_000.0, 0.0
    rules.unwind(state, make_book(volume_room=4.0), 0)
    assert state.inventory == pytest.approx(2.0)


def test_unwinding_shares_the_volume_with_what_was_traded_before(rules, books, make_book):
    state, _ = books
    state.inventory, state.inventory_cost = 6.0, 270_000.0
    rules.trade(state, make_book(volume_room=4.0), 0, -3.0, -3.0, 50_000.0)
    rules.unwind(state, make_book(volume_room=4.0), 0)
    assert state.inventory == pytest.approx(5.0)


def test_unwinding_a_short_inventory_buys(rules, books, make_book):
    state, _ = books
    state.inventory, state.inventory_cost = -6.0, -330_000.0
    before = state.maker_qty
    rules.unwind(state, make_book(volume_room=4.0), 0)
    assert (state.inventory, state.maker_qty) == (pytest.approx(-2.0), pytest.approx(before - 4.0))


def test_unwinding_whole_leaves_no_dust(books, make_book):
    state, _ = books
    state.inventory, state.inventory_cost = 0.3, 13_500.0
    compose(Linear).unwind(state, make_book(), 0)
    assert (state.inventory, state.inventory_cost) == (0.0, 0.0)


def test_the_same_trade_twice_in_a_step_uses_its_volume_twice(rules, books, make_book):
    state, _ = books
    for _ in range(2):
        rules.trade(state, make_book(), 0, -1.5, -1.5, 50_000.0)
    assert state.traded == 3.0
    rules.open_step(state, make_book(), 1, 0.0, [1.0, 1.0])
    assert state.traded == 0.0
