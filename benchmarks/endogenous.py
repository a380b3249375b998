"""How much of a crash is the venues' own doing?

    python benchmarks/endogenous.py [--write]

The fall of the mark below its start within 24 hours, at the 1 and 0.1 % quantiles, in the default and without what
liquidations do to the mark.  Index and populations are common.  The last rows drop the cap on participation, or
let orders walk the book instead of the square root.
"""

from functools import cache
from typing import Any

import numpy as np
from study import (
    DEFAULT,
    by_population,
    markdown,
    paired_ratio,
    publish,
    quantile,
    simulate,
    with_interval,
)

import stress

N_PATHS = 50_000
DAY: dict[str, Any] = {"run.horizon_hours": 24.0, "run.n_paths": N_PATHS}
ALONE = "the index alone"
RUNS: dict[str, dict[str, Any]] = {
    "the default": {},
    "without the other venues' liquidations": {"liquidity.common_liquidation": 0.0},
    ALONE: {"liquidity.pass_through": 0.0, "liquidity.common_liquidation": 0.0},
    "the default, everything sold at once": {"exchange.disposal": {"kind": "immediate"}},
    "the default, orders walk the book": {"liquidity.impact": {"kind": "book"}},
}
LEVELS = (0.99, 0.999)
HEAD = ("24 h", "1 % fall", "its endogenous share", "0.1 % fall", "its endogenous share")


@cache
def falls(name: str) -> np.ndarray:
    """Return by how much each path's mark fell below its start, one row a population."""
    run = simulate(DEFAULT, **{**DAY, **RUNS[name]})
    return by_population(run, 1.0 - run.price_min / stress.Scenario.load(DEFAULT).market.price_usd)


def endogenous(name: str, level: float) -> str:
    """Return (with - without feedback) / with, with its interval."""
    ratio, low, high = paired_ratio(falls(ALONE), falls(name), level)
    return with_interval((100.0 * (1.0 - x) for x in (ratio, high, low)), form=".1f") + " %"


def row(name: str) -> list[str]:
    cells = [name]
    for level in LEVELS:
        share = "-" if name == ALONE else endogenous(name, level)
        cells += [f"{100.0 * quantile(falls(name), level):.1f} %", share]
    return cells


def tables() -> dict[str, str]:
    return {"endogenous": markdown(HEAD, map(row, RUNS))}


if __name__ == "__main__":
    publish(__doc__, tables)
