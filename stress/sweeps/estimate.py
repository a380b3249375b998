"""What a sweep will cost: a few paths of its middle point, timed, and the size of a row."""

import json
import os
import time
from dataclasses import asdict, dataclass

from stress.sweeps.plan import Plan
from stress.sweeps.point import Paths, task_of

__all__ = ["Estimate", "estimate"]

ROW_BYTES = 8
FILE_BYTES = 25_000  # of a part and its row groups, and of the manifest
SHOWN = 5


@dataclass(frozen=True)
class Estimate:
    """Points, paths, seconds and bytes of a plan; the lines are its first points in words."""

    name: str
    n_points: int
    n_paths: int
    most_paths: int
    workers: int
    seconds: float
    bytes: int
    lines: tuple[str, ...]

    def __str__(self) -> str:
        up_to = f" to {self.most_paths:,}" if self.most_paths > self.n_paths else ""
        return "\n".join(
            [
                f"{self.name}: {self.n_points:,} points x {self.n_paths:,}{up_to} paths"
                f" = {self.n_points * self.n_paths:,} paths",
                f"time: about {self.words(self.seconds)} on {self.workers} workers (timed: a part of the middle point)",
                f"disk: about {self.bytes / 1e6:.1f} MB",
                *self.lines,
            ]
        )

    @staticmethod
    def words(seconds: float) -> str:
        """Return a time in words."""
        for unit, size in (("h", 3600.0), ("min", 60.0)):
            if seconds >= size:
                return f"{seconds / size:.1f} {unit}"
        return f"{seconds:.0f} s"

    def to_json(self) -> str:
        """Return the estimate as strict JSON text."""
        return json.dumps({"schema": "fundstress.sweep_estimate/1", **asdict(self)}, indent=2, allow_nan=False)


def estimate(plan: Plan, workers: int | None = None) -> Estimate:
    """Return what a plan will cost on this machine; kernels are compiled by it, if they are not yet."""
    count, n = workers or os.cpu_count() or 1, len(plan.rows)
    task = task_of(plan, n // 2)
    Paths(task).warm()
    clock = time.perf_counter()
    timed = next(Paths(task).parts)
    each = (time.perf_counter() - clock) / timed * task.n_paths
    columns = len(plan.axes) + 6 + 4 * len(plan.scenario.reserve.levels) + 2 * len(plan.settings.means)
    lines = tuple(plan.named(point) for point in range(min(n, SHOWN))) + (("...",) if n > SHOWN else ())
    size = n * columns * ROW_BYTES + FILE_BYTES
    return Estimate(plan.settings.name, n, task.n_paths, task.most_paths, count, n * each / min(count, n), size, lines)
