"""The answers of a sweep, in the order of its points."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from stress.scenario import ScenarioError
from stress.sweeps.designs import extra
from stress.sweeps.store import digest_of, read_identity, read_rows
from stress.toml import hint

__all__ = ["Sweep", "load_sweep"]


@dataclass(frozen=True, eq=False)
class Sweep:
    """Rows of a sweep; one a point.

    Parameters
    ----------
    table : pyarrow.Table
        ``point``, ``status``, ``error``, the axes, ``n_paths``, and the answers: ``ruin`` over the horizon and
        ``reserve_<level>`` in the run's money, each with ``_low`` and ``_high``; a refused reserve is NaN.
    axes : tuple of str
        Columns that vary.
    about : dict
        What the folder says of the sweep: name, horizon, unit, design, plan.
    """

    table: pa.Table
    axes: tuple[str, ...]
    about: dict[str, Any]

    def __len__(self) -> int:
        return self.table.num_rows

    @property
    def failed(self) -> list[tuple[int, str]]:
        """Points that failed, each with its error."""
        rows = self.table.select(["point", "status", "error"]).to_pylist()
        return [(row["point"], row["error"]) for row in rows if row["status"] != "done"]

    @property
    def levels(self) -> tuple[float, ...]:
        """Levels of the reserve, ascending."""
        return tuple(self.about["levels"])

    @property
    def best_level(self) -> float:
        """The highest level that no finished point refused; of none the lowest."""
        fine = [level for level in self.levels if not np.isnan(self.outcome(f"reserve_{level:g}")[self.done]).any()]
        return max(fine, default=self.levels[0])

    @property
    def done(self) -> np.ndarray:
        """Which rows have an answer, shape (n,)."""
        return np.array([status == "done" for status in self.table["status"].to_pylist()])

    def outcome(self, name: str) -> np.ndarray:
        """Return a column in the order of the points, shape (n,); NaN where a point failed.

        Raises
        ------
        ScenarioError
            If there is no such column.
        """
        if name not in self.table.column_names:
            raise ScenarioError(f"sweep: unknown column {name!r}{hint(name, self.table.column_names)}")
        return self.table[name].to_numpy()

    def digest(self) -> str:
        """Return a hash of all rows, the same for every executor, worker count and order."""
        return digest_of(self.table)

    def to_pandas(self) -> Any:
        """Return a data frame, one row a point."""
        return self.table.to_pandas()

    def to_xarray(self) -> Any:
        """Return a dataset: of a full grid with one dimension an axis, else with the dimension ``point``.

        Raises
        ------
        ScenarioError
            If xarray is not installed.
        """
        try:
            extra("xarray", "sweeps")
        except ValueError as error:
            raise ScenarioError(f"to_xarray: {error}") from None
        frame = self.to_pandas()
        if self.is_grid:
            return frame.set_index(list(self.axes)).to_xarray()
        return frame.set_index("point").to_xarray().set_coords(list(self.axes))

    @property
    def is_grid(self) -> bool:
        """Say whether the points are all combinations of the values of the axes."""
        sizes = [len(set(self.table[name].to_pylist())) for name in self.axes]
        combinations = set(zip(*(self.table[name].to_pylist() for name in self.axes), strict=True))
        return int(np.prod(sizes)) == len(self) == len(combinations)


def load_sweep(path: str | Path) -> Sweep:
    """Read the folder of a sweep, finished or not.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Sweep

    Raises
    ------
    ScenarioError
        If it holds no sweep, or no point is finished.
    """
    about = read_identity(Path(path))
    return Sweep(read_rows(Path(path)), tuple(about["axes"]), about)
