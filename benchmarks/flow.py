"""Does the model liquidate as much as venues do, and does the fund grow as funds have grown?

    python benchmarks/flow.py [--write]

Flow: 24 hours that start with the volatility of the observed period, liquidated notional over open interest.
BitMEX 2018-20: what a static book of a given leverage gives, against what was liquidated.
Growth: the default's median year, and what the fund keeps of the liquidated notional.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from study import CONFIGS, DEFAULT, markdown, percent, publish, simulate, variant, with_interval

import stress

N_PATHS, N_LEDGER = 20_000, 2_000
N_GROWTH = 40_000
MEAN_BAND, MEDIAN_BAND, LONG_BAND = 1.5, 2.0, (0.60, 0.85)
LIMIT_25X = {f"population.{i}.leverage_max": 25.0 for i in range(4)}


@dataclass(frozen=True, eq=False)
class Book:
    """A book, the volatility of the period, and the mean, median and long share observed then."""

    name: str
    config: Path
    volatility: float
    observed: tuple[float, float, float | None]
    changes: dict = field(default_factory=dict)


BTC, ETH = (0.0128, 0.0112, 0.73), (0.0059, 0.0032, None)
BOOKS = (
    Book("BTC, the default", DEFAULT, 0.48, BTC),
    Book("ETH, the default's book, at most 25x", DEFAULT, 0.68, ETH, LIMIT_25X),
    Book("ETH, `eth_perpetual`, fitted to the flow", CONFIGS / "eth_perpetual.toml", 0.68, ETH),
)


def of_the_day(volatility: float) -> dict:
    """Return a day that starts, and on average stays, at a volatility."""
    today = {"market.start": "today", "market.vol_annual": volatility, "market.vol_today_annual": volatility}
    return {"run.horizon_hours": 24.0, "run.n_paths": N_PATHS, **today}


def long_share(scenario: stress.Scenario) -> float:
    """Return the longs' share of the liquidated quantity, from the ledger of fewer paths of as many populations."""
    few = scenario.with_(**{"run.n_paths": N_LEDGER})
    ledger = stress.run(few, ledger=True).ledger
    assert ledger is not None
    qty = ledger["qty"]
    return float(qty[qty > 0.0].sum() / np.abs(qty).sum())


def measure(config: Path, changes: dict) -> tuple[float, float, float]:
    """Return mean and median of liquidated notional over open interest, and the long share."""
    run = simulate(config, **changes)
    share = run.liquidated_notional / run.facts.open_interest
    return float(share.mean()), float(np.median(share)), long_share(variant(config, **changes))


def within(value: float, observed: float, band: float) -> bool:
    return observed / band <= value <= observed * band


def verdict(found: tuple[float, float, float], observed: tuple[float, float, float | None]) -> str:
    """Return which of the three bands are missed."""
    checks = {
        "mean": within(found[0], observed[0], MEAN_BAND),
        "median": within(found[1], observed[1], MEDIAN_BAND),
        "long share": LONG_BAND[0] <= found[2] <= LONG_BAND[1],
    }
    missed = [name for name, hit in checks.items() if not hit]
    return f"**miss**: {', '.join(missed)}" if missed else "hit"


def fine(value: float | None) -> str:
    return "-" if value is None else f"{100.0 * value:.2f} %"


def flow_row(book: Book) -> list[str]:
    found = measure(book.config, {**of_the_day(book.volatility), **book.changes})
    pairs = zip((fine(found[0]), fine(found[1]), percent(found[2])), book.observed, strict=True)
    sides = [f"{mine} ({'-' if theirs is None else fine(theirs)})" for mine, theirs in pairs]
    ratios = f"{found[0] / book.observed[0]:.2f}, {found[1] / book.observed[1]:.2f}"
    return [book.name, f"{book.volatility:g}", *sides, ratios, verdict(found, book.observed)]


FLOW_HEAD = (
    "book",
    "volatility",
    "mean a day (observed)",
    "median (observed)",
    "long share (observed)",
    "factors of mean, median",
    "in the bands",
)

