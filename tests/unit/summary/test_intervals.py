import math

import numpy as np
import pytest

from stress.summary import (
    Clusters,
    annual_rate,
    clopper_pearson,
    effective_size,
    estimate_probability,
    wilson,
    zero_event_bound,
)


def one_cluster(n):
    return Clusters.of(np.zeros(n, dtype=int))


def test_no_event_and_every_event_mirror_each_other():
    low, high = clopper_pearson(np.array([0, 20]), 20)
    assert (low[0], high[1]) == (0.0, 1.0)
    assert high[0] == pytest.approx(1 - low[1], rel=1e-12)


def test_a_wider_confidence_gives_a_wider_interval():
    low, high = clopper_pearson(5, 100, 0.9)
    wide_low, wide_high = clopper_pearson(5, 100, 0.99)
    assert wide_low < low < 0.05 < high < wide_high


def test_wilson_stays_within_zero_and_one():
    low, high = wilson(np.array([0, 3]), 3)
    assert (low[0], high[1]) == (0.0, 1.0)


@pytest.mark.parametrize(("x", "n"), [(-1, 10), (11, 10), (0, 0), (math.nan, 10)])
@pytest.mark.parametrize("interval", [clopper_pearson, wilson])
def test_impossible_counts_are_refused(interval, x, n):
    with pytest.raises(ValueError, match="0 <= x <= n"):
        interval(x, n)


def test_an_impossible_confidence_is_refused():
    with pytest.raises(ValueError, match=r"confidence must lie between 0 and 1, not 1\.5"):
        clopper_pearson(1, 10, 1.5)


def test_a_bound_without_events_is_about_three_over_n():
    assert zero_event_bound(1000) == pytest.approx(3 / 1000, rel=0.01)


def test_a_rate_of_one_day_counts_365_times_in_a_year():
    assert annual_rate(1e-3, 24) == pytest.approx(-365 * math.log(0.999), rel=1e-12)


def test_certainty_has_no_annual_rate():
    assert annual_rate(1.0, 24) is None


def test_paths_that_all_agree_within_a_population_count_as_one():
    # 10 populations of 100 paths, all or nothing: the spread of p is that of 10 coin flips.
    hits = np.repeat([1, 0] * 5, 100)
    clusters = Clusters.of(np.repeat(np.arange(10), 100))
    size = effective_size(0.5, clusters.variance_of_mean(hits), 1000, 10)
    assert size == pytest.approx(9 * (1.962341 / 2.262157) ** 2, rel=1e-5)


def test_the_effective_size_never_exceeds_the_paths():
    assert effective_size(0.5, 1e-12, 1000, 10) == 1000


def test_one_population_counts_every_path():
    hits = np.arange(1000) < 37
    estimate = estimate_probability(hits, one_cluster(1000), horizon_hours=24)
    assert (estimate.low, estimate.high) == pytest.approx(clopper_pearson(37, 1000), rel=1e-12)
    assert estimate.method == "binomial"


def test_events_in_one_population_only_widen_the_interval():
    hits = np.arange(1000) < 37
    together = estimate_probability(hits, Clusters.of(np.arange(1000) // 100), horizon_hours=24)
    apart = estimate_probability(hits, Clusters.of(np.arange(1000) % 10), horizon_hours=24)
    assert together.method == "cluster-binomial"
    assert together.low < 0.2 * apart.low
    assert together.high > 2 * apart.high


def test_without_an_event_the_interval_is_one_sided():
    estimate = estimate_probability(np.zeros(500, bool), Clusters.of(np.arange(500) // 50), horizon_hours=24)
    assert (estimate.value, estimate.low, estimate.annual) == (0.0, 0.0, 0.0)
    assert estimate.high == pytest.approx(1 - 0.05 ** (1 / 500), rel=1e-12)
    assert estimate.method == "one-sided zero events"


def test_with_every_event_the_annual_rate_is_unknown_above():
    estimate = estimate_probability(np.ones(50, bool), one_cluster(50), horizon_hours=24)
    assert (estimate.value, estimate.high, estimate.annual, estimate.annual_high) == (1.0, 1.0, None, None)
    assert estimate.annual_low is not None
