"""How many paths does importance sampling save, pilot included, and does it agree with counting and with itself?

    python benchmarks/rare.py [--write]

The tiny venue under Merton's jumps, 100 populations, at funds that are ruined with probabilities from 1e-3 to 1e-7.
The gain is the number of counted paths with the same relative error over the paths that were used: a path costs the
same either way.  Eight seeds, each with a pilot of its own, are independent estimators: their spread over their own
errors is one if these are honest.  What is counted is counted over eight other seeds.  ``--write`` puts the table into
docs/reserve.md.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from study import CONFIGS, between_marks, markdown

import stress
from stress.outcomes import Outcomes
from stress.rare import importance
from stress.summary import summarize_weighted
from stress.summary.weighted import WeightedRuin

PAGE = Path(__file__).parents[1] / "docs" / "reserve.md"
FUNDS = (192_289.0, 668_456.0, 909_829.0, 1_150_000.0)
SEEDS, CRUDE_SEEDS = range(301, 309), range(101, 109)
N_PATHS, N_CRUDE = 40_000, 200_000
MERTON = {"kind": "merton", "vol_annual": 0.6, "jumps_per_year": 50.0, "jump_mean": -0.005, "jump_sd": 0.03}


def venue(**changes) -> stress.Scenario:
    tables = stress.Scenario.load(CONFIGS / "tiny.toml").plain().tables()
    tables["market"] = {**MERTON, "price_usd": tables["market"]["price_usd"]}
    return stress.Scenario.from_tables(tables).with_(**changes)


def ruin(outcomes: Outcomes, fund: float) -> WeightedRuin:
    """Return the estimate at any fund."""
    facts = replace(outcomes.facts, fund_initial=fund)
    return summarize_weighted(Outcomes(dict(outcomes.columns), facts), levels=(0.5,)).ruin


def weighted(fund: float, seed: int) -> tuple[WeightedRuin, float]:
    """Return the estimate at a fund, and the gain; a gain of nothing where it is refused."""
    size = {"run.n_paths": N_PATHS, "run.redraw_every": N_PATHS // 100, "run.seed": seed, "reserve.levels": (0.5,)}
    run = importance(venue(**size, **{"fund.initial_usd": fund}))
    found = ruin(run.outcomes, fund)
    if not found.value or not found.relative_error:
        return found, 0.0
    return found, 1.0 / (found.value * found.relative_error**2) / (N_PATHS + run.n_pilot)


def pooled(found: list[WeightedRuin]) -> tuple[float, float, float]:
    """Return the mean of independent estimates, its error, and the square of their spread over their errors."""
    p = np.array([x.value for x in found if x.value])
    errors = np.array([x.value * x.relative_error for x in found if x.value])
    mean = float(p.mean())
    return (
        mean,
        float(np.sqrt(np.square(errors).sum())) / p.size,
        float(np.square((p - mean) / errors).sum() / (p.size - 1)),
    )


def rows():
    size = {"run.n_paths": N_CRUDE, "run.redraw_every": N_CRUDE // 100, "fund.initial_usd": 1e15}
    runs = [stress.run(venue(**size, **{"run.seed": seed})) for seed in CRUDE_SEEDS]
    for fund in FUNDS:
        counted = pooled([ruin(run, fund) for run in runs]) if fund == FUNDS[0] else None
        found = [weighted(fund, seed) for seed in SEEDS]
        mean, error, spread = pooled([row for row, _ in found])
        answered, gains = sum(bool(row.value) for row, _ in found), sorted(gain for _, gain in found)
        apart = "-" if counted is None else f"{(mean - counted[0]) / np.hypot(error, counted[1]):+.1f}"
        yield [
            f"{fund:,.0f}",
            f"{mean:.3g} +- {100 * error / mean:.1f} %",
            f"{answered} of {len(found)}",
            f"{spread:.1f}",
            "-" if counted is None else f"{counted[0]:.3g} +- {100 * counted[1] / counted[0]:.1f} %",
            apart,
            f"{gains[0]:,.0f} to {gains[-1]:,.0f}",
        ]


HEAD = (
    "fund, USD",
    "ruin, mean of eight seeds",
    "answered",
    "spread, over errors, squared",
    "counted, 1.6 m paths",
    "apart, errors",
    "gain, by seed",
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the table of docs/reserve.md")
    asked = parser.parse_args()
    table = markdown(HEAD, rows())
    print(table)
    if asked.write:
        PAGE.write_text(between_marks(PAGE.read_text(encoding="utf-8"), "gain", table), encoding="utf-8")
