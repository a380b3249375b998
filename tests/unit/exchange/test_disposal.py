import pytest
from pydantic import ValidationError

from stress.exchange.disposal import Disposal, Immediate, LimitAtBankruptcy, Participation
from stress.exchange.impact import Linear
from stress.exchange.settlement import NO_LIMIT, compose


def test_participation_sells_at_most_what_is_left_of_the_steps_volume():
    assert Participation.executable(10.0, 4.0, NO_LIMIT) == 4.0
    assert Participation.executable(10.0, 40.0, 0.0) == 10.0


def test_limit_at_bankruptcy_sells_what_the_book_offers_up_to_the_limit():
    assert LimitAtBankruptcy.executable(10.0, 0.0, 7.0) == 7.0
    assert LimitAtBankruptcy.executable(10.0, 0.0, 70.0) == 10.0


def test_immediate_sells_everything():
    assert Immediate.executable(10.0, 0.0, 0.0) == 10.0


def test_the_default_participation_is_ten_percent():
    assert (Participation().participation, LimitAtBankruptcy().participation) == (0.10, 0.10)


def test_an_immediate_engine_has_no_volume_cap():
    assert Immediate().participation is None


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1])
def test_participation_is_a_share_above_zero(share):
    with pytest.raises(ValidationError, match="participation"):
        Disposal.choose({"kind": "participation", "participation": share})


PER_UNIT = 1e-4  # linear impact per unit, log price


@pytest.fixture
def price_batch(make_book, open_books):
    """Price the sale of a batch under a disposal rule."""

    def run(disposal, net, *, volume_room=NO_LIMIT, limit=0.0, **state):
        law = {"kind": "linear", "log_price_per_daily_volume": PER_UNIT * 40_000.0}
        book = make_book({"liquidity.impact": law, "exchange.disposal": disposal().kind}, volume_room=volume_room)
        return compose(Linear).price_batch(open_books([], 50_000.0, **state), book, net, limit)

    return run


def test_a_batch_without_net_quantity_fills_whole_at_the_index(price_batch):
    assert price_batch(Participation, 0.0, volume_room=0.0) == (1.0, 50_000.0)


def test_one_price_is_the_mean_impact_of_what_executes(price_batch):
    share, fill = price_batch(Participation, -40.0, volume_room=10.0)
    assert share == 0.25
    assert fill == pytest.approx(50_000.0 * (1.0 - 0.5 * PER_UNIT * 10.0))


def test_a_limit_order_stops_where_the_marginal_price_meets_the_limit(price_batch):
    share, _ = price_batch(LimitAtBankruptcy, -40.0, limit=49_900.0)
    assert share * 40.0 == pytest.approx(0.002 / PER_UNIT)


def test_a_limit_order_fills_better_than_its_limit(price_batch):
    _, fill = price_batch(LimitAtBankruptcy, -40.0, limit=49_900.0)
    assert fill == pytest.approx(49_950.0)


def test_a_limit_order_below_water_executes_nothing(price_batch):
    assert price_batch(LimitAtBankruptcy, -40.0, limit=50_100.0) == (0.0, 50_000.0)


def test_a_purchase_is_limited_from_above(price_batch):
    share, fill = price_batch(LimitAtBankruptcy, 40.0, limit=50_100.0)
    assert share == pytest.approx(0.5)
    assert fill == pytest.approx(50_050.0)


def test_what_was_traded_in_the_step_is_no_longer_there_to_trade(price_batch):
    share, _ = price_batch(Participation, -40.0, volume_room=10.0, traded=6.0)
    assert share == 0.1


def test_a_step_whose_volume_is_used_up_executes_nothing(price_batch):
    share, _ = price_batch(Participation, -40.0, volume_room=10.0, traded=16.0)
    assert share == 0.0


def test_volume_that_surges_with_the_move_makes_room(price_batch):
    share, _ = price_batch(Participation, -40.0, volume_room=10.0, surge=3.0)
    assert share == 0.75
