"""Is a scenario file valid, and does the fund of a finished run meet a level?"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stress.outcomes import Outcomes
from stress.scenario import Scenario, ScenarioError
from stress.size import check_inside
from stress.summary import ReserveEstimate, Spread, Summary, attached_from_dict, summarize, summarize_weighted
from stress.summary.notation import Money, percent
from stress.toml import parse_setting

__all__ = ["check_config", "check_level", "finished_page", "finished_run", "finished_summary", "verdict"]

NOT_MET = 3
DOLLARS = Money()


def check_config(path: Path, settings: Sequence[str] = ()) -> int:
    """Validate a scenario file as far as a run would before its first path, and say what it holds.

    Parameters
    ----------
    path : Path
    settings : sequence of str
        Changes of the scenario, each ``table.key=value``.

    Raises
    ------
    ScenarioError
        One line: file, key, value and what is allowed.
    """
    from stress.census import concentration_of, holdings
    from stress.engines.choose import choose_engine
    from stress.engines.population import draw_population
    from stress.launch import push_lines, share_line
    from stress.notices import notices
    from stress.variants import runners_of

    if path.is_dir():
        raise ScenarioError(f"{path}: is a folder; a finished run is checked with --require LEVEL")
    scenario = Scenario.load(path, overrides=dict(map(parse_setting, settings)))
    choice, population = choose_engine(scenario), draw_population(scenario, 0)
    runners_of(scenario, 1)
    for line in notices(scenario):
        print(line, file=sys.stderr)
    run, clock = scenario.run, scenario.clock
    print(f"{path}: ok: {run.name}, config {scenario.sha256[:8]}")
    print(f"{run.n_paths:,} paths of {run.horizon_hours:g} h ({clock.n_steps:,} steps), engine {choice.name}")
    money = Money(scenario.exchange.unit)
    print(f"{population.accounts.size:,} accounts, open interest {money(population.open_interest)}")
    if line := share_line(scenario, population):
        print(line)
    for line in (f"concentration: {concentration_of(holdings(scenario, population))}", *push_lines(scenario)):
        print(line)
    if scenario.overlay or scenario.uncertain:
        print(f"{len(scenario.overlay)} overlays, {len(scenario.uncertain)} uncertain numbers")
    return 0


def check_level(folder: Path, level: float) -> int:
    """Compare the fund of a finished run with the reserve of a level.

    Parameters
    ----------
    folder : Path
        Of a finished run.
    level : float
        Inside (0, 1).

    Returns
    -------
    int
        0 when the fund is at least the estimated reserve, 3 when it is not.

    Raises
    ------
    ScenarioError
        When the run cannot say: no finished run, a level outside (0, 1), too few paths.
    """
    check_inside(level)
    outcomes = finished_run(folder)
    if is_weighted(outcomes):
        return _check_weighted(folder, outcomes, level)
    summary = finished_summary(folder, levels=(level,))
    reserve = summary.reserve(level)
    if reserve.value is None:
        raise ScenarioError(
            f"{folder}: cannot say at level {level:g}: {reserve.reason}; about {reserve.n_paths_needed:,} are needed"
        )
    fund = summary.facts.fund_initial
    spread = summary.parameters.reserve(level) if summary.parameters else None
    print(verdict(reserve, fund, summary.confidence, spread, summary.money))
    return 0 if fund >= reserve.value else NOT_MET


def is_weighted(outcomes: Outcomes) -> bool:
    """Say whether the paths of a run have weights."""
    return not bool((outcomes.weight == 1.0).all())


def _check_weighted(folder: Path, outcomes: Outcomes, level: float) -> int:
    summary = summarize_weighted(outcomes, levels=(level,))
    row, fund = summary.reserves[0], summary.facts.fund_initial
    if row.value is None or not summary.weights_agree:
        reason = row.reason or f"the mean weight is {summary.mean_weight:.4f}"
        raise ScenarioError(f"{folder}: cannot say at level {level:g}: {reason}")
    reserve = ReserveEstimate(level, "net", row.value, row.low, row.high, "weighted")
    print(verdict(reserve, fund, summary.confidence, money=Money(summary.facts.unit)))
    return 0 if fund >= row.value else NOT_MET


def verdict(
    reserve: ReserveEstimate, fund: float, confidence: float, parameters: Spread | None = None, money: Money = DOLLARS
) -> str:
    """Say in one line whether a fund meets a level, with the reserve's interval and that of the parameters."""
    value, low, high = reserve.value or 0.0, reserve.low or 0.0, reserve.high
    met = fund >= value
    upper = "unbounded" if high is None else money(high)
    text = (
        f"{percent(reserve.level)}: {'met' if met else 'NOT met'}: fund {money(fund)}, reserve {money(value)} "
        f"({percent(confidence)} interval {money(low)} to {upper})"
    )
    if parameters is not None:
        text += f" (parameter interval {money(parameters.low)} to {money(parameters.high)})"
    if met and (high is None or high > fund):
        return f"{text}; the interval reaches above the fund"
    if not met and low <= fund:
        return f"{text}; the interval reaches below the fund"
    return text


def finished_run(folder: Path) -> Outcomes:
    """Return the outcomes of a finished run.

    Raises
    ------
    ScenarioError
        When the folder holds none.
    """
    if not folder.is_dir():
        raise ScenarioError(f"{folder}: no such run folder")
    if not (folder / "manifest.json").is_file():
        raise ScenarioError(f"{folder}: holds no finished run (there is no manifest.json)")
    try:
        return Outcomes.load(folder / "outcomes.parquet")
    except FileNotFoundError:
        raise ScenarioError(f"{folder}: outcomes.parquet is missing") from None
    except ValueError as error:
        raise ScenarioError(str(error)) from None


def finished_page(folder: Path) -> str:
    """Return the page of a finished run, weighted or not; errors are those of `finished_summary`."""
    outcomes = finished_run(folder)
    return str(summarize_weighted(outcomes) if is_weighted(outcomes) else finished_summary(folder))


def finished_summary(folder: Path, *, levels: Sequence[float] | None = None) -> Summary:
    """Return the summary of a finished run, with the model risk and the parameter interval that it keeps.

    Parameters
    ----------
    folder : Path
        Of a finished run.
    levels : sequence of float, optional
        Levels of the reserve; those of the run otherwise.

    Raises
    ------
    ScenarioError
        When the folder holds no finished run, or its ``summary.json`` is missing or damaged.
    """
    outcomes = finished_run(folder)
    return summarize(outcomes, levels=levels).with_(**_attached(folder / "summary.json"))


def _attached(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict):
            raise ValueError("not a summary")
        return attached_from_dict(document)
    except FileNotFoundError:
        raise ScenarioError(f"{path.parent}: {path.name} is missing") from None
    except ValueError as error:
        raise ScenarioError(f"{path}: damaged: {error}") from None
