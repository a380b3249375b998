"""``fundstress attribute``: the worst paths with and without each cohort, in a table."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stress.coalitions import PATHS, Coalitions, attribute
from stress.launch import INTERRUPTED, Answer, print_result, shown
from stress.launch_size import scenario_of
from stress.summary.notation import Money, percent

__all__ = ["AttributeOptions", "launch_attribute"]


@dataclass(frozen=True)
class AttributeOptions:
    """What ``fundstress attribute`` was asked for; `settings` change the scenario."""

    config: Path
    level: float = 0.99
    paths: int = PATHS
    shapley: bool = False
    settings: tuple[str, ...] = ()  # table.key=value
    threads: int | None = None
    json: bool = False
    quiet: bool = False
    progress: bool = True


def launch_attribute(options: AttributeOptions) -> int:
    """Run the coalitions and print the table; return the exit code."""
    scenario = scenario_of(options.config, options.settings)
    try:
        with shown(options, "leaving out") as progress:
            found = attribute(
                scenario,
                level=options.level,
                n_paths=options.paths,
                shapley=options.shapley,
                threads=options.threads,
                progress=progress,
            )
    except KeyboardInterrupt:
        print("fundstress: interrupted; an attribution keeps nothing", file=sys.stderr)
        return INTERRUPTED
    print_result(Answer(found, _lines), options)
    return 0


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
