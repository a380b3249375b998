"""A table as every format writes it: texts to read, numbers to calculate with."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from stress.summary.notation import three_digits

__all__ = ["Cell", "Table", "shown", "table"]

#: A text, a number, or nothing to say.
Cell = str | float | None

_SMALL = 1e-3  # below it a number is written in scientific notation


@dataclass(frozen=True)
class Table:
    """Rows under a head.

    Parameters
    ----------
    key : str
        Name in the machine-readable form and of a spreadsheet's page.
    title : str
    head : tuple of str
    rows : tuple of tuples of Cell
        Each as long as the head; its first cell names the row.
    note : str
        What the reader must know to read it right.
    """

    key: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Which columns hold numbers."""
        columns = ([row[i] for row in self.rows] for i in range(len(self.head)))
        return tuple(any(isinstance(cell, (int, float)) for cell in column) for column in columns)

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        return {"key": self.key, "title": self.title, "head": self.head, "rows": self.rows, "note": self.note}


def table(key: str, title: str, head: Iterable[str], rows: Iterable[Iterable[Cell]], note: str = "") -> Iterator[Table]:
    """Yield a table, or nothing when it has no rows; a ValueError when a row is not as long as the head."""
    head, filled = tuple(head), tuple(tuple(row) for row in rows)
    if any(len(row) != len(head) for row in filled):
        raise ValueError(f"table {key}: a row is not as long as the head")
    if filled:
        yield Table(key, title, head, filled, note)


def shown(cell: Cell) -> str:
    """Write a cell: a count as it is, a number with three significant digits and a plain minus, to be pasted."""
    if cell is None:
        return "\N{EN DASH}"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int):
        return f"{cell:,}"
    size = abs(cell)
    digits = f"{size:.2g}" if 0 < size < _SMALL else three_digits(size)
    return f"{'-' if cell < 0 else ''}{digits}"
