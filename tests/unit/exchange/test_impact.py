import math
from types import SimpleNamespace

import pytest

from stress.exchange.impact import Book, Linear, SquareRoot
from stress.exchange.pricing import compose_prices
from stress.exchange.settlement import compose

VOLUME, DEPTH = 40_000.0, 150.0  # base units: a day's volume, depth within 1 %
LAWS = [SquareRoot(), Linear(), Book()]
NAMES = [law.kind for law in LAWS]


@pytest.fixture
def numbers(make_book):
    """The numbers of a law, as rules read them."""

    def make(law):
        return make_book({"liquidity.impact": law.model_dump()}).liquidity

    return make


@pytest.fixture
def desk(make_book, open_books):
    """An exchange without accounts that trades by a law: its rules, state and book."""

    def make(law, *, depth=1.0, permanent_share=0.0, pass_through=1.0):
        liquidity = {
            "liquidity.impact": law.model_dump(),
            "liquidity.permanent_share": permanent_share,
            "liquidity.pass_through": pass_through,
        }
        return SimpleNamespace(
            rules=compose(type(law)),
            state=open_books([], 50_000.0, depth=depth),
            book=make_book(liquidity),
        )

    return make


def sell(desk, quantity):
    """Sell at once and return the money received."""
    price = desk.rules.fill_price(desk.state, desk.book.liquidity, -quantity, 0.0)
    desk.rules.trade(desk.state, desk.book, 0, -quantity, -quantity, price)
    return quantity * price


def limit_room(desk, law, side, limit):
    *_, room = compose_prices(law)
    return room(desk.state, desk.book.liquidity, side, limit)


def test_the_square_root_law_moves_the_price_by_y_sigma_times_the_root_of_participation(numbers):
    law = SquareRoot(prefactor=0.8, vol_daily=0.05)
    assert law.impact(400.0, numbers(law)) == pytest.approx(0.8 * 0.05 * math.sqrt(400 / VOLUME))


def test_the_square_root_law_costs_two_thirds_of_its_final_impact(numbers):
    law = SquareRoot()
    assert law.cost(100.0, numbers(law)) == pytest.approx(2 / 3 * 100 * law.impact(100.0, numbers(law)))


def test_linear_impact_of_a_days_volume_is_its_parameter(numbers):
    law = Linear(log_price_per_daily_volume=0.2)
    assert law.impact(VOLUME, numbers(law)) == pytest.approx(0.2)


def test_walking_the_book_through_its_depth_moves_the_price_one_percent(numbers):
    law = Book()
    assert law.impact(DEPTH, numbers(law)) == pytest.approx(0.01)


def test_a_book_of_shape_1_16_has_an_impact_exponent_of_0_86(numbers):
    law = Book()
    doubled = law.impact(2 * DEPTH, numbers(law)) / law.impact(DEPTH, numbers(law))
    assert math.log2(doubled) == pytest.approx(1 / 1.16)


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
@pytest.mark.parametrize("depth", [1.0, 0.42])
@pytest.mark.parametrize("permanent_share", [0.0, 0.3])
@pytest.mark.parametrize("slices", [10, 100])
def test_slicing_an_order_changes_neither_its_cost_nor_the_price_it_leaves(desk, law, depth, permanent_share, slices):
    whole, cut = (desk(law, depth=depth, permanent_share=permanent_share) for _ in range(2))
    received = sell(whole, 10.0), sum(sell(cut, 10.0 / slices) for _ in range(slices))
    assert received[1] == pytest.approx(received[0], rel=1e-9)
    assert cut.state.mark == pytest.approx(whole.state.mark, rel=1e-9)


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
def test_an_order_pays_the_integral_of_its_impact_above_the_index(desk, law, numbers):
    d = desk(law)
    expected = 50_000.0 * (10.0 - law.cost(10.0, numbers(law)))
    assert sell(d, 10.0) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
