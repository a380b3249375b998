import math

import numpy as np
import pytest

from stress.summary import Clusters, summarize, summarize_weighted
from stress.summary.intervals import estimate_probability

MILLIONTH = math.log(1e6)  # the reserve that an exponential loss exceeds with that chance


@pytest.fixture
def tilted(make_outcomes):
    """Exponential losses drawn at a tenth of their rate, with their likelihood ratios: P(X > u) = exp(-u)."""

    def make(n=20_000, seed=1, fund=MILLIONTH, share=0.2, n_populations=100):
        rng = np.random.default_rng(seed)
        own = rng.random(n) < share
        x = rng.exponential(np.where(own, 1.0, 10.0))
        weight = np.exp(-x) / (share * np.exp(-x) + (1 - share) * 0.1 * np.exp(-0.1 * x))
        population = np.arange(n) // (n // n_populations)
        return make_outcomes(x, population=population, fund_initial=fund, columns={"weight": weight})

    return make


def test_a_probability_of_a_millionth_comes_from_twenty_thousand_paths(tilted):
    found = summarize_weighted(tilted()).ruin
    assert found.low < 1e-6 < found.high
    assert found.relative_error < 0.05


def test_one_weighted_run_gives_the_whole_curve(tilted):
    levels = (0.99, 0.999, 0.9999, 0.999999)
    for row in summarize_weighted(tilted(), levels=levels).reserves:
        assert row.low <= -math.log(1 - row.level) <= row.high


def test_the_mean_weight_is_one(tilted):
    found = summarize_weighted(tilted())
    assert abs(found.mean_weight - 1) < 4 * found.mean_weight_error
    assert found.weights_agree


def test_wrong_weights_are_told(tilted, make_outcomes):
    right = tilted()
    wrong = make_outcomes(right.drawdown, population=right.population, columns={"weight": 1.1 * right.weight})
    found = summarize_weighted(wrong)
    assert not found.weights_agree
    assert "THE MEAN WEIGHT IS NOT ONE" in str(found)


def test_intervals_cover_as_often_as_they_say(tilted):
    # 400 replications at 1e-5: 95 % less three standard errors.
    hits = 0
    for seed in range(400):
        ruin = summarize_weighted(tilted(4_000, seed, math.log(1e5)), levels=(0.99,)).ruin
        hits += ruin.low < 1e-5 < ruin.high
    assert 0.92 <= hits / 400 <= 0.985


def test_fewer_than_a_hundred_effective_paths_are_refused(tilted):
    found = summarize_weighted(tilted(2_000, fund=70.0), levels=(0.99,))
    assert found.ruin.value is None
    assert "fewer than 100" in found.ruin.reason


def test_one_heavy_path_is_not_a_hundred(make_outcomes):
    weight = np.full(1_000, 1e-6)
    weight[0] = 1_000.0
    found = summarize_weighted(make_outcomes(np.full(1_000, 20.0), fund_initial=10.0, columns={"weight": weight}))
    assert found.ruin.value is None
    assert found.ruin.effective == pytest.approx(1.0, abs=1e-3)
    assert found.ruin.largest_share == pytest.approx(1.0, abs=1e-3)


def test_crude_paths_agree_with_counting(make_outcomes):
    x = np.random.default_rng(3).exponential(size=50_000)
    run = make_outcomes(x, population=np.arange(50_000) // 500, fund_initial=4.0)
    counted = estimate_probability(x > 4.0, Clusters.of(run.population), horizon_hours=24.0)
    found = summarize_weighted(run, levels=(0.99,))
    assert found.ruin.value == counted.value
    assert found.ruin.low == pytest.approx(counted.low, rel=0.05)
    assert found.reserves[0].value == summarize(run, levels=(0.99,)).reserve(0.99).value


def test_weighted_paths_never_get_an_unweighted_interval(tilted):
    with pytest.raises(ValueError, match="weights other than 1"):
        summarize(tilted())


def test_the_document_is_plain(tilted):
    found = summarize_weighted(tilted()).to_dict()
    assert found["schema"] == "fundstress.weighted/1"
    assert found["ruin"]["value"] > 0
