import math

import numpy as np
import pytest
from scipy import stats

from stress.summary import Clusters, harrell_davis, smooth_quantile
from stress.summary.smooth import _influence


def test_harrell_davis_agrees_with_scipy():
    x = np.random.default_rng(2).normal(size=101)
    assert harrell_davis(x, 0.9) == pytest.approx(stats.mstats.hdquantiles(x, [0.9])[0], rel=1e-10)


def test_the_influence_is_that_of_deleting_a_path():
    # Jackknife: (n - 1) (T - T without i), to first order, up to the change of n.
    x = np.random.default_rng(3).exponential(size=400)
    whole = harrell_davis(x, 0.9)
    deleted = np.array([(len(x) - 1) * (whole - harrell_davis(np.delete(x, i), 0.9)) for i in range(len(x))])
    assert np.std(_influence(x, 0.9)) == pytest.approx(np.std(deleted), rel=0.02)
    assert np.corrcoef(_influence(x, 0.9), deleted)[0, 1] > 0.999


def test_the_error_is_the_asymptotic_one():
    # sqrt(p (1-p) / n) / f(q), the exponential law's density at its quantile being 1 - p.
    x = np.random.default_rng(4).exponential(size=100_000)
    found = smooth_quantile(x, 0.99)
    error = (found.high - found.low) / 2 / 1.984
    assert error == pytest.approx(math.sqrt(0.99 * 0.01 / 100_000) / 0.01, rel=0.25)
    assert abs(found.value - math.log(100)) < 4 * error


def test_clusters_widen_the_interval():
    rng = np.random.default_rng(5)
    labels = np.arange(10_000) % 100
    x = rng.standard_normal(100)[labels] + rng.standard_normal(10_000)
    wide, narrow = (smooth_quantile(x, 0.95, clusters=c) for c in (Clusters(labels), None))
    assert wide.method == "cluster-harrell-davis"
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)
