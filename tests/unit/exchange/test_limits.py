from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from stress.engines.rounds import Round
from stress.exchange.history import peak_of, remember, watch
from stress.exchange.limits import NO_LIMIT, compose_excess, compose_tightest, terms_of
from stress.exchange.payers import Fund
from stress.exchange.state import BUCKETS, ExchangeState
from stress.exchange.waterfall import Case

HOUR = 60  # steps of a minute


def book_of(*limits, fund=1e6, **numbers):
    made = Fund(limits=list(limits))
    terms = SimpleNamespace(**made.numbers())
    numbers = {"window_hours": made.window_hours, "top_up": 0.0, "step_hours": 1 / HOUR, **numbers}
    return SimpleNamespace(fund_initial=fund, layers=SimpleNamespace(fund=terms), **numbers)


def room(book, state=None, *, lost=0.0, due=1e9, batch=(), price=44_000.0, what="room"):
    """What the tightest limit lets a fund pay that has lost `lost` so far."""
    case = Case(side=1.0, loss=due, fill=price, later=price, fund_capacity=book.fund_initial - lost)
    n = len(batch)
    round_ = Round(list(batch), [0.0] * n, [1.0] * n, [1] * n, [0.0] * n)
    return compose_tightest(what)(state or ExchangeState(mark=45_000.0), book, case, round_)


def follow(book, values, state=None):
    """Let the fund's change take these values, one a step."""
    state = state or ExchangeState(watchful=1, bottomless=0)
    for step, value in enumerate(values, start=state.step):
        state.value, state.step = value, step
        watch(state, book, step)
    return state


# --- what may be paid


def test_without_limits_any_payment_is_allowed():
    assert room(book_of()) == NO_LIMIT


def test_the_tightest_of_several_limits_binds():
    book = book_of({"kind": "per_step", "usd": 5e5}, {"kind": "lifetime", "usd": 3e5}, {"kind": "floor", "usd": 1e5})
    assert room(book) == 3e5


def test_a_floor_keeps_something_back():
    assert room(book_of({"kind": "floor", "usd": 4e5}), lost=1e5) == 5e5


def test_a_step_and_a_lifetime_are_used_up():
    state = ExchangeState(step=7, fund_used_at=7, fund_used_step=3e5, fund_used=8e5)
    assert room(book_of({"kind": "per_step", "usd": 1e6}), state) == 7e5
    assert room(book_of({"kind": "lifetime", "usd": 1e6}), state) == 2e5


def test_a_new_step_is_unused():
    state = ExchangeState(step=8, fund_used_at=7, fund_used_step=3e5)
    assert room(book_of({"kind": "per_step", "usd": 1e6}), state) == 1e6


def test_a_share_of_the_notional_of_the_side_may_be_lost(make_account):
    batch = [make_account(3, 50_000, 15_000), make_account(-9, 40_000, 100)]
    assert room(book_of({"kind": "per_position"}), batch=batch) == pytest.approx(0.05 * 3 * 45_000)


def test_a_vault_may_lose_the_lesser_of_an_amount_and_a_share():
    limit = {"kind": "vault_loss", "usd": 4e5, "share": 0.3}
    assert room(book_of(limit), lost=1e5) == pytest.approx(2e5)
    assert room(book_of(limit | {"usd": 2.5e5}), lost=1e5) == pytest.approx(1.5e5)


def test_a_fund_does_not_pay_for_accounts_without_equity_at_the_mark(make_account):
    # Bankrupt at 45,500 and at 44,500; the mark is 45,000, both are worth less at 44,000.
    batch = [make_account(1, 50_000, 4_500), make_account(2, 50_000, 11_000)]
    assert room(book_of({"kind": "negative_equity"}), batch=batch, due=2_500.0, what="covers") == pytest.approx(1_000)


@pytest.mark.parametrize(("block_seconds", "covered"), [(60.0, 0.9e6), (30.0, 2.4e6), (90.0, 0.9e6)])
def test_an_account_loses_no_more_than_is_allowed_in_the_blocks_of_a_step(make_account, block_seconds, covered):
    # At 44,000 the first is 0.9 m below zero, the second 1.5 m: too much for one block of a million, not for two.
    batch = [make_account(900, 50_000, 4_500_000), make_account(1_500, 50_000, 7_500_000)]
    book = book_of({"kind": "per_account", "usd": 1e6, "block_seconds": block_seconds})
    assert room(book, batch=batch, due=2.4e6, what="covers") == pytest.approx(covered)


def test_amounts_of_money_bind_what_a_transfer_costs_and_triggers_do_not():
    money = [{"kind": "per_step", "usd": 5e5}, {"kind": "lifetime", "usd": 3e5}, {"kind": "floor", "usd": 8e5}]
    assert [room(book_of(limit), what="cost") for limit in money] == pytest.approx([5e5, 3e5, 2e5])
    triggers = ["fund_drawdown", "pnl_drawdown", "rolling_loss", "negative_equity", "per_account", "vault_loss"]
    assert [room(book_of({"kind": kind}), what="cost") for kind in triggers] == [NO_LIMIT] * 6


# --- triggers that look back


def test_a_fund_pays_until_it_is_a_share_below_its_peak():
    book = book_of({"kind": "fund_drawdown"})
    state = follow(book, [0.0, 2e5, 1e5])
    assert room(book, state, lost=-1e5) == pytest.approx(1.1e6 - 0.7 * 1.2e6)