def test_a_first_order_fills_the_same_whatever_share_of_it_stays(desk, law):
    assert sell(desk(law, permanent_share=0.3), 10.0) == pytest.approx(sell(desk(law), 10.0), rel=1e-12)


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
@pytest.mark.parametrize("depth", [1.0, 0.42])
def test_the_price_of_a_second_slice_can_be_known_before_the_first_is_traded(desk, law, depth):
    ahead, traded = desk(law, depth=depth), desk(law, depth=depth)
    foreseen = ahead.rules.fill_price(ahead.state, ahead.book.liquidity, -6.0, -4.0)
    sell(traded, 4.0)
    after = traded.rules.fill_price(traded.state, traded.book.liquidity, -6.0, 0.0)
    assert foreseen == pytest.approx(after, rel=1e-12)


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
def test_a_purchase_costs_as_much_above_the_index_as_a_sale_below(desk, law):
    d = desk(law)
    bought, sold = (d.rules.fill_price(d.state, d.book.liquidity, q, 0.0) for q in (25.0, -25.0))
    assert bought - 50_000.0 == pytest.approx(50_000.0 - sold, rel=1e-9)


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
def test_buying_back_returns_the_price_and_the_money(desk, law):
    d = desk(law)
    received = sell(d, 10.0)
    assert -sell(d, -10.0) == pytest.approx(received, rel=1e-12)
    assert d.state.mark == pytest.approx(50_000.0, rel=1e-12)


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
def test_half_the_depth_costs_as_much_per_unit_as_twice_the_order(desk, law):
    thin, deep = desk(law, depth=0.5), desk(law)
    assert sell(thin, 10.0) / 10 == pytest.approx(sell(deep, 20.0) / 20, rel=1e-12)


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
def test_no_order_fills_at_the_index(desk, law):
    d = desk(law)
    assert d.rules.fill_price(d.state, d.book.liquidity, 0.0, 0.0) == d.state.index


def test_a_fill_never_goes_below_one_percent_of_the_index(desk):
    d = desk(Linear(log_price_per_daily_volume=1.0))
    assert d.rules.fill_price(d.state, d.book.liquidity, -100 * VOLUME, 0.0) == pytest.approx(500.0)


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
@pytest.mark.parametrize("pass_through", [0.0, 0.3, 1.0])
def test_the_mark_takes_the_pass_through_of_the_displacement(desk, law, pass_through, numbers):
    d = desk(law, pass_through=pass_through)
    sell(d, 25.0)
    moved = math.log(d.state.mark / 50_000.0)
    assert moved == pytest.approx(-pass_through * law.impact(25.0, numbers(law)), abs=1e-12)


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
def test_the_index_is_the_worlds_and_a_trade_does_not_move_it(desk, law):
    d = desk(law)
    sell(d, 25.0)
    assert d.state.index == 50_000.0


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
def test_only_the_permanent_share_is_left_when_the_flow_has_decayed(desk, law, numbers):
    d = desk(law, permanent_share=0.2)
    sell(d, 25.0)
    d.rules.open_step(d.state, d.book, 1, 0.0, [1.0, 0.0])
    left = math.log(d.state.mark / 50_000.0)
    assert left == pytest.approx(-0.2 * law.impact(25.0, numbers(law)), rel=1e-9)


def test_the_flow_decays_from_the_last_trade(desk):
    d = desk(SquareRoot())
    sell(d, 16.0)
    for step, left in ((1, 0.5), (2, 0.25)):
        d.rules.open_step(d.state, d.book, step, 0.0, [1.0, 0.5, 0.25])
        assert d.state.flow == -16.0 * left


def test_the_age_of_a_flow_counts_from_its_trade(desk):
    d = desk(SquareRoot())
    d.rules.open_step(d.state, d.book, 3, 0.0, [1.0, 0.5, 0.25, 0.125])
    d.rules.trade(d.state, d.book, 3, -16.0, -16.0, 50_000.0)
    d.rules.open_step(d.state, d.book, 5, 0.0, [1.0, 0.5, 0.25, 0.125])
    assert d.state.flow == -4.0


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_the_limit_room_is_traded_exactly_to_the_limit(desk, law, side, numbers):
    d = desk(law, depth=0.57)
    limit = 50_000.0 * (1.0 + side * 0.002)
    sell(d, -side * limit_room(d, law, side, limit))
    assert law.impact(abs(d.state.flow), numbers(law)) == pytest.approx(0.002, rel=1e-9)


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
def test_a_limit_on_the_wrong_side_of_the_index_leaves_no_room(desk, law):
    assert limit_room(desk(law), law, -1.0, 50_100.0) == 0.0


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
def test_flow_that_is_already_there_uses_up_the_limit_room(desk, law):
    d = desk(law)
    before = limit_room(d, law, -1.0, 49_900.0)
    sell(d, 0.25 * before)
    assert limit_room(d, law, -1.0, 49_900.0) == pytest.approx(0.75 * before, rel=1e-9)


def test_without_impact_the_room_within_the_limit_is_not_bounded(desk):
    law = Linear(log_price_per_daily_volume=0.0)
    assert limit_room(desk(law), law, -1.0, 49_900.0) >= 1e300


def test_without_impact_there_is_no_room_beyond_the_limit(desk):
    law = Linear(log_price_per_daily_volume=0.0)
    assert limit_room(desk(law), law, -1.0, 50_100.0) == 0.0
