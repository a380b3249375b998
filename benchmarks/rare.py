"""How many paths does importance sampling save, pilot included, and does it agree with counting and with itself?

    python benchmarks/rare.py [--write] [--only gain_merton|gain_default]

The tiny venue under Merton's jumps, at funds that are ruined with probabilities from 1e-3 to 1e-7, and the default
venue, from 1e-2 to 1e-5.  The gain is the number of counted paths with the same relative error over the paths that were
used: a path costs the same either way.  Eight seeds, each with a pilot of its own, are independent estimators: their
spread over their own errors is one if these are honest.  What is counted is counted over eight other seeds.
``--write`` puts the tables into docs/reserve.md.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from study import BOTTOMLESS, CONFIGS, DEFAULT, by_population, markdown, write_blocks

import stress
from stress.outcomes import Outcomes
from stress.rare import importance
from stress.summary import summarize_weighted
from stress.summary.weighted import WeightedRuin

PAGE = Path(__file__).parents[1] / "docs" / "reserve.md"
SEEDS, CRUDE_SEEDS = range(301, 309), range(101, 109)
FEWEST_COUNTED = 100  # ruined paths, below which a count says too little
MERTON = {"kind": "merton", "vol_annual": 0.6, "jumps_per_year": 50.0, "jump_mean": -0.005, "jump_sd": 0.03}


def venue(**changes) -> stress.Scenario:
    tables = stress.Scenario.load(CONFIGS / "tiny.toml").plain().tables()
    tables["market"] = {**MERTON, "price_usd": tables["market"]["price_usd"]}
    return stress.Scenario.from_tables(tables).with_(**changes)


def default(**changes) -> stress.Scenario:
    return stress.Scenario.load(DEFAULT).plain().with_(**changes)


@dataclass(frozen=True)
class Case:
    """A venue, its funds, and the paths of a weighted and of a counted run of one seed."""

    scenario: Callable[..., stress.Scenario]
    funds: tuple[float, ...]
    n_paths: int
    n_crude: int

    def weighted(self, fund: float, seed: int) -> tuple[WeightedRuin, float]:
        """Return the estimate at a fund, and the gain; a gain of nothing where it is refused."""
        run = importance(self.sized(self.n_paths, seed, fund))
        found = ruin(run.outcomes, fund)
        if not found.value or not found.relative_error:
            return found, 0.0
        return found, 1.0 / (found.value * found.relative_error**2) / (self.n_paths + run.n_pilot)

    def sized(self, n_paths: int, seed: int, fund: float) -> stress.Scenario:
        """Return the scenario with 100 populations and a fund at which the pilot aims."""
        size = {"run.n_paths": n_paths, "run.redraw_every": n_paths // 100, "run.seed": seed}
        return self.scenario(**size, **{"fund.initial_usd": fund, "reserve.levels": (0.5,)})


CASES = {
    "gain_merton": Case(venue, (192_289.0, 668_456.0, 909_829.0, 1_150_000.0), 40_000, 200_000),
    "gain_default": Case(default, (20e6, 88e6, 240e6, 500e6), 40_000, 200_000),
}


def ruin(outcomes: Outcomes, fund: float) -> WeightedRuin:
    """Return the estimate at any fund."""
    facts = replace(outcomes.facts, fund_initial=fund)
    return summarize_weighted(Outcomes(dict(outcomes.columns), facts), levels=(0.5,)).ruin


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


def rows(case: Case) -> Iterator[list[str]]:
    """Yield a row for every fund."""
    runs = [stress.run(case.sized(case.n_crude, seed, BOTTOMLESS)) for seed in CRUDE_SEEDS]
    for fund in case.funds:
        yield row(fund, [case.weighted(fund, seed) for seed in SEEDS], counts(runs, fund))


def counts(runs: list[Outcomes], fund: float) -> tuple[float, float] | None:
    """Return the ruined share of all paths and its error by population; None where too few are ruined."""
    if sum(np.count_nonzero(run.drawdown > fund) for run in runs) < FEWEST_COUNTED:
        return None
    shares = np.concatenate([by_population(run, run.drawdown > fund).mean(axis=1) for run in runs])
    return float(shares.mean()), float(shares.std(ddof=1) / np.sqrt(shares.size))


def row(fund: float, found: list[tuple[WeightedRuin, float]], counted: tuple[float, float] | None) -> list[str]:
    mean, error, spread = pooled([estimate for estimate, _ in found])
    answered, gains = sum(bool(estimate.value) for estimate, _ in found), sorted(gain for _, gain in found)
    apart = "-" if counted is None else f"{(mean - counted[0]) / np.hypot(error, counted[1]):+.1f}"
    return [
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
    parser.add_argument("--write", action="store_true", help="write the tables of docs/reserve.md")
    parser.add_argument("--only", choices=CASES)
    asked = parser.parse_args()
    tables = {name: markdown(HEAD, rows(case)) for name, case in CASES.items() if asked.only in (None, name)}
    print("\n\n".join(tables.values()))
    if asked.write:
        write_blocks(tables, PAGE)
