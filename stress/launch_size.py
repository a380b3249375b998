"""``fundstress size``: the reserve of a level over a horizon, in one line, with its method and its interval."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stress.launch import INTERRUPTED, Answer, print_result, shown
from stress.notices import notices
from stress.scenario import Scenario, ScenarioError
from stress.size import Sizing, check_budget, solve
from stress.summary import Summary
from stress.summary.result_line import estimate, line, result_line
from stress.toml import parse_setting

__all__ = ["SizeOptions", "launch_size", "parse_horizon", "scenario_of"]

_HOURS = {"h": 1.0, "d": 24.0, "w": 168.0, "y": 8760.0}
_LONGEST_DAYS = 366


@dataclass(frozen=True)
class SizeOptions:
    """What ``fundstress size`` was asked for; `settings` and `overrides` change the scenario in turn."""

    config: Path
    level: float
    horizon: str | None = None
    settings: tuple[str, ...] = ()  # table.key=value
    overrides: dict[str, Any] = field(default_factory=dict)
    threads: int | None = None
    json: bool = False
    quiet: bool = False
    progress: bool = True


def parse_horizon(text: str) -> float:
    """Return the hours of a horizon such as ``72h``, ``30d`` or ``1y``.

    Raises
    ------
    ScenarioError
        When it is no such text, or outside (0, 366 d].
    """
    found = re.fullmatch(r"\s*([\d.]+)\s*([hdwy])\s*", text)
    try:
        hours = float(found[1]) * _HOURS[found[2]] if found else 0.0
    except ValueError:
        hours = 0.0
    if not 0.0 < hours <= 24 * _LONGEST_DAYS:
        raise ScenarioError(f"--horizon {text}: needs a number and h, d, w or y, within (0, {_LONGEST_DAYS} d]")
    return hours


def scenario_of(config: Path, settings: Sequence[str] = (), overrides: dict[str, Any] | None = None) -> Scenario:
    """Return a scenario with what was typed after ``--set`` and under options of their own."""
    return Scenario.load(config, overrides=dict(map(parse_setting, settings)) | (overrides or {}))


def launch_size(options: SizeOptions) -> int:
    """Solve for the reserve and print it; return the exit code."""
    overrides = dict(options.overrides)
    if options.horizon is not None:
        overrides["run.horizon_hours"] = parse_horizon(options.horizon)
    scenario = scenario_of(options.config, options.settings, overrides)
    check_budget(options.level, scenario.run.n_paths, scenario.reserve.confidence)
    if not options.quiet:
        for line in notices(scenario):
            print(line, file=sys.stderr)
    try:
        with shown(options, "sizing") as progress:
            found = solve(scenario, options.level, threads=options.threads, progress=progress)
    except KeyboardInterrupt:
        print("fundstress: interrupted; a search for the reserve keeps nothing", file=sys.stderr)
        return INTERRUPTED
    print_result(Answer(found, _lines), options)
    return 0


def _lines(found: Sizing) -> list[str]:
    """Return what is printed: the line of the result, or that of a bisection, and what it rests on."""
    summary = found.summary
    if found.method == "one run":
        return [result_line(summary, found.level), f"One run answers every level: {found.note}.", *_basis(summary)]
    how = f"bisection, {len(found.tried)} funds, n = {summary.n_paths:,} each, same random numbers"
    bounds = found.low, found.high
    said = estimate(found.value, bounds, how, money=summary.money, confidence=summary.confidence)
    lines = [line(found.level, found.horizon_hours, said), f"Bisected: {found.note}.", *_basis(summary)]
    if not found.monotone:
        lines.append("NOT MONOTONE: a larger fund was ruined more often; the figure is one of several crossings.")
    return lines


def _basis(summary: Summary) -> list[str]:
    return [sentence for sentence in summary.caveats if "renewal" in sentence or "population" in sentence]
