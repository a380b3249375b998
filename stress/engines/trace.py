"""How the fund moves over time on a few paths: what the fund fan shows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from stress.engines.base import Job
from stress.engines.blocks import MAX_BLOCK
from stress.scenario import Scenario

__all__ = ["Trace", "trace"]

POPULATIONS = 20  # draws of the accounts that the fan is spread over


@dataclass(frozen=True, eq=False)
class Trace:
    """The marked shadow fund, which has no bottom, at equally spaced times.

    Parameters
    ----------
    hours : ndarray, shape (k,)
        From 0 to the horizon.
    fund : ndarray, shape (n, k)
        Of paths spread over the populations; quote.
    worst : ndarray, shape (m, k)
        Of the paths that were asked for; quote.
    fund_initial : float
        Fund at time 0; quote.
    label : str
        Name of the scenario.
    """

    hours: np.ndarray
    fund: np.ndarray
    worst: np.ndarray
    fund_initial: float
    label: str


def trace(scenario: Scenario, *, n_times: int = 145, n_paths: int = 400, worst: Sequence[int] = ()) -> Trace:
    """Follow the fund over time.

    Parameters
    ----------
    scenario : Scenario
    n_times : int
        Times, the start included.
    n_paths : int
        About how many paths the fan is made of, spread over at most 20 populations.
    worst : sequence of int
        Paths to follow one by one.

    Returns
    -------
    Trace
    """
    job = Job(scenario.with_(**{"run.engine": "auto"}))
    initial, clock = scenario.fund_initial, scenario.clock
    stops = np.arange(n_times) * clock.n_steps // (n_times - 1)
    fan = [_follow(job, first, n, n_times - 1) for first, n in _spread(job, n_paths)]
    deepest = [_follow(job, int(path), 1, n_times - 1) for path in worst] or [np.empty((0, n_times))]
    return Trace(
        hours=stops * clock.step_seconds / 3600.0,
        fund=initial + np.concatenate(fan),
        worst=initial + np.concatenate(deepest),
        fund_initial=initial,
        label=scenario.run.name,
    )


def _spread(job: Job, n_paths: int) -> Iterator[tuple[int, int]]:
    """Yield (first path, number of paths) of blocks that together are about `n_paths` paths."""
    every, total = job.scenario.redraw_every, job.scenario.run.n_paths
    chosen = np.unique(np.linspace(0, job.n_populations - 1, POPULATIONS).round().astype(int))
    each = -(-n_paths // chosen.size)
    for index in chosen:
        first = int(index) * every
        last = min(first + min(each, every), total)
        for start in range(first, last, MAX_BLOCK):
            yield start, min(MAX_BLOCK, last - start)


def _follow(job: Job, first: int, n: int, n_times: int) -> np.ndarray:
    """Return the change of the fund, shape (n, 1 + n_times): nothing at the start."""
    population = job.population(first // job.scenario.redraw_every)
    return np.column_stack([np.zeros(n), job.engine.trace(population, first, n, n_times)["value"]])
