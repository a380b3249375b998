"""Partial orders in the books: what an account keeps, what the fund receives, who may go on."""

import pytest

from stress.accounts import equity, lots_up
from stress.exchange.liquidation import FeeModel
from stress.exchange.orders import compose_keeping, compose_orders, is_called, is_waiting
from stress.exchange.settlement import balance_error, trade_with_makers

ORDER, KEPT_AFTER, REDUCE = compose_orders()
KEEPS = compose_keeping(KEPT_AFTER)
FEES = [
    {"exchange.fee": "confiscate"},
    {"exchange.fee": {"kind": "capped_fee", "rate": 0.005}},
    {"exchange.fee": {"kind": "keeper_split", "rate": 0.002, "other_rate": 0.001}},
    {"exchange.fee": "keep_residual"},
    {"exchange.fee": "blp_bonus"},
]


@pytest.fixture
def long(make_account):
    held = make_account(10, 50_000, 30_000)
    held.wait = 0
    return held


@pytest.mark.parametrize("fee", FEES, ids=lambda fee: str(fee["exchange.fee"]))
def test_a_partial_order_keeps_the_books(long, make_book, open_books, fee):
    state, book = open_books([long], 50_000.0, maker_collateral=1e6), make_book(fee)
    state.mark = state.index = 47_500.0
    REDUCE(long, state, book, 4.0, 47_400.0)
    trade_with_makers(state, -4.0, 47_400.0)
    assert long.qty == 6.0
    assert balance_error(state) == pytest.approx(0.0, abs=1e-8)
    assert state.alive_collateral == long.collateral


def test_the_fund_takes_its_fee_of_the_part_and_the_account_keeps_the_rest(long, make_book, open_books):
    state, book = open_books([long], 50_000.0), make_book({"exchange.fee": {"kind": "capped_fee", "rate": 0.005}})
    REDUCE(long, state, book, 4.0, 47_400.0)
    assert state.surplus == pytest.approx(0.005 * 4 * 47_400.0)
    assert long.collateral == pytest.approx(30_000.0 - 4 * 2_600.0 - 948.0)


@pytest.mark.parametrize("fee", ["confiscate", "keep_residual", "blp_bonus"])
def test_a_part_costs_its_slippage_where_the_fund_takes_what_closed_accounts_leave(long, make_book, open_books, fee):
    state, book = open_books([long], 50_000.0), make_book({"exchange.fee": fee})
    REDUCE(long, state, book, 4.0, 47_400.0)
    assert (state.surplus, state.bad_debt) == (0.0, 0.0)
    assert long.collateral == 30_000.0 - 4 * 2_600.0


BYBIT = [
    {"cap_usd": cap, "max_leverage": leverage, "maintenance_margin_rate": rate}
    for cap, leverage, rate in ((2e6, 100, 0.005), (2.6e6, 90, 0.0056), (3.2e6, 80, 0.0063))
]


def test_an_order_down_one_step_leaves_10_858_as_in_worked_example_15(make_account, make_book, open_books):
    held = make_account(50, 50_000, 50_000)
    held.wait = 0
    book = make_book({"exchange.partial": "step_down", "exchange.fee": "confiscate", "tier": BYBIT})
    state = open_books([held], 50_000.0)
    state.mark = state.index = 49_250.0
    sold = ORDER(held, state, book, 0)
    assert sold == pytest.approx(9.390863, abs=5e-7) == lots_up(462_500 / 49_250, book.lot)
    fill = 49_250.0 * (1.0 - 0.003 - 0.00055)  # slippage and the taker fee
    assert KEEPS(held, state, book, sold, sold, fill)
    REDUCE(held, state, book, sold, fill)
    left = equity(held.qty, held.entry, held.collateral, state.mark, 0.0)
    assert left == pytest.approx(10_858.125, abs=book.cent)
    assert state.surplus <= book.cent  # what is below the grid, and nothing else


@pytest.mark.parametrize("fee", sorted(FeeModel.family))
def test_no_order_for_a_part_costs_the_fund(long, make_book, open_books, fee):
    state, book = open_books([long], 50_000.0), make_book({"exchange.fee": fee})
    for fill in (47_000.5, 47_100.0, 47_400.0):  # bankrupt at 47,000
        to_fund, others, _ = KEPT_AFTER(long, state, book, 4.0, fill)
        assert min(to_fund, others) >= 0.0


