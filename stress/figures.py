"""The figures of a run folder: what is drawn, from which paths, and the runs that only a figure needs."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from stress import plots
from stress.census import Book, book_of, mean_leverage
from stress.engines.base import Job, Progress
from stress.engines.results import one_run_curve
from stress.engines.timeline import timeline
from stress.engines.trace import trace
from stress.outcomes import Outcomes
from stress.plots import style
from stress.scenario import Scenario, ScenarioError
from stress.summary import Clusters, Summary, quantile_interval
from stress.summary.comparison import PAYERS
from stress.variants import AMPLE

__all__ = [
    "Book",
    "ReservePoint",
    "book_of",
    "draw_figures",
    "leverage_sweep",
    "mean_leverage",
    "outcome_figures",
    "sweeps_too_long",
]

TOLD = 20  # paths of a price that is told, of which the timeline is made
N_WORST = 5  # paths drawn one by one
FACTORS = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8)  # of every cohort's median leverage
SWEEP_PATHS = 3_000
SWEEP_POPULATIONS = 20  # fewer than in a run: drawing them takes much of the sweep's time
SWEEP_LEVELS = 2
SWEEP_STEPS = 250_000_000  # of all points together; a longer sweep is a matter for `fundstress sweep`


@dataclass(frozen=True)
class ReservePoint:
    """The reserve of a level at one mean leverage; quote."""

    mean_leverage: float
    level: float
    value: float
    low: float | None
    high: float | None


def draw_figures(
    scenario: Scenario, outcomes: Outcomes, summary: Summary, *, threads: int | None = None
) -> Iterator[tuple[str, Any]]:
    """Yield (name, axes) of every figure of a run.

    Parameters
    ----------
    scenario : Scenario
        As it was run.
    outcomes : Outcomes
    summary : Summary
        Of these outcomes.
    threads : int, optional
        Worker threads of the sweep of leverage; all cores by default.
    """
    unit = scenario.exchange.unit
    yield from outcome_figures(outcomes, summary)
    if scenario.market.is_given and not scenario.asset:
        yield "timeline", plots.timeline(timeline(scenario, list(range(min(TOLD, scenario.run.n_paths)))))
    worst = np.argsort(-outcomes.drawdown, kind="stable")[:N_WORST]
    deepest = worst[outcomes.drawdown[worst] > 0].tolist()
    yield "fund_fan", plots.fund_fan(trace(scenario, worst=deepest), unit=unit)
    if scenario.asset:  # whether a portfolio is liquidated depends on several prices: there is no map of one
        return
    yield "liquidation_map", plots.liquidation_map(book_of(scenario), unit=unit)
    if points := leverage_sweep(scenario, threads=threads):
        axes = plots.reserve_by_leverage(points, unit=unit)
        style.note(axes, f"{min(scenario.run.n_paths, SWEEP_PATHS):,} paths a point")
        yield "reserve_by_leverage", axes


def outcome_figures(outcomes: Outcomes, summary: Summary) -> Iterator[tuple[str, Any]]:
    """Yield (name, axes) of the figures for which nothing is simulated again."""
    yield "ruin_curve", plots.ruin_curve(outcomes, summary=summary)
    yield "loss_histogram", plots.loss_histogram(outcomes, summary=summary)
    if summary.extremes.accepted:
        yield "tail_fit", plots.tail_fit(outcomes, summary=summary)
        yield "mean_excess", plots.mean_excess(outcomes, summary=summary)
    if summary.model_risk and any(variant.reserve for variant in summary.model_risk.variants):
        yield "model_risk", plots.model_risk(summary.model_risk, unit=outcomes.facts.unit)
    if any(summary.mean[column] > 0.0 for column in PAYERS.values()):
        yield "who_paid", plots.who_paid(summary)
    if summary.shares is not None:
        yield "attribution", plots.attribution(summary.shares)


def leverage_sweep(scenario: Scenario, *, threads: int | None = None) -> list[ReservePoint]:
    """Run the scenario again with other leverage of its cohorts, with the same random numbers and fewer paths.

    Returns
    -------
    list of ReservePoint
        For the lowest two levels; empty when no cohort follows a law of leverage, or when it would take too long.
    """
    cohorts = [] if sweeps_too_long(scenario) else _relevered(scenario)
    points: list[ReservePoint] = []
    for factor in FACTORS if cohorts else ():
        try:
            points += _points(Job(_scaled(scenario, cohorts, factor)), threads)
        except ScenarioError:  # the venue does not allow this much leverage
            continue
    return points


def _relevered(scenario: Scenario) -> list[int]:
    return [i for i, cohort in enumerate(scenario.population) if hasattr(cohort, "relevered")]


def sweeps_too_long(scenario: Scenario) -> bool:
    """Say whether the sweep of leverage would take more steps than a figure is worth."""
    n_paths = min(scenario.run.n_paths, SWEEP_PATHS)
    return bool(_relevered(scenario)) and len(FACTORS) * n_paths * scenario.clock.n_steps > SWEEP_STEPS


def _scaled(scenario: Scenario, cohorts: list[int], factor: float) -> Scenario:
    n_paths = min(scenario.run.n_paths, SWEEP_PATHS)
    changes: dict[str, Any] = {"run.engine": "auto", "run.n_paths": n_paths}
    changes["run.redraw_every"] = max(1, n_paths // SWEEP_POPULATIONS)
    if one_run_curve(scenario)[0]:
        changes |= scenario.with_fund(AMPLE)
    for i in cohorts:
        changed = scenario.population[i].relevered(factor, scenario.tiers.max_leverage[0])  # type: ignore[attr-defined]
        changes |= {f"population.{i}.{key}": value for key, value in changed.items()}
    return scenario.plain(**changes)


def _points(job: Job, threads: int | None) -> Iterator[ReservePoint]:
    job.run(threads or os.cpu_count() or 1, Progress())
    drawdown, clusters = job.results.columns["drawdown"], Clusters.of(job.results.columns["population"])
    leverage, reserve = mean_leverage(job.population(0)), job.scenario.reserve
    for level in reserve.levels[:SWEEP_LEVELS]:
        found = quantile_interval(drawdown, level, clusters=clusters, confidence=reserve.confidence)
        if found.value is not None and not found.reason:
            yield ReservePoint(leverage, level, found.value, found.low, found.high)
