"""Who computes: threads, processes, a Dask cluster, or any ``concurrent.futures.Executor`` that is handed in."""

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from socket import gethostname
from threading import get_ident
from typing import Any

from stress.scenario import ScenarioError
from stress.sweeps.designs import extra

__all__ = ["KINDS", "Gone", "Seen", "Workers", "check_scheduler", "opened", "signed"]

KINDS = ("threads", "processes", "dask")
CONNECT_SECONDS = 10
SILENT = 5.0  # times as long as a point usually takes
SHOWN = 8  # workers of which a line is shown
AHEAD = 2  # tasks a worker that wait at its door


class Gone(RuntimeError):
    """The executor cannot be replaced: a scheduler that went away, or one that was handed in and broke."""


@dataclass
class Seen:
    """What is known of one worker.

    Parameters
    ----------
    point : int
        Its last one.
    when : float
        Monotonic time at which that came back.
    points : int
        How many it has finished.
    seconds : float
        Between its last two.
    """

    point: int
    when: float
    points: int = 1
    seconds: float = 0.0

    def __str__(self) -> str:
        silent = time.monotonic() - self.when
        late = f", silent for {silent:,.0f} s" if silent > max(5.0, SILENT * self.seconds) else ""
        return f"{self.points:,} points, last {self.point:,} after {self.seconds:.2g} s{late}"


def signed(work: Callable[[Any], Any], task: Any) -> tuple[Any, str]:
    """Return what a task gives, and who did it."""
    return work(task), f"{gethostname()} {os.getpid()}-{get_ident() % 10_000:04d}"


class Workers:
    """An executor, how many work in it, and how to make another when it breaks.

    Parameters
    ----------
    executor : concurrent.futures.Executor
    count : int
        Workers; twice as many tasks are handed out at a time.
    make : callable, optional
        Makes another executor when this one is broken.
    """

    def __init__(self, executor: Executor, count: int, make: Callable[[], Executor] | None = None):
        self.executor, self.count, self.make = executor, count, make
        self.seen: dict[str, Seen] = {}

    def lines(self) -> Iterator[str]:
        """Yield how many there are, and what each of the first ones last did."""
        yield f"  {self.count} workers, {len(self.seen)} heard of"
        seen = sorted(self.seen.items())
        yield from (f"  {name}: {state}" for name, state in seen[:SHOWN])
        if len(seen) > SHOWN:
            yield f"  and {len(seen) - SHOWN} more"

    def heard(self, worker: str, point: int) -> None:
        """Note that a worker has finished a point."""
        now, before = time.monotonic(), self.seen.get(worker)
        known = (before.points + 1, now - before.when) if before else ()
        self.seen[worker] = Seen(point, now, *known)

    @property
    def window(self) -> int:
        """Tasks that are handed out at a time."""
        return AHEAD * self.count

    def replace(self) -> None:
        """Make another executor in place of a broken one.

        Raises
        ------
        Gone
            If it was handed in.
        """
        if self.make is None:
            raise Gone("the executor broke: a worker died")
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.executor = self.make()

    @staticmethod
    def lost(error: BaseException) -> bool:
        """Say whether an error means that a worker died with the task, and not that the task failed."""
        return isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker"


def check_scheduler(kind: str | Executor, scheduler: str | None) -> None:
    """Raise a ScenarioError for a scheduler that is given to others than Dask."""
    if scheduler and kind != "dask":
        raise ScenarioError(f"--scheduler {scheduler}: needs --executor dask")


@contextmanager
def opened(kind: str | Executor, workers: int | None = None, scheduler: str | None = None) -> Iterator[Workers]:
    """Open an executor, and close it, with what it has not begun, at the end.

    Parameters
    ----------
    kind : {"threads", "processes", "dask"} or Executor
        One that is handed in is left open.
    workers : int, optional
        All cores by default; of a running scheduler all that it has.
    scheduler : str, optional
        Address of a running Dask scheduler; absent: a cluster on this machine.

    Raises
    ------
    ScenarioError
        If the scheduler is not reached, or is given to others than Dask, or Dask is not installed.
    """
    check_scheduler(kind, scheduler)
    count = workers or os.cpu_count() or 1
    if isinstance(kind, Executor):
        yield Workers(kind, count)
    elif kind == "dask":
        with _dask(count, scheduler) as found:
            yield found
    else:
        make = _processes if kind == "processes" else ThreadPoolExecutor
        pool = Workers(make(count), count, lambda: make(count))
        try:
            yield pool
        finally:
            pool.executor.shutdown(wait=kind == "threads", cancel_futures=True)


def _processes(count: int) -> Executor:
    # A forked child would inherit locks that a thread of this process may hold.
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_leave_interrupts)


def _leave_interrupts() -> None:
    """Let Ctrl-C end the program that hands out the tasks, which then says how to go on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _dask(count: int, scheduler: str | None) -> Iterator[Workers]:
    try:
        distributed = extra("distributed", "distributed")
    except ValueError as error:
        raise ScenarioError(f"--executor dask: {error}") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong is said once, by us
    with _client(distributed, count, scheduler) as client:
        threads = sum(client.nthreads().values()) or count
        yield Workers(client.get_executor(pure=False), threads)


@contextmanager
def _client(distributed: Any, count: int, scheduler: str | None) -> Iterator[Any]:
    if scheduler is None:
        shape = {"n_workers": count, "threads_per_worker": 1, "dashboard_address": None, "silence_logs": 50}
        with distributed.LocalCluster(**shape) as cluster, distributed.Client(cluster) as client:
            yield client
        return
    try:
        client = distributed.Client(scheduler, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TypeError) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise ScenarioError(f"--scheduler {scheduler}: cannot be reached: {said}") from None
    try:
        yield client
    finally:
        client.close(timeout=1)
