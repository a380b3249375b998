"""The default's reserve under every price model: how much of it is the choice of the model?

Every model has the parameters that ``fundstress calibrate`` found for hourly BTC bars of 2017-08 to 2023-12, and then
one factor on its volatility such that the *marks* of whole runs, with all feedback on, are hit as often as history
(benchmarks/calibrate.py): history already holds its cascades.  Models that are made of the bars themselves need the
file and are left out without it.

    python benchmarks/model_set.py                          # the table as committed, also in docs/markets.md
    python benchmarks/model_set.py --write --fits FILE [--prices FILE]   # fits: from `fundstress calibrate --json`
"""

import argparse
import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import calibrate
import numpy as np
import tomli_w
from study import markdown, write_blocks

import stress
from stress.scenario import Scenario, ScenarioError
from stress.summary import Clusters, ModelRisk, Variant, quantile_interval
from stress.variants import AMPLE

ROOT = Path(__file__).parents[1]
RECORD, FIGURE = ROOT / "docs" / "model_set.toml", ROOT / "docs" / "img" / "model_set.png"
PAGE = ROOT / "docs" / "markets.md"
VOLATILITIES = ("vol_annual", "vol_calm_annual", "vol_wild_annual", "vol_of_vol")
JUMPS = ("jump_up", "jump_down", "jump_sd", "jump_mean")
SCALED = (*VOLATILITIES, *JUMPS)
FACTORS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.3)
SEARCH_PATHS, SEARCH_POPULATIONS = 6_000, 8
PATHS, POPULATIONS, LEVEL = 10_000, 50, 0.995


def scaled(market: dict, factor: float) -> dict:
    """Multiply everything that has the dimension of a volatility; `bootstrap` has nothing of the kind."""
    changed = {key: factor * market[key] for key in SCALED if key in market}
    starts = [factor * vol for vol in market.get("start_vols_annual", ())]
    return market | changed | ({"start_vols_annual": starts} if starts else {})


def variant_of(base: Scenario, market: dict) -> Scenario:
    """Put a market into the default, with a fund that nothing exhausts: the drawdown is the same, and quick."""
    usual = base.market.vol_annual
    changes = {"market": market | {"price_usd": base.market.price_usd}, "liquidity.vol_annual": usual}
    return base.plain(**changes, **base.with_fund(AMPLE))


def recalibrated(base: Scenario, market: dict) -> tuple[float, float]:
    """Return the factor on volatility with the smallest misfit to barrier hits, and that misfit: downhill from 0.8."""
    found: dict[int, float] = {}

    def misfit(i: int) -> float:
        """Return the misfit of factor number `i`; what a parameter's bound forbids fits worst."""
        if i not in found:
            try:
                trial = variant_of(base, scaled(market, FACTORS[i]))
                found[i] = calibrate.misfit(*calibrate.barrier_table(trial, SEARCH_PATHS, SEARCH_POPULATIONS))
            except ScenarioError:
                found[i] = float("inf")
        return found[i]

    if not any(key in market for key in SCALED):
        return 1.0, misfit(FACTORS.index(1.0))
    best, last = FACTORS.index(0.8), -1
    while best != last:
        near = [i for i in (best - 1, best, best + 1) if 0 <= i < len(FACTORS)]
        last, best = best, min(near, key=misfit)
    return FACTORS[best], misfit(best)


