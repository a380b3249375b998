"""Hand out tasks, a few at a time, and take rows as they come; a worker that dies loses nothing.

Whoever was at work when a worker died is run again alone, so that a point that kills its worker is found and
becomes a failure, and no other point with it.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from typing import Any, Protocol

from stress.sweeps.workers import Gone, Workers, signed

__all__ = ["ATTEMPTS", "DONE", "FAILED", "Numbered", "drive"]

ATTEMPTS = 3
DONE, FAILED = "done", "failed"

Row = dict[str, Any]


class Numbered(Protocol):
    """A task, which can be pickled."""

    @property
    def point(self) -> int:
        """Its number."""


class Drive:
    """The tasks of a study between its plan and where its rows are kept."""

    def __init__(self, work: Callable[[Any], Row], tasks: Iterator[Any], workers: Workers, keep: Callable[[Row], None]):
        self.work, self.tasks, self.workers, self.keep = work, tasks, workers, keep
        self.again: deque[Numbered] = deque()
        self.attempts: dict[int, int] = {}  # of points that were lost
        self.pending: dict[Future, Numbered] = {}

    def run(self) -> None:
        """Run all tasks."""
        try:
            while self.fill():
                done, _ = wait(self.pending, return_when=FIRST_COMPLETED)
                for future in done:
                    self.take(future, self.pending.pop(future))
        finally:
            for future in self.pending:
                future.cancel()

    def fill(self) -> bool:
        """Hand out tasks up to the window, suspects one by one; say whether anything is at work."""
        while len(self.pending) < self.workers.window and not (self.pending and self.again):
            task = self.again.popleft() if self.again else next(self.tasks, None)
            if task is None:
                break
            self.submit(task)
            if task.point in self.attempts:
                break
        return bool(self.pending)

    def submit(self, task: Numbered) -> None:
        """Hand out a task; a pool that broke meanwhile is replaced."""
        try:
            future = self.workers.executor.submit(signed, self.work, task)
        except RuntimeError as error:
            if not self.workers.lost(error):
                raise Gone(str(error)) from None
            self.workers.replace()
            future = self.workers.executor.submit(signed, self.work, task)
        self.pending[future] = task

    def take(self, future: Future, task: Numbered) -> None:
        """Keep the row of a finished task, or run it again."""
        try:
            row, worker = future.result()
        except CancelledError as error:
            raise Gone("the scheduler went away") from error
        except Exception as error:
            if not self.workers.lost(error):
                raise Gone(f"{type(error).__name__}: {error}") from error
            self.retry(task)
            return
        self.workers.heard(worker, task.point)
        self.keep({**row, "attempts": 1 + self.attempts.get(task.point, 0)})

    def retry(self, task: Numbered) -> None:
        """Count a death; the task of too many becomes a failure."""
        self.attempts[task.point] = self.attempts.get(task.point, 0) + 1
        if self.attempts[task.point] < ATTEMPTS:
            self.again.append(task)
            return
        error = f"its worker died {ATTEMPTS} times"
        self.keep({"point": task.point, "status": FAILED, "error": error, "attempts": ATTEMPTS})


def drive(work: Callable[[Any], Row], tasks: Iterator[Any], workers: Workers, keep: Callable[[Row], None]) -> None:
    """Run tasks on workers and keep their rows.

    Parameters
    ----------
    work : callable
        From a task to its row, with ``point``, ``status`` and ``error``; a function of a module, known to every worker.
    tasks : iterator
        Taken as they are needed, so that memory does not grow with their number.
    workers : Workers
    keep : callable
        Takes a row; called from this thread only.

    Raises
    ------
    Gone
        If the executor broke for good; what was finished is kept.
    """
    Drive(work, tasks, workers, keep).run()
