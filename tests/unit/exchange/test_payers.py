import pytest

from stress.exchange.history import top_up
from stress.exchange.settlement import balance_error, fund_value
from stress.scenario import Scenario, ScenarioError

from .conftest import TABLES

FILL = 44_900.0  # the longs are bankrupt at 45,000


@pytest.fixture
def longs(make_account):
    return lambda *quantities: [make_account(q, 50_000, 5_000 * q) for q in quantities]


# --- the limited fund


def limited(*limits, payment="partial"):
    return {"kind": "fund", "limits": list(limits), "payment": payment}


def test_what_a_limit_refuses_goes_to_the_next_layer(present, longs, make_account):
    layers = [limited({"kind": "per_step", "usd": 600.0}), "adl"]
    run = present(layers, longs(10), [make_account(-20, 50_000, 1e6)], fill=FILL, fund=1e6)
    assert run.state.bad_debt == pytest.approx(600, abs=1e-3)
    assert run.case.deleveraged == pytest.approx(4.0, abs=1e-7)


def test_a_limit_that_binds_is_not_ruin(present, longs):
    run = present([limited({"kind": "floor", "usd": 9e5}), "socialize"], longs(10), fill=FILL, fund=1e6)
    assert run.state.ruin_step == -1


def test_a_fund_that_is_asked_for_more_than_it_has_is_ruined(present, longs, make_account):
    layers = [limited({"kind": "per_step", "usd": 600.0}), "adl"]
    run = present(layers, longs(10), [make_account(-20, 50_000, 1e6)], fill=FILL, fund=599.0)
    assert run.state.ruin_step == 0


def test_a_refusal_that_nobody_makes_good_is_ruin_however_rich_the_fund(present, longs):
    run = present([limited({"kind": "per_step", "usd": 600.0})], longs(10), fill=FILL, fund=1e6, open_interest=1e6)
    assert (run.state.unresolved_shortfall, run.state.ruin_step) == (pytest.approx(400), 0)


@pytest.mark.parametrize(("fund", "paid"), [(1_000.0, 1_000.0), (999.0, 0.0)])
def test_all_or_nothing_refuses_what_it_cannot_pay_in_full(present, longs, fund, paid):
    run = present([limited(payment="all_or_nothing")], longs(10), fill=FILL, fund=fund)
    assert run.state.bad_debt == pytest.approx(paid)


def test_all_or_nothing_is_asked_of_what_the_limits_leave_to_each_account(present, make_account):
    # Losses of 900 and of 1,500, of which a block allows 1,000 to each.
    batch = [make_account(9, 50_000, 45_000), make_account(15, 50_000, 75_000)]
    fund = limited({"kind": "per_account", "usd": 1_000.0, "block_seconds": 60.0}, payment="all_or_nothing")
    assert present([fund], batch, fill=FILL, fund=900.0).state.bad_debt == pytest.approx(900)
    assert present([fund], batch, fill=FILL, fund=899.0).state.bad_debt == 0.0


# (limit, what of 1,000 the fund pays for deleveraging at the mark)
@pytest.mark.parametrize(
    ("limit", "paid"),
    [
        ({"kind": "floor", "usd": 1e6 - 400.0}, 400.0),
        ({"kind": "lifetime", "usd": 300.0}, 300.0),
        ({"kind": "per_step", "usd": 200.0}, 200.0),
        ({"kind": "negative_equity"}, 1_000.0),
    ],
)
def test_amounts_of_money_hold_for_deleveraging_at_the_mark(present, longs, make_account, limit, paid):
    winners = [make_account(-20, 50_000, 1e6)]
    layers = [limited(limit), {"kind": "adl", "price": "mark"}]
    state = present(layers, longs(10), winners, fill=FILL, fund=1e6).state
    assert (state.surplus, state.bad_debt, state.fund_used) == pytest.approx((0.0, paid, paid), abs=1e-6)
    assert state.unresolved_shortfall == pytest.approx(1_000 - paid, abs=1e-6)
    assert balance_error(state) == pytest.approx(0.0, abs=1e-6)


def test_a_shadow_fund_knows_no_limits(present, longs):
    run = present([limited({"kind": "per_step", "usd": 600.0})], longs(10), fill=FILL, fund=0.0, bottomless=1)
    assert (run.state.bad_debt, run.state.ruin_step) == (pytest.approx(1_000), -1)


# --- pools and operators


def test_a_pool_of_fees_pays_until_it_is_empty(present, longs):
    run = present(["fund", {"kind": "fee_pool", "usd": 300.0}], longs(10), fill=FILL, fund=500.0)
    assert (run.state.bad_debt, run.state.fee_pool_paid) == (pytest.approx(500), pytest.approx(300))
    assert run.state.unresolved_shortfall == pytest.approx(200)


def test_an_empty_pool_pays_nothing(present, longs):
    layers = ["fund", {"kind": "fee_pool", "usd": 300.0}]
    run = present(layers, longs(10), fill=FILL, fee_pool_paid=300.0)
    assert (run.state.fee_pool_paid, run.state.unresolved_shortfall) == (300.0, pytest.approx(1_000))


def test_an_operator_pays_up_to_its_limit_or_without_end(present, longs):
    some = present(["fund", {"kind": "operator", "limit_usd": 100.0}], longs(10), fill=FILL, fund=500.0)
    everything = present(["fund", "operator"], longs(10), fill=FILL, fund=500.0)
    assert (some.state.operator_paid, everything.state.operator_paid) == (pytest.approx(100), pytest.approx(500))


@pytest.mark.parametrize("share", [1.0, 0.4, 0.0])
def test_the_books_balance_with_money_from_outside(present, longs, share):
    layers = ["fund", {"kind": "fee_pool", "usd": 300.0}, {"kind": "operator", "limit_usd": 100.0}]
    run = present(layers, longs(10, 3), fill=FILL, later=44_800.0, fund=500.0, share=share)
    assert balance_error(run.state) == pytest.approx(0.0, abs=1e-6)


# --- top-ups


TOP_UP = {"fund.top_up_usd": 30.0, "fund.top_up_below_usd": 80.0, "fund.top_up_total_usd": 50.0}


def test_the_operator_tops_up_below_the_line_until_its_total_is_spent(make_book, open_books):
    book = make_book(TOP_UP, fund_initial=100.0)
    state = open_books([], 50_000.0)
    given = []
    for value in (-20.0, -21.0, -21.0, -60.0, -200.0):
        state.value = value
        top_up(state, book)
        given.append(state.topped_up)
    assert given == [0.0, 30.0, 30.0, 50.0, 50.0]


def test_a_top_up_is_no_profit_of_the_fund(make_book, open_books):
    state = open_books([], 50_000.0)
    state.value = -90.0
    top_up(state, make_book(TOP_UP, fund_initial=100.0))
    assert (fund_value(state, 50_000.0), balance_error(state)) == (0.0, 0.0)


def test_a_top_up_needs_its_line(make_book):
    for key in ("top_up_below_usd", "top_up_total_usd"):
        with pytest.raises(ScenarioError, match=rf"fund\.{key}: 50 has no effect without fund\.top_up_usd above 0"):
            make_book({f"fund.{key}": 50.0})
    with pytest.raises(ScenarioError, match=r"fund\.top_up_below_usd: is needed by fund\.top_up_usd"):
        Scenario.from_tables(TABLES, overrides={"fund.top_up_usd": 1.0})
