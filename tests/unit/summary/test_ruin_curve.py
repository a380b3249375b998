import numpy as np
import pytest

from stress.summary import Clusters, effective_size, ruin_curve, summarize, wilson


def test_the_curve_steps_at_every_drawdown(make_outcomes):
    curve = ruin_curve(make_outcomes([0.0, 0.0, 3.0, 5.0]))
    assert curve.reserve.tolist() == [0.0, 3.0, 5.0]
    assert curve.probability.tolist() == [0.5, 0.25, 0.0]


def test_the_curve_begins_at_zero_even_if_every_path_loses(make_outcomes):
    curve = ruin_curve(make_outcomes([2.0, 3.0]))
    assert (curve.reserve[0], curve.probability[0]) == (0.0, 1.0)


def test_the_band_of_independent_paths_is_wilsons(make_outcomes):
    curve = ruin_curve(make_outcomes(np.arange(100.0)))
    assert (curve.low[-11], curve.high[-11]) == pytest.approx(wilson(10, 100))
    assert curve.method == "wilson"


def test_the_band_by_population_is_that_of_each_point_alone(make_outcomes, rng):
    population = rng.integers(0, 7, size=300)
    drawdown = rng.exponential(size=300) * (1 + population)
    curve, clusters = ruin_curve(make_outcomes(drawdown, population=population)), Clusters.of(population)
    for k in (0, 50, 200, 298):
        hits = drawdown > curve.reserve[k]
        size = effective_size(hits.mean(), clusters.variance_of_mean(hits), 300, 7)
        assert (curve.low[k], curve.high[k]) == pytest.approx(wilson(hits.mean() * size, size), rel=1e-9)
    assert curve.method == "cluster-wilson"


def test_beyond_the_last_path_the_curve_and_the_summary_bound_alike(make_outcomes):
    outcomes = make_outcomes(np.arange(10.0), fund_initial=50.0)
    assert ruin_curve(outcomes).high[-1] == summarize(outcomes).ruin_probability.high


def test_the_gross_curve_lies_above_the_net_one(make_outcomes):
    outcomes = make_outcomes([1.0, 2.0], columns={"drawdown_gross": np.array([4.0, 5.0])})
    assert ruin_curve(outcomes, kind="gross").reserve.tolist() == [0.0, 4.0, 5.0]


def test_an_unknown_kind_is_named(make_outcomes):
    with pytest.raises(ValueError, match="kind must be one of net, gross, not 'loss'"):
        ruin_curve(make_outcomes([1.0]), kind="loss")


def test_an_impossible_confidence_is_refused(make_outcomes):
    with pytest.raises(ValueError, match="confidence must lie between 0 and 1"):
        ruin_curve(make_outcomes([1.0]), confidence=2)
