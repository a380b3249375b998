"""The parameter interval: a scenario's uncertain numbers drawn from their ranges, each draw run on its own.

All draws meet the same random numbers, so that they differ by their parameters.  The simulation's own error
stays small beside the spread between draws: paths are added until it is, up to a maximum.
"""

import json
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from scipy.stats import lognorm, loguniform, norm, qmc, uniform

from stress.engines.base import Progress
from stress.overlays import Uncertain
from stress.scenario import Scenario, ScenarioError
from stress.summary import ParameterInterval, quantile_interval
from stress.summary.model_risk import QUOTABLE
from stress.summary.notation import Money
from stress.summary.parameters import (
    GOAL,
    Draws,
    error_shares,
    log_error,
    parameter_interval,
    parameter_page,
)
from stress.sweeps.drive import DONE, FAILED, drive
from stress.sweeps.workers import Workers, opened
from stress.variants import POPULATIONS, Runner, clusters_of

__all__ = ["DRAWS", "MOST", "PATHS", "DrawTask", "Kept", "Uncertainty", "draw_parameters", "solve_draw", "uncertainty"]

DRAWS = QUOTABLE
PATHS = 10_000  # of each draw, to begin with
MOST = 4  # times as many, before the error is taken as it is
CONFIDENCE = 0.95  # share of the draws inside the interval
SCHEMA = "fundstress.uncertainty/1"


