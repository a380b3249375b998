"""What a venue publishes of its insurance fund for one month: from its own ledger, or from simulated months."""

import calendar
import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from stress.outcomes import Outcomes
from stress.toml import ScenarioError

__all__ = ["KINDS", "Entry", "Figure", "Month", "from_ledger", "read_ledger", "simulated"]

SCHEMA = "fundstress.disclosure/1"

#: What an entry of a ledger may be: the balance at that time, money in, money out, notional auto-deleveraged.
KINDS = ("balance", "inflow", "outflow", "adl")
_COLUMNS = ("time", "kind", "amount")
_CENT = 0.01  # a stated balance that is off by more does not follow from the entries
_LONGEST_OFF = 0.05  # of a month: how far the horizon of a simulated one may be from it


@dataclass(frozen=True)
class Entry:
    """A line of the ledger: when, what, how much of it in the ledger's money."""

    time: datetime
    kind: str
    amount: float


@dataclass(frozen=True)
class Figure:
    """A published quantity; of simulated months the median, and the 5 % and 95 % quantile over paths."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Month:
    """What is published.

    Parameters
    ----------
    month : str
        ``2026-10``.
    source : str
        ``ledger`` or ``simulated``.
    name : str
        Of the ledger's file or of the run.
    unit : str
        Money of all amounts.
    n_paths : int or None
        Of a simulated month.
    figures : dict of str to Figure
        ``opening``, ``inflow``, ``outflow``, ``closing``, ``largest_draw``, ``coverage``, ``adl_events`` and
        ``adl_notional``.
    """

    month: str
    source: str
    name: str
    unit: str
    n_paths: int | None
    figures: dict[str, Figure]

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        return {"schema": SCHEMA, **asdict(self)}

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield one row a figure, as the CSV file has them."""
        about = {"month": self.month, "source": self.source, "name": self.name, "unit": self.unit}
        yield from ({**about, "figure": name, **asdict(figure)} for name, figure in self.figures.items())


def bounds(month: str) -> tuple[datetime, datetime]:
    """Return the first moments of a month and of the next, UTC; a ScenarioError when it is none."""
    try:
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise ScenarioError(f"--month {month}: expected YYYY-MM, e.g. 2026-10") from None
    return first, first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)


