"""Partial orders in the books: what an account keeps, what the fund receives, who may go on."""

import pytest

from stress.exchange.liquidation import FeeModel
from stress.exchange.orders import compose_keeping, compose_orders
from stress.exchange.settlement import balance_error, trade_with_makers
from stress.rules import one_of

ORDER, KEPT_AFTER, REDUCE = compose_orders(one_of(FeeModel.rules("split")))
KEEPS = compose_keeping(KEPT_AFTER)
FEES = [
    {"exchange.fee": "confiscate"},
    {"exchange.fee": {"kind": "capped_fee", "rate": 0.005}},
    {"exchange.fee": {"kind": "keeper_split", "rate": 0.002, "other_rate": 0.001}},
    {"exchange.fee": "keep_residual"},
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


def test_confiscation_of_a_part_takes_the_parts_share_of_what_is_left(long, make_book, open_books):
    state, book = open_books([long], 50_000.0), make_book()
    REDUCE(long, state, book, 4.0, 47_400.0)  # equity at the fill: 4,000
    assert state.surplus == pytest.approx(0.4 * 4_000.0)


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
    state, book = open_books([long], 50_000.0), make_book({"exchange.backstop_margin": 0.6667})
    state.mark = 47_150.0  # equity 1,500 of a maintenance margin of 2,357
    assert ORDER(long, state, book, 3) == 0.0


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