def test_the_fee_of_a_shortage_is_what_margin_and_keeper_leave_as_in_worked_example_18(
    make_account, make_book, open_books
):
    # A shortage of 20 on 10 x 100 at 5 %, keeper 1 %, at most 5 %: 1.9 % of what is sold.
    held = make_account(10, 100, 30)
    tier = [{"cap_usd": 1e12, "max_leverage": 10, "maintenance_margin_rate": 0.05}]
    venue = {
        "tier": tier,
        "exchange.fee": {"kind": "keeper_split", "rate": 0.05, "other_rate": 0.0},
        "exchange.disposal": {"kind": "keeper_transfer", "keeper_fee": 0.01},
        "exchange.partial": {"kind": "margin_shortage", "buffer": 0.0, "small_usd": 0.0},
    }
    to_fund, others, _ = KEPT_AFTER(held, open_books([held], 100.0), make_book(venue), 5.0, 99.0)
    assert (to_fund, others) == (pytest.approx(0.019 * 5 * 99.0, abs=0.01), 0.0)


def test_what_is_left_lies_on_the_grid_of_collateral_and_the_fund_has_the_rest(long, make_book, open_books):
    state, book = open_books([long], 50_000.0), make_book({"exchange.fee": {"kind": "capped_fee", "rate": 0.0033333}})
    to_fund, _, left = KEPT_AFTER(long, state, book, 3.0, 47_333.333)
    assert (left / book.cent) % 1.0 == 0.0
    assert 0.0 <= to_fund - 0.0033333 * 3 * 47_333.333 < book.cent


def test_an_order_is_whole_lots(long, make_book, open_books):
    book = make_book({"exchange.partial": {"kind": "pct_cooldown", "portion": 0.123456}, "exchange.lot": 0.25})
    assert ORDER(long, open_books([long], 47_400.0), book, 3) == 1.25
    assert long.wait == 4


def test_below_the_backstop_margin_no_order_is_tried(long, make_book, open_books):
    state, book = open_books([long], 50_000.0), make_book({"exchange.backstop_margin": 2 / 3})
    state.mark = 47_150.0  # equity 1,500 of a maintenance margin of 2,357
    assert ORDER(long, state, book, 3) == 0.0


@pytest.mark.parametrize(("mark", "called"), [(47_165.0, False), (47_150.0, True), (46_900.0, True)])
def test_no_cooldown_protects_an_account_below_the_backstop_margin(long, make_book, open_books, mark, called):
    state, book = open_books([long], 50_000.0), make_book({"exchange.backstop_margin": 2 / 3})
    state.mark, long.wait = mark, 10  # two thirds of the maintenance margin are left at 47,157.7
    assert is_called(long, state, book, 3) == called
    assert is_waiting(long, state, book)


def test_latency_sends_the_order_on_its_way(long, make_book, open_books):
    state, book = open_books([long], 47_200.0), make_book({"exchange.latency_seconds": 90.0})
    assert ORDER(long, state, book, 3) == 0.0
    assert long.wait == -5
    assert ORDER(long, state, book, 5) == 10.0
    assert long.wait == 0


# (what of 10 is sold at which fill, under which policy) -> does the account go on?
@pytest.mark.parametrize(
    ("offered", "sold", "fill", "venue", "goes_on"),
    [
        (10.0, 10.0, 47_500.0, {}, False),
        (10.0, 4.0, 47_500.0, {}, False),  # the rest is taken over
        (10.0, 4.0, 47_500.0, {"exchange.remainder": "waits"}, True),
        (10.0, 4.0, 46_900.0, {"exchange.remainder": "waits"}, False),  # bankrupt at the fill
        (5.0, 5.0, 47_400.0, {"exchange.partial": "smart_ioc", "exchange.fee": "keep_residual"}, True),  # healthy
        (1.0, 1.0, 47_200.0, {"exchange.partial": "smart_ioc"}, False),  # not saved
        (5.0, 5.0, 47_100.0, {"exchange.partial": "two_tiers"}, True),  # looked at again later
    ],
)
def test_who_goes_on(long, make_book, open_books, offered, sold, fill, venue, goes_on):
    state = open_books([long], 50_000.0)
    state.mark = 47_200.0
    assert KEEPS(long, state, make_book(venue), offered, sold, fill) == goes_on


def test_whoever_is_bankrupt_at_the_mark_is_closed(long, make_book, open_books):
    state = open_books([long], 50_000.0)
    state.mark = 46_900.0
    assert not KEEPS(long, state, make_book({"exchange.remainder": "waits"}), 10.0, 4.0, 47_500.0)
