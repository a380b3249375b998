"""Hand out tasks, a few at a time, and take rows as they come; a worker that dies loses nothing.

Whoever was at work when a worker died is run again alone, so that a point that kills its worker is found and
becomes a failure, and no other point with it.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from typing import Any

from stress.sweeps.point import FAILED, Task, solve
from stress.sweeps.workers import Gone, Workers

__all__ = ["ATTEMPTS", "drive"]

ATTEMPTS = 3


class Drive:
    """The tasks of a sweep between the plan and the store."""

    def __init__(self, tasks: Iterator[Task], workers: Workers, keep: Callable[[dict[str, Any]], None]):
        self.tasks, self.workers, self.keep = tasks, workers, keep
        self.again: deque[Task] = deque()
        self.attempts: dict[int, int] = {}  # of points that were lost
        self.pending: dict[Future, Task] = {}

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

    def submit(self, task: Task) -> None:
        """Hand out a task; a pool that broke meanwhile is replaced."""
        try:
            future = self.workers.executor.submit(solve, task)
        except RuntimeError as error:
            if not self.workers.lost(error):
                raise Gone(str(error)) from None
            self.workers.replace()
            future = self.workers.executor.submit(solve, task)
        self.pending[future] = task

    def take(self, future: Future, task: Task) -> None:
        """Keep the row of a finished task, or run it again."""
        try:
            row = future.result()
        except CancelledError as error:
            raise Gone("the scheduler went away") from error
        except Exception as error:
            if not self.workers.lost(error):
                raise Gone(f"{type(error).__name__}: {error}") from error
            self.retry(task)
            return
        self.keep({**row, "attempts": 1 + self.attempts.get(task.point, 0)})

    def retry(self, task: Task) -> None:
        """Count a death; the task of too many becomes a failure."""
        self.attempts[task.point] = self.attempts.get(task.point, 0) + 1
        if self.attempts[task.point] < ATTEMPTS:
            self.again.append(task)
            return
        error = f"its worker died {ATTEMPTS} times"
        self.keep({"point": task.point, "status": FAILED, "error": error, "attempts": ATTEMPTS})


def drive(tasks: Iterator[Task], workers: Workers, keep: Callable[[dict[str, Any]], None]) -> None:
    """Run tasks on workers and keep their rows.

    Parameters
    ----------
    tasks : iterator of Task
        Taken as they are needed, so that memory does not grow with their number.
    workers : Workers
    keep : callable
        Takes a row; called from this thread only.

    Raises
    ------
    Gone
        If the executor broke for good; what was finished is kept.
    """
    Drive(tasks, workers, keep).run()
