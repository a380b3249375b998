"""What a sweep costs beside its paths: CPU seconds against one run, overhead and bytes of a point, memory.

Run ``.venv/bin/python benchmarks/sweeps.py [--points N] [--workers W]``; figures of CPU time, so that other work on
the machine moves them little.  The table in docs/sweeps.md is this script's output.
"""

import argparse
import os
import pickle
import resource
import time
from pathlib import Path

import numpy as np

import stress
from stress.sweeps.plan import Plan
from stress.sweeps.point import Paths, solve, task_of, warm
from stress.sweeps.study import sweep

CONFIG = Path(__file__).parents[1] / "configs" / "btc_perpetual.toml"
N_PATHS, POPULATIONS = 5_000, 25
MANY = 400  # points of two paths, for memory


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


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=12)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
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
