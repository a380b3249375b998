"""What ``fundstress disclose`` does: a public page of a month of the fund, and its data as CSV and JSON."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stress.disclosure import Month, bounds, from_ledger, read_ledger, simulated
from stress.report import Document, Part, Section, Words, load_run
from stress.report.finished import FinishedRun
from stress.report.formats import to_html
from stress.report.tables import Cell, Table, table
from stress.summary.notation import Money
from stress.toml import ScenarioError

__all__ = ["DiscloseOptions", "disclosed", "launch_disclose"]

_AMOUNTS = ("opening", "inflow", "outflow", "closing", "largest_draw", "adl_notional")


@dataclass(frozen=True)
class DiscloseOptions:
    """What the user asked for.

    Parameters
    ----------
    folders : sequence of Path
        Finished runs: simulated months, or, with a ledger, the run whose reserve the coverage ratio is over.
    month : str
    ledger : Path, optional
    unit : str
        Money of the ledger.
    lang : str
    out : Path, optional
        A new folder; ``disclosure-<month>`` otherwise.
    """

    folders: Sequence[Path]
    month: str
    ledger: Path | None = None
    unit: str = "USD"
    lang: str = "en"
    out: Path | None = None
    quiet: bool = False


def launch_disclose(options: DiscloseOptions) -> int:
    """Write the page and the data of a month into a new folder; return the exit code.

    Raises
    ------
    ScenarioError
        One line: nothing to disclose, an unknown month, money or language, a ledger or a run that does not say it.
    """
    say = Words(options.lang)
    bounds(options.month)
    runs = [load_run(folder) for folder in options.folders]
    months = _months(options, runs)
    page = to_html(disclosed(months, _basis(runs, say), say))
    folder = options.out or Path(f"disclosure-{options.month}")
    contents = {"index.html": page, "data.json": _json(months), "data.csv": _csv(months)}
    try:
        folder.mkdir(parents=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    except FileExistsError:
        raise ScenarioError(f"{folder}: exists already, and nothing is overwritten") from None
    if not options.quiet:
        print(folder)
    return 0


def _months(options: DiscloseOptions, runs: Sequence[FinishedRun]) -> list[Month]:
    if options.ledger is None:
        if not runs:
            raise ScenarioError("nothing to disclose: give a run of a simulated month, or --ledger FILE")
        return [simulated(r.outcomes, options.month, name=r.name, reserve=_reserve(r)[1]) for r in runs]
    if len(runs) > 1:
        raise ScenarioError("--ledger: at most one run, whose reserve the coverage ratio is over")
    other = [run.summary.facts.unit for run in runs if run.summary.facts.unit != options.unit]
    if other:
        raise ScenarioError(f"the ledger is in {options.unit}, the run in {other[0]}: a coverage ratio needs one money")
    reserve = _reserve(runs[0])[1] if runs else None
    entries = read_ledger(options.ledger)
    return [from_ledger(entries, options.month, name=options.ledger.name, unit=options.unit, reserve=reserve)]


def _reserve(run: FinishedRun) -> tuple[float | None, float | None]:
    """Return the highest level that a run answers, and its net reserve."""
    found = [(row.level, row.value) for row in run.summary.reserves if row.kind == "net" and row.value]
    return max(found, default=(None, None))


def _basis(runs: Sequence[FinishedRun], say: Words) -> list[str]:
    """Say what the coverage ratio is over, run by run."""
    answers = [(run, *_reserve(run)) for run in runs]
    return [
        say(
            "disclosure.coverage_basis",
            name=run.name,
            level=f"{100 * level:g} %",
            hours=f"{run.summary.facts.horizon_hours:g}",
            reserve=run.summary.money(value),
        )
        for run, level, value in answers
        if level is not None and value is not None
    ]


def disclosed(months: Sequence[Month], basis: Sequence[str], say: Words) -> Document:
    """Return the public page: a table a source, what it means, and what it is not."""
    tables = tuple(each for month in months for each in _table(month, say))
    kinds = dict.fromkeys(month.source for month in months)
    points = (*(say(f"disclosure.{kind}") for kind in kinds), *basis, *say.table["disclosure_points"].values())
    section = Section("month", say("disclosure.section"), tables=tables, points=points)
    title = say("disclosure.title", month=months[0].month)
    lead = say("disclosure.lead_simulated" if "simulated" in kinds else "disclosure.lead", month=months[0].month)
    part = Part("month", months[0].month, lead, (section,))
    return Document(title, say, (part,), {"months": [month.to_dict() for month in months]})


def _table(month: Month, say: Words) -> Sequence[Table]:
    money = Money(month.unit)
    several = month.n_paths is not None
    ends = (say("disclosure.low"), say("disclosure.high")) if several else ()
    value = say("disclosure.median") if several else say("head.value")

    def row(key: str) -> tuple[Cell, ...]:
        """Return name, unit and values of a figure."""
        figure, name = month.figures[key], f"{key}_{month.source}"
        cells = (figure.value, figure.low, figure.high) if several else (figure.value,)
        if key not in _AMOUNTS:
            return say(f"disclosure_row.{name}"), say(f"disclosure_unit.{name}"), *cells
        return say(f"disclosure_row.{name}"), money.axis, *(None if x is None else x / money.scale for x in cells)

    head = (say("head.what"), say("disclosure.unit"), value, *ends)
    return tuple(table(f"month_{month.name}", f"{month.month}: {month.name}", head, map(row, month.figures)))


def _json(months: Sequence[Month]) -> bytes:
    return (json.dumps([month.to_dict() for month in months], indent=2, allow_nan=False) + "\n").encode()


def _csv(months: Sequence[Month]) -> bytes:
    rows: list[dict[str, Any]] = [row for month in months for row in month.rows()]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
