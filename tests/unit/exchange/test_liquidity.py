import math
from types import SimpleNamespace

import numpy as np
import pytest

from stress.exchange.impact import Book
from stress.exchange.liquidity import MEDIAN_DEPTH, WORST_TENTH, Liquidity, advance_depth, missing_depth
from stress.exchange.state import ExchangeState

WINDOW = 5  # steps in the rolling five minutes, at one-minute steps
SIGMA = 0.002  # of a five-minute move
MISSING = Liquidity(volume_usd_per_day=1.0).missing()

# calibration 4.6 and 6: |z| of the rolling five-minute move -> depth relative to normal, median curve.
CURVE = [(0, 0.93), (1.9, 0.93), (3, 0.89), (5, 0.81), (7, 0.71), (10, 0.57), (16, 0.42), (25, 0.16), (90, 0.16)]


def numbers(**changed):
    values = {"reacts": 1, "makers": 0, "missing": MISSING, "window": WINDOW, "per_sigma": 1.0 / SIGMA, "keep": 0.8}
    values |= {"volume_response": 1.5, "per_maker_margin": 1e-6, "per_maker_limit": 0.0}
    return SimpleNamespace(**{**values, **changed})


def after(shocks, step=None, **changed):
    state = ExchangeState()
    advance_depth(state, shocks, len(shocks) - 1 if step is None else step, numbers(**changed))
    return state


def depth_at(*args, **changed):
    return after(*args, **changed).depth


@pytest.mark.parametrize(("z", "depth"), CURVE)
def test_depth_at_a_move_of_z_is_that_of_the_calibration(z, depth):
    assert 1.0 - missing_depth(float(z), MISSING) == pytest.approx(depth)
    assert depth_at([z * SIGMA]) == pytest.approx(depth)


@pytest.mark.parametrize("edge", [2.0, 4.0, 6.0, 8.0, 12.0, 20.0])
def test_the_edge_of_a_bin_belongs_to_the_calmer_one(edge):
    assert missing_depth(edge, MISSING) < missing_depth(np.nextafter(edge, math.inf), MISSING)


def test_rises_empty_the_book_like_falls():
    assert depth_at([-9 * SIGMA]) == depth_at([9 * SIGMA])


def test_the_move_is_measured_over_five_minutes_not_over_a_step():
    slow = [3 * SIGMA * (t + 1) for t in range(WINDOW)]  # 3 sigma a step, 15 in five minutes
    assert depth_at(slow) == pytest.approx(0.42)


def test_a_move_leaves_the_window_after_five_minutes():
    path = [25 * SIGMA] * 40
    assert depth_at(path, WINDOW - 1) == pytest.approx(0.16)
    assert depth_at(path, WINDOW) > 0.16


def test_missing_depth_recovers_by_20_percent_a_minute():
    path = [25 * SIGMA] * 40
    for minutes in (1, 2, 5):
        expected = 1.0 - 0.84 * 0.8**minutes
        assert depth_at(path, WINDOW - 1 + minutes) == pytest.approx(expected)


def test_depth_recovers_to_its_calm_level_and_not_above():
    assert depth_at([25 * SIGMA] * 200) == pytest.approx(0.93)


def test_depth_leaves_at_once_and_is_not_averaged():
    assert depth_at([0.0] * 50 + [13 * SIGMA]) == pytest.approx(0.42)


def test_depth_may_be_looked_at_late_or_often():
    rng = np.random.default_rng(5)
    path = np.cumsum(rng.normal(0.0, 2 * SIGMA, 300))
    often, late = ExchangeState(), ExchangeState()
    for step in range(0, 300, 7):
        advance_depth(often, path, step, numbers())
    advance_depth(late, path, 294, numbers())
    assert often.depth == late.depth


def test_from_a_constant_source_depth_is_normal():
    assert depth_at([25 * SIGMA] * 10, reacts=0) == 1.0


@pytest.mark.parametrize(("stress", "curve"), [(0.0, MEDIAN_DEPTH), (1.0, WORST_TENTH)])
def test_depth_stress_goes_from_the_median_to_the_worst_tenth(stress, curve):
    missing = Liquidity(volume_usd_per_day=1.0, depth_stress=stress).missing()
    assert [1.0 - gone for gone in missing] == pytest.approx(list(curve))


def test_half_the_depth_stress_is_the_geometric_mean_of_the_curves():
    missing = Liquidity(volume_usd_per_day=1.0, depth_stress=0.5).missing()
    assert 1.0 - missing[-1] == pytest.approx(math.sqrt(0.16 * 0.03))


def of_makers(collateral, **changed):
    state = ExchangeState(maker_collateral=collateral, **changed)
    advance_depth(state, [0.0], 0, numbers(makers=1))
    return state.depth


def test_makers_with_their_margin_intact_reproduce_the_curve():
    assert of_makers(1e6) == depth_at([0.0])


def test_makers_who_have_lost_half_their_margin_quote_half():
    assert of_makers(1e6, maker_qty=-10.0, maker_cost=0.0, mark=50_000.0) == pytest.approx(0.5 * 0.93)


def test_makers_who_have_gained_quote_no_more_than_normal():
    assert of_makers(3e6) == pytest.approx(0.93)


def test_a_book_of_ruined_makers_is_not_quite_empty():
    assert of_makers(-1e6) == pytest.approx(0.01 * 0.93)


def test_deleveraged_winners_quote_less():
    state = ExchangeState(quotes=0.4)
    advance_depth(state, [0.0], 0, numbers())
    assert state.depth == pytest.approx(0.4 * 0.93)


def test_per_depth_is_the_inverse_of_depth():
    state = after([10 * SIGMA])
    assert state.per_depth == 1.0 / state.depth


def test_volume_is_normal_up_to_one_standard_deviation():
    assert after([0.99 * SIGMA]).surge == 1.0


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_volume_surges_with_the_size_of_the_move_beyond_one_standard_deviation(sign):
    assert after([sign * 5 * SIGMA]).surge == pytest.approx(1.0 + 1.5 * 4)


def test_volume_surges_without_the_depth_curve_too():
    assert after([5 * SIGMA], reacts=0).surge == pytest.approx(7.0)


def test_volume_is_back_to_normal_when_the_move_has_left_the_window():
    assert after([25 * SIGMA] * 40, WINDOW).surge == 1.0


def test_a_law_may_be_named_in_one_word():
    assert isinstance(Liquidity(volume_usd_per_day=1e9, impact="book").impact, Book)


def test_the_default_law_is_the_square_root():
    assert Liquidity(volume_usd_per_day=1e9).impact.kind == "square_root"
