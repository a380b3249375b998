"""Who computes: threads, processes, a Dask cluster, or any ``concurrent.futures.Executor`` that is handed in."""

import logging
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from stress.scenario import ScenarioError
from stress.sweeps.designs import extra

__all__ = ["KINDS", "Gone", "Workers", "opened"]

KINDS = ("threads", "processes", "dask")
CONNECT_SECONDS = 10
AHEAD = 2  # tasks a worker that wait at its door


class Gone(RuntimeError):
    """The executor cannot be replaced: a scheduler that went away, or one that was handed in and broke."""


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
        If the scheduler is not reached, or Dask is not installed.
    """
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