def read_ledger(path: Path) -> list[Entry]:
    """Read a ledger: CSV with the columns time (ISO 8601, UTC unless it says otherwise), kind and amount, in order.

    Raises
    ------
    ScenarioError
        One line: file, line, column and what is expected there.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise ScenarioError(f"{path}: column {', '.join(missing)} is missing; needs {', '.join(_COLUMNS)}")
            entries = [_entry(row, f"{path}: line {reader.line_num}") for row in reader]
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: cannot be read: {error}") from None
    late = next((i for i in range(1, len(entries)) if entries[i].time < entries[i - 1].time), None)
    if late is not None:
        raise ScenarioError(f"{path}: entry {late + 1}: time is before that of the entry above it")
    return entries


def _entry(row: dict[str, str], where: str) -> Entry:
    try:
        time = datetime.fromisoformat(row["time"])
    except (TypeError, ValueError):
        raise ScenarioError(f"{where}: time {row['time']!r} is not ISO 8601, e.g. 2026-10-03T14:05:00Z") from None
    if row["kind"] not in KINDS:
        raise ScenarioError(f"{where}: kind {row['kind']!r} is not one of {', '.join(KINDS)}")
    try:
        amount = float(row["amount"])
    except (TypeError, ValueError):
        amount = math.nan
    if not (math.isfinite(amount) and amount >= 0.0):
        raise ScenarioError(f"{where}: amount {row['amount']!r} is not a number of at least 0")
    return Entry(time if time.tzinfo else time.replace(tzinfo=UTC), row["kind"], amount)


def from_ledger(
    entries: Sequence[Entry], month: str, *, name: str, unit: str = "USD", reserve: float | None = None
) -> Month:
    """Sum up a month of a ledger.

    Parameters
    ----------
    entries : sequence of Entry
        In the order of their times; a ``balance`` must stand before the month's first movement.
    month : str
        ``2026-10``, UTC.
    name, unit : str
        Of the ledger's file, and of its money.
    reserve : float, optional
        That the coverage ratio is over; without it there is no ratio.

    Raises
    ------
    ScenarioError
        When the opening balance is not known, or a stated balance does not follow from the entries.
    """
    first, last = bounds(month)
    opening = _balance([entry for entry in entries if entry.time < first], None, name)
    inside = [entry for entry in entries if first <= entry.time < last]
    if opening is None and inside and inside[0].kind == "balance":
        opening = inside[0].amount
    if opening is None:
        raise ScenarioError(f"{name}: no balance stands before the first movement of {month}")
    closing = _balance(inside, opening, name)
    amounts = {kind: [entry.amount for entry in inside if entry.kind == kind] for kind in KINDS}
    values = {
        "opening": opening,
        "inflow": math.fsum(amounts["inflow"]),
        "outflow": math.fsum(amounts["outflow"]),
        "closing": closing,
        "largest_draw": max(amounts["outflow"], default=0.0),
        "coverage": closing / reserve if closing is not None and reserve else None,
        "adl_events": len(amounts["adl"]),
        "adl_notional": math.fsum(amounts["adl"]),
    }
    return Month(month, "ledger", name, unit, None, {key: Figure(value) for key, value in values.items()})


def _balance(entries: Sequence[Entry], balance: float | None, name: str) -> float | None:
    """Carry a balance through entries; None as long as none was stated."""
    for entry in entries:
        if entry.kind == "balance":
            if balance is not None and abs(entry.amount - balance) > _CENT:
                when = entry.time.isoformat()
                raise ScenarioError(
                    f"{name}: the balance at {when} is {entry.amount:,.2f}, the entries give {balance:,.2f}"
                )
            balance = entry.amount
        elif balance is not None:
            balance += {"inflow": entry.amount, "outflow": -entry.amount}.get(entry.kind, 0.0)
    return balance


def simulated(outcomes: Outcomes, month: str, *, name: str, reserve: float | None = None) -> Month:
    """Sum up simulated months: a run whose horizon is a month, every path of which is one.

    Parameters
    ----------
    outcomes : Outcomes
    month : str
        ``2026-10``.
    name : str
        Of the run.
    reserve : float, optional
        That the coverage ratio is over.

    Returns
    -------
    Month
        The outflow of a path is what the fund paid and its inventory lost (``fund_draw``); its inflow is what makes the
        balances agree.

    Raises
    ------
    ScenarioError
        When the horizon is not that month, give or take a twentieth.
    """
    first, last = bounds(month)
    hours, asked = outcomes.facts.horizon_hours, (last - first).total_seconds() / 3600.0
    if abs(hours / asked - 1.0) > _LONGEST_OFF:
        days = calendar.monthrange(first.year, first.month)[1]
        raise ScenarioError(f"{name}: horizon {hours:g} h is not {month}; set run.horizon_hours to {24 * days}")
    opening, closing = np.full(outcomes.n_paths, outcomes.facts.fund_initial), outcomes.fund_end
    columns = {
        "opening": opening,
        "inflow": closing - opening + outcomes.fund_draw,
        "outflow": outcomes.fund_draw,
        "closing": closing,
        "largest_draw": outcomes.drawdown,
        "coverage": closing / reserve if reserve else None,
        "adl_events": (outcomes.deleveraged_notional > 0).astype(float),
        "adl_notional": outcomes.deleveraged_notional,
    }
    figures = {key: _over_paths(values) for key, values in columns.items()}
    figures["adl_events"] = Figure(float(columns["adl_events"].mean()))
    return Month(month, "simulated", name, outcomes.facts.unit, outcomes.n_paths, figures)


def _over_paths(values: np.ndarray | None) -> Figure:
    if values is None:
        return Figure(None)
    low, middle, high = np.quantile(values, (0.05, 0.5, 0.95))
    return Figure(float(middle), float(low), float(high))
