import numpy as np
import pytest

from stress.summary import Clusters
from stress.summary.means import estimate_mean, estimate_ratio


def test_a_mean_of_independent_paths_has_students_interval(rng):
    x = rng.normal(size=60)
    found = estimate_mean(x, Clusters.of(np.arange(60)), 0.95)
    assert found.high - found.value == pytest.approx(2.000995 * np.std(x, ddof=1) / np.sqrt(60), rel=1e-6)
    assert found.method == "cluster-mean"


def test_one_population_is_replicated_by_batches(rng):
    assert estimate_mean(rng.normal(size=500), Clusters.of(np.zeros(500)), 0.95).method == "batch-mean"


def test_one_path_has_a_mean_without_an_interval():
    found = estimate_mean(np.array([3.0]), Clusters.of(np.zeros(1)), 0.95)
    assert (found.value, found.low, found.high) == (3.0, None, None)


def test_proportional_columns_have_a_ratio_without_error(rng):
    x = rng.exponential(size=500)
    found = estimate_ratio(2 * x, x, Clusters.of(np.arange(500)), 0.95)
    assert (found.value, found.low, found.high) == pytest.approx((2, 2, 2))


def test_the_error_of_a_ratio_is_that_of_repeated_runs(rng):
    runs = [(rng.normal(1, 1, 400), rng.exponential(size=400)) for _ in range(300)]
    found = [estimate_ratio(over, under, Clusters.of(np.arange(400)), 0.95) for over, under in runs]
    half = np.mean([row.high - row.value for row in found])
    assert half / 1.966 == pytest.approx(np.std([row.value for row in found]), rel=0.15)


def test_nothing_to_divide_by_has_no_ratio():
    assert estimate_ratio(np.ones(3), np.zeros(3), Clusters.of(np.arange(3)), 0.95) is None
