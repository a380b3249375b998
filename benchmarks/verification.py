"""Does the package find known answers?  The table of the model-risk document.

    python benchmarks/verification.py [--write]

``--write`` writes `stress/summary/verification.toml`.  One fixed seed each; the tests (`tests/oracles`) check more of
them, at more parameters.
"""

import argparse
import math
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import tomli_w
from scipy import stats
from study import ROOT, markdown

import stress
from stress.claims import ClaimsModel, simulate
from stress.summary import brownian_ruin, exponential_reserve, exponential_ruin, quantile_interval
from stress.summary.increments import outcomes_from_increments
from stress.summary.verification import SHIPPED, Verified

ORACLES = ROOT / "tests" / "oracles"
N_PATHS = 400_000
ASMUSSEN = "Asmussen & Albrecher (2010), Ruin Probabilities, ch. IV-V"
BLACK = "Black (1976), J. Financial Economics 3"


def of_mean(law: str, quantity: str, source: str, exact: float, sample: np.ndarray) -> Verified:
    sample = np.asarray(sample, dtype=float)
    return Verified(law, quantity, source, exact, float(sample.mean()), float(sample.std() / math.sqrt(sample.size)))


def of_quantile(law: str, quantity: str, source: str, exact: float, sample: np.ndarray, level: float) -> Verified:
    """Take the standard error from the order-statistic interval."""
    found = quantile_interval(sample, level)
    error = (found.high - found.low) / (2.0 * stats.norm.ppf(0.975))
    return Verified(law, quantity, source, exact, found.value, float(error))


def insurer() -> Iterator[Verified]:
    """Exponential claims with a loading of 0.3, over 26 mean claims' time."""
    law, units = "Poisson claims, exponential, loading 0.3", {"rate": 1 / 1.3, "mean_claim": 1.0, "premium": 1.0}
    tables = {
        "frequency": {"kind": "poisson", "rate_per_year": units["rate"]},
        "severity": {"kind": "exponential"},
        "income": {"premium_usd_per_year": 1.0},
        "run": {"n_paths": N_PATHS, "seed": 10, "horizon_hours": 26 * 8760.0},
    }
    drawdown = simulate(ClaimsModel.from_tables(tables)).drawdown
    for u in (5.0, 10.0, 20.0):
        exact = exponential_ruin(u, years=26, **units)
        yield of_mean(law, f"ruin of a fund of {u:g} within 26 years", ASMUSSEN, exact, drawdown > u)
    reserve = exponential_reserve(0.995, years=26, **units)
    yield of_quantile(law, "reserve at 99.5 %, 26 years", ASMUSSEN, reserve, drawdown, 0.995)


def brownian() -> Iterator[Verified]:
    """The fund 10 + 2 t + 5 W(t) over a year, its minimum drawn exactly."""
    law, source = "Brownian fund, 10 + 2 t + 5 W", "reflection principle; Karatzas & Shreve (1991), section 3.5"
    tables = {
        "frequency": {"kind": "poisson", "rate_per_year": 1e-9},
        "severity": {"kind": "exponential"},
        "income": {"premium_usd_per_year": 2.0, "noise_usd": 5.0},
        "run": {"n_paths": N_PATHS, "seed": 12, "horizon_hours": 8760.0},
    }
    drawdown = simulate(ClaimsModel.from_tables(tables)).drawdown
    exact = brownian_ruin(10.0, years=1.0, premium=2.0, sd=5.0)
    yield of_mean(law, "ruin within a year, by the path's minimum", source, exact, drawdown > 10.0)


def walk() -> Iterator[Verified]:
    """Discrete maxima of Gaussian sums."""
    rng, k = np.random.default_rng(14), np.arange(1, 101)
    found = outcomes_from_increments(rng.standard_normal((50_000, 100)), fund_initial=10.0)
    exact = float(np.sum(k**-0.5) / math.sqrt(2 * math.pi))
    yield of_mean("100 normal steps", "mean deepest fall", "Spitzer (1956)", exact, found.drawdown)


def venue() -> Iterator[Verified]:
    """One account of 20x in the simulator itself, under Brownian and jumping prices."""

    def run(name: str) -> stress.Outcomes:
        return stress.run(stress.Scenario.load(ORACLES / f"{name}.toml"))

    hourly, source = run("one_account"), "panelled quadrature of the surviving density"
    law = "one long at 20x, Brownian price, 80 % a year, one day"
    rows = (
        ("liquidated, hourly checks", 0.229077926497, hourly.liquidated_accounts),
        ("bad debt, hourly checks", 17.8205342172, hourly.bad_debt),
        ("surplus, hourly checks", 18.507649564, hourly.surplus),
        ("liquidated, checks every minute", 0.26870086358, run("d03_minutes").liquidated_accounts),
    )
    for quantity, exact, sample in rows:
        yield of_mean(law, quantity, source, exact, sample)
    yield of_mean(law, "bad debt, one check a day", BLACK, 108.735281049, run("d06_gap").bad_debt)


def answers() -> list[Verified]:
    return [row for study in (insurer, brownian, walk, venue) for row in study()]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write stress/summary/verification.toml")
    asked, found = parser.parse_args(), answers()
    head = ("law", "quantity", "exact", "simulated", "z")
    print(markdown(head, [(r.law, r.quantity, f"{r.exact:.6g}", f"{r.simulated:.6g}", f"{r.z:+.1f}") for r in found]))
    if asked.write:
        made = {"as_of": f"{datetime.now(UTC):%Y-%m-%d}", "answer": [vars(row) for row in found]}
        note = "# Written by benchmarks/verification.py --write; do not edit.\n"
        SHIPPED.write_text(note + tomli_w.dumps(made), encoding="utf-8")
