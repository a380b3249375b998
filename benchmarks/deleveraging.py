"""What does it cost customers that a deleveraged winner hedges anew?

    python benchmarks/deleveraging.py [--write]

`exchange.adl_rehedge` is the share of what ADL has closed that winners hedge anew outside, and no longer quote.
Shown with ADL after a small fund and with ADL before the fund, populations and random numbers in common.
A path on which ADL comes first leaves the ladder at its first bankruptcy, so there are fewer of them.
"""

from functools import cache
from typing import Any

import numpy as np
from study import (
    DEFAULT,
    by_population,
    markdown,
    millions,
    paired_difference,
    percent,
    publish,
    quantile,
    simulate,
    variant,
    with_interval,
)

SMALL: dict[str, Any] = {"run.n_paths": 40_000, "fund.initial_usd": 10e6}
FIRST: dict[str, Any] = {
    **SMALL,
    "run.n_paths": 1_000,
    "layer": [{"kind": "adl"}, {"kind": "fund"}, {"kind": "socialize"}],
}
ORDERS = {"fund of USD 10 m, then ADL": SMALL, "ADL, then a fund of USD 10 m": FIRST}
REHEDGED = (0.0, 1.0)
HEAD = (
    "order, paths",
    "hedged anew",
    "P(ADL)",
    "deleveraged a path, USD m",
    "more than without",
    "on the worst 1 % of paths, USD m",
    "lowest mark, 1 % of paths",
    "99 % reserve, USD m",
)


@cache
def run(order: str, share: float):
    return simulate(DEFAULT, **{**ORDERS[order], "exchange.adl_rehedge": share})


def more(order: str, share: float) -> str:
    """Return how much more is deleveraged than without hedging, USD m, with its interval."""
    found, base = (by_population(x, x.deleveraged_notional / 1e6) for x in (run(order, share), run(order, 0.0)))
    return with_interval(paired_difference(found, base), form="+.2f")


def row(order: str, share: float) -> list[str]:
    found = run(order, share)
    taken = found.deleveraged_notional
    worst = taken[taken >= np.quantile(taken, 0.99)].mean()
    low = quantile(found.price_min, 0.01) / variant(DEFAULT).market.price_usd
    name = [f"{order}; {found.n_paths:,}", percent(share), percent((taken > 0.0).mean())]
    cells = [f"{taken.mean() / 1e6:.2f}", more(order, share) if share else "-", millions(worst)]
    return [*name, *cells, percent(low - 1.0), millions(quantile(found.drawdown, 0.99))]


def tables() -> dict[str, str]:
    return {"deleveraging": markdown(HEAD, [row(order, share) for order in ORDERS for share in REHEDGED])}


if __name__ == "__main__":
    publish(__doc__, tables)
