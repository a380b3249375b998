"""What varies from point to point: one ``[[axis]]`` each, with values of its own or a range."""

import json
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from stress.overlays import Uncertain
from stress.registry import Settings

__all__ = ["Axis", "axis_of"]

# Not a number of the model: what a sweep is asked, and how it is run.
OWN = ("run.name", "run.seed", "run.n_paths", "run.redraw_every", "overlay", "uncertain", "reserve")


class Axis(Settings):
    """One ``[[axis]]``: the dotted names that take a value together, and the values or their range."""

    name: str | None = None  # dotted
    names: tuple[str, ...] = ()  # several that take the same value
    label: str | None = None  # name of the column; by default the first dotted name
    values: tuple[Any, ...] = ()
    labels: tuple[str, ...] = ()  # of values that are tables or arrays
    low: float | None = None
    high: float | None = None
    steps: int | None = Field(default=None, ge=2, le=1_000_000)  # of a range in a grid
    scale: Literal["linear", "log"] = "linear"
    whole: bool = False  # round what is drawn from the range

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if (self.name is None) == (not self.names):
            raise ValueError("needs either 'name' or 'names'")
        for name in self.targets:
            if name in OWN or name.split(".")[0] in OWN:
                raise ValueError(f"{name} cannot vary: it belongs to the sweep (n_paths, populations, seed)")
        if bool(self.values) == (self.low is not None or self.high is not None):
            raise ValueError(f"{self.column}: needs either 'values', at least one, or 'low' and 'high'")
        if self.labels and len(self.labels) != len(self.values):
            raise ValueError(f"{self.column}: {len(self.labels)} labels for {len(self.values)} values")
        return self._with_a_range() if not self.values else self

    def _with_a_range(self) -> Self:
        if self.low is None or self.high is None:
            raise ValueError(f"{self.column}: a range needs both 'low' and 'high'")
        if self.low >= self.high:
            raise ValueError(f"{self.column}: low {self.low:g} is not below high {self.high:g}")
        if self.scale == "log" and self.low <= 0.0:
            raise ValueError(f"{self.column}: low {self.low:g} must be above 0 for scale = 'log'")
        return self

    @property
    def targets(self) -> tuple[str, ...]:
        """The dotted names that take the value."""
        return self.names or (str(self.name),)

    @property
    def column(self) -> str:
        """The name of the axis in tables and figures."""
        return self.label or (self.names[0] if self.names else str(self.name))

    @property
    def numeric(self) -> bool:
        """Say whether every value is a number."""
        return all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in self.values) and not self.labels

    def all_values(self) -> tuple[Any, ...]:
        """Return the values of a grid, in order; a range is cut into ``steps``.

        Raises
        ------
        ValueError
            If a range has no steps.
        """
        if self.values:
            return self.values
        if self.steps is None:
            raise ValueError(f"{self.column}: needs 'values' or 'steps' for this design")
        return tuple(self.at(u) for u in np.linspace(0.0, 1.0, self.steps))

    def at(self, u: float) -> Any:
        """Return the value at a place in the unit interval: of a range, or of the values in equal parts."""
        if self.values:
            return self.values[min(int(u * len(self.values)), len(self.values) - 1)]
        return self._rounded(self._between(float(u)))

    def _between(self, u: float) -> float:
        low, high = float(self.low or 0.0), float(self.high or 0.0)
        if u in (0.0, 1.0):  # the ends are exact
            return high if u else low
        return low * (high / low) ** u if self.scale == "log" else low + u * (high - low)

    def middle(self, a: float, b: float) -> Any:
        """Return the value half-way between two, on the scale of the axis."""
        return self._rounded((a * b) ** 0.5 if self.scale == "log" else 0.5 * (a + b))

    def _rounded(self, x: float) -> Any:
        return round(x) if self.whole else x

    def places(self, x: np.ndarray) -> np.ndarray:
        """Return where numbers lie between the ends of the axis, on its scale, 0 to 1; shape of `x`."""
        low, high = map(
            float, (min(self.values), max(self.values)) if self.values else (self.low or 0.0, self.high or 0.0)
        )
        if low == high:
            return np.zeros_like(x)
        return np.log(x / low) / np.log(high / low) if self.scale == "log" else (x - low) / (high - low)

    def cell(self, value: Any) -> Any:
        """Return what the table of results holds for a value: a number, or a text."""
        if self.labels:
            return self.labels[self.values.index(value)]
        if self.numeric:
            return float(value)
        return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def axis_of(row: Uncertain) -> Axis:
    """Return an ``[[uncertain]]`` range of a scenario as an axis; a log-normal law becomes its range on log scale."""
    return Axis(name=row.name, low=row.low, high=row.high, scale="linear" if row.law == "uniform" else "log")
