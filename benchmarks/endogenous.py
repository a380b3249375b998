"""How much of a crash is the venues' own doing?

    python benchmarks/endogenous.py [--write]

The fall of the mark below its start within 24 hours, at the 1 and 0.1 % quantiles: the default, without the venue's own
impact on the mark, and without the other venues' either.  Index and populations are common.
"""

from functools import cache

import numpy as np
from study import (
    DEFAULT,
    by_population,
    markdown,
    paired_ratio,
    percent,
    publish,
    quantile,
    simulate,
    with_interval,
)

import stress

N_PATHS = 100_000
DAY = {"run.horizon_hours": 24.0, "run.n_paths": N_PATHS}
RUNS = {
    "the default": {},
    "own impact kept out of the mark": {"liquidity.pass_through": 0.0, "liquidity.common_liquidation": 1.0},
    "other venues do not liquidate": {"liquidity.common_liquidation": 0.0},
    "neither: the index alone": {"liquidity.pass_through": 0.0, "liquidity.common_liquidation": 0.0},
}
LEVELS = (0.99, 0.999)
HEAD = ("24 h", "1 % fall", "its endogenous share", "0.1 % fall", "its endogenous share")


@cache
def falls(name: str) -> np.ndarray:
    """Return by how much each path's mark fell below its start, one row a population."""
    run = simulate(DEFAULT, **{**DAY, **RUNS[name]})
    return by_population(run, 1.0 - run.price_min / stress.Scenario.load(DEFAULT).market.price_usd)


def endogenous(name: str, level: float) -> str:
    """Return (with - without) / with, in percent, with its interval."""
    ratio, low, high = paired_ratio(falls(name), falls("the default"), level)
    return with_interval(*(100.0 * (1.0 - x) for x in (ratio, high, low)), form=".0f") + " %"


def row(name: str) -> list[str]:
    cells = [name]
    for level in LEVELS:
        cells += [percent(quantile(falls(name), level)), "-" if name == "the default" else endogenous(name, level)]
    return cells


def tables() -> dict[str, str]:
    return {"endogenous": markdown(HEAD, map(row, RUNS))}


if __name__ == "__main__":
    publish(__doc__, tables)
