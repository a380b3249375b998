"""What the figures of a run are drawn from."""

from pathlib import Path

import numpy as np
import pytest

import stress
from stress import figures
from stress.engines.population import draw_population
from stress.engines.trace import trace
from stress.scenario import Scenario

TINY = Path(__file__).parents[2] / "configs" / "tiny.toml"
WHALE = [{"kind": "whale", "name": "whale", "share": 1.0, "side": "long", "leverage": 10.0}]


@pytest.fixture(scope="module")
def scenario():
    return Scenario.load(TINY, overrides={"run.n_paths": 60, "reserve.levels": [0.5, 0.6, 0.9]})


@pytest.fixture(scope="module")
def outcomes(scenario):
    return stress.run(scenario)


def test_a_trace_starts_at_the_fund_and_ends_where_the_outcomes_end(scenario, outcomes):
    kept = np.flatnonzero(outcomes.ruin_step < 0)[:5]  # a ruined path ends lower without the other layers
    found = trace(scenario, n_times=9, n_paths=30, worst=kept.tolist())
    assert found.hours.tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]
    assert (found.fund[:, 0] == scenario.fund.initial_usd).all()
    np.testing.assert_allclose(found.worst[:, -1], outcomes.fund_end[kept], rtol=1e-9)


def test_a_trace_spreads_its_paths_over_the_populations(scenario):
    assert trace(scenario, n_times=3, n_paths=30).fund.shape == (30, 3)
    assert trace(scenario, n_times=3, n_paths=10_000).fund.shape == (60, 3)  # never more than the run has
    assert trace(scenario, n_times=3).worst.shape == (0, 3)


def test_the_book_is_liquidated_by_falls_if_long_and_by_rises_if_short(scenario):
    book, accounts = figures.book_of(scenario), draw_population(scenario, 0).accounts
    assert (book.move[accounts["qty"] > 0] < 0).all()
    assert (book.move[accounts["qty"] < 0] > 0).all()
    assert book.notional.sum() <= 2 * book.open_interest


def test_an_account_without_leverage_is_never_liquidated_by_a_fall(scenario):
    unlevered = scenario.with_(population=[{**WHALE[0], "leverage": 1.0}])
    assert figures.book_of(unlevered).move.tolist() == [-np.inf]


def test_mean_leverage_of_a_single_account_is_its_leverage(scenario):
    single = scenario.with_(population=WHALE)
    assert figures.mean_leverage(draw_population(single, 0)) == pytest.approx(10.0, rel=1e-6)


def test_the_sweep_raises_leverage_and_asks_for_two_levels(scenario):
    points = figures.leverage_sweep(scenario.with_(**{"run.n_paths": 200, "run.redraw_every": 1}))
    by_level = {level: [p.mean_leverage for p in points if p.level == level] for level in (0.5, 0.6)}
    assert {p.level for p in points} == {0.5, 0.6}
    assert all(x == sorted(x) and len(set(x)) == len(x) > 1 for x in by_level.values())


def test_a_book_without_laws_of_leverage_has_no_sweep(scenario):
    assert figures.leverage_sweep(scenario.with_(population=WHALE)) == []


def test_every_figure_has_a_name_and_axes(scenario, outcomes):
    summary = stress.summarize(outcomes)
    drawn = dict(figures.draw_figures(scenario, outcomes, summary, threads=1))
    assert list(drawn)[:3] == ["ruin_curve", "loss_histogram", "who_paid"]
    assert {"fund_fan", "liquidation_map"} <= set(drawn)
    assert all(axes.get_title(loc="left") for axes in drawn.values())


def test_a_sweep_of_leverage_moves_every_law(scenario):
    law = {"kind": "venue", "venue": "bitmex_2019"}
    varied = scenario.with_(**{"population.0.leverage": law})
    halved = figures._scaled(varied, [0, 1], 0.5).population
    assert halved[0].leverage_law.middle == pytest.approx(0.5 * varied.population[0].leverage_law.middle)
    assert halved[1].leverage_median == 0.5 * varied.population[1].leverage_median
