"""Fit the default's price to how often leveraged positions were hit, with all feedback on.

History already holds the cascades of its time, so the *total* is fitted: the marks of whole runs, in which the
book is liquidated and moves the price, against the share of start hours of 2018-2026 from which a position would
have been liquidated.  Two numbers are free, the level of volatility and its spread; the others come from counts
and fits of returns.

    python benchmarks/calibrate.py            # the table for the parameters as they are
    python benchmarks/calibrate.py --fit      # search, and print what it finds
    python benchmarks/calibrate.py --write    # record the table with its provenance in docs/calibration.toml
"""

import argparse
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import tomli_w
from scipy.optimize import minimize

import stress
from stress.scenario import Scenario

ROOT = Path(__file__).parents[1]
CONFIG, RECORD = ROOT / "configs" / "btc_perpetual.toml", ROOT / "docs" / "calibration.toml"
FIGURE = ROOT / "docs" / "img" / "barrier_hits.png"
FREE = ("market.vol_annual", "market.log_vol_sd")
SOURCE = (
    "Share of start hours of Binance spot BTC, 2018-01 to 2026-03, from which a position opened at the hour's open "
    "reaches its liquidation price within the horizon (hourly lows and highs, maintenance margin 0.5 %, no fees, "
    "no top-up)."
)
MAINTENANCE = 0.005
LOG_DAY_OF_A_THOUSAND = -0.193  # 0.1 % quantile of 24-hour log returns of the same bars
FACTOR = 1.5  # of history, within which every cell must lie
N_PATHS, POPULATIONS = 40_000, 40


@dataclass(frozen=True)
class Cell:
    """One cell of the barrier table: history and model, shares of start times."""

    side: str
    leverage: int
    hours: int
    history: float
    model: float

    @property
    def ratio(self) -> float:
        """Model over history."""
        return self.model / self.history


HISTORY = {  # (side, leverage): share within 4 h and 24 h
    ("long", 10): (0.0019, 0.027),
    ("long", 20): (0.021, 0.139),
    ("long", 50): (0.179, 0.509),
    ("short", 10): (0.0016, 0.024),
    ("short", 20): (0.016, 0.134),
    ("short", 50): (0.166, 0.504),
}
HORIZONS = (4, 24)