# BitMEX 2018-20: one tier, the whole margin confiscated, leverage whatever the size.
BITMEX = {
    "run.horizon_hours": 24.0,
    "run.n_paths": N_PATHS,
    "market.vol_annual": 0.75,
    "exchange.fee": {"kind": "confiscate"},
    "tier": [{"cap_usd": 1e9, "max_leverage": 100.0, "maintenance_margin_rate": 0.005}],
}
BITMEX_BAND = (0.03, 0.06)  # 3.51 % of longs and 1.89 % of shorts were observed
NO_FEEDBACK = {"liquidity.pass_through": 0.0, "liquidity.common_liquidation": 0.0}
# (share of the book, median leverage, its spread in logs), whatever the size of the account.
MIXES = {
    "mean 24x, 80th percentile 46x": ((0.75, 11.5, 0.5), (0.25, 57.0, 0.2)),
    "mean 25x, narrow": ((1.0, 24.5, 0.2),),
    "mean 15x": ((1.0, 14.7, 0.2),),
    "mean 10x": ((1.0, 9.8, 0.2),),
    "mean 9x": ((1.0, 8.8, 0.2),),
    "mean 7x": ((1.0, 6.9, 0.2),),
}


def trader(i: int, share: float, leverage: float, spread: float) -> dict:
    """Return a cohort of which as much is long as short, with entries at the price of now: leverage is effective."""
    size = {"kind": "lognormal_pareto", "sigma": 2.0, "tail_index": 1.05}
    free = {"leverage_max": 100.0, "cap_at_10k_usd": 125.0, "cap_exponent": 0.0}
    laws = {"leverage_median": leverage, "leverage_sigma": spread, "size": size, "holding_hours": 0.0, **free}
    sides = {"long_share": share, "short_share": share, "count": round(10_000 * share)}
    return {"kind": "trader", "name": f"levered_{i}", **sides, **laws}


def bitmex(mix: tuple) -> dict:
    """Return the changes that make a venue of that mix."""
    makers = {"kind": "maker", "name": "makers", "collateral_usd": 1e9}
    return {**BITMEX, "population": [*(trader(i, *part) for i, part in enumerate(mix)), makers]}


def bitmex_row(name: str) -> list[str]:
    changes = bitmex(MIXES[name])
    mean, median, longs = measure(DEFAULT, changes)
    alone = simulate(DEFAULT, **{**changes, **NO_FEEDBACK})
    plain = float(alone.liquidated_notional.mean() / alone.facts.open_interest)
    hit = BITMEX_BAND[0] <= mean <= BITMEX_BAND[1]
    return [name, percent(mean), percent(median), percent(longs), percent(plain), "hit" if hit else "**miss**"]


BITMEX_HEAD = (
    "effective leverage of all open interest",
    "mean a day (observed 5.4 %)",
    "median",
    "long share (observed 65 %)",
    "mean without feedback",
    "in 3-6 %",
)


def growth() -> str:
    """Return the growth of the default's fund against its band."""
    found = stress.summarize(simulate(DEFAULT, **{"run.n_paths": N_GROWTH, "fund.initial_usd": fund()})).growth
    rows = [
        ["median growth of the fund a year", estimate(found.year, 0), "0 to 100 %; BitMEX 2019: +61 %"],
        ["net income over liquidated notional", estimate(found.per_liquidated, 2), "BitMEX 2019: 0.47 %"],
        ["liquidated a day over open interest", estimate(found.liquidated_per_day, 2), "above"],
    ]
    return markdown(("default, 72 h, through the cycle", "simulated", "observed"), rows)


def fund() -> float:
    return stress.Scenario.load(DEFAULT).fund.initial_usd


def estimate(found, digits: int) -> str:
    if found is None:
        return "-"
    return with_interval((100.0 * x for x in (found.value, found.low, found.high)), form=f".{digits}f") + " %"


def tables() -> dict[str, str]:
    return {
        "flow": markdown(FLOW_HEAD, map(flow_row, BOOKS)),
        "bitmex": markdown(BITMEX_HEAD, map(bitmex_row, MIXES)),
        "growth": growth(),
    }


if __name__ == "__main__":
    publish(__doc__, tables)
