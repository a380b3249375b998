"""Does one frozen parameter set reproduce what history took from insurance funds?

    python benchmarks/event_panel.py            print the panel
    python benchmarks/event_panel.py --write    and write stress/summary/hindcasts.toml and docs/believable.md

Impact, participation, half-life and depth curve are the default scenario's for every event; nothing is fitted.  An
event's file in configs/events holds what was observable then.  Where a figure was not, RANGES says how far it may
lie, and the panel shows the result over joint draws of all of them.

The loss is what the fund has lost at the horizon, inventory marked at what it would fetch, whoever would have
borne it: each event is run with a fund that cannot be emptied, and compared with the fund and the liquidations.
"""

import argparse
import math
import tomllib
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import tomli_w
from study import BOTTOMLESS, CONFIGS, ROOT, markdown, percent, write_blocks

import stress

FOLDER = CONFIGS / "events"
HINDCASTS = ROOT / "stress" / "summary" / "hindcasts.toml"
AS_OF = "2026-11-22"
PARAMETERS = (
    "The default's square-root impact (Y = 1), 10 % participation, 30 min half-life, pass-through 0.3 and depth "
    "curve for every event, and the renewal of a crowd at its defaults; nothing is fitted to any of them."
)

# What is frozen: the same numbers in every event as in the default scenario.  Sizes and volatilities of the market
# (volume_usd_per_day, depth_usd, vol_annual, impact.vol_daily) are observables and are not here.
FROZEN = (
    "liquidity.impact.kind",
    "liquidity.impact.prefactor",
    "liquidity.pass_through",
    "liquidity.permanent_share",
    "liquidity.half_life_minutes",
    "liquidity.source",
    "liquidity.depth_stress",
    "liquidity.volume_response",
    "liquidity.recovery_per_minute",
    "exchange.disposal.participation",
    "run.step_seconds",
)

PER_LIQUIDATED, PER_FUND = "fund loss / liquidated", "fund loss / fund"
FACTOR = 3.0  # a hit is within
DRAWS = 200
SIGMA = "liquidity.impact.vol_daily"
VOLUME = "liquidity.volume_usd_per_day"
CROWD = {
    "population.0.leverage_median": (10.0, 25.0),
    "population.0.short_share": (0.3, 0.9),
    "exchange.fee.rate": (0.005, 0.0125),
    "renewal.reentry_hours": (6.0, 72.0),
}


@dataclass(frozen=True, eq=False)
class Event:
    """One event: its file, what was observed, and the ranges of what was not."""

    config: str
    name: str
    measure: str
    observed: float
    ranges: dict[str, tuple[float, float]]
    with_ranges: dict[str, float] = field(default_factory=dict)  # what the rulebook must allow for the ranges
    hours: float | None = None  # when it was observed, if before the horizon of the file
    miss: str = ""  # why the frozen set misses it, if it does


EVENTS = (
    Event("okex_2018", "OKEx, August 2018", PER_LIQUIDATED, 0.066, {VOLUME: (0.4e9, 2.0e9)}),
    Event(
        "binance_march_2020",
        "Binance, March 2020",
        PER_FUND,
        0.52,
        {**CROWD, VOLUME: (1.0e9, 2.5e9), "shock.2.minutes": (10.0, 45.0), "shock.5.minutes": (10.0, 30.0)},
    ),
    Event(
        "bitmex_march_2020",
        "BitMEX, March 2020",
        PER_FUND,
        0.046,
        {**{key: CROWD[key] for key in CROWD if "fee" not in key}, VOLUME: (2.0e9, 5.0e9)},
        hours=24.0,  # the snapshot of the 12th
    ),
    Event(
        "binance_may_2020",
        "Binance, May 2020",
        PER_FUND,
        0.63,
        {
            **CROWD,
            VOLUME: (1.5e9, 4.0e9),
            "exchange.open_interest_usd": (252e6, 270e6),
            "shock.1.minutes": (5.0, 15.0),
        },
    ),
    Event(
        "dydx_yfi_2023",
        "dYdX YFI, November 2023",
        PER_LIQUIDATED,
        0.24,
        {VOLUME: (20e6, 200e6), SIGMA: (0.06, 0.12), "tier.0.maintenance_margin_rate": (0.03, 0.09)},
    ),
    Event(
        "hyperliquid_eth_2025",
        "Hyperliquid ETH whale, March 2025",
        PER_LIQUIDATED,
        0.013,
        {VOLUME: (0.6e9, 2.0e9), SIGMA: (0.036, 0.08)},
    ),
    Event(
        "hyperliquid_popcat_2025",
        "Hyperliquid POPCAT, November 2025",
        PER_LIQUIDATED,
        0.19,
        {
            VOLUME: (10e6, 100e6),
            SIGMA: (0.06, 0.12),
            "shock.0.minutes": (5.0, 60.0),
            "population.0.collateral_usd": (160_900.0, 276_700.0),
        },
        {"tier.0.max_leverage": 9.9},
    ),
    Event(
        "hyperliquid_jelly_2025",
        "Hyperliquid JELLY, March 2025",
        PER_LIQUIDATED,
        2.65,  # USD 10.6 m on 4 m; up to 13.5 m, or on as much as 6 m
        {
            VOLUME: (10e6, 100e6),
            SIGMA: (0.06, 0.12),
            "shock.0.minutes": (15.0, 60.0),
            "shock.0.move": (3.0, 4.0),
        },
    ),
)

