"""``fundstress population``: who is in the book of a scenario, printed, as JSON, and drawn."""

import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from stress.census import Census, book_of, census
from stress.scenario import Scenario, ScenarioError
from stress.toml import parse_setting

__all__ = ["PopulationOptions", "launch_population"]

FIGURES = (".png", ".svg", ".pdf")


@dataclass(frozen=True)
class PopulationOptions:
    """What ``fundstress population`` was asked for; `settings` change the scenario in turn."""

    config: Path
    settings: tuple[str, ...] = ()  # table.key=value
    populations: int = 20
    figure: Path | None = None
    json: bool = False


def launch_population(options: PopulationOptions) -> int:
    """Count who is in the book, print it, and draw it if asked for; return the exit code."""
    scenario = Scenario.load(options.config, overrides=dict(map(parse_setting, options.settings)))
    if options.figure is not None:
        _check_figure(options.figure)
    found = census(scenario, n_populations=options.populations)
    if options.json:
        print(found.to_json())
    else:
        from stress.census_page import print_page

        print_page(found)
    if options.figure is not None:
        _draw(scenario, found, options.figure)
        print(f"saved in {options.figure}", file=sys.stderr)
    return 0


def _check_figure(path: Path) -> None:
    """Refuse before anything is drawn what could not be written."""
    if path.suffix.lower() not in FIGURES:
        raise ScenarioError(f"--figure {path}: should end in {', '.join(FIGURES)}")
    if not path.parent.is_dir():
        raise ScenarioError(f"--figure {path}: no such folder {path.parent}")


def _draw(scenario: Scenario, found: Census, path: Path) -> None:
    """Draw the first population: leverage, sizes, and the liquidation map of one symbol."""
    from stress import plots
    from stress.plots import style

    unit, first = scenario.exchange.unit, found.first
    axes = style.new_panels(2 if scenario.asset else 3)
    groups = [
        SimpleNamespace(name=row.name, leverage=first.leverage[mine], notional=first.gross[mine])
        for i, row in enumerate(found.cohorts)
        if np.any(mine := first.cohort == i)
    ]
    plots.leverage_by_cohort(groups, axes[0])
    plots.size_survival(first.by_holder("both"), axes[1], unit=unit)
    if not scenario.asset:
        plots.liquidation_map(book_of(scenario), axes[2], unit=unit)
    plots.save(axes[0], path)
