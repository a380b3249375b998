"""How many paths does importance sampling save, pilot included, and does it agree with counting and with itself?

    python benchmarks/rare.py [--write]

The tiny venue under Merton's jumps, 100 populations, at funds that are ruined with probabilities from 1e-3 to 1e-7.
The gain is the number of counted paths with the same relative error over the paths that were used: a path costs the
same either way.  Two seeds are independent estimators of each other.  What is counted is counted over eight further
seeds: the error of one counted run is twice that of a weighted one, and all rows would share it.  ``--write`` puts the
table into docs/reserve.md.
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
SEEDS = (7, 12_345)
N_PATHS, N_CRUDE, CRUDE_SEEDS = 40_000, 200_000, range(101, 109)
MERTON = {"kind": "merton", "vol_annual": 0.6, "jumps_per_year": 50.0, "jump_mean": -0.005, "jump_sd": 0.03}


def venue(**changes) -> stress.Scenario:
    tables = stress.Scenario.load(CONFIGS / "tiny.toml").plain().tables()
    tables["market"] = {**MERTON, "price_usd": tables["market"]["price_usd"]}
    return stress.Scenario.from_tables(tables).with_(**changes)


def ruin(outcomes: Outcomes, fund: float) -> WeightedRuin:
    """Return the estimate at any fund."""
    facts = replace(outcomes.facts, fund_initial=fund)
    return summarize_weighted(Outcomes(dict(outcomes.columns), facts), levels=(0.5,)).ruin


def weighted(fund: float, seed: int) -> tuple[WeightedRuin, WeightedRuin, float]:
    """Return the estimates at a fund and at the first of them, and the gain."""
    size = {"run.n_paths": N_PATHS, "run.redraw_every": N_PATHS // 100, "run.seed": seed, "reserve.levels": (0.5,)}
    run = importance(venue(**size, **{"fund.initial_usd": fund}))
    found = ruin(run.outcomes, fund)
    if not found.value or not found.relative_error:
        return found, ruin(run.outcomes, FUNDS[0]), float("nan")
    needed = 1.0 / (found.value * found.relative_error**2)
    return found, ruin(run.outcomes, FUNDS[0]), needed / (N_PATHS + run.n_pilot)


def written(found: WeightedRuin) -> str:
    if found.value is None or found.relative_error is None:
        return f"refused ({found.effective:.0f} effective)"
    return f"{found.value:.3g} +- {100 * found.relative_error:.0f} %"


def rows():
    size = {"run.n_paths": N_CRUDE, "run.redraw_every": N_CRUDE // 100, "fund.initial_usd": 1e15}
    runs = [ruin(stress.run(venue(**size, **{"run.seed": seed})), FUNDS[0]) for seed in CRUDE_SEEDS]
    counted = float(np.mean([run.value for run in runs]))
    error = float(np.sqrt(np.sum([(run.value * run.relative_error) ** 2 for run in runs]))) / len(runs)
    for fund in FUNDS:
        (first, near, gain), (second, _, other) = (weighted(fund, seed) for seed in SEEDS)
        apart = "-"
        if None not in (first.value, second.value):
            errors = [x.value * x.relative_error for x in (first, second)]
            apart = f"{(first.value - second.value) / np.hypot(*errors):+.1f}"
        z = (near.value - counted) / np.hypot(near.value * near.relative_error, error)
        yield [f"{fund:,.0f}", written(first), written(second), apart, f"{z:+.1f}", f"{gain:,.0f}, {other:,.0f}"]


HEAD = (
    "fund, USD",
    "ruin, first seed",
    "second seed",
    "apart, errors",
    "from counting at 1e-3, errors",
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
