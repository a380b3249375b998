"""One point: a pure function from a task to a row, the same in a thread, in a process and on another machine."""

import json
import math
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from stress.engines.base import Job
from stress.engines.choose import choose_engine
from stress.engines.population import Population, draw_population
from stress.engines.results import Results, one_run_curve
from stress.scenario import Scenario
from stress.summary import Clusters, QuantileInterval, estimate_probability, quantile_interval
from stress.summary.parameters import log_error
from stress.sweeps.drive import DONE, FAILED
from stress.sweeps.plan import Plan, Precision
from stress.variants import AMPLE, clusters_of, population_key

__all__ = ["Task", "answer_columns", "solve", "task_of", "warm"]

SHARED = 32  # populations that are kept, of some megabytes each: those of one point, and few more


@dataclass(frozen=True)
class Task:
    """What a worker needs to know of a point."""

    point: int
    base: bytes  # tables of the scenario, JSON, compressed
    changes: dict[str, Any]
    n_paths: int
    every: int  # paths of a population
    precision: Precision | None = None
    means: tuple[str, ...] = ()

    @property
    def most_paths(self) -> int:
        """Up to how many paths."""
        return self.n_paths if self.precision is None else max(self.n_paths, self.precision.most_paths)


def task_of(plan: Plan, point: int) -> Task:
    """Return the task of a point."""
    s = plan.settings
    return Task(point, plan.base, plan.changes(point), s.n_paths, plan.every, s.precision, s.means)


@lru_cache(maxsize=4)
def _tables(base: bytes) -> dict[str, Any]:
    return json.loads(zlib.decompress(base))


def solve(task: Task) -> dict[str, Any]:
    """Run a point and return its row; an error becomes a row, too, so that the sweep goes on.

    Parameters
    ----------
    task : Task

    Returns
    -------
    dict
        ``point``, ``status``, ``error``, the answers of `answer_columns`, and ``seconds``.
    """
    clock = time.perf_counter()
    try:
        row = {"status": DONE, "error": "", **Paths(task).answer()}
    except Exception as error:
        row = {"status": FAILED, "error": " ".join(f"{type(error).__name__}: {error}".split())}
    return {"point": task.point, **row, "seconds": time.perf_counter() - clock}


def warm(task: Task) -> None:
    """Compile what the point of a task needs, so that workers find it."""
    Paths(task).warm()


def answer_columns(levels: tuple[float, ...], means: tuple[str, ...]) -> list[str]:
    """Return the names of the answers of a row, in the order of the table."""
    names = ["ruin", "ruin_low", "ruin_high"]
    for level in levels:
        names += [f"reserve_{level:g}{end}" for end in ("", "_low", "_high")] + [f"log_error_{level:g}"]
    return names + [f"mean_{name}{end}" for name in means for end in ("", "_error")]


@dataclass(frozen=True)
class Accounts:
    """A scenario as far as the draw of its accounts goes: equal to any other that draws the same."""

    key: str
    scenario: Scenario = field(compare=False)


@lru_cache(maxsize=SHARED)
def _drawn(accounts: Accounts, index: int) -> Population:
    return draw_population(accounts.scenario, index)


class SharedJob(Job):
    """A run in this thread, whose populations are shared with the other points of this process that draw the same.

    It has no cover, which no answer needs: its rules are composed anew each time, and numba never forgets a rule.
    """

    def __init__(self, scenario: Scenario):
        self.scenario, choice = scenario, choose_engine(scenario)
        self.population = lru_cache(maxsize=4)(self._draw)
        self.engine = choice.make(scenario, self.population(0), False)
        self.results = Results(scenario, choice)

    def _draw(self, index: int) -> Population:
        return _drawn(Accounts(self.key, self.scenario), index)

    @cached_property
    def key(self) -> str:
        """What the accounts depend on."""
        return population_key(self.scenario)


class Paths:
    """The paths of one point, run in this thread, as many as its precision asks for."""

    def __init__(self, task: Task):
        self.task = task
        scenario = Scenario.from_tables(_tables(task.base), overrides=task.changes)
        run = {"run.n_paths": task.most_paths, "run.redraw_every": task.every}
        # A fund that nothing exhausts spares the second run of ruined paths; the drawdown is the same.
        self.ample = not task.means and one_run_curve(scenario)[0]
        self.fund = scenario.fund_initial
        self.scenario = scenario.plain(**run, **(scenario.with_fund(AMPLE) if self.ample else {}))
        self.job = SharedJob(self.scenario)
        self.parts = self._parts()
        self.n = 0

    def warm(self) -> None:
        """Compile the kernels, with that of ruined paths where the fund may be exhausted."""
        self.job.engine.warm(self.job.population(0))
        if not self.ample:
            self.job.engine.prepare(self.job.population(0))

    def _parts(self) -> Iterator[int]:
        """Run the paths part by part; yield how many there are."""
        for index, first, n in self.job.tasks():
            self.job.results.put(first, n, self.job.engine.run(self.job.population(index), index, first, n))
            yield first + n

    def answer(self) -> dict[str, Any]:
        """Return the answers, with as many paths as the precision asks for."""
        wanted = self.task.n_paths
        while True:
            while self.n < wanted:
                self.n = next(self.parts)
            precision = self.task.precision
            if precision is None or 2 * wanted > self.task.most_paths or self._is_precise(precision):
                return self._row(wanted)
            wanted *= 2

    def _is_precise(self, precision: Precision) -> bool:
        found = self._reserve(precision.level, self.n)
        if found.low is None or found.high is None or found.value <= 0.0:
            return False
        return (found.high - found.low) / 2.0 <= precision.half_width * found.value

    def _column(self, name: str, n: int) -> np.ndarray:
        return self.job.results.columns[name][:n]

    def _clusters(self, n: int) -> Clusters:
        return clusters_of(self.scenario, self.task.every, n)

    def _reserve(self, level: float, n: int) -> QuantileInterval:
        drawdown, confidence = self._column("drawdown", n), self.scenario.reserve.confidence
        return quantile_interval(drawdown, level, confidence=confidence, clusters=self._clusters(n))

    def _row(self, n: int) -> dict[str, Any]:
        row: dict[str, Any] = {"n_paths": n, **self._ruin(n)}
        for level in self.scenario.reserve.levels:
            row |= self._reserve_cells(level, n)
        for name in self.task.means:
            column, clusters = self._column(name, n).astype(float), self._clusters(n).replicates()
            row[f"mean_{name}"] = float(np.mean(column))
            row[f"mean_{name}_error"] = math.sqrt(clusters.variance_of_mean(column))
        return row

    def _ruin(self, n: int) -> dict[str, float | None]:
        ruined = self._column("drawdown", n) > self.fund if self.ample else self._column("ruin_step", n) >= 0
        run, confidence = self.scenario.run, self.scenario.reserve.confidence
        of = {"confidence": confidence, "horizon_hours": run.horizon_hours}
        found = estimate_probability(ruined, self._clusters(n), **of)
        return {"ruin": found.value, "ruin_low": found.low, "ruin_high": found.high}

    def _reserve_cells(self, level: float, n: int) -> dict[str, float | None]:
        """Return a reserve with its interval; all of it is missing where it is refused."""
        found, name = self._reserve(level, n), f"reserve_{level:g}"
        if found.reason:
            return dict.fromkeys((name, f"{name}_low", f"{name}_high", f"log_error_{level:g}"), math.nan)
        error = log_error(found, self.scenario.reserve.confidence)
        return {
            name: found.value,
            f"{name}_low": found.low,
            f"{name}_high": found.high,
            f"log_error_{level:g}": error,
        }
