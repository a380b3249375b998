"""How points are laid over axes: one class a design, chosen by ``design = { kind = "..." }``."""

import csv
import math
import tomllib
from collections.abc import Iterator, Sequence
from itertools import islice, product
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, field_validator
from scipy.stats import qmc

from stress.registry import Part
from stress.sweeps.axes import Axis

__all__ = ["Design", "extra"]

Rows = Sequence[tuple[Any, ...]]


def extra(package: str, name: str) -> Any:
    """Import a package of an optional extra, or say how to install it.

    Raises
    ------
    ValueError
        If it is not installed.
    """
    from importlib import import_module

    try:
        return import_module(package)
    except ImportError:
        raise ValueError(f"needs {package.split('.')[0]}: pip install 'fundstress[{name}]'") from None


class Design(Part):
    """Base of the designs."""

    method: ClassVar[str] = ""  # of sensitivity analysis that the design is made for

    def axes(self, given: tuple[Axis, ...]) -> tuple[Axis, ...]:
        """Return the axes of the points."""
        if not given:
            raise ValueError("axis: there is none; a sweep needs at least one [[axis]]")
        return given

    def rows(self, axes: tuple[Axis, ...], seed: int) -> Rows:
        """Return one value an axis for every point, in the order of the points."""
        raise TypeError(f"design {self.kind!r} does not define its rows")


class Grid(Design, kind="grid"):
    """All combinations; the last axis moves fastest."""

    def rows(self, axes: tuple[Axis, ...], seed: int) -> Rows:
        """Return the product of the values."""
        return list(product(*(axis.all_values() for axis in axes)))


class Zip(Design, kind="zip"):
    """Lists side by side: the first values of all axes, the second values, and so on."""

    def rows(self, axes: tuple[Axis, ...], seed: int) -> Rows:
        """Return the values side by side."""
        columns = [axis.all_values() for axis in axes]
        if len({len(column) for column in columns}) > 1:
            sizes = ", ".join(f"{axis.column} {len(c)}" for axis, c in zip(axes, columns, strict=True))
            raise ValueError(f"zipped axes must have equally many values, got {sizes}")
        return list(zip(*columns, strict=True))


class Sampled(Design):
    """Base of designs in the unit cube, whose places the axes turn into values."""

    def cube(self, n_axes: int, seed: int) -> np.ndarray:
        """Return the places, shape (n, n_axes)."""
        raise TypeError(f"design {self.kind!r} does not define its cube")

    def rows(self, axes: tuple[Axis, ...], seed: int) -> Rows:
        """Return the values at the places."""
        places = self.cube(len(axes), seed)
        return [tuple(axis.at(u) for axis, u in zip(axes, row, strict=True)) for row in places]


class LatinHypercube(Sampled, kind="latin_hypercube"):
    """Stratified in every axis (McKay, Beckman & Conover 1979)."""

    points: int = Field(default=256, ge=2, le=10_000_000)

    def cube(self, n_axes: int, seed: int) -> np.ndarray:
        """Return the places."""
        return qmc.LatinHypercube(n_axes, seed=seed).random(self.points)


class Sobol(Sampled, kind="sobol"):
    """Scrambled Sobol sequence (Owen 1998); its balance asks for a power of two."""

    points: int = Field(default=256, ge=2, le=10_000_000)

    @field_validator("points")
    @classmethod
    def _is_a_power(cls, points: int) -> int:
        return power_of_two(points)

    def cube(self, n_axes: int, seed: int) -> np.ndarray:
        """Return the places."""
        return qmc.Sobol(n_axes, seed=seed).random(self.points)


class Saltelli(Sampled, kind="saltelli"):
    """``base (d + 2)`` points for Sobol indices of d axes (Saltelli et al. 2010), ``base (2 d + 2)`` with pairs."""

    method: ClassVar[str] = "sobol"
    base: int = Field(default=128, ge=2, le=1_000_000)
    pairs: bool = False

    @field_validator("base")
    @classmethod
    def _is_a_power(cls, base: int) -> int:
        return power_of_two(base)

    def cube(self, n_axes: int, seed: int) -> np.ndarray:
        """Return the places."""
        sample = extra("SALib.sample.sobol", "sensitivity").sample
        return sample(unit_problem(n_axes), self.base, calc_second_order=self.pairs, seed=seed)


class Morris(Sampled, kind="morris"):
    """``trajectories (d + 1)`` points, one axis moved at a time (Morris 1991)."""

    method: ClassVar[str] = "morris"
    trajectories: int = Field(default=20, ge=2, le=1_000_000)
    levels: int = Field(default=4, ge=4, le=100, multiple_of=2)

    def cube(self, n_axes: int, seed: int) -> np.ndarray:
        """Return the places."""
        sample = extra("SALib.sample.morris", "sensitivity").sample
        return sample(unit_problem(n_axes), self.trajectories, num_levels=self.levels, seed=seed)


class Listed(Design, kind="list"):
    """Points written out, one row of values each; for arrays of other samplers."""

    points: tuple[tuple[Any, ...], ...] = Field(min_length=1)

    def rows(self, axes: tuple[Axis, ...], seed: int) -> Rows:
        """Return the rows."""
        for i, row in enumerate(self.points):
            if len(row) != len(axes):
                raise ValueError(f"design.points.{i}: has {len(row)} values for {len(axes)} axes")
        return self.points


class Csv(Design, kind="csv"):
    """A file of points: the header has dotted names, every further line is a point."""

    file: str  # relative to the sweep file

    def axes(self, given: tuple[Axis, ...]) -> tuple[Axis, ...]:
        """Return one axis a column."""
        if given:
            raise ValueError("axis: must be absent, the header of design.file names the axes")
        names, *rows = self._lines()
        columns = list(zip(*rows, strict=True))
        return tuple(Axis(name=name, values=unique(column)) for name, column in zip(names, columns, strict=True))

    def rows(self, axes: tuple[Axis, ...], seed: int) -> Rows:
        """Return the lines."""
        return list(islice(self._lines(), 1, None))

    def _lines(self) -> Iterator[tuple[Any, ...]]:
        """Yield the header, then the values of every line."""
        try:
            with Path(self.file).open(newline="", encoding="utf-8-sig") as file:
                lines = [line for line in csv.reader(file) if line]
        except OSError as error:
            raise ValueError(f"design.file: {self.file}: {error.strerror}") from None
        if len(lines) < 2:
            raise ValueError(f"design.file: {self.file}: needs a header and at least one point")
        names = tuple(name.strip() for name in lines[0])
        yield names
        for number, line in enumerate(lines[1:], start=2):
            if len(line) != len(names):
                raise ValueError(f"design.file: {self.file}: line {number} has {len(line)} of {len(names)} values")
            yield tuple(map(typed, line))


def typed(text: str) -> Any:
    """Return a value as TOML reads it; a bare word is a text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()


def unique(values: Sequence[Any]) -> tuple[Any, ...]:
    """Return the different values in the order of their first appearance."""
    return tuple({repr(value): value for value in values}.values())


def power_of_two(n: int) -> int:
    """Refuse what is no power of two: the sequence would lose its balance."""
    if n & (n - 1):
        raise ValueError(f"should be a power of two, got {n}; nearest {2 ** round(math.log2(n))}")
    return n


def unit_problem(n_axes: int, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Return a problem of SALib over the unit cube."""
    named = list(names or (f"x{i}" for i in range(n_axes)))
    return {"num_vars": n_axes, "names": named, "bounds": [[0.0, 1.0]] * n_axes}
