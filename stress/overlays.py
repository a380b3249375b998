"""Named changes of a scenario, and ranges of its numbers: the tables ``[[overlay]]`` and ``[[uncertain]]``.

An overlay is one value on an axis of model risk.  A range is what the sources allow for one number.  Neither
changes the numbers of a run; they say what else could have been run.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from stress.registry import Settings
from stress.toml import ScenarioError, hint, value_at

__all__ = ["Overlay", "Uncertain", "changes_of", "pick", "problems", "without_variants"]

TABLES = ("overlay", "uncertain")
# What all variants share: the random numbers, the paths, and the question that is asked of them.
SHARED = (*TABLES, "reserve", "exchange.preset")
SHARED_RUN = ("run.name", "run.seed", "run.n_paths", "run.redraw_every", "run.engine", "run.horizon_hours")


class Overlay(Settings):
    """One ``[[overlay]]``: a name on an axis, and the values that it sets, by dotted name."""

    axis: str = Field(min_length=1)
    name: str = Field(min_length=1)
    set: dict[str, Any] = Field(min_length=1)

    @field_validator("set", mode="before")
    @classmethod
    def _flat(cls, value: Any) -> Any:
        return dict(flat(value)) if isinstance(value, dict) else value

    @field_validator("set")
    @classmethod
    def _varies(cls, changes: dict[str, Any]) -> dict[str, Any]:
        for name in changes:
            check_varies(name)
        return changes

    @property
    def label(self) -> str:
        """Axis and name, as ``--overlay`` understands them."""
        return f"{self.axis}/{self.name}"


class Uncertain(Settings):
    """One ``[[uncertain]]``: the range of one number; of a log-normal law its 2.5 and 97.5 % points."""

    name: str = Field(min_length=1)  # dotted
    low: float
    high: float
    law: Literal["uniform", "log_uniform", "log_normal"] = "uniform"
    source: str = Field(min_length=1)  # where the range comes from, or "illustrative"

    @field_validator("name")
    @classmethod
    def _varies(cls, name: str) -> str:
        check_varies(name)
        return name

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"{self.name}: low {self.low:g} is not below high {self.high:g}")
        if self.law != "uniform" and self.low <= 0.0:
            raise ValueError(f"{self.name}: low {self.low:g} must be above 0 for law = {self.law!r}")
        return self


def flat(table: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, value); tables are opened, their kind first because it clears the keys of another."""
    for key in sorted(table, key=lambda key: key != "kind"):
        name, value = f"{above}{key}", table[key]
        if isinstance(value, dict):
            yield from flat(value, f"{name}.")
        else:
            yield name, value


def check_varies(name: str) -> None:
    """Refuse to vary what all variants share."""
    if name.split(".")[0] in SHARED or name in (*SHARED, *SHARED_RUN):
        raise ValueError(f"{name} cannot vary: variants share the random numbers, the paths and the levels")


def problems(overlays: Sequence[Overlay], ranges: Sequence[Uncertain]) -> Iterator[tuple[str, str]]:
    """Yield (key, message) for what is given twice."""
    pairs = [overlay.label for overlay in overlays]
    for i, overlay in enumerate(overlays):
        if pairs.index(overlay.label) < i:
            yield f"overlay.{i}.name", f"{overlay.name!r} is repeated on the axis {overlay.axis!r}"
    names = [row.name for row in ranges]
    for i, name in enumerate(names):
        if names.index(name) < i:
            yield f"uncertain.{i}.name", f"{name!r} is repeated"


def without_variants(tables: dict[str, Any]) -> dict[str, Any]:
    """Return a scenario's tables without overlays and ranges."""
    return {key: value for key, value in tables.items() if key not in TABLES}


def pick(overlays: Sequence[Overlay], asked: str, source: str) -> Overlay:
    """Return the overlay of a name, or of ``axis/name`` where a name stands on several axes.

    Raises
    ------
    ScenarioError
        If there is none or there are several.
    """
    found = [overlay for overlay in overlays if asked in (overlay.name, overlay.label)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ScenarioError(f"{source}: overlay {asked!r} is on several axes: {', '.join(o.label for o in found)}")
    known = [overlay.name for overlay in overlays]
    raise ScenarioError(f"{source}: unknown overlay {asked!r}{hint(asked, known) or ' (the scenario has none)'}")


def changes_of(tables: dict[str, Any], overlays: Sequence[Overlay], ranges: Sequence[Uncertain], source: str):
    """Yield (row, where, changes) of every variant that must be valid: overlays, and both ends of every range."""
    for i, overlay in enumerate(overlays):
        yield overlay, f"{source}: overlay.{i} ({overlay.label})", overlay.set
    for i, row in enumerate(ranges):
        where = f"{source}: uncertain.{i}"
        now = value_at(tables, row.name)
        if isinstance(now, (bool, int, str)):
            raise ScenarioError(f"{where}.name: {row.name} is {now!r}, not a real number that could have a range")
        yield row, f"{where}.low", {row.name: row.low}
        yield row, f"{where}.high", {row.name: row.high}