def at_horizon(scenario: Scenario, hours: int, n_paths: int, populations: int = POPULATIONS) -> stress.Outcomes:
    """Run a scenario over another horizon."""
    changes = {"run.horizon_hours": float(hours), "run.redraw_every": n_paths // populations}
    return stress.run(scenario.with_(**changes), n_paths=n_paths)


def hit_share(outcomes: stress.Outcomes, price: float, side: str, leverage: int) -> float:
    """Return the share of paths whose mark reaches the liquidation price of a position opened at the start."""
    room = 1.0 / leverage - MAINTENANCE
    if side == "long":
        return float(np.mean(outcomes.price_min <= price * (1.0 - room)))
    return float(np.mean(outcomes.price_max >= price * (1.0 + room)))


def barrier_table(
    scenario: Scenario, n_paths: int = N_PATHS, populations: int = POPULATIONS
) -> tuple[list[Cell], dict[str, float]]:
    """Return the cells, and what else the day must satisfy: the 0.1 % day and the deepest."""
    runs = {hours: at_horizon(scenario, hours, n_paths, populations) for hours in HORIZONS}
    price = scenario.market.price_usd
    cells = [
        Cell(side, leverage, hours, share, hit_share(runs[hours], price, side, leverage))
        for (side, leverage), shares in HISTORY.items()
        for hours, share in zip(HORIZONS, shares, strict=True)
    ]
    falls = runs[24].price_min / price - 1.0
    return cells, {"day_of_a_thousand": float(np.quantile(falls, 0.001)), "deepest_day": float(falls.min())}


def misfit(cells: list[Cell], day: dict[str, float]) -> float:
    """Return the root mean square of log(model / history), of the cells and of the 0.1 % day's log return."""
    tail = math.log1p(day["day_of_a_thousand"]) / LOG_DAY_OF_A_THOUSAND
    return math.sqrt(np.mean([math.log(max(x, 1e-3)) ** 2 for x in (*(cell.ratio for cell in cells), tail)]))


def fit(scenario: Scenario) -> Scenario:
    """Search the free parameters on common random numbers (Nelder and Mead 1965)."""

    def of(x: np.ndarray) -> float:
        """Return the misfit at the logarithms of the free parameters."""
        trial = scenario.with_(**dict(zip(FREE, np.exp(x).tolist(), strict=True)))
        value = misfit(*barrier_table(trial))
        print("  ", ", ".join(f"{name} {math.exp(v):.4f}" for name, v in zip(FREE, x, strict=True)), f"{value:.4f}")
        return value

    start = np.log([scenario.market.vol_annual, scenario.market.log_vol_sd])
    found = minimize(of, start, method="Nelder-Mead", options={"xatol": 0.005, "fatol": 0.001, "maxfev": 40})
    return scenario.with_(**dict(zip(FREE, np.exp(found.x).round(3).tolist(), strict=True)))


def show(cells: list[Cell], day: dict[str, float]) -> None:
    """Print the table."""
    print(f"{'side':6}{'leverage':>9}{'hours':>7}{'history':>10}{'model':>10}{'ratio':>8}")
    for cell in cells:
        outside = "" if 1 / FACTOR <= cell.ratio <= FACTOR else "  outside"
        shares = f"{100 * cell.history:9.2f}%{100 * cell.model:9.2f}%{cell.ratio:8.2f}"
        print(f"{cell.side:6}{cell.leverage:8}x{cell.hours:7}{shares}{outside}")
    history = 100 * math.expm1(LOG_DAY_OF_A_THOUSAND)
    print(f"0.1 % day {100 * day['day_of_a_thousand']:.1f} % (history {history:.1f} %)")
    print(f"deepest day {100 * day['deepest_day']:.1f} %")
    print(f"misfit (rms of log ratios) {misfit(cells, day):.3f}")


def record(scenario: Scenario, cells: list[Cell], day: dict[str, float]) -> None:
    """Write parameters, targets and what was reached, with where it comes from."""
    tables = {
        "made": {
            "by": "benchmarks/calibrate.py --write",
            "on": datetime.now(UTC).date().isoformat(),
            "source": SOURCE,
            "method": "least squares of log(model / history) over twelve cells and the 0.1 % day, all feedback on",
            "n_paths": N_PATHS,
            "seed": scenario.run.seed,
        },
        "fitted": {name: scenario.tables()["market"][name.split(".")[1]] for name in FREE},
        "reached": {"misfit": round(misfit(cells, day), 4), **{name: round(x, 4) for name, x in day.items()}},
        "cell": [
            {"side": c.side, "leverage": c.leverage, "hours": c.hours, "history": c.history, "model": round(c.model, 6)}
            for c in cells
        ],
    }
    RECORD.write_text("# Written by benchmarks/calibrate.py; not edited by hand.\n\n" + tomli_w.dumps(tables))
    stress.plots.save(stress.plots.barrier_hits(cells), FIGURE)
    print(f"written: {RECORD.relative_to(ROOT)}, {FIGURE.relative_to(ROOT)}")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", action="store_true", help="search the free parameters")
    parser.add_argument("--write", action="store_true", help="record the table for the config as it is")
    arguments = parser.parse_args()
    scenario = Scenario.load(CONFIG)
    if arguments.fit:
        scenario = fit(scenario)
        print("found:", {name: scenario.tables()["market"][name.split(".")[1]] for name in FREE})
    cells, day = barrier_table(scenario)
    show(cells, day)
    if arguments.write:
        record(scenario, cells, day)


if __name__ == "__main__":
    main()
