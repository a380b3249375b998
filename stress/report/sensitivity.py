"""What a sweep says of its inputs: their effects, where its design can tell them, and its points."""

from collections.abc import Iterator

from stress.plots import sweep_figures, tornado
from stress.report.finished import Figure, drawn_figure
from stress.report.tables import Cell, Table, table
from stress.report.words import Words
from stress.summary.notation import Money
from stress.sweeps import Sweep, sensitivity
from stress.sweeps.designs import Design
from stress.sweeps.effects import Sensitivity

__all__ = ["effects", "judged", "pictures", "points"]

MOST = 50  # rows of a page; all of them are in the sweep's folder


def judged(sweep: Sweep) -> Sensitivity | None:
    """Return the effects of the inputs; None for a design that was not made for them.

    Raises
    ------
    ScenarioError
        If a point has no answer.
    """
    made_for = Design.member(sweep.about["design"]["kind"]).method  # type: ignore[attr-defined]
    return sensitivity(sweep) if made_for else None


def effects(found: Sensitivity | None, say: Words) -> Iterator[Table]:
    """Yield the effects, the strongest first."""
    if found is None:
        return
    heads = (say("head.key"), say("head.total"), say("head.half_width"), say("head.first_order"))
    rows = ((effect.name, effect.total, effect.total_error, effect.first) for effect in found.effects)
    note = say(f"note.{found.method}", target=found.target, points=f"{found.n_points:,}")
    yield from table("effects", say("table.effects"), heads, rows, note)


def points(sweep: Sweep, say: Words) -> Iterator[Table]:
    """Yield the points with their answers; a refused reserve is empty."""
    money, level = Money(sweep.about["unit"]), sweep.best_level
    unit = money.axis
    heads = (say("head.point"), *sweep.axes, say("event.ruin") + " (%)", unit)
    rows = [_point(row, sweep.axes, level, money.scale) for row in sweep.table.slice(0, MOST).to_pylist()]
    title = say("table.points", level=f"{100 * level:g} %", hours=f"{sweep.about['horizon_hours']:g}")
    bounds = (say("head.low", unit=unit), say("head.high", unit=unit))
    yield from table("points", title, (*heads, *bounds), rows, say("note.points", shown=len(rows), n=len(sweep)))


def _point(row: dict[str, Cell], axes: tuple[str, ...], level: float, scale: float) -> tuple[Cell, ...]:
    name = f"reserve_{level:g}"
    amounts = (_known(row[name + end], 1.0 / scale) for end in ("", "_low", "_high"))
    return (row["point"], *(row[axis] for axis in axes), _known(row["ruin"], 100.0), *amounts)


def _known(value: Cell, factor: float) -> float | None:
    """Return a number in the unit of its column; None where there is none, which is not equal to itself."""
    return value * factor if isinstance(value, float) and value == value else None


def pictures(sweep: Sweep, found: Sensitivity | None) -> Iterator[Figure]:
    """Yield the figures that fit the sweep."""
    if found is not None:
        yield drawn_figure("tornado", tornado(found))
    if sweep.done.sum() > 1:
        yield from (drawn_figure(name, axes) for name, axes in sweep_figures(sweep))
