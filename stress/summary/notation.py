"""How the page writes amounts, probabilities, rates and intervals, and how it sets a row."""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Money", "brackets", "grid", "percent", "rate", "row", "share", "three_digits", "wrapped"]

WIDTH = 112
NOTHING = 1e-12  # bounds of few effective events come as 1e-66
_LABEL, _COLUMN = 41, 31
_DOLLARS = "USD"
_UNITS = ((1e9, "bn"), (1e6, "m"), (1e3, "k"))


@dataclass(frozen=True)
class Money:
    """How amounts of one money are written, and drawn on an axis.

    Parameters
    ----------
    unit : str
        Name of the money: dollars come in millions, coins one by one.
    """

    unit: str = _DOLLARS

    def __call__(self, x: float) -> str:
        """Write an amount with three significant digits: ``USD 60.0 m``, ``BTC 1,235``."""
        return f"{'-' if x < 0 else ''}{self.unit} {self._size(abs(x))}"

    def bare(self, x: float) -> str:
        """Write an amount without its unit: ``60.0 m``."""
        return f"{'-' if x < 0 else ''}{self._size(abs(x))}"

    def _size(self, x: float) -> str:
        for scale, name in _UNITS if self.unit == _DOLLARS else _UNITS[:2]:
            if x >= 0.9995 * scale:
                return f"{three_digits(x / scale)} {name}"
        return three_digits(x)

    @property
    def scale(self) -> float:
        """How much of it one unit of an axis is."""
        return _UNITS[1][0] if self.unit == _DOLLARS else 1.0

    @property
    def axis(self) -> str:
        """Unit of an axis: ``USD m``."""
        return f"{self.unit} {_UNITS[1][1]}" if self.unit == _DOLLARS else self.unit


def percent(p: float) -> str:
    """Write a probability: ``0.12 %``; what no simulation tells from zero is zero."""
    if 0 < p < 1e-6:
        return "0 %" if p < NOTHING else f"{p:.2g}"
    return f"{100 * p:.6g} %" if p > 0.999 else f"{100 * p:.3g} %"


def share(x: float) -> str:
    """Write a ratio that may be negative or large: ``-0.63 %``, ``1,234 %``."""
    return f"{100 * x:,.0f} %" if abs(x) >= 9.995 else f"{100 * x:.3g} %"


def rate(x: float | None) -> str:
    """Write a number of events a year, None being certain every time."""
    if x is None:
        return "unbounded"
    return f"{x:,.0f}" if x >= 999.5 else f"{x:.3g}"


def three_digits(x: float) -> str:
    """Write a positive number with three significant digits, zeros kept."""
    return f"{x:,.0f}" if x >= 999.5 else f"{x:#.3g}".rstrip(".") if x else "0"


def brackets(low: float | None, high: float | None, write: Callable[[float], str]) -> str:
    """Write an interval: ``[0.09 %, 0.14 %]``."""
    if low is None and high is None:
        return "[no interval]"
    return f"[{'?' if low is None else write(low)}, {'unbounded' if high is None else write(high)}]"


def row(label: str, first: str, second: str = "") -> str:
    """Set a label and one or two columns; a column that is too wide pushes the next."""
    head = f"{label:<{_LABEL - 1}} {first}"
    return f"{head:<{_LABEL + _COLUMN - 1}} {second}".rstrip()


def grid(cells: Sequence[str], *, label: str = "", indent: int = 2, n_columns: int = 2) -> Iterator[str]:
    """Set cells in aligned columns, row by row, the label before the first row."""
    width = (WIDTH - indent) // n_columns
    for start in range(0, len(cells), n_columns):
        margin = f"{label if start == 0 else '':<{indent}}"
        yield (margin + "".join(f"{cell:<{width - 2}}  " for cell in cells[start : start + n_columns])).rstrip()


def wrapped(
    text: str, *, first: str = "  ", then: str = "    ", n_lines: int | None = None, width: int = WIDTH
) -> Iterator[str]:
    """Break a text into lines of the page's width, or of another, at most `n_lines`."""
    yield from textwrap.TextWrapper(
        width,
        initial_indent=first,
        subsequent_indent=then,
        max_lines=n_lines,
        placeholder=" ...",
        break_long_words=False,
        break_on_hyphens=False,
    ).wrap(text)
