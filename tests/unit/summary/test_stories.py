"""Ruined paths in groups: medoids of points in a plane, and stories of columns made up for it."""

from dataclasses import replace

import numpy as np
import pytest

from stress.outcomes import Outcomes
from stress.summary import tell_stories
from stress.summary.increments import outcomes_from_increments
from stress.summary.stories import medoids, silhouette

CENTERS = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])


@pytest.fixture(scope="module")
def plane():
    """Distances of sixty points about three centers, and whose they are."""
    rng = np.random.default_rng(1)
    whose = np.repeat([0, 1, 2], 20)
    points = CENTERS[whose] + rng.standard_normal((60, 2))
    return np.linalg.norm(points[:, None] - points[None], axis=2), whose


def test_medoids_find_the_groups(plane):
    distance, whose = plane
    found = medoids(distance, 3)
    assert sorted(whose[found]) == [0, 1, 2]
    group = distance[:, found].argmin(axis=1)
    assert all(len(set(whose[group == j])) == 1 for j in range(3))


def test_the_silhouette_is_highest_at_the_true_number(plane):
    distance, _ = plane
    score = {k: silhouette(distance, distance[:, medoids(distance, k)].argmin(axis=1)) for k in (2, 3, 4, 5)}
    assert max(score, key=score.get) == 3
    assert score[3] > 0.7


def test_the_silhouette_of_four_points_by_hand():
    # 0, 1 | 10, 11: own distance 1, next group 10.5 or 9.5: mean of 1 - 1/10.5 and 1 - 1/9.5.
    x = np.array([0.0, 1.0, 10.0, 11.0])
    expected = 1 - (1 / 10.5 + 1 / 9.5) / 2
    assert silhouette(np.abs(x[:, None] - x), np.array([0, 0, 1, 1])) == pytest.approx(expected)


@pytest.fixture(scope="module")
def crash_squeeze_whale():
    """A hundred paths: forty crashes early, twenty squeezes late, ten quiet ends, thirty that live."""
    kind = np.repeat([0, 1, 2, 3], [40, 20, 10, 30])
    rng = np.random.default_rng(2)
    noise = 1.0 + 0.01 * rng.standard_normal(100)
    plain = outcomes_from_increments(np.zeros((100, 100)), fund_initial=10.0, populations=np.arange(100) // 10)
    columns = {
        "price_min": 50.0 * np.array([0.6, 0.95, 0.97, 0.9])[kind] * noise,
        "price_max": 50.0 * np.array([1.02, 1.7, 1.04, 1.1])[kind] * noise,
        "ruin_step": np.where(kind == 3, -1, np.array([10, 80, 50, 0])[kind] + rng.integers(0, 3, 100)),
        "liquidated_notional": 1e3 * np.array([0.5, 0.4, 0.1, 0.0])[kind] * noise,
        "bad_debt": np.array([9.0, 5.0, 1.0, 0.0])[kind] * noise,
        "inventory_pnl": -np.array([1.0, 5.0, 19.0, 0.0])[kind],
    }
    columns["ruin_step"] = columns["ruin_step"].astype(np.int32)
    return Outcomes({**plain.columns, **columns}, replace(plain.facts, open_interest=1e3))


def test_stories_are_told_with_their_shares(crash_squeeze_whale):
    crash, squeeze, quiet = tell_stories(crash_squeeze_whale, 50.0)
    assert [story.n_paths for story in (crash, squeeze, quiet)] == [40, 20, 10]
    assert crash.share.value == pytest.approx(40 / 70)
    assert crash.share.low < 40 / 70 < crash.share.high
    assert crash.path < 40 <= squeeze.path < 60 <= quiet.path < 70
    assert crash.fall == pytest.approx(-0.4, abs=0.01)
    assert squeeze.rise == pytest.approx(0.7, abs=0.01)
    assert (crash.hour, squeeze.hour) == (pytest.approx(11 * 0.24, abs=0.3), pytest.approx(81 * 0.24, abs=0.3))
    assert crash.bad_debt_share == pytest.approx(0.9, abs=0.01)
    assert crash.liquidated == pytest.approx(0.5, abs=0.01)


def test_too_few_ruined_paths_have_no_stories(crash_squeeze_whale):
    few = {**crash_squeeze_whale.columns}
    few["ruin_step"] = np.where(np.arange(100) < 29, few["ruin_step"], np.int32(-1))
    with pytest.raises(ValueError, match="29 ruined paths are too few for stories; needs 30"):
        tell_stories(Outcomes(few, crash_squeeze_whale.facts), 50.0)
