"""Run a scenario: populations, blocks of paths, threads, and the columns of the outcomes.

Whatever the engine, a path is run on the shadow fund, which has no bottom; a path that ruins the fund is run
again, with the same numbers, through the configured waterfall.  `drawdown` and `ruin_step` come from the
first, who paid from the second (docs/method.md, section 10).
"""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Thread
from typing import Any

import numpy as np

from stress.engines.choose import choose_engine
from stress.engines.cover import cover_of
from stress.engines.population import Population, draw_population
from stress.engines.results import Results
from stress.outcomes import Outcomes
from stress.scenario import Scenario

TASK, TASK_STEPS = 1024, 4_500_000  # paths and steps per task: a few seconds at most, so that Ctrl-C works
COVER_POPULATIONS = 30  # enough for the spread between populations
LONG_RUN = 20_000  # paths from which it pays to compile ahead what ruined paths will need

__all__ = ["Interrupted", "Progress", "run"]


class Interrupted(Exception):
    """A run was stopped; `results` holds the finished paths."""

    def __init__(self, results: Results):
        super().__init__(f"interrupted after {results.n_done:,} of {results.n_paths:,} paths")
        self.results = results


@dataclass
class Progress:
    """What a caller may show while a run goes on."""

    total: int = 0
    done: int = 0
    update: Callable[["Progress"], None] = field(default=lambda progress: None)

    def add(self, n: int) -> None:
        """Count `n` finished paths."""
        self.done += n
        self.update(self)


def seed_of(rng: Any, default: int) -> int:
    """Return a root seed from an int, SeedSequence or Generator (SPEC 7); None keeps the scenario's."""
    if rng is None:
        return default
    if isinstance(rng, (int, np.integer)):
        return int(rng)
    return int(np.random.default_rng(rng).integers(2**63))


def resolve(scenario: Scenario, n_paths: int | None = None, rng: Any = None, engine: str | None = None) -> Scenario:
    """Return the scenario with the arguments of a call written into its ``[run]`` table."""
    overrides: dict[str, Any] = {"run.seed": seed_of(rng, scenario.run.seed)}
    if n_paths is not None:
        overrides["run.n_paths"] = n_paths
    if engine is not None:
        overrides["run.engine"] = engine
    return scenario.with_(**overrides)


def run(
    scenario: Scenario,
    n_paths: int | None = None,
    *,
    rng: Any = None,
    engine: str | None = None,
    threads: int | None = None,
    ledger: bool = False,
    progress: Progress | None = None,
    resume: Results | None = None,
    ready: Callable[[], Any] | None = None,
) -> Outcomes:
    """Simulate a scenario.

    Parameters
    ----------
    scenario : Scenario
    n_paths : int, optional
        Number of paths; the scenario's own by default.
    rng : int, SeedSequence or Generator, optional
        Root of all randomness; the scenario's seed by default.
    engine : {"auto", "reference", "loop", "ladder"}, optional
        ``auto`` takes the fastest engine that is exact for the scenario.
    threads : int, optional
        Worker threads; all cores by default.  Results do not depend on it.
    ledger : bool
        Keep every liquidation in ``outcomes.ledger``.
    progress : Progress, optional
        Told about finished paths.
    resume : Results, optional
        What an `Interrupted` run had finished.
    ready : callable, optional
        Waited for before the account loop is compiled: another process may be compiling it.

    Returns
    -------
    Outcomes
        One row a path.

    Raises
    ------
    ScenarioError
        If the engine cannot run the scenario exactly, or a population is not valid.
    Interrupted
        On Ctrl-C, with what is finished.
    """
    scenario = resolve(scenario, n_paths, rng, engine)
    started = time.perf_counter()
    job = Job(scenario, ledger=ledger, results=resume)
    job.engine.ready = ready
    job.engine.warm(job.population(0))
    compiled = time.perf_counter()
    job.run(threads or os.cpu_count() or 1, progress or Progress())
    for i in range(min(job.n_populations, COVER_POPULATIONS)):  # what a resumed run has not met
        job.price_cover(i)
    finished = time.perf_counter()
    elapsed = {"compile": compiled - started, "simulate": finished - compiled, "total": finished - started}
    return job.results.outcomes(job.population(0), elapsed_s=elapsed, cover=job.cover.rows(), ledger=ledger)


class Job:
    """One run: its engine, its populations and its results."""

    def __init__(self, scenario: Scenario, *, ledger: bool = False, results: Results | None = None):
        self.scenario = scenario
        self.population = lru_cache(maxsize=4)(self._draw)
        choice = choose_engine(scenario)
        self.engine = choice.make(scenario, self.population(0), ledger)
        self.results = results or Results(scenario, choice)
        self.cover = cover_of(scenario)

    def _draw(self, index: int) -> Population:
        return draw_population(self.scenario, index)

    @property
    def n_populations(self) -> int:
        """How many populations the paths are spread over."""
        return -(-self.scenario.run.n_paths // self.scenario.redraw_every)

    def tasks(self) -> Iterator[tuple[int, int, int]]:
        """Yield (population, first path, number of paths) that are not finished yet."""
        every, size = self.scenario.redraw_every, max(1, min(TASK, TASK_STEPS // self.scenario.clock.n_steps))
        for first in range(0, self.scenario.run.n_paths, every):
            last = min(first + every, self.scenario.run.n_paths)
            for start in range(first, last, size):
                n = min(size, last - start)
                if not self.results.has(start):
                    yield first // every, start, n

    def run(self, threads: int, progress: Progress) -> None:
        """Run all tasks on a pool; on Ctrl-C keep what is finished."""
        progress.total, progress.done = self.scenario.run.n_paths, self.results.n_done
        progress.update(progress)
        pending: set[Future] = set()
        ahead = Thread(target=self.engine.prepare, args=(self.population(0),), daemon=True)
        if self.scenario.run.n_paths - self.results.n_done >= LONG_RUN:
            ahead.start()
        with ThreadPoolExecutor(threads) as pool:
            try:
                for task in self.tasks():
                    pending.add(pool.submit(self._task, *task))
                    if len(pending) > 2 * threads:
                        pending = self._collect(pending, progress)
                while pending:
                    pending = self._collect(pending, progress)
                if ahead.ident is not None:
                    ahead.join()
            except KeyboardInterrupt:
                for future in pending:
                    future.cancel()
                raise Interrupted(self.results) from None

    def price_cover(self, index: int) -> None:
        """Price what the largest accounts of population `index` would cost."""
        if index not in self.cover.priced:
            self.cover.price(index, self.population(index))

    def _task(self, index: int, first: int, n: int):
        if index < COVER_POPULATIONS:
            self.price_cover(index)
        return first, n, self.engine.run(self.population(index), index, first, n)

    def _collect(self, pending: set[Future], progress: Progress) -> set[Future]:
        done, rest = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            first, n, rows = future.result()
            self.results.put(first, n, rows)
            progress.add(n)
        return rest
