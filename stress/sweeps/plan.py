"""The plan of a sweep: a file or a call, made into points that are all valid before the first path."""

import hashlib
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import Field, SerializeAsAny, ValidationError, field_validator

from stress import toml
from stress.outcomes import COLUMNS
from stress.overlays import flat, without_variants
from stress.registry import Settings
from stress.rules import cache_folder
from stress.scenario import Scenario, ScenarioError
from stress.sweeps.axes import Axis, axis_of
from stress.sweeps.designs import Design, Grid

__all__ = ["Plan", "Precision", "Refine", "SweepSettings"]

SHOWN = 10  # invalid points that a message lists


class Precision(Settings):
    """Table ``[sweep.precision]``: paths of a point are doubled until its reserve is known this well."""

    level: float = Field(default=0.99, gt=0, lt=1)
    half_width: float = Field(default=0.1, gt=0, lt=10)  # of the interval, relative to the reserve
    most_paths: int = Field(default=80_000, ge=1, le=1_000_000_000)


class Refine(Settings):
    """Table ``[sweep.refine]``: a grid is halved where the ruin probability crosses a level."""

    ruin: float = Field(default=0.01, gt=0, lt=1)
    rounds: int = Field(default=2, ge=1, le=20)


class SweepSettings(Settings):
    """Table ``[sweep]``."""

    name: str = Field(min_length=1, pattern=r"^[\w.-]+$")
    scenario: str = Field(min_length=1)  # file, relative to the sweep file
    set: dict[str, Any] = Field(default_factory=dict)  # dotted names, the same for all points
    design: SerializeAsAny[Design] = Grid()
    uncertain: bool = False  # further axes: the [[uncertain]] ranges of the scenario
    n_paths: int = Field(default=5_000, ge=2, le=1_000_000_000)
    populations: int = Field(default=25, ge=1, le=1_000_000)
    seed: int | None = Field(default=None, ge=0, lt=2**63)  # of the design and the paths; absent: the scenario's
    common_random_numbers: bool = True
    means: tuple[str, ...] = ()  # columns of outcomes whose mean over the paths is kept
    precision: Precision | None = None
    refine: Refine | None = None

    @field_validator("set", mode="before")
    @classmethod
    def _is_flat(cls, value: Any) -> Any:
        return dict(flat(value)) if isinstance(value, dict) else value

    @field_validator("means")
    @classmethod
    def _are_columns(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in COLUMNS:
                raise ValueError(f"unknown column {name!r}{toml.hint(name, COLUMNS)}")
        return names


class SweepFile(Settings):
    """A sweep file: ``[sweep]`` and its ``[[axis]]`` tables."""

    sweep: SweepSettings
    axis: tuple[Axis, ...] = ()


@dataclass(frozen=True, eq=False)
class Plan:
    """The points of a sweep; `load` reads a file, `of` takes a call's arguments.

    Parameters
    ----------
    settings : SweepSettings
    axes : tuple of Axis
    tables : dict
        What was typed of the scenario: the preset still lies below it.
    rows : tuple of tuple
        One value an axis for every point.
    source : str
        Named in errors.
    """

    settings: SweepSettings
    axes: tuple[Axis, ...]
    tables: dict[str, Any]
    rows: tuple[tuple[Any, ...], ...]
    source: str

    @classmethod
    def load(cls, path: str | Path, *, overrides: Mapping[str, Any] | None = None) -> Self:
        """Read a sweep file and lay out its points.

        Parameters
        ----------
        path : path-like
        overrides : mapping, optional
            Dotted names of the sweep file to values, e.g. ``{"sweep.n_paths": 1000}``.

        Raises
        ------
        ScenarioError
            One line: file, key, value and what is allowed; unknown axes with the nearest name, empty ones.
        """
        path = Path(path)
        typed = toml.override(toml.read(path), dict(overrides or {}), str(path))
        file = _valid(typed, str(path))
        scenario = Path(os.path.abspath(path.parent / file.sweep.scenario))
        return cls._laid(file, toml.read(scenario), str(path))

    @classmethod
    def over(cls, scenario: str | Path, tables: Mapping[str, Any]) -> Self:
        """Return the plan of a scenario file and the tables of a sweep file without ``sweep.scenario``."""
        sweep = {"scenario": str(scenario), **tables["sweep"]}
        return cls._laid(_valid({**tables, "sweep": sweep}, "sweep"), toml.read(Path(scenario)), "sweep")

    @classmethod
    def of(cls, scenario: Scenario, tables: Mapping[str, Any]) -> Self:
        """Return the plan of a scenario at hand and the tables of a sweep file without ``sweep.scenario``."""
        sweep = {"scenario": scenario.run.name, **tables["sweep"]}
        file = _valid({**tables, "sweep": sweep}, "sweep")
        if any("exchange.preset" in axis.targets for axis in file.axis):
            raise ScenarioError("sweep: exchange.preset can vary only over a scenario file, give its path")
        return cls._laid(file, scenario.tables(), "sweep")

    @classmethod
    def _laid(cls, file: SweepFile, tables: dict[str, Any], source: str) -> Self:
        settings = file.sweep
        base = Scenario.from_tables(tables, source=f"{source}: sweep.scenario", overrides=settings.set)
        given = (*file.axis, *(axis_of(row) for row in base.uncertain if settings.uncertain))
        seed = base.run.seed if settings.seed is None else settings.seed
        try:
            axes = settings.design.axes(given)
            rows = tuple(map(tuple, settings.design.rows(axes, seed)))
        except ValidationError as error:
            raise ScenarioError(toml.explain(error, f"{source}: design", Axis, {})) from None
        except ValueError as error:
            raise ScenarioError(f"{source}: {error}") from None
        plan = cls(settings, axes, without_variants(tables), rows, source)
        plan.check()
        return plan

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario before any axis."""
        return Scenario.from_tables(self.tables, source=self.source, overrides=self.settings.set)

    @property
    def seed(self) -> int:
        """Root of all randomness of the sweep."""
        return self.scenario.run.seed if self.settings.seed is None else self.settings.seed

    @property
    def every(self) -> int:
        """Paths of a population."""
        return max(1, self.settings.n_paths // self.settings.populations)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the axes in the table of results."""
        return tuple(axis.column for axis in self.axes)

    def changes(self, point: int) -> dict[str, Any]:
        """Return what a point sets, by dotted name."""
        pairs = zip(self.axes, self.rows[point], strict=True)
        changes = {name: value for axis, value in pairs for name in axis.targets}
        seed = self.seed
        if not self.settings.common_random_numbers:
            seed = int(np.random.SeedSequence([seed, point]).generate_state(1, np.uint64)[0] >> 1)
        changes = {**self.settings.set, **changes, "run.seed": seed}
        kinds = [name for name in changes if name.endswith(".kind")]  # first: a kind clears the keys of another
        return {name: changes[name] for name in (*kinds, *changes)}

    def cells(self, point: int) -> dict[str, Any]:
        """Return the axes of a point as the table of results has them."""
        return {axis.column: axis.cell(v) for axis, v in zip(self.axes, self.rows[point], strict=True)}

    def named(self, point: int) -> str:
        """Return a point in words."""
        values = ", ".join(f"{name} = {_short(value)}" for name, value in self.cells(point).items())
        return f"point {point} ({values})"

    def check(self) -> None:
        """Refuse two axes of one name, unknown names, and points that are no valid scenario, all before any path.

        Raises
        ------
        ScenarioError
        """
        names = [name for axis in self.axes for name in axis.targets]
        for i, name in enumerate(names):
            if name in names[:i]:
                raise ScenarioError(f"{self.source}: axis: {name} is on two axes")
        bad = dict(self._invalid())
        if bad and len(bad) == len(self.rows) and len(set(bad.values())) == 1:  # the axis, not a value of it
            raise ScenarioError(f"{self.source}: axis: {next(iter(bad.values()))}")
        if bad:
            lines = [f"{self.named(point)}: {said}" for point, said in bad.items()]
            more = f"; and {len(bad) - SHOWN} more points" if len(bad) > SHOWN else ""
            head = f"{len(bad)} of {len(self.rows)} points {'is' if len(bad) == 1 else 'are'} no valid scenario"
            raise ScenarioError(f"{self.source}: {head}: {'; '.join(lines[:SHOWN])}{more}")

    def _invalid(self) -> Iterator[tuple[int, str]]:
        """Yield every point that is no valid scenario, and why."""
        for point in range(len(self.rows)):
            try:
                Scenario.from_tables(self.tables, source="scenario", overrides=self.changes(point))
            except ScenarioError as error:
                yield point, str(error).removeprefix("scenario: ")

    def with_rows(self, rows: tuple[tuple[Any, ...], ...]) -> Self:
        """Return the plan with further points behind its own."""
        return replace(self, rows=(*self.rows, *rows))

    @cached_property
    def base(self) -> bytes:
        """The tables of the scenario as tasks carry them, compressed."""
        return zlib.compress(json.dumps(self.tables, sort_keys=True).encode())

    @cached_property
    def identity(self) -> dict[str, str]:
        """What must be equal for two sweeps to share a store: the question, and the version that answers."""
        asked = {
            "settings": self.settings.model_dump(mode="json", exclude={"scenario", "design", "uncertain"}),
            "axes": [axis.model_dump(mode="json") for axis in self.axes],
            "rows": self.rows,
            "scenario": toml.without_places(self.tables),
        }
        text = json.dumps(asked, sort_keys=True, separators=(",", ":"))
        return {"plan_sha256": hashlib.sha256(text.encode()).hexdigest(), "code": cache_folder().name}


def _valid(tables: dict[str, Any], source: str) -> SweepFile:
    try:
        return SweepFile.model_validate(tables)
    except ValidationError as error:
        raise ScenarioError(toml.explain(error, source, SweepFile, tables)) from None


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