NO_SIZE = "no figure for the venue's open interest on the day before"
NOT_EXPRESSIBLE = (
    ("Deribit, March 2020", PER_FUND, 0.53, NO_SIZE),
    ("OKEx, March 2020", PER_FUND, 0.47, NO_SIZE),
    (
        "Binance, May 2021",
        PER_FUND,
        0.0107,
        "an outage that keeps customers out and leaves back-filled prints: the figure is not clean evidence",
    ),
)


@cache
def scenario_of(event_config: str) -> stress.Scenario:
    return stress.Scenario.load(FOLDER / f"{event_config}.toml")


def until(scenario: stress.Scenario, hours: float) -> stress.Scenario:
    """Return the scenario cut off at a time."""
    shocks = [shock for shock in scenario.tables()["shock"] if shock["at_hours"] < hours]
    return scenario.with_(**{"run.horizon_hours": hours, "shock": shocks})


def ratios(event: Event, **overrides) -> np.ndarray:
    """Return the loss ratio of every path, shape (n_paths,)."""
    scenario = scenario_of(event.config)
    if event.hours is not None:
        scenario = until(scenario, event.hours)
    run = stress.run(scenario.with_(**{**overrides, **scenario.with_fund(BOTTOMLESS)}))
    loss = BOTTOMLESS - run.fund_end
    return loss / (run.liquidated_notional if event.measure == PER_LIQUIDATED else scenario.fund_initial)


def simulated(event: Event, **overrides) -> float:
    """Return the median loss ratio: over the books that the crowd may have been, or of the one given book."""
    return float(np.median(ratios(event, **overrides)))


def draw(event: Event, rng: np.random.Generator) -> dict[str, float]:
    """Draw everything that is assumed, log-uniformly and independently, within its range."""
    drawn = {key: math.exp(rng.uniform(math.log(a), math.log(b))) for key, (a, b) in event.ranges.items()}
    if SIGMA in drawn:  # one volatility: of the impact law and of the depth curve
        drawn["liquidity.vol_annual"] = drawn[SIGMA] * math.sqrt(365.0)
    return {**event.with_ranges, **drawn}


def spread(event: Event, n: int = DRAWS) -> tuple[float, float, float]:
    """Return the 5 %, 50 % and 95 % points over joint draws of what is assumed, each with a book of its own."""
    rng = np.random.default_rng(7)
    values = [simulated(event, **{**draw(event, rng), "run.n_paths": 1, "run.seed": i}) for i in range(n)]
    low, median, high = np.quantile(values, (0.05, 0.5, 0.95))
    return float(low), float(median), float(high)


def factor(simulated_ratio: float, observed: float) -> float:
    return simulated_ratio / observed


def is_hit(simulated_ratio: float, observed: float) -> bool:
    return 1.0 / FACTOR <= factor(simulated_ratio, observed) <= FACTOR


def rank_correlation(a, b) -> float:
    """Return Spearman's rho (no ties expected)."""
    ranks = [np.argsort(np.argsort(values)) for values in (a, b)]
    return float(np.corrcoef(*ranks)[0, 1])


PREFACTORS = np.array([0.125, 0.25, 0.5, 1.0, 2.0, 4.0])


def by_prefactor(event: Event, fine: np.ndarray) -> np.ndarray:
    """Return the log loss ratio at every Y of `fine`, interpolated between those of PREFACTORS."""
    values = [simulated(event, **{"liquidity.impact.prefactor": y}) for y in PREFACTORS]
    return np.interp(np.log(fine), np.log(PREFACTORS), np.log(np.maximum(values, 1e-6)))


def leave_one_out() -> list[tuple[float, float]]:
    """Return, for every event, the prefactor Y fitted to all others and the loss ratio that it predicts."""
    fine = np.geomspace(PREFACTORS[0], PREFACTORS[-1], 501)
    logs = np.array([by_prefactor(event, fine) for event in EVENTS])
    misses = (logs - np.log([[event.observed] for event in EVENTS])) ** 2
    best = [int(np.argmin(np.delete(misses, i, axis=0).sum(axis=0))) for i in range(len(EVENTS))]
    return [(float(fine[k]), float(np.exp(logs[i, k]))) for i, k in enumerate(best)]


