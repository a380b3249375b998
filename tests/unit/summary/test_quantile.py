import numpy as np
import pytest
from scipy import stats

from stress.summary import (
    Clusters,
    coverage,
    order_statistic,
    quantile_interval,
    ranks,
    two_sided_sample_size,
    wilks_sample_size,
)


@pytest.mark.parametrize(("level", "rank"), [(0.07, 7), (0.071, 8), (0.99, 99), (0.999, 100), (0.001, 1)])
def test_the_order_statistic_is_the_least_value_that_suffices(level, rank):
    assert order_statistic(np.arange(1.0, 101.0), level) == rank


@pytest.mark.parametrize("n", [10, 59, 736, 2000])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.995])
def test_ranks_are_the_tightest_that_keep_both_tails(n, level):
    lower, upper = ranks(n, level)
    below = stats.binom(n, level).cdf
    assert below(lower - 1) <= 0.025 < below(lower)
    assert below(upper - 2) < 0.975 <= below(upper - 1)


@pytest.mark.parametrize("level", [0.9, 0.99, 0.995, 0.999, 0.05])
def test_the_two_sided_sample_size_is_the_first_at_which_both_ranks_exist(level):
    n = two_sided_sample_size(level)
    exist = [lower >= 1 and upper <= k for k in (n - 1, n) for lower, upper in [ranks(k, level)]]
    assert exist == [False, True]


def test_at_99_5_percent_the_two_sided_interval_needs_736_paths():
    assert two_sided_sample_size(0.995) == 736


def test_the_interval_covers_at_least_its_confidence():
    assert 0.95 <= coverage(10_000, 0.995, *ranks(10_000, 0.995)) < 0.96


def test_independent_paths_give_the_exact_order_statistics():
    x = np.random.default_rng(1).permutation(np.arange(1.0, 10_001.0))
    found = quantile_interval(x, 0.995)
    assert (found.value, found.low, found.high) == (9950, 9936, 9964)
    assert found.method == "order-statistic"


def test_one_population_is_no_cluster():
    x = np.arange(1.0, 10_001.0)
    assert quantile_interval(x, 0.995, clusters=Clusters.of(np.zeros(10_000))) == quantile_interval(x, 0.995)


def test_populations_that_differ_widen_the_interval():
    x = np.arange(1.0, 10_001.0)
    alike = quantile_interval(x, 0.9, clusters=Clusters.of(np.arange(10_000) % 100))
    unlike = quantile_interval(x, 0.9, clusters=Clusters.of(np.arange(10_000) // 100))
    assert unlike.method == "cluster-order-statistic"
    assert unlike.value == alike.value == 9000
    assert unlike.high - unlike.low > 5 * (alike.high - alike.low)


def test_too_few_paths_have_a_value_but_no_interval():
    found = quantile_interval(np.arange(1.0, 501.0), 0.995)
    assert (found.value, found.low, found.high, found.upper_bound) == (498, None, None, None)
    assert found.reason == "500 paths are too few for an interval at this level"
    assert found.n_paths_needed == 736


def test_between_598_and_736_paths_the_maximum_is_a_one_sided_bound():
    found = quantile_interval(np.arange(1.0, 601.0), 0.995)
    assert (found.high, found.upper_bound) == (None, 600)


def test_a_refusal_counts_what_clustered_paths_are_worth():
    x = np.arange(1.0, 1001.0)
    found = quantile_interval(x, 0.995, clusters=Clusters.of(np.arange(1000) // 20))
    assert "1,000 paths (worth 189 independent ones)" in found.reason
    assert found.n_paths_needed == 3895  # 736 * 1000 / 189


@pytest.mark.parametrize("level", [0.0, 1.0, 1.5])
def test_an_impossible_level_is_refused(level):
    with pytest.raises(ValueError, match="level must lie between 0 and 1"):
        quantile_interval(np.arange(10.0), level)


def test_wilks_needs_59_paths_for_95_percent():
    assert wilks_sample_size(0.95) == 59
    assert 1 - 0.95**59 >= 0.95 > 1 - 0.95**58
