"""Worked examples of mark and index rules, in the digits of the venues' help pages."""

import math

import pytest

from stress.exchange.impact import Linear
from stress.exchange.index import protected_average, weighted_median
from stress.exchange.mark import MarkRule, ema_weights, fair_price, median, median_of_three, smoothed
from stress.exchange.pricing import pay_funding, see_late
from stress.exchange.settlement import compose
from stress.rules import kernel, one_of

INDEX, LAST_RATE, LEFT = 50_000.0, 1e-4, 4.0 / 8.0


def test_the_fair_price_of_worked_example_6_is_the_index_plus_what_funding_still_owes():
    assert fair_price(INDEX, LAST_RATE * LEFT) == pytest.approx(50_002.5, abs=1e-9)


def test_the_mark_of_worked_example_6_is_the_median_of_fair_price_index_with_basis_and_own_price():
    assert median_of_three(INDEX, LAST_RATE * LEFT, -12.0, 49_700.0, INDEX) == 49_988.0


@pytest.mark.parametrize("three", [(1.0, 2.0, 3.0), (3.0, 1.0, 2.0), (2.0, 3.0, 1.0), (2.0, 2.0, 9.0)])
def test_the_median_is_the_middle_one(three):
    assert median(*three) == 2.0


def test_the_average_of_worked_example_7_starts_from_nothing():
    total, weight = ema_weights(0.0, 0.0, 10.0, 3.0, 150.0)
    assert total / weight == 10.0
    total, weight = ema_weights(total, weight, 20.0, 3.0, 150.0)
    assert total / weight == pytest.approx(15.0499983, abs=5e-8)


def test_in_the_long_run_its_average_is_the_one_that_is_simulated():
    total, weight, average = 0.0, 0.0, 0.0
    keep = math.exp(-60.0 / 150.0)
    for i in range(200):
        sample = math.sin(i)
        total, weight = ema_weights(total, weight, sample, 60.0, 150.0)
        average = smoothed(average, sample, keep)
    assert total / weight == pytest.approx(average, abs=1e-12)


@pytest.mark.parametrize(
    ("kind", "price"),
    [
        ("index", 100.0),
        ("oracle", 100.0),
        ("fair_price", 101.0),
        ("ema_basis", 98.0),
        ("median_of_three", 98.0),
        ("oracle_median", 98.0),
    ],
)
def test_a_rule_is_picked_by_its_number_also_when_it_is_compiled(kind, price):
    code, mark = MarkRule.member(kind)().code, one_of(MarkRule.rules("price"))
    compiled = kernel(lambda code: mark(code, 100.0, 0.01, -2.0, 95.0, 99.0))
    assert mark(code, 100.0, 0.01, -2.0, 95.0, 99.0) == compiled(code) == price


def test_only_the_index_of_this_moment_is_plain():
    assert [kind for kind, member in MarkRule.family.items() if member().plain] == ["index"]
    assert MarkRule.choose({"kind": "oracle", "delay_seconds": 0.0}).plain


def test_one_source_far_from_the_median_loses_its_weight():
    assert protected_average([50_000.0, 50_100.0, 53_000.0], [1.0, 1.0, 1.0]) == 50_050.0


def test_several_sources_far_from_the_median_leave_the_median():
    assert protected_average([50_000.0, 45_000.0, 50_100.0, 56_000.0, 50_050.0], [5.0, 1.0, 1.0, 1.0, 1.0]) == 50_050.0


def test_the_oracle_of_a_validator_is_a_weighted_median():
    # Binance, OKX, Bybit, Kraken, Kucoin, Gate, MEXC, own spot; the two heaviest books decide
    prices = [100.0, 101.0, 102.0, 90.0, 91.0, 120.0, 121.0, 99.0]
    assert weighted_median(prices, [3, 2, 2, 1, 1, 1, 1, 1]) == 100.5
    assert weighted_median(prices, [4, 2, 2, 1, 1, 1, 1, 1]) == 100.0


# --- what each rule sees of the venue's own trade: 8 % of a day's volume at linear impact 1 moves the own price by 8 %

HALF = {"liquidity.impact": {"kind": "linear", "log_price_per_daily_volume": 1.0}, "liquidity.pass_through": 0.5}
OWN = math.exp(-0.08)
SHOWN = math.exp(-0.04)


@pytest.fixture
def sell(make_book, open_books, make_account):
    """Sell 3,200 of a volume of 40,000 a day at step 0; return the marks just after it and at the next step."""

    def run(mark, **more):
        book = make_book({**HALF, "exchange.mark": mark, **more})
        rules = compose(Linear)
        state = open_books([make_account(1.0, 50_000.0, 5_000.0)], 50_000.0)
        marks = []
        rules.open_step(state, book, 0, 0.0, [1.0] * 3)
        rules.trade(state, book, 0, -3_200.0, -3_200.0, 50_000.0)
        marks.append(state.mark / 50_000.0)
        rules.open_step(state, book, 1, 0.0, [1.0] * 3)
        return [*marks, state.mark / 50_000.0]

    return run


@pytest.mark.parametrize("mark", ["index", "fair_price"])
def test_an_index_that_we_are_part_of_shows_our_trade_by_the_pass_through_at_once(sell, mark):
    assert sell(mark) == pytest.approx([SHOWN, SHOWN])


def test_an_oracle_never_sees_our_trade(sell):
    assert sell("oracle") == [1.0, 1.0]


@pytest.mark.parametrize("kind", ["ema_basis", "median_of_three"])
def test_an_average_basis_sees_our_trade_at_the_next_step_by_a_steps_share_of_its_window(sell, kind):
    basis = (OWN / SHOWN - 1.0) * (1.0 - math.exp(-60.0 / 120.0))
    assert sell({"kind": kind, "window_seconds": 120.0}) == pytest.approx([SHOWN, SHOWN * (1.0 + basis)])


def test_an_oracle_with_an_average_basis_sees_our_trade_slowly(sell):
    assert sell("oracle_median") == pytest.approx([1.0, 1.0 + (OWN - 1.0) * (1.0 - math.exp(-60.0 / 150.0))])


@pytest.mark.parametrize(("delay", "late"), [(0.0, -0.3), (15.0, -0.25), (60.0, -0.1), (90.0, -0.05), (200.0, 0.0)])
def test_a_late_oracle_knows_the_market_of_before_on_the_line_between_two_steps(make_book, open_books, delay, late):
    book = make_book({"exchange.mark": {"kind": "oracle", "delay_seconds": delay}})
    state, shocks = open_books([], 50_000.0), [-0.1, -0.3]
    see_late(state, book, shocks, 1)
    compose(Linear).open_step(state, book, 1, shocks[1], [1.0] * 2)
    assert state.mark == pytest.approx(50_000.0 * math.exp(late))


def test_the_premium_is_the_last_rate_for_the_time_that_is_left(make_book, open_books):
    book = make_book({"exchange.mark": "fair_price"})  # funding every 60 steps
    state, rules = open_books([], 50_000.0), compose(Linear)
    pay_funding(state, 0.006)
    for step, premium in ((60, 0.0059), (89, 0.003), (119, 0.0)):
        rules.open_step(state, book, step, 0.0, [1.0] * 200)
        assert state.mark == pytest.approx(50_000.0 * (1.0 + premium))
