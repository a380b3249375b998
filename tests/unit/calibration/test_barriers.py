"""Barrier hits: counted by hand in history, against closed forms in a model."""

import math

import numpy as np
import pytest

from stress.calibration import FITTERS, Fit
from stress.calibration.barriers import barrier, history_hits, model_hits
from stress.calibration.comparison import check, compare, hill, misfit
from stress.calibration.likeness import memory
from stress.candles import Candles
from stress.markets.gbm import Gbm
from stress.summary.closed_forms import bgk_barrier_shift, liquidation_probability
from stress.toml import ScenarioError

HOUR = 3600


def bars(low, high, times=None):
    n = len(low)
    flat = np.full(n, 100.0)
    time = HOUR * np.arange(n) if times is None else HOUR * np.asarray(times)
    return Candles(time, flat, np.asarray(high, float), np.asarray(low, float), flat, HOUR)


def test_a_position_is_gone_when_its_margin_is():
    assert barrier("long", 20) == pytest.approx(math.log(0.955))
    assert barrier("short", 20) == pytest.approx(math.log(1.045))


def test_hits_are_counted_from_every_start_that_has_its_horizon():
    hits = history_hits(bars([100, 100, 95, 100, 100, 100], [100] * 6))
    assert hits["long", 20, 1].count == 1
    assert hits["long", 20, 4].share == pytest.approx(1.0)  # three starts, all see the third bar
    assert hits["long", 10, 4].share == 0.0
    assert hits["short", 20, 4].share == 0.0
    assert math.isnan(hits["long", 20, 24].share)


def test_no_horizon_reaches_across_a_gap():
    hits = history_hits(bars([100, 100, 100, 100, 95], [100] * 5, times=[0, 1, 2, 3, 9]))
    assert (hits["long", 20, 4].share, hits["long", 20, 1].share) == (0.0, 0.2)


def test_a_history_of_few_blocks_has_no_interval():
    low = np.where(np.arange(24 * 30) == 100, 95.0, 100.0)
    hits = history_hits(bars(low, np.full(low.size, 100.0)))["long", 20, 1]
    assert (hits.count, math.isnan(hits.low), math.isnan(hits.high)) == (1, True, True)


def test_the_interval_of_history_is_that_of_its_storms():
    low = np.full(24 * 400, 100.0)
    low[5_000:5_100] = 95.0
    hits = history_hits(bars(low, np.full(low.size, 100.0)))["long", 20, 1]
    assert hits.count == 100
    assert hits.low == 0.0
    assert 2.0 * hits.share < hits.high < 5.0 * hits.share


@pytest.mark.parametrize(("side", "leverage"), [("long", 20), ("short", 20), ("long", 50)])
def test_a_model_is_hit_as_often_as_theory_says(side, leverage):
    hits = model_hits(Gbm(price_usd=1.0, vol_annual=0.8), [(side, leverage, 24)], n_paths=20_000)[side, leverage, 24]
    law = {"vol_annual": 0.8, "years": 1 / 365}
    level = bgk_barrier_shift(1.0, math.exp(barrier(side, leverage)), n_checks=1440, **law)
    assert hits.low - 0.01 < liquidation_probability(1.0, level, **law) < hits.high + 0.01


def test_only_cells_with_enough_hits_are_judged():
    class Cell:
        def __init__(self, share, count):
            self.share, self.count = share, count

    history = {"a": Cell(0.1, 50), "b": Cell(0.1, 29), "c": Cell(0.2, 30)}
    model = {"a": Cell(0.2, 1), "b": Cell(0.9, 1), "c": Cell(0.1, 1)}
    assert misfit(model, history) == pytest.approx(math.log(2.0))
    assert math.isnan(misfit(model, {"b": Cell(0.1, 29)}))


def test_the_tail_index_is_hills():
    sample = np.random.default_rng(0).pareto(3.0, 200_000) + 1.0
    assert hill(np.concatenate([sample, -sample])) == pytest.approx((3.0, 3.0), rel=0.05)


def test_memory_is_the_autocorrelation_of_size():
    size = np.tile([1.0, -1.0, 3.0, -3.0], 500)[None, :]
    assert memory(size)[3] == pytest.approx(1.0, abs=0.01)
    assert memory(size)[1] == pytest.approx(-1.0, abs=0.01)


def test_models_are_ranked_by_what_they_have_not_seen():
    rng = np.random.default_rng(4)
    close = 100.0 * np.exp(np.cumsum(0.008 * rng.standard_normal(3_000)))
    before = np.concatenate([[100.0], close[:-1]])
    ends = np.minimum(before, close), np.maximum(before, close)
    candles = Candles(HOUR * np.arange(3_000), before, ends[1] * 1.002, ends[0] * 0.998, close, HOUR)
    found = compare(candles, ["gbm", "student_t"], source={})
    assert found.best.error <= found.models[1].error < 0.6
    assert set(found.best.hits) == set(found.history)


@pytest.fixture
def calm():
    close = 100.0 * np.exp(np.cumsum(0.008 * np.random.default_rng(4).standard_normal(1_500)))
    return Candles(HOUR * np.arange(1_500), close, close * 1.01, close * 0.99, close, HOUR)


def test_a_fit_that_no_market_may_have_is_refused_in_one_line(calm, monkeypatch):
    monkeypatch.setitem(
        FITTERS, "student_t", lambda candles: Fit("student_t", {"kind": "student_t", "vol_annual": 99.0})
    )
    found = compare(calm, ["gbm", "student_t"], source={})
    assert [model.fit.name for model in found.models] == ["gbm"]
    [line] = found.refused
    assert line.startswith("student_t: refused: vol_annual: should be less than or equal to 10, got 99.0")
    with pytest.raises(ScenarioError, match="no model can be fitted: student_t: refused: vol_annual"):
        compare(calm, ["student_t"], source={})


@pytest.mark.parametrize(
    ("candles", "said"),
    [
        (bars([100.0] * 50, [100.0] * 50), "50 bars are too few to fit a model: at least 1,000"),
        (bars([100.0] * 2_000, [100.0] * 2_000), "the price stands still in 100% of the bars"),
    ],
)
def test_too_few_bars_and_a_standing_price_are_refused(candles, said):
    with pytest.raises(ScenarioError, match=said):
        check(candles)


def test_bars_that_no_horizon_holds_are_refused():
    odd = Candles(420 * np.arange(2_000), *(np.full(2_000, 100.0) for _ in range(4)), 420)
    with pytest.raises(ScenarioError, match="bars of 420 s cannot be judged"):
        check(odd)
