"""Does the reserve rise with the share of the largest holder?

    python benchmarks/whale_share.py [--write]

One holder of 1 to 20 % of the long side, always in 20 wallets at the same leverage and distance: in `whale`, whose
crowd is out of reach, and in the default, whose crowd is not.
"""

from functools import cache

from study import (
    CONFIGS,
    DEFAULT,
    by_population,
    markdown,
    millions,
    paired_ratio,
    publish,
    quantile,
    simulate,
    with_interval,
)

import stress

N_PATHS = 20_000
SHARES = (0.01, 0.02, 0.05, 0.10, 0.20)
LEVELS = (0.99, 0.999)
BOOKS = {"`whale`": CONFIGS / "whale.toml", "the default": DEFAULT}


def whale_key(config) -> str:
    """Return the key of the whale's share."""
    kinds = [cohort.kind for cohort in stress.Scenario.load(config).population]
    return f"population.{kinds.index('whale')}.share"


@cache
def drawdowns(book: str, share: float):
    config = BOOKS[book]
    run = simulate(config, **{"run.n_paths": N_PATHS, whale_key(config): share})
    return by_population(run, run.drawdown)


def row(book: str, level: float) -> list[str]:
    runs = [drawdowns(book, share) for share in SHARES]
    reserves = [quantile(x, level) for x in runs]
    ratio = with_interval(paired_ratio(runs[-1], runs[0], level), form=".1f")
    never_falls = "yes" if reserves == sorted(reserves) else "**no**"
    return [f"{book}, {100 * level:g} %", *map(millions, reserves), ratio, never_falls]


def tables() -> dict[str, str]:
    head = ("reserve, USD m", *(f"whale of {100 * s:g} %" for s in SHARES), "largest over smallest", "never falls")
    return {"whale": markdown(head, [row(book, level) for book in BOOKS for level in LEVELS])}


if __name__ == "__main__":
    publish(__doc__, tables)