class Kept(Protocol):
    """Where the drawdowns of finished draws are kept, by the number of the draw; a dict will do."""

    def get(self, draw: int, /) -> np.ndarray | None:
        """Return what is kept of a draw, shape (n,); None if nothing is."""

    def __setitem__(self, draw: int, drawdown: np.ndarray, /) -> None:
        """Keep a draw."""


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """What draws of the parameters found.  ``print`` shows the page, `to_dict` is the machine-readable form.

    Parameters
    ----------
    interval : ParameterInterval
        What the first screen quotes.
    draws : Draws
        One row a draw.
    base : Draws
        The scenario itself on the same paths, one row.
    scenario : Scenario
        Whose numbers were drawn.
    """

    interval: ParameterInterval
    draws: Draws
    base: Draws
    scenario: Scenario

    def __str__(self) -> str:
        run = self.scenario.run
        money = Money(self.scenario.exchange.unit)
        return parameter_page(self.interval, name=run.name, horizon_hours=run.horizon_hours, money=money)

    @property
    def goal_met(self) -> bool:
        """Say whether the simulation's error is at most a fifth of the spread, at every level asked for."""
        return self.interval.error_share <= GOAL and len(self.draws.usable) == len(self.draws.levels)

    @property
    def quotable(self) -> bool:
        """Say whether there are enough draws for the ends of the interval."""
        return self.interval.n_draws >= QUOTABLE

    def to_dict(self) -> dict[str, Any]:
        """Return the ``fundstress.uncertainty/1`` document: plain values, JSON-ready."""
        shares = error_shares(self.draws.reserves, self.draws.errors)
        return {
            "schema": SCHEMA,
            "scenario": self.scenario.run.name,
            "seed": self.scenario.run.seed,
            "horizon_hours": self.scenario.run.horizon_hours,
            **self.interval.to_dict(),
            "error_goal": GOAL,
            "goal_met": self.goal_met,
            "quotable": self.quotable,
            "levels": [
                {"level": level, "base": _known(self.base.reserves[0, i]), "error_share": _known(shares[i])}
                for i, level in enumerate(self.draws.levels)
            ],
            "ranges": [row.model_dump() for row in self.scenario.uncertain],
        }

    def to_json(self, indent: int | None = 2) -> str:
        """Return `to_dict` as strict JSON text."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)


def _known(x: float) -> float | None:
    return None if np.isnan(x) else float(x)


def uncertainty(
    scenario: Scenario,
    draws: int = DRAWS,
    *,
    n_paths: int = PATHS,
    most_paths: int | None = None,
    threads: int | None = None,
    executor: str | Executor = "threads",
    scheduler: str | None = None,
    progress: Progress | None = None,
    kept: Kept | None = None,
) -> Uncertainty:
    """Draw the uncertain numbers of a scenario and return how far the answer moves with them.

    Parameters
    ----------
    scenario : Scenario
        Its ``[[uncertain]]`` tables are the ranges.
    draws : int
        Points of a Latin hypercube (McKay, Beckman & Conover 1979), seeded by the scenario's seed.
    n_paths : int
        Paths of each draw, in 25 populations; doubled while the simulation's error is above a fifth of the
        spread between draws.
    most_paths : int, optional
        Up to how many; four times `n_paths` by default.
    threads : int, optional
        Workers; all cores by default.  Results do not depend on it.
    executor : {"threads", "processes", "dask"} or concurrent.futures.Executor
        Who runs the draws, as of a sweep.  Results do not depend on it.
    scheduler : str, optional
        Address of a running Dask scheduler.
    progress : Progress, optional
        Told about finished paths, over all draws.
    kept : mapping, optional
        Where finished draws are kept, and taken from when the same call goes on.

    Returns
    -------
    Uncertainty

    Raises
    ------
    ScenarioError
        If there is no range, or a draw is no valid scenario: the line has its values.
    Gone
        If the executor broke for good; what was finished is kept.
    """
    if not scenario.uncertain:
        raise ScenarioError(f"{scenario.run.name}: there is no [[uncertain]] table to draw from")
    study = Study(scenario, draws, max(1, n_paths // POPULATIONS), {} if kept is None else kept)
    shown, most = progress or Progress(), MOST * n_paths if most_paths is None else most_paths
    with ExitStack() as stack:
        hired = cache(lambda: stack.enter_context(opened(executor, threads, scheduler)))
        while True:
            study.extend(n_paths, hired, shown)
            found = study.result(n_paths)
            if found.goal_met or 2 * n_paths > most:
                return found
            n_paths *= 2


def draw_parameters(ranges: tuple[Uncertain, ...], n: int, seed: int) -> dict[str, np.ndarray]:
    """Draw `n` values of every uncertain number, shape (n,) each, stratified in every one of them."""
    points = qmc.LatinHypercube(len(ranges), seed=seed).random(n)
    return {row.name: law_of(row).ppf(u) for row, u in zip(ranges, points.T, strict=True)}


def law_of(row: Uncertain) -> Any:
    """Return the distribution of a range, frozen."""
    if row.law == "uniform":
        return uniform(row.low, row.high - row.low)
    if row.law == "log_uniform":
        return loguniform(row.low, row.high)
    sd = np.log(row.high / row.low) / (2.0 * norm.ppf(0.975))
    return lognorm(sd, scale=np.sqrt(row.low * row.high))


@dataclass(frozen=True)
class DrawTask:
    """What a worker needs to know of some paths of a draw.

    Parameters
    ----------
    point : int
        Number of the draw.
    tables : str
        Of the scenario, JSON.
    values : dict
        Of the draw, by dotted name.
    every : int
        Paths of a population.
    first, last : int
        Which paths.
    """

    point: int
    tables: str
    values: dict[str, float]
    every: int
    first: int
    last: int


@lru_cache(maxsize=4)
def _scenario(tables: str) -> Scenario:
    return Scenario.from_tables(json.loads(tables))


def solve_draw(task: DrawTask) -> dict[str, Any]:
    """Run the paths of a draw and return a row with their drawdowns; a scenario's error becomes a row, too."""
    try:
        runner = Runner(_scenario(task.tables).plain(**task.values), task.every)
        edges = sorted({task.first, task.last, *range(0, task.last, task.every)})
        slices = pairwise(edges[edges.index(task.first) :])
        drawdown = np.concatenate([runner.drawdowns(first, last - first, {}) for first, last in slices])
    except ScenarioError as error:
        return {"point": task.point, "status": FAILED, "error": str(error)}
    return {"point": task.point, "status": DONE, "error": "", "drawdown": drawdown}


