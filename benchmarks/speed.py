"""How fast are the engines?  Side by side in one run, as ratios, in process CPU time.

    python benchmarks/speed.py [--repeat 5]

Measured on the default scenario with everything on (tiers, fees, funding, cross accounts, whale, inventory):

P1  ladder against a frozen minimal Mesa model, against our own reference engine and against the loop,
    at 10,000 accounts; the three engines' ledgers are compared first and must be identical
P2  share of the market-block floor (draws, variance, jumps, extremes; no accounts), and the floor against
    numba's own standard_normal for as many numbers
P3  cost per path at 1e6 accounts over 1e3 accounts
P8  efficiency of two threads
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time

import numba
import numpy as np
from mesa_baseline import seconds_per_account_step

import stress
from stress.engines.base import Job, Progress
from stress.engines.blocks import MAX_BLOCK
from stress.engines.start import initial_state

DEFAULT = "configs/btc_perpetual.toml"


def scaled(factor: float, **overrides) -> stress.Scenario:
    """Return the default with `factor` times as many traders."""
    default = stress.Scenario.load(DEFAULT)
    counts = {i: cohort.count for i, cohort in enumerate(default.population) if cohort.kind == "trader"}
    more = {f"population.{i}.count": max(1, int(n * factor)) for i, n in counts.items()}
    return default.with_(**more, **overrides)


def median_seconds(action, repeat: int) -> float:
    """Return the median process time of an action, after one warm-up."""
    action()
    times = []
    for _ in range(repeat):
        started = time.process_time()
        action()
        times.append(time.process_time() - started)
    return statistics.median(times)


def per_path(scenario: stress.Scenario, repeat: int) -> dict[str, float]:
    """Return process seconds per path: market block alone, shadow run on the engine, and both with reruns."""
    job = Job(scenario)
    population, engine = job.population(0), job.engine
    block = engine.world.block(0, MAX_BLOCK)
    none, traces = engine.ledger(population, 0), np.empty((MAX_BLOCK, 0))
    floor = median_seconds(lambda: engine.world.block(0, MAX_BLOCK), repeat)

    def accounts_only():
        engine.run_shadow(population, initial_state(population, scenario, MAX_BLOCK), block, 0, none, traces)

    return {
        "floor": floor / MAX_BLOCK,
        "engine": median_seconds(accounts_only, repeat) / MAX_BLOCK,
        "accounts": population.accounts.size,
        "steps": scenario.clock.n_steps,
    }


def ledgers_agree(scenario: stress.Scenario, n: int) -> int:
    """Compare the ledgers of the three engines and return their length."""
    rows = []
    for engine in ("reference", "loop", "ladder"):
        job = Job(scenario.with_(**{"run.engine": engine, "run.n_paths": n}), ledger=True)
        job.run(1, Progress())
        rows.append(job.results.liquidations())
    assert all(np.array_equal(rows[0], other) for other in rows[1:]), "ledgers differ"
    return rows[0].size


@numba.njit
def numba_normals(out):
    for i in range(out.size):
        out[i] = np.random.standard_normal()


def p1(repeat: int) -> None:
    scenario = scaled(0.5)
    short = scaled(0.5, **{"run.horizon_hours": 8.0, "run.redraw_every": 10})
    size = ledgers_agree(short, 2)
    ours = per_path(scenario, repeat)
    ladder = ours["floor"] + ours["engine"]
    loop = per_path(scenario.with_(**{"run.engine": "loop"}), 1)
    job = Job(short.with_(**{"run.engine": "reference", "run.n_paths": 1}))
    started = time.process_time()
    job.run(1, Progress())
    reference = (time.process_time() - started) / short.clock.n_steps * scenario.clock.n_steps
    accounts = job.population(0).accounts
    marks = np.exp(job.engine.world.block(0, 1).shocks[0]) * scenario.market.price_usd
    minimal = seconds_per_account_step(accounts, marks) * accounts.size * scenario.clock.n_steps
    print(f"P1  {ours['accounts']:,} accounts, {size:,} liquidations identical in three engines")
    print(f"    ladder {ladder * 1e6:,.0f} us/path, loop {(loop['floor'] + loop['engine']) * 1e6:,.0f} us/path")
    print(
        f"    minimal Mesa {minimal:.1f} s/path ({minimal / accounts.size / ours['steps'] * 1e9:.0f} ns/account-step)"
    )
    print(f"    ladder over minimal Mesa   x{minimal / ladder:,.0f}   (at least 10,000, aim 100,000)")
    print(f"    ladder over our reference  x{reference / ladder:,.0f}")
    print(f"    ladder over loop           x{(loop['floor'] + loop['engine']) / ladder:,.1f}")


def p2(repeat: int) -> None:
    ours = per_path(scaled(0.5), repeat)
    normals = np.empty(ours["steps"])
    numba_time = median_seconds(lambda: [numba_normals(normals) for _ in range(100)], repeat) / 100
    total = ours["floor"] + ours["engine"]
    print(
        f"P2  floor {ours['floor'] / ours['steps'] * 1e9:.1f} ns/step, with accounts {total / ours['steps'] * 1e9:.1f}"
    )
    print(f"    share of the floor         {ours['floor'] / total:.0%}   (at least 40 %, aim 70 %)")
    print(f"    floor over numba's normals {ours['floor'] / numba_time:.2f}   (at most 0.5, aim 0.33)")


def p3(repeat: int) -> None:
    small, large = per_path(scaled(0.05), repeat), per_path(scaled(67.0), repeat)
    ratio = (large["floor"] + large["engine"]) / (small["floor"] + small["engine"])
    print(f"P3  {large['accounts']:,} over {small['accounts']:,} accounts: x{ratio:.2f}   (at most 5, aim 1.5)")


def p8(repeat: int) -> None:
    scenario = scaled(1.0, **{"run.n_paths": 8_000, "run.redraw_every": 1_000})
    walls = {1: [], 2: []}
    digests = set()
    stress.run(scenario, 200, threads=2)
    for _ in range(max(2, repeat // 2)):
        for threads in (1, 2):
            started = time.perf_counter()
            digests.add(stress.run(scenario, threads=threads).digest())
            walls[threads].append(time.perf_counter() - started)
    assert len(digests) == 1, "threads change the result"
    one, two = statistics.median(walls[1]), statistics.median(walls[2])
    print(f"P8  two threads: {one / (2 * two):.0%} efficient (at least 90 %, aim 97 %), same digest")


def memory() -> None:
    code = (
        "import stress, resource;"
        f"stress.run(stress.Scenario.load('{DEFAULT}', overrides={{'run.horizon_hours': 8.0}}), 1_000_000);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peak = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    print(f"M   peak memory at 1e6 paths: {peak / 1e6:.2f} GB   (under 1)")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args().repeat
    for measure in (p1, p2, p3, p8):
        measure(repeat)
    memory()
    print(f"    this process peaked at {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
