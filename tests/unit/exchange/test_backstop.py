import pytest

from stress.exchange.backstop import capacity_left, forget_old_use
from stress.exchange.settlement import backstop_value, balance_error

FILL, MARK = 44_700.0, 44_700.0  # the longs are bankrupt at 45,000
WIDE = {"kind": "backstop", "usd_per_minute": 1e9, "usd_per_hour": 1e9, "required_edge": -0.05}


@pytest.fixture
def longs(make_account):
    return lambda *quantities: [make_account(q, 50_000, 5_000 * q) for q in quantities]


def test_providers_take_the_position_at_its_bankruptcy_price(present, longs):
    run = present([WIDE, "fund"], longs(3), fill=FILL, fund=1e6)
    assert (run.state.backstop_qty, run.state.backstop_cost) == (3.0, 135_000.0)
    assert (run.state.bad_debt, backstop_value(run.state)) == (0.0, pytest.approx(-900))


def test_a_blend_leaves_a_third_of_the_loss_to_the_fund(present, longs):
    run = present([WIDE | {"price": "blend"}, "fund"], longs(3), fill=FILL, fund=1e6)
    assert run.state.bad_debt == pytest.approx(300)
    assert backstop_value(run.state) == pytest.approx(-600)


def test_what_exceeds_the_capacity_goes_to_the_next_layer(present, longs):
    run = present([WIDE | {"usd_per_minute": 44_700.0}, "fund"], longs(3), fill=FILL, fund=1e6)
    assert run.state.backstop_qty == pytest.approx(1.0, abs=1e-7)
    assert run.state.bad_debt == pytest.approx(600, abs=1e-3)


def test_without_the_edge_that_they_require_providers_take_nothing(present, longs):
    run = present([WIDE | {"required_edge": 0.0}, "fund"], longs(3), fill=FILL, fund=1e6)
    assert (run.state.backstop_qty, run.state.bad_debt) == (0.0, pytest.approx(900))


def test_providers_are_gone_once_the_market_has_moved_too_far(present, longs):
    moved = {"initial_price": 50_000.0}
    near, far = (
        present([WIDE | {"gone_beyond_move": move}, "fund"], longs(3), fill=FILL, fund=1e6, **moved)
        for move in (0.2, 0.1)
    )
    assert (near.state.backstop_qty, far.state.backstop_qty) == (3.0, 0.0)


def test_adl_takes_what_providers_left_and_no_account_twice(present, longs, make_account):
    layers = [WIDE | {"usd_per_hour": 44_700.0}, "adl", "fund"]
    run = present(layers, longs(2, 1), [make_account(-9, 50_000, 1e6)], fill=FILL, fund=1e6)
    assert run.moved == [2.0, 1.0]
    assert run.case.deleveraged == pytest.approx(2.0, abs=1e-7)


@pytest.mark.parametrize("price", ["bankruptcy", "mark", "blend"])
@pytest.mark.parametrize("fund", [0.0, 200.0, 1e6])
def test_the_books_balance_with_positions_of_providers(present, longs, price, fund):
    run = present([WIDE | {"price": price}, "fund", "socialize"], longs(3, 1), fill=FILL, fund=fund, share=0.6)
    assert balance_error(run.state) == pytest.approx(0.0, abs=1e-6)


def test_minute_and_hour_begin_anew_by_the_clock(make_book, open_books):
    book = make_book({"layer": [{"kind": "backstop"}, "fund"]})  # steps of a minute; 0.1 m and 0.3 m
    state = open_books([], 50_000.0)
    rooms = []
    for step, taken in ((58, 1e5), (58, 0.0), (59, 5e4), (59, 0.0), (60, 0.0)):
        state.step = step
        forget_old_use(state, book)
        rooms.append(capacity_left(state, book))
        state.backstop_minute += taken
        state.backstop_taken += taken
    assert rooms == [1e5, 0.0, 1e5, 5e4, 1e5]
