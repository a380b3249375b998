"""Extremes between marks: the law of a bridge's low (oracle D05), and a path that meets them (oracle D02)."""

import math
from itertools import pairwise

import numpy as np
import pytest

from stress.markets.base import Clock, deviation_sampler
from stress.markets.extremes import GROUP, bridge_low, extremes_problems, visit_extremes
from stress.markets.gbm import Gbm
from stress.markets.scripted import Scripted
from stress.randomness import stream_key
from stress.rules import record
from stress.summary import bridge_crossing_probability, liquidation_probability

HOUR = 3600.0
KEY = stream_key(7)


def test_d05_the_low_lies_beyond_a_barrier_as_often_as_the_bridge_crosses_it():
    sd = 0.80 * math.sqrt(1.0 / 8760.0)
    low = bridge_low(math.log(100.0), math.log(98.0), sd, math.log(0.0288643398286))
    assert math.exp(low) == pytest.approx(97.5, rel=1e-11)


@pytest.mark.parametrize("barrier", [99.0, 98.9, 95.0])
def test_the_law_of_the_low_is_the_crossing_probability_of_the_yardsticks(barrier):
    asked = {"vol_annual": 0.6, "years": 1.0 / 8760.0}
    p = bridge_crossing_probability(100.0, 99.5, barrier, **asked)
    low = bridge_low(math.log(100.0), math.log(99.5), 0.6 * math.sqrt(asked["years"]), math.log(p))
    assert low == pytest.approx(math.log(barrier), rel=1e-12)


def test_without_noise_the_low_is_the_lower_end():
    assert bridge_low(0.1, 0.3, 0.0, -0.7) == pytest.approx(0.1, abs=1e-15)


def visited(shocks, deviations):
    moved = shocks.copy()
    visit_extremes(KEY, 0, deviations, moved)
    return moved


def test_a_straight_path_without_noise_keeps_its_first_extreme_last():
    path = np.array([[-0.1, -0.2, -0.3, -0.2, -0.1, 0.0]])
    np.testing.assert_allclose(visited(path, np.zeros((1, 6))), [[0.0, -0.3, -0.3, -0.3, 0.0, 0.0]], atol=1e-15)


def drawn(draw_paths, market, n, n_steps, step):
    paths, numbers = draw_paths(market, n, n_steps, step)[0], market.numbers(Clock(n_steps, step))
    found = np.empty_like(paths)
    deviation_sampler(type(market).deviations)(record(numbers), market.table(Clock(n_steps, step)), KEY, 0, found)
    return paths, found


@pytest.fixture(scope="module")
def hourly(draw_paths):
    paths, deviations = drawn(draw_paths, Gbm(price_usd=1.0, vol_annual=0.8), 40_000, 72, HOUR / 3.0)
    return paths, visited(paths, deviations)


def test_every_third_step_stays_where_it_is(hourly):
    np.testing.assert_array_equal(hourly[0][:, GROUP - 1 :: GROUP], hourly[1][:, GROUP - 1 :: GROUP])


def test_no_step_of_a_group_lies_outside_its_extremes(hourly):
    before, after = (path.reshape(len(path), -1, GROUP) for path in hourly)
    assert (after.min(axis=2) <= before.min(axis=2)).all()
    assert (after.max(axis=2) >= before.max(axis=2)).all()


@pytest.mark.parametrize("leverage", [10.0, 20.0, -20.0, 50.0])
def test_d02_the_extreme_of_a_day_has_the_law_of_continuous_monitoring(hourly, leverage):
    side = math.copysign(1.0, leverage)
    barrier = (1.0 - 1.0 / leverage) / (1.0 - side * 0.005)
    share = ((side * hourly[1]).min(axis=1) <= side * math.log(barrier)).mean()
    exact = liquidation_probability(1.0, barrier, vol_annual=0.8, years=1.0 / 365.0)
    assert abs(share - exact) <= 4.0 * math.sqrt(exact * (1.0 - exact) / len(hourly[1]))


def test_lows_and_highs_come_first_equally_often(hourly):
    groups = hourly[1].reshape(len(hourly[1]), -1, GROUP)
    first = (groups[:, :, 0] < groups[:, :, 1]).mean()
    assert abs(first - 0.5) < 0.01


def test_a_market_that_does_not_say_what_its_noise_is_cannot_be_asked_for_its_extremes(monkeypatch):
    monkeypatch.setattr(Scripted, "deviations", None)
    found = extremes_problems(Scripted(price_usd=1.0, extremes="bridge"), Clock(4, 60.0))
    assert [(key, text.split(":")[0]) for key, text in found] == [
        ("extremes", "must be absent"),
        ("extremes", "needs steps in groups of 3"),
    ]


def test_a_group_goes_from_where_the_last_one_ended():
    path = np.array([[0.1, 0.2, 0.3, 0.3, 0.3, 0.3]])
    lows = visited(path, np.zeros((1, 6)))[0]
    assert [(a <= b) for a, b in pairwise(lows)] == [True] * 5


def both_touched(distance):
    """Return how often a bridge of a step that ends where it began goes `distance` standard deviations both ways.

    One less either side alone, plus neither: Kolmogorov's law of the largest deviation (1933).
    """
    inside = 1.0 - 2.0 * sum((-1) ** (k - 1) * math.exp(-2.0 * k * k * distance**2) for k in range(1, 60))
    return 1.0 - 2.0 * (1.0 - math.exp(-2.0 * distance**2)) + inside


@pytest.mark.parametrize(("distance", "exact", "drawn"), [(0.5, 0.25, 0.37), (1.0, 0.0007, 0.018), (2.0, 0.0, 1e-7)])
def test_both_sides_of_a_step_are_met_more_often_than_by_a_bridge_as_documented(distance, exact, drawn):
    n = 200_000
    chances = np.random.default_rng(3).random((2, n))
    low, high = (sign * bridge_low(0.0, 0.0, 1.0, np.log(u)) for sign, u in zip((1.0, -1.0), chances, strict=True))
    independent = math.exp(-2.0 * distance**2) ** 2
    assert both_touched(distance) == pytest.approx(exact, rel=0.05, abs=1e-12)
    assert independent == pytest.approx(drawn, rel=0.15)
    met = ((low < -distance) & (high > distance)).mean()
    assert abs(met - independent) <= 4.0 * math.sqrt(independent / n)