class Study:
    """Draws of one scenario, the scenario itself as the last of them, and the drawdowns of each."""

    def __init__(self, scenario: Scenario, n_draws: int, every: int, kept: Kept):
        self.scenario, self.every, self.kept = scenario, every, kept
        self.parameters = draw_parameters(scenario.uncertain, n_draws, scenario.run.seed)
        rows = zip(*self.parameters.values(), strict=True)
        self.values = [dict(zip(self.parameters, map(float, row), strict=True)) for row in rows]
        self.values.append({})  # the scenario as it is
        self.variants = [self._variant(i) for i in range(n_draws + 1)]
        self.tables = json.dumps(scenario.tables())

    def _variant(self, draw: int) -> Scenario:
        try:
            return self.scenario.plain(**self.values[draw])
        except ScenarioError as error:
            raise self._named(draw, error) from None

    def _named(self, draw: int, error: ScenarioError) -> ScenarioError:
        values = ", ".join(f"{name} = {value:.6g}" for name, value in self.values[draw].items())
        return ScenarioError(f"draw {draw} ({values or 'the scenario itself'}): {error}")

    def extend(self, n_paths: int, hired: Callable[[], Workers], progress: Progress) -> None:
        """Run what is missing of the first `n_paths` paths of every draw, a draw a task; nothing needs no workers."""
        missing = {i: n_paths - self._have(i) for i in range(len(self.variants)) if self._have(i) < n_paths}
        progress.total = n_paths * len(self.variants)
        progress.done = progress.total - sum(missing.values())
        progress.update(progress)
        if not missing:
            return
        Runner(self.variants[-1], self.every).warm()

        def keep(row: dict[str, Any]) -> None:
            """Keep the drawdowns of a finished task."""
            draw = row["point"]
            if row["status"] == FAILED:
                raise self._named(draw, ScenarioError(row["error"]))
            self.kept[draw] = np.concatenate([self._drawdown(draw), row["drawdown"]])
            progress.add(row["drawdown"].size)

        tasks = (DrawTask(i, self.tables, self.values[i], self.every, self._have(i), n_paths) for i in missing)
        drive(solve_draw, tasks, hired(), keep)

    def _drawdown(self, draw: int) -> np.ndarray:
        known = self.kept.get(draw)
        return np.zeros(0) if known is None else known

    def _have(self, draw: int) -> int:
        return self._drawdown(draw).size

    def result(self, n_paths: int) -> Uncertainty:
        """Return what the first `n_paths` paths of every draw say."""
        rows = [self._answer(i, n_paths) for i in range(len(self.variants))]
        draws, base = self._table(rows[:-1], self.parameters), self._table(rows[-1:], {})
        interval = parameter_interval(
            draws,
            config_sha256=self.scenario.sha256,
            horizon_hours=self.scenario.run.horizon_hours,
            n_paths=n_paths,
            confidence=CONFIDENCE,
        )
        return Uncertainty(interval, draws, base, self.scenario)

    def _answer(self, draw: int, n_paths: int) -> tuple[float, list[float], list[float]]:
        """Return ruin, reserves and their errors of one draw."""
        drawdown, variant = self._drawdown(draw)[:n_paths], self.variants[draw]
        confidence = variant.reserve.confidence
        clusters = clusters_of(variant, self.every, n_paths)
        found = [quantile_interval(drawdown, level, confidence=confidence, clusters=clusters) for level in self.levels]
        values = [np.nan if row.reason else row.value for row in found]
        return float(np.mean(drawdown > variant.fund_initial)), values, [log_error(q, confidence) for q in found]

    @property
    def levels(self) -> tuple[float, ...]:
        """The scenario's levels, ascending."""
        return self.scenario.reserve.levels

    def _table(self, rows: list[tuple[float, list[float], list[float]]], parameters: dict[str, np.ndarray]) -> Draws:
        ruin, reserves, errors = (np.array(column) for column in zip(*rows, strict=True))
        ranges = {row.name: (row.low, row.high) for row in self.scenario.uncertain}
        return Draws(parameters, ranges, ruin, self.levels, reserves, errors)