def test_a_pool_that_loses_350k_of_1000k_leaves_50k_to_counterparties_as_in_worked_example_26():
    assert 350e3 - room(book_of({"kind": "pnl_drawdown"}), due=350e3) == pytest.approx(50e3)


def test_equality_triggers_as_in_the_second_part_of_worked_example_26():
    # The pool grew from 1,000k to 2,000k with a profit of 1,000k, then loses 600k.
    book = book_of({"kind": "pnl_drawdown"})
    state = follow(book, [0.0, 1e6])
    assert room(book, state, lost=-0.4e6) == 0.0
    assert state.deleveraging == 1


def test_deleveraging_goes_on_until_the_stop_is_passed():
    book = book_of({"kind": "pnl_drawdown"})
    state = follow(book, [0.0, -0.3e6])
    assert [room(book, state, lost=lost) > 0.0 for lost in (0.3e6, 0.27e6, 0.24e6, 0.27e6)] == [
        False,
        False,
        True,
        True,
    ]


def test_a_pool_below_the_threshold_amount_is_not_watched():
    assert room(book_of({"kind": "pnl_drawdown"}, fund=9_000.0), due=5_000.0) == NO_LIMIT


def test_after_a_rolling_loss_the_fund_stays_out_for_the_pause():
    book = book_of({"kind": "rolling_loss"})
    state = ExchangeState(step=HOUR)
    assert room(book, state, due=1e5) == pytest.approx(75e3)
    assert state.fund_out_until == pytest.approx(9.0)
    state.step = 9 * HOUR - 1
    assert room(book, state, lost=-1e6) == 0.0
    state.step = 9 * HOUR
    assert room(book, state, lost=0.0) == pytest.approx(75e3)


def test_a_loss_within_the_limit_does_not_begin_a_pause():
    state = ExchangeState(step=HOUR)
    room(book_of({"kind": "rolling_loss"}), state, due=7e4)
    assert state.fund_out_until == 0.0


# --- the memory


def test_a_peak_is_forgotten_between_15_and_16_fifteenths_of_the_window_after_it():
    book = book_of({"kind": "fund_drawdown", "hours": 1.0})  # pieces of four minutes
    state = follow(book, [5e5] + [0.0] * 62)
    assert peak_of(state.fund_peaks) == 5e5
    assert peak_of(follow(book, [0.0] * 2, state).fund_peaks) == 0.0


def test_a_long_gap_forgets_everything_in_between():
    state = ExchangeState()
    state.value = 3.0
    remember(state, 0)
    state.value = -1.0
    remember(state, 5 * BUCKETS + 3)
    assert peak_of(state.value_peaks) == -1.0


def test_what_the_operator_pays_in_is_a_peak_of_the_fund_and_not_of_its_profit():
    state = ExchangeState(topped_up=10.0, value=-4.0)
    for bucket in range(BUCKETS + 1):
        remember(state, bucket)
    assert (peak_of(state.fund_peaks), peak_of(state.value_peaks)) == (6.0, -4.0)


# --- what may be held


def excess(book, *, inventory, fund, cost, price):
    state = ExchangeState(mark=50_000.0, inventory=inventory, inventory_cost=cost, bottomless=0)
    return compose_excess()(state, book, fund, price)


def test_a_fund_of_10m_holds_2m_at_a_kappa_of_20_percent_as_in_worked_example_24():
    book = book_of({"kind": "inventory_cap", "share_of_fund": 0.2})
    assert excess(book, inventory=40.0, fund=10e6, cost=2e6, price=5e4) == 0.0
    assert excess(book, inventory=50.0, fund=10e6, cost=2.5e6, price=5e4) == pytest.approx(0.2)


def test_an_empty_fund_holds_nothing():
    assert excess(book_of({"kind": "inventory_cap"}), inventory=-1.0, fund=0.0, cost=-5e4, price=5e4) == 1.0


def test_inventory_is_passed_on_until_its_loss_is_a_share_of_the_fund():
    book = book_of({"kind": "inventory_loss", "share_of_fund": 0.1})
    assert excess(book, inventory=10.0, fund=1e6, cost=5e5, price=4e4) == 0.0
    assert excess(book, inventory=10.0, fund=1e6, cost=5e5, price=3e4) == pytest.approx(0.5)


def test_a_shadow_fund_holds_anything():
    state = ExchangeState(mark=50_000.0, inventory=1.0, inventory_cost=5e4, bottomless=1)
    assert compose_excess()(state, book_of({"kind": "inventory_cap"}), 0.0, 5e4) == 0.0


# --- what is typed


def test_limits_not_in_force_say_so():
    terms = terms_of(())
    assert (terms["floor"], terms["floor_usd"], terms["rolling_loss_share"]) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ([{"kind": "floor", "usd": 1.0}, {"kind": "floor", "usd": 2.0}], "'floor' is repeated"),
        (
            ["fund_drawdown", {"kind": "rolling_loss", "hours": 4.0}],
            "'hours' must be the same for all limits, got 4, 8",
        ),
        ([{"kind": "pnl_drawdown", "trigger": -0.2}], "'stop' = -0.25 is below 'trigger' = -0.2"),
        (["flor"], "did you mean 'floor'"),
        ("floor", "should be a valid tuple"),
    ],
)
def test_limits_that_do_not_fit_are_refused(limits, message):
    with pytest.raises(ValidationError, match=message):
        Fund(limits=limits)