def row_of(name: str, scenario: Scenario, fund: float, base: float | None) -> tuple[Variant, float]:
    """Return a model's reserve with its 95 % interval by population, and what is liquidated of open interest a day."""
    run = stress.run(scenario.with_(**{"run.redraw_every": PATHS // POPULATIONS}), n_paths=PATHS)
    found = quantile_interval(run.drawdown, LEVEL, clusters=Clusters.of(run.population))
    ruin = float((run.drawdown > fund).mean())
    ratio = None if base is None else found.value / base
    daily = run.liquidated_notional.mean() / run.facts.open_interest / (scenario.run.horizon_hours / 24.0)
    return Variant("price model", name, ruin, found.value, found.low, found.high, ratio), float(daily)


def study(fits: list[dict], prices: Path | None) -> dict:
    """Run the default, then every fitted model in its place."""
    default = Scenario.load(calibrate.CONFIG)
    fund = default.fund_initial
    own, daily = row_of("default", default.plain(**default.with_fund(AMPLE)), fund, None)
    rows = [
        table_row(
            own, daily, 1.0, calibrate.misfit(*calibrate.barrier_table(default, SEARCH_PATHS, SEARCH_POPULATIONS))
        )
    ]
    for fit in fits:
        market = fit["market"]
        if market["kind"] in ("bootstrap", "filtered"):
            if prices is None:
                continue
            market = market | {"file": str(prices)}
        factor, misfit = recalibrated(default, market)
        row, daily = row_of(fit["name"], variant_of(default, scaled(market, factor)), fund, own.reserve)
        rows.append(table_row(row, daily, factor, misfit))
        print(rows[-1], flush=True)
    others = [row["ratio"] for row in rows[1:] if row["misfit"] < 2.0 * rows[0]["misfit"]]
    return {
        "made": {
            "by": "benchmarks/model_set.py --write",
            "on": datetime.now(UTC).date().isoformat(),
            "level": LEVEL,
            "n_paths": PATHS,
            "horizon_hours": default.run.horizon_hours,
            "fund_usd": fund,
        },
        "spread": {
            "of": "models whose misfit is below twice the default's",
            "n": len(others),
            "median": round(float(np.median(others)), 3),
            "low": round(min(others), 3),
            "high": round(max(others), 3),
        },
        "model": rows,
    }


def table_row(row: Variant, daily: float, factor: float, misfit: float) -> dict:
    """Return a row as it is written."""
    return {
        "name": row.name,
        "factor": factor,
        "misfit": round(misfit, 3),
        "reserve": round(row.reserve, -4),
        "low": round(row.low, -4),
        "high": round(row.high, -4),
        "ratio": round(row.ratio or 1.0, 3),
        "ruin": row.ruin,
        "liquidated_a_day": round(daily, 5),
    }


def write(tables: dict) -> None:
    """Write the record and its figure."""
    RECORD.write_text("# Written by benchmarks/model_set.py; not edited by hand.\n\n" + tomli_w.dumps(tables))
    keys = ("name", "ruin", "reserve", "low", "high", "ratio")
    variants = [Variant("price model", *(row[key] for key in keys)) for row in tables["model"]]
    made = tables["made"]
    risk = ModelRisk(made["level"], made["horizon_hours"], made["n_paths"], variants[0], tuple(variants[1:]))
    stress.plots.save(stress.plots.model_risk(risk), FIGURE)


def table(tables: dict) -> str:
    """Return the record as a table of Markdown."""
    head = ("model", "factor", "misfit", "99.5 % reserve over 72 h, USD m", "over the default", "liquidated / OI a day")
    spread = tables["spread"]
    said = "Of the {n} {of}, the reserve is {median:.2f} times the default's in the median, {low:.2f} to {high:.2f}"
    return f"{markdown(head, map(cells, tables['model']))}\n\n{said.format(**spread)} at the ends."


def cells(row: dict) -> tuple[str, ...]:
    """Return a line of the table."""
    reserve = f"{row['reserve'] / 1e6:.1f} [{row['low'] / 1e6:.1f}, {row['high'] / 1e6:.1f}]"
    daily = f"{row['liquidated_a_day']:.2%}".replace("%", " %")
    return f"`{row['name']}`", f"{row['factor']:.2f}", f"{row['misfit']:.2f}", reserve, f"{row['ratio']:.2f}", daily


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="run the study and record it")
    parser.add_argument("--fits", type=Path, help="document of `fundstress calibrate --json`")
    parser.add_argument("--prices", type=Path, help="the same candles, for models that are made of them")
    arguments = parser.parse_args()
    if arguments.write:
        write(study(json.loads(arguments.fits.read_text())["models"], arguments.prices))
    found = table(tomllib.loads(RECORD.read_text()))
    print(found)
    write_blocks({"model_set": found}, PAGE)


if __name__ == "__main__":
    main()
