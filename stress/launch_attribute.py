"""``fundstress attribute``: the worst paths with and without each cohort, or shared among positions, in a table."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stress.coalitions import PATHS, Coalitions, attribute
from stress.engines.base import Progress
from stress.holders import PATHS as MANY
from stress.holders import Group, Holders, holders
from stress.launch import INTERRUPTED, Answer, print_result, shown
from stress.launch_size import scenario_of
from stress.scenario import Scenario, ScenarioError
from stress.summary.notation import Money, percent

__all__ = ["AttributeOptions", "launch_attribute"]


@dataclass(frozen=True)
class AttributeOptions:
    """What ``fundstress attribute`` was asked for; `settings` change the scenario."""

    config: Path
    level: float = 0.99
    paths: int | None = None
    by: str = "cohort"
    shapley: bool = False
    settings: tuple[str, ...] = ()  # table.key=value
    threads: int | None = None
    json: bool = False
    quiet: bool = False
    progress: bool = True


def launch_attribute(options: AttributeOptions) -> int:
    """Run the coalitions and print the table; return the exit code."""
    if options.shapley and options.by != "cohort":
        raise ScenarioError(f"--shapley is of cohorts, not --by {options.by}")
    scenario = scenario_of(options.config, options.settings)
    answer = _left_out if options.by == "cohort" else _shared
    try:
        with shown(options, "leaving out" if options.by == "cohort" else "sharing") as progress:
            found = answer(options, scenario, progress)
    except KeyboardInterrupt:
        print("fundstress: interrupted; an attribution keeps nothing", file=sys.stderr)
        return INTERRUPTED
    print_result(found, options)
    return 0


def _left_out(options: AttributeOptions, scenario: Scenario, progress: Progress) -> Answer:
    found = attribute(
        scenario,
        level=options.level,
        n_paths=options.paths or PATHS,
        shapley=options.shapley,
        threads=options.threads,
        progress=progress,
    )
    return Answer(found, _lines)


def _shared(options: AttributeOptions, scenario: Scenario, progress: Progress) -> Answer:
    found = holders(
        scenario,
        options.by,
        level=options.level,
        n_paths=options.paths or MANY,
        threads=options.threads,
        progress=progress,
    )
    return Answer(found, _group_lines)


def _lines(found: Coalitions) -> Iterator[str]:
    money = Money(found.unit)
    paths = f"{found.n_paths:,} paths of {found.horizon_hours:g} h, {found.n_populations} populations"
    amount = f"{money(found.shortfall)} +- {money.bare(found.shortfall_error)}"
    yield f"Expected shortfall, worst {percent(1.0 - found.level)} of {paths}: {amount}"
    yield ""
    yield f"{'share of it, +- standard error':<32}{'present':>18}{'less without':>18}{'Shapley':>18}"
    for row in sorted(found.shares, key=lambda share: -share.present):
        shapley = "-" if row.shapley is None else _share(row.shapley, row.shapley_error)
        cells = _share(row.present, row.present_error), _share(row.left_out, row.left_out_error), shapley
        yield f"  {row.cohort:<30}" + "".join(f"{cell:>18}" for cell in cells)
    rest = 1.0 - sum(row.present for row in found.shares)
    yield f"  {'income of the fund':<30}{100 * rest:>16.1f} %"
    yield ""
    yield "present: its own losses at the worst moments; they add up.  less without: by how much the shortfall falls"
    yield "when it is not there, with what its sales do to the others; makers take the other side of what is left."


def _share(value: float, error: float | None) -> str:
    return f"{100 * value:.1f} % +- {100 * (error or 0.0):.1f}"


def _group_lines(found: Holders) -> Iterator[str]:
    paths = f"{found.n_paths:,} paths of {found.horizon_hours:g} h, {found.n_populations} populations"
    yield f"Losses at the worst moments of the worst {percent(1.0 - found.level)} of {paths}, by {found.by}"
    yield ""
    yield f"{'share, +- standard error':<28}{'of the losses':>18}{'of notional':>14}{'leverage':>12}"
    for group in found.groups:
        yield _group_line(group)
    yield f"  {'income of the fund':<26}{100 * found.income:>16.1f} %"
    if found.by == "account":
        yield ""
        yield "#1 is the largest account of each population, all symbols together; shares add up."


def _group_line(group: Group) -> str:
    held = f"{100 * group.of_notional:.1f} %"
    return f"  {group.name:<26}{_share(group.share, group.standard_error):>18}{held:>14}{group.leverage:>11.1f}x"
