"""``fundstress backtest``: were the forecasts of a series right, and would the tests have noticed if not?"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stress.launch import print_result
from stress.summary import Backtest, TrafficLight, backtest, traffic_light
from stress.summary.notation import percent
from stress.tables import pick_column, read_numbers, read_table
from stress.toml import ScenarioError

__all__ = ["BacktestOptions", "launch_backtest"]

SCHEMA = "fundstress.backtest/1"
LOSSES = ("loss", "loss_usd", "losses", "pnl_loss", "bad_debt", "bad_debt_usd")
QUANTILES = ("var", "quantile", "forecast", "margin", "reserve")
SHORTFALLS = ("es", "shortfall", "expected_shortfall")
FEWEST, MOST = 20, 100_000


@dataclass(frozen=True)
class BacktestOptions:
    """What ``fundstress backtest`` was asked for."""

    source: Path
    level: float = 0.99
    json: bool = False
    quiet: bool = False


def launch_backtest(options: BacktestOptions) -> int:
    """Test a series of forecasts and print the table; return the exit code."""
    if not 0.5 <= options.level < 1.0:
        raise ScenarioError(f"level {options.level:g} is outside [0.5, 1)")
    losses, var, shortfall = _series(options.source)
    hits = losses > var
    tests = backtest(losses, var, options.level, shortfall)
    light = traffic_light(int(hits.sum()), hits.size, round(1.0 - options.level, 12))
    print_result(_Answer(options.level, hits, tests, light), options)
    return 0


def _series(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    frame = read_table(path)
    losses = read_numbers(pick_column(frame, LOSSES, "losses", path), path)
    var = read_numbers(pick_column(frame, QUANTILES, "forecast quantiles", path), path)
    if not FEWEST <= losses.size <= MOST:
        raise ScenarioError(f"{path}: {losses.size:,} rows; needs {FEWEST} to {MOST:,}")
    if not any(str(name).strip().lower() in SHORTFALLS for name in frame.columns):
        return losses, var, None
    shortfall = read_numbers(pick_column(frame, SHORTFALLS, "expected shortfalls", path), path)
    wrong = ~((var > 0.0) & (shortfall >= var))
    if wrong.any():
        row = int(wrong.argmax())
        pair = f"quantile {var[row]:g} and shortfall {shortfall[row]:g}"
        raise ScenarioError(f"{path}: row {row + 1}: {pair}: needs 0 < quantile <= shortfall")
    return losses, var, shortfall


@dataclass(frozen=True)
class _Answer:
    """What is printed."""

    level: float
    hits: np.ndarray
    tests: tuple[Backtest, ...]
    light: TrafficLight

    def to_json(self) -> str:
        """Return one JSON document."""
        document: dict[str, Any] = {
            "schema": SCHEMA,
            "level": self.level,
            "n": self.hits.size,
            "exceptions": int(self.hits.sum()),
            "traffic_light": vars(self.light),
            "tests": [row.to_dict() for row in self.tests],
        }
        return json.dumps(document, indent=2, allow_nan=False)

    def __str__(self) -> str:
        n, x = self.hits.size, int(self.hits.sum())
        lines = [
            f"{x:,} exceptions in {n:,} rows, {(1.0 - self.level) * n:.3g} promised: {self.light.zone} zone "
            f"(as many or fewer: {percent(self.light.chance)})",
            "",
            f"{'test at 5 %':<36}{'statistic':>10}{'p-value':>10}  {'verdict':<10}{'power':>7}  against",
        ]
        return "\n".join([*lines, *map(_row, self.tests), "", "A test that accepts with little power has said little."])


def _row(test: Backtest) -> str:
    if test.p_value is None or test.statistic is None:
        return f"{test.name:<36}{'-':>10}{'-':>10}  {'no case':<10}{test.power:>6.0%}  {test.alternative}"
    verdict = "rejected" if test.rejected else "accepted"
    return (
        f"{test.name:<36}{test.statistic:>10.3f}{test.p_value:>10.4f}  {verdict:<10}{test.power or 0.0:>6.0%}"
        f"  {test.alternative}"
    )
