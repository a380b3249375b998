"""How often a symbol falls with the market: history against the ways in which a symbol may follow it.

    python benchmarks/co_movement.py [--write]

History: hourly bars of Binance spot, 2017 to 2026 (ETH) and April 2021 to 2023 (the others).  Each symbol has the beta
and the correlation of history; what is asked is how often it is in its own worst 1 % of hours when BTC is in its worst
1 %.  Nothing is fitted to that.
"""

import math
from typing import Any

import numpy as np
from study import CONFIGS, ROOT, markdown, publish

import stress
from stress.engines.desks import SeveralWorld

PAGE = ROOT / "docs" / "markets.md"
HOUR, HOURS, PATHS, BLOCK = 3600.0, 240, 20_000, 200
WORST = 0.01
# Symbol: (correlation with BTC, beta, P(worst 1 % | BTC's worst 1 %)).
HISTORY = {
    "ETH": (0.81, 1.01, 0.62),
    "BNB": (0.77, 1.01, 0.57),
    "XRP": (0.67, 1.08, 0.49),
    "ADA": (0.74, 1.16, 0.52),
    "DOGE": (0.58, 1.14, 0.40),
    "LINK": (0.77, 1.33, 0.58),
    "SOL": (0.67, 1.39, 0.46),
    "AVAX": (0.69, 1.41, 0.51),
}
GAUSS = {"kind": "gbm", "vol_annual": 0.7}
HOURLY_T = {"kind": "student_t", "vol_annual": 0.7, "tail_index": 3.2}
CLOCK = {"kind": "volatility_clock", "vol_annual": 0.69, "log_vol_sd": 0.58}
SHARED = {"own_volatility": "market"}
WAYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "normal": (GAUSS, {}),
    "hourly t, volatility of its own": (HOURLY_T, {}),
    "hourly t, the market's volatility": (HOURLY_T, SHARED),
    "default, volatility of its own": (CLOCK, {}),
    "default, the market's volatility": (CLOCK, SHARED),
}


def assets(more: dict[str, Any]) -> list[dict[str, Any]]:
    """Return BTC and the symbols, each with the beta and the correlation of history."""
    rows: list[dict[str, Any]] = [{"symbol": "BTC", "price_usd": 100_000.0}]
    for symbol, (rho, beta, _) in HISTORY.items():
        own = beta * math.sqrt(1.0 / (rho * rho) - 1.0)
        rows.append({"symbol": symbol, "price_usd": 100.0, "beta": beta, "own": own} | more)
    return rows


def returns(market: dict[str, Any], more: dict[str, Any]) -> np.ndarray:
    """Return hourly log-returns, shape (n_symbols, n)."""
    traders = [
        {"kind": "account", "name": row["symbol"], "symbol": row["symbol"], "qty": 1.0, "entry_usd": row["price_usd"],
         "collateral_usd": row["price_usd"]}
        for row in assets(more)
    ]  # fmt: skip
    scenario = stress.Scenario.load(CONFIGS / "cross_margin.toml").with_(
        **{"market": market | {"price_usd": 100_000.0}, "asset": assets(more), "pool": [], "collateral": []},
        **{"population": traders, "run.step_seconds": HOUR, "run.horizon_hours": float(HOURS)},
    )
    world = SeveralWorld(scenario, decay=np.ones(HOURS + 1))
    paths = np.concatenate([world.block(first, BLOCK).shocks for first in range(0, PATHS, BLOCK)])
    return np.diff(paths, axis=2, prepend=0.0).transpose(1, 0, 2).reshape(len(HISTORY) + 1, -1)


def together(found: np.ndarray) -> np.ndarray:
    """Return P(symbol in its worst 1 % | BTC in its worst 1 %), shape (n_symbols - 1,)."""
    worst = found < np.quantile(found, WORST, axis=1, keepdims=True)
    return (worst[1:] & worst[0]).sum(axis=1) / worst[0].sum()


def tables() -> dict[str, str]:
    by_way = {name: together(returns(*way)) for name, way in WAYS.items()}
    rows = [
        [symbol, f"{rho:.2f}", f"{seen:.2f}", *(f"{way[i]:.2f}" for way in by_way.values())]
        for i, (symbol, (rho, _, seen)) in enumerate(HISTORY.items())
    ]
    off = [f"{np.mean([way[i] - row[2] for i, row in enumerate(HISTORY.values())]):+.2f}" for way in by_way.values()]
    return {
        "co_movement": markdown(
            ("symbol", "correlation", "history", *WAYS), [*rows, ["mean less history", "", "", *off]]
        )
    }


if __name__ == "__main__":
    publish(__doc__, tables, PAGE)
