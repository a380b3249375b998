"""What a sweep costs beside its paths: CPU seconds against one run, overhead and bytes of a point, memory.

Run ``.venv/bin/python benchmarks/sweeps.py [--points N] [--workers W]``: figures of CPU time, so that other work on the
machine moves them little; with ``--scaling``, of the wall clock.  The tables in docs/sweeps.md are this output.
"""

import argparse
import math
import os
import pickle
import resource
import time
from pathlib import Path

import numpy as np

import stress
from stress.sweeps.drive import drive
from stress.sweeps.plan import Plan
from stress.sweeps.point import Paths, Task, solve, task_of, warm
from stress.sweeps.study import sweep
from stress.sweeps.workers import KINDS, opened

CONFIG = Path(__file__).parents[1] / "configs" / "btc_perpetual.toml"
N_PATHS, POPULATIONS = 5_000, 25
MANY = 400  # points of two paths, for memory
TASKS = 2_000  # without work, for what handing out costs
SHORT, LONGER = 8, 28  # points of the sweeps whose difference is the rate


def plan_over(n_points: int) -> Plan:
    """Return a grid of one axis over the default."""
    sweep_table = {"name": "cost", "n_paths": N_PATHS, "populations": POPULATIONS}
    values = list(np.linspace(0.5, 0.9, n_points))
    return Plan.over(CONFIG, {"sweep": sweep_table, "axis": [{"name": "market.vol_annual", "values": values}]})


def cpu(work) -> float:
    """Return the CPU seconds of a call, all threads."""
    before = time.process_time()
    work()
    return time.process_time() - before


def megabytes() -> float:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def run_alone(n_points: int, workers: int) -> None:
    """Run as many paths as the sweep in one run, in populations of the same size."""
    every = N_PATHS // POPULATIONS
    scenario = stress.Scenario.load(CONFIG).plain(**{"run.redraw_every": every})
    stress.run(scenario, n_points * N_PATHS, threads=workers)


def memory(n: int) -> tuple[float, float]:
    """Return the memory after a quarter and after all of `n` points of two paths."""
    grid = {"market.vol_annual": list(np.linspace(0.5, 0.9, n // 4))}
    found = []
    for _ in range(4):
        sweep(CONFIG, grid, n_paths=2, populations=1, workers=1)
        found.append(megabytes())
    return found[0], found[-1]


def nothing(task: Task) -> dict:
    """Return an empty row: what is left is what handing out costs."""
    return {"point": task.point, "status": "done", "error": ""}


def handing_out(kind: str, workers: int) -> float:
    """Return the seconds that a task costs beside its work."""
    tasks, found = [Task(point, b"", {}, 1, 1) for point in range(TASKS)], []
    with opened(kind, workers) as team:
        drive(nothing, iter(tasks[:100]), team, found.append)
        started = time.perf_counter()
        drive(nothing, iter(tasks), team, found.append)
        return (time.perf_counter() - started) / TASKS


def seconds_of(kind: str, workers: int, n_points: int) -> float:
    """Return how long a sweep takes, on the wall clock."""
    started = time.perf_counter()
    grid = {"market.vol_annual": list(np.linspace(0.5, 0.9, n_points))}
    sweep(CONFIG, grid, n_paths=N_PATHS, populations=POPULATIONS, executor=kind, workers=workers)
    return time.perf_counter() - started


def rate(kind: str, workers: int) -> float:
    """Return points a second once all workers are at work: between a short and a longer sweep."""
    short, longer = seconds_of(kind, workers, SHORT), seconds_of(kind, workers, LONGER)
    if longer <= short:  # other work on the machine: their difference says nothing
        return math.nan
    return (LONGER - SHORT) / (longer - short)


def scaling() -> dict[str, str]:
    """Return what one and two workers of each kind do."""
    rows = {}
    for kind in KINDS:
        one, two = rate(kind, 1), rate(kind, 2)
        rows[f"{kind}: points of {N_PATHS:,} paths a second, 1 and 2 workers"] = f"{one:.2f} and {two:.2f}"
        rows[f"{kind}: to hand out a task, 2 workers"] = f"{1e3 * handing_out(kind, 2):.2f} ms"
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=12)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--scaling", action="store_true", help="one and two workers of each kind, instead")
    given = parser.parse_args()
    if given.scaling:
        print("\n".join(f"| {name} | {value} |" for name, value in scaling().items()))
        return
    plan = plan_over(given.points)
    task = task_of(plan, 0)
    warm(task)
    alone = min(cpu(lambda: run_alone(given.points, given.workers)) for _ in range(2))
    grid = {"market.vol_annual": [values[0] for values in plan.rows]}
    how = {"n_paths": N_PATHS, "populations": POPULATIONS, "workers": given.workers}
    swept = min(cpu(lambda: sweep(CONFIG, grid, **how)) for _ in range(2))
    beside = min(cpu(lambda: Paths(task)) for _ in range(20))
    first, last = memory(MANY)
    paths = given.points * N_PATHS
    rows = {
        f"one run, {paths:,} paths": f"{paths / alone:,.0f} paths per CPU second",
        f"sweep, {given.points} points of {N_PATHS:,} paths": f"{paths / swept:,.0f} paths per CPU second",
        "efficiency": f"{100 * alone / swept:.0f} %",
        "overhead of a point": f"{1e3 * beside:.1f} ms",
        "a task and its row, pickled": f"{len(pickle.dumps(task))} and {len(pickle.dumps(solve(task)))} bytes",
        f"memory after {MANY // 4} and {MANY} points": f"{first:.0f} and {last:.0f} MB",
        "peak memory": f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB",
    }
    print("\n".join(f"| {name} | {value} |" for name, value in rows.items()))


if __name__ == "__main__":
    main()
