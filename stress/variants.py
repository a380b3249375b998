"""Variants of a scenario on common random numbers, and what they say: the axes of model risk.

A variant meets the same shocks and, as far as its laws allow, the same populations as the scenario, so that
what differs is the change and not the luck.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import numpy as np

from stress.engines.base import Progress
from stress.engines.choose import choose_engine
from stress.engines.population import Population, draw_population
from stress.engines.results import one_run_curve
from stress.overlays import Overlay
from stress.scenario import Scenario, ScenarioError
from stress.summary import Clusters, ModelRisk, QuantileInterval, Variant, quantile_interval

__all__ = ["AMPLE", "Runner", "clusters_of", "model_risk", "runners_of", "spread"]

PATHS = 10_000  # of every variant
POPULATIONS = 25  # fewer than in a run: drawing them costs as much as running a hundred paths
LEVEL = 0.995  # where paths are few, the level in the middle says most
AMPLE = 1e15  # of any money; a fund that no path ruins spares the second run of ruined paths, and drawdown is the same
# Tables that the draw of the accounts does not see; whatever else two variants share, they share the accounts.
UNSEEN = ("liquidity", "funding", "fund", "layer", "reserve", "shock")
UNSEEN_KEYS = {"run": ("name", "n_paths", "max_rounds", "engine"), "exchange": ("fee", "disposal", "check_seconds")}


class Runner:
    """One variant, ready to run any of its paths; `every` paths share a population."""

    def __init__(self, scenario: Scenario, every: int, drawn: dict[Any, Population] | None = None):
        changes: dict[str, Any] = {"run.engine": "auto", "run.redraw_every": every}
        if one_run_curve(scenario)[0]:
            changes |= scenario.with_fund(AMPLE)
        self.fund, self.every = scenario.fund_initial, every
        self.scenario = scenario.plain(**changes)
        self.key = population_key(self.scenario)
        self.first = self.population(0, {} if drawn is None else drawn)
        self.engine = choose_engine(self.scenario).make(self.scenario, self.first, False)

    def warm(self) -> None:
        """Compile what is not compiled yet."""
        self.engine.warm(self.first)

    def index(self, path: int) -> int:
        """Return the population that a path meets."""
        return 0 if self.scenario.conditional_on_book else path // self.every

    def population(self, index: int, drawn: dict[Any, Population]) -> Population:
        """Return a population, from `drawn` if a variant with the same accounts has left it there."""
        if (self.key, index) not in drawn:
            drawn[self.key, index] = draw_population(self.scenario, index)
        return drawn[self.key, index]

    def drawdowns(self, first: int, n: int, drawn: dict[Any, Population]) -> np.ndarray:
        """Return the drawdown of `n` paths of one population, shape (n,), quote."""
        index = self.index(first)
        return self.engine.run(self.population(index, drawn), index, first, n).shadow["drawdown"]


def clusters_of(scenario: Scenario, every: int, n_paths: int) -> Clusters:
    """Return which of a variant's paths share a population, `every` of them to one."""
    return Clusters(np.zeros(n_paths, int) if scenario.conditional_on_book else np.arange(n_paths) // every)


def population_key(scenario: Scenario) -> str:
    """Return a text that is the same for two scenarios only if they draw the same accounts."""
    tables = {name: table for name, table in scenario.tables().items() if name not in UNSEEN}
    for name, keys in UNSEEN_KEYS.items():
        tables[name] = {key: value for key, value in tables[name].items() if key not in keys}
    return json.dumps(tables, sort_keys=True)


def runners_of(scenario: Scenario, every: int) -> list[Runner]:
    """Return the runners of the scenario and of its overlays, in this order.

    Raises
    ------
    ScenarioError
        One line that names the overlay which cannot be run.
    """
    drawn: dict[Any, Population] = {}
    return [Runner(scenario, every, drawn), *(_runner(scenario, row, every, drawn) for row in scenario.overlay)]


def _runner(scenario: Scenario, overlay: Overlay, every: int, drawn: dict[Any, Population]) -> Runner:
    try:
        return Runner(scenario.overlaid(overlay.label), every, drawn)
    except ScenarioError as error:
        raise ScenarioError(f"overlay {overlay.label}: {error}") from None


def model_risk(
    scenario: Scenario, *, n_paths: int = PATHS, threads: int | None = None, progress: Progress | None = None
) -> ModelRisk:
    """Run a scenario and each of its overlays with the same random numbers.

    Parameters
    ----------
    scenario : Scenario
        Its ``[[overlay]]`` tables are the variants.
    n_paths : int
        Paths of every variant, spread over 25 populations.
    threads : int, optional
        Worker threads; all cores by default.  Results do not depend on it.
    progress : Progress, optional
        Told about finished paths, over all variants.

    Returns
    -------
    ModelRisk
        At 99.5 %, or at the level of the scenario nearest to it that these paths support.

    Raises
    ------
    ScenarioError
        If an overlay cannot be run.
    """
    every = max(1, n_paths // POPULATIONS)
    runners = runners_of(scenario, every)
    for runner in runners:
        runner.warm()
    drawdowns = np.empty((len(runners), n_paths))
    progress = progress or Progress()
    progress.total = drawdowns.size

    def work(first: int) -> int:
        """Run the paths of one population in all variants; return how many there were."""
        last = min(first + every, n_paths)
        drawn: dict[Any, Population] = {}
        for row, runner in zip(drawdowns, runners, strict=True):
            row[first:last] = runner.drawdowns(first, last - first, drawn)
        return (last - first) * len(runners)

    for done in spread(work, range(0, n_paths, every), threads):
        progress.add(done)
    return _table(scenario, runners, drawdowns)


def spread(work: Callable[[Any], Any], tasks: Iterable[Any], threads: int | None) -> Iterator[Any]:
    """Yield ``work(task)`` of all tasks as they finish on a pool; what ends the loop cancels the rest."""
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        try:
            for future in as_completed([pool.submit(work, task) for task in tasks]):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _table(scenario: Scenario, runners: list[Runner], drawdowns: np.ndarray) -> ModelRisk:
    clusters = [clusters_of(runner.scenario, runner.every, drawdowns.shape[1]) for runner in runners]
    confidence = scenario.reserve.confidence

    def reserve(i: int, level: float) -> QuantileInterval:
        """Return the reserve of a variant."""
        return quantile_interval(drawdowns[i], level, confidence=confidence, clusters=clusters[i])

    nearest = sorted(scenario.reserve.levels, key=lambda level: abs(level - LEVEL))
    level = next((level for level in nearest if not reserve(0, level).reason), nearest[0])
    found = [reserve(i, level) for i in range(len(runners))]
    names = [("scenario", scenario.run.name), *((row.axis, row.name) for row in scenario.overlay)]
    ruin = [float(np.mean(row > runner.fund)) for row, runner in zip(drawdowns, runners, strict=True)]
    rows = [_row(*names[i], ruin[i], found[i], found[0]) for i in range(len(runners))]
    return ModelRisk(level, scenario.run.horizon_hours, drawdowns.shape[1], rows[0], tuple(rows[1:]))


def _row(axis: str, name: str, ruin: float, found: QuantileInterval, base: QuantileInterval) -> Variant:
    if found.reason:
        return Variant(axis, name, ruin, None, None, None, None)
    ratio = found.value / base.value if base.value > 0.0 and not base.reason else None
    return Variant(axis, name, ruin, found.value, found.low, found.high, ratio)
