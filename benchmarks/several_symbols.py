"""How fast is cross margin over three symbols?  Side by side in one run, in process CPU time.

    python benchmarks/several_symbols.py [--paths 16]

Account-steps a second of the account loop on ``configs/cross_margin.toml`` (coins as collateral included), with and
without skipping; what of it is the price and what the desks; and the efficiency of two threads.
"""

import argparse
import time

import numpy as np

import stress
from stress.engines.base import Job

CONFIG = "configs/cross_margin.toml"


def seconds(action) -> float:
    """Return the process time of an action."""
    started = time.process_time()
    action()
    return time.process_time() - started


def shadow(job: Job, n: int, *, skips: int = 1, halted: bool = False):
    """Return an action that runs `n` paths on the shadow fund."""
    population, engine = job.population(0), job.engine
    block = engine.world.block(0, n)
    if halted:
        block = block._replace(halts=np.ones_like(block.halts))
    none = engine.ledger(population, 0)

    def act():
        engine.skips = skips
        engine.shadow(population, block, 0, none, np.empty((n, 0)))

    return act


def measure(scenario: stress.Scenario, n: int) -> None:
    """Print the rates of one scenario."""
    job = Job(scenario)
    accounts, steps = job.population(0).accounts.size, scenario.clock.n_steps
    job.engine.warm(job.population(0))
    every = accounts * steps
    fast, slow = seconds(shadow(job, n)) / n, seconds(shadow(job, 1, skips=0))
    desks, market = seconds(shadow(job, n, halted=True)) / n, seconds(lambda: job.engine.world.block(0, n)) / n
    print(f"{accounts:,} accounts, {job.population(0).portfolios.legs.size:,} legs, {steps:,} steps")
    print(f"    {every / fast / 1e6:,.0f} million account-steps a second on one core  (at least 100 on two)")
    print(f"    {every / slow / 1e6:,.1f} million without skipping: skipping is x{slow / fast:,.0f}")
    print(f"    {fast * 1e3:.1f} ms a path, of which desks {desks * 1e3:.1f}; prices {market * 1e3:.1f} more")


def threads(scenario: stress.Scenario, n: int) -> None:
    """Print what a second thread is worth."""
    walls, digests = {}, set()
    for count in (1, 2):
        outcomes = stress.run(scenario, n, threads=count)
        walls[count] = outcomes.facts.elapsed_s["simulate"]
        digests.add(outcomes.digest())
    assert len(digests) == 1, "threads change the result"
    print(f"two threads: {walls[1] / walls[2] / 2:.0%} efficient, same digest")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paths", type=int, default=16)
    n = parser.parse_args().paths
    scenario = stress.Scenario.load(CONFIG)
    measure(scenario, n)
    measure(scenario.with_(collateral=[]), n)
    counts = {f"population.{i}.count": 5 * c.count for i, c in enumerate(scenario.population) if c.laws}
    measure(scenario.with_(**counts), n)
    threads(scenario, 20 * n)


if __name__ == "__main__":
    main()