@dataclass(frozen=True)
class Row:
    event: Event
    simulated: float
    low: float
    median: float
    high: float
    fitted: tuple[float, float]
    without_impact: float


def panel() -> list[Row]:
    fits = leave_one_out()
    silent = {"liquidity.impact.prefactor": 1e-3}
    return [
        Row(event, simulated(event), *spread(event), fit, simulated(event, **silent))
        for event, fit in zip(EVENTS, fits, strict=True)
    ]


HEAD = (
    "event",
    "measure",
    "observed",
    "simulated",
    "5-95 % over what is assumed",
    "factor",
    "within 3",
    "with Y fitted to the others",
    "without impact",
)


def cells(row: Row) -> tuple[str, ...]:
    """Return a row of the panel as text."""
    event, (y, fitted) = row.event, row.fitted
    return (
        event.name,
        event.measure,
        percent(event.observed),
        percent(row.simulated),
        f"{percent(row.low)} to {percent(row.high)}",
        f"{factor(row.simulated, event.observed):.2f}",
        "hit" if is_hit(row.simulated, event.observed) else "**miss**",
        f"{percent(fitted)} (Y = {y:.2f})",
        percent(row.without_impact),
    )


def table(rows: list[Row]) -> str:
    """Return the panel as a table of Markdown."""
    return markdown(HEAD, map(cells, rows))


def verdict(values: list[float]) -> str:
    """Return hits and rank correlations of a set of simulated ratios, in the order of EVENTS."""
    hits = sum(is_hit(v, e.observed) for v, e in zip(values, EVENTS, strict=True))
    same = [i for i, e in enumerate(EVENTS) if e.measure == PER_LIQUIDATED]
    every = rank_correlation(values, [e.observed for e in EVENTS])
    within = rank_correlation([values[i] for i in same], [EVENTS[i].observed for i in same])
    ranks = f"rank correlation {every:.2f}, among the losses per liquidated {within:.2f}"
    return f"{hits} of {len(EVENTS)} within a factor of {FACTOR:g}; {ranks}"


VARIANTS = {
    "Y = 0.5": {"liquidity.impact.prefactor": 0.5},
    "Y = 1.5": {"liquidity.impact.prefactor": 1.5},
    "participation 5 %": {"exchange.disposal.participation": 0.05},
    "participation 20 %": {"exchange.disposal.participation": 0.20},
    "everything sold at once": {"exchange.disposal": {"kind": "immediate"}},
    "half-life 10 min": {"liquidity.half_life_minutes": 10.0},
    "half-life 120 min": {"liquidity.half_life_minutes": 120.0},
    "pass-through 0": {"liquidity.pass_through": 0.0},
    "pass-through 1": {"liquidity.pass_through": 1.0},
}


def sensitivity() -> str:
    """Return what one other frozen set would give, one change at a time."""
    rows = []
    for name, change in VARIANTS.items():
        values = [simulated(event, **change) for event in EVENTS]
        factors = ", ".join(f"{factor(v, e.observed):.2f}" for v, e in zip(values, EVENTS, strict=True))
        rows.append((name, factors, verdict(values)))
    return markdown(("one change to the frozen set", "factors, in the order above", "verdict"), rows)


def hindcasts(values: dict[str, float]) -> dict:
    """Return the contents of hindcasts.toml: simulated ratios, and what is missing where there is none."""
    rows = [
        {"name": e.name, "measure": e.measure, "observed": e.observed, "simulated": float(f"{values[e.config]:.4g}")}
        for e in EVENTS
    ]
    rows += [{"name": n, "measure": m, "observed": o, "missing": why} for n, m, o, why in NOT_EXPRESSIBLE]
    return {"as_of": AS_OF, "parameters": PARAMETERS, "event": rows}


def write(rows: list[Row], tables: dict[str, str]) -> None:
    head = "# Written by benchmarks/event_panel.py --write; do not edit.\n"
    values = {r.event.config: r.simulated for r in rows}
    HINDCASTS.write_text(head + tomli_w.dumps(hindcasts(values)), encoding="utf-8")
    write_blocks(tables)


def committed() -> dict:
    """Return hindcasts.toml as it stands."""
    return tomllib.loads(HINDCASTS.read_text(encoding="utf-8"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write hindcasts.toml and the tables of believable.md")
    asked = parser.parse_args()
    rows = panel()
    frozen, fitted = verdict([r.simulated for r in rows]), verdict([r.fitted[1] for r in rows])
    said = f"{frozen}. With Y fitted to the others: {fitted}."
    tables = {"panel": f"{table(rows)}\n\n{said}", "sensitivity": sensitivity()}
    print("\n\n".join(tables.values()))
    if asked.write:
        write(rows, tables)


if __name__ == "__main__":
    main()
