"""A law given by data: a table of probabilities and values, typed or taken from one column of a file.

Between two points of a table a value is log-uniform.  A file is read once, when the scenario is; what the scenario
keeps, writes and hashes is the table.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field, model_validator

from stress.registry import Settings

Positive = Annotated[float, Field(gt=0, strict=True)]
Weight = Annotated[float, Field(ge=0, strict=True)]

MAX_POINTS = 2_000  # of a table in a scenario
DIGITS = 9  # kept of a quantile
# Where a file's sample is cut: every half percent, then ten points for each of the last powers of ten.
GRID = np.unique(np.concatenate([np.linspace(0.0, 0.99, 199), 1.0 - np.geomspace(1e-2, 1e-6, 41), [1.0]]))


def log_linear(at: np.ndarray, probabilities: Sequence[float], values: Sequence[float]) -> np.ndarray:
    """Return the quantiles of a table at the probabilities `at`, linear in the logarithm of the value."""
    return np.exp(np.interp(at, probabilities, np.log(values)))


def quantiles_of(sample: np.ndarray) -> tuple[list[float], list[float]]:
    """Return a table of a sample's quantiles: all of a small one, the points of `GRID` of a large one."""
    at = np.linspace(0.0, 1.0, sample.size) if sample.size <= GRID.size else GRID
    return at.tolist(), [float(f"{x:.{DIGITS}g}") for x in np.quantile(sample, at)]


def read_column(file: str, column: str) -> np.ndarray:
    """Read one column of positive numbers from a CSV or Parquet file, shape (n_rows,).

    Raises
    ------
    ValueError
        One line: no such file or column, another kind of file, a value that is not a positive number.
    """
    path = Path(file).expanduser()
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise ValueError(f"file {file}: should end in .csv or .parquet")
    if not path.is_file():
        raise ValueError(f"file {file}: no such file")
    values = np.asarray(_column(path, column), dtype=float)
    wrong = ~(np.isfinite(values) & (values > 0.0))
    if wrong.any() or values.size < 2:
        counted = f"{int(wrong.sum())} of {values.size} values are not positive numbers"
        raise ValueError(f"file {file}: column {column!r}: {counted if wrong.any() else 'fewer than two values'}")
    return values


def _column(path: Path, column: str) -> Any:
    """Return the column as Arrow gives it; nulls become NaN."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    try:
        if path.suffix.lower() == ".parquet":
            table = parquet.read_table(path, columns=[column])
        else:
            options = csv.ConvertOptions(include_columns=[column], column_types={column: pa.float64()})
            table = csv.read_csv(path, convert_options=options)
        return table.column(column).cast(pa.float64()).to_numpy()
    except (KeyError, pa.ArrowException, OSError) as error:
        said = str(error).strip("'\"").splitlines()[0]
        raise ValueError(f"file {path}: column {column!r}: {said}") from None


class Sampled(Settings):
    """What laws given by data share: `file` and `column` stand for the table, and are gone once it is read."""

    file: str | None = None  # CSV or Parquet, beside the scenario file
    column: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_file(cls, table: Any) -> Any:
        if not isinstance(table, dict) or table.get("file") is None:
            return table
        rest = {key: value for key, value in table.items() if key not in ("file", "column")}
        if not isinstance(table.get("column"), str):
            raise ValueError(f"file {table['file']}: 'column' is required: the name of the column to read")
        found = cls.table_of(read_column(str(table["file"]), table["column"]))
        if both := sorted(found.keys() & rest.keys()):
            raise ValueError(f"{both[0]}: leave it out, or 'file': the table is given twice")
        return rest | found

    @model_validator(mode="after")
    def _column_of_a_file(self) -> Self:
        if self.column is not None:
            raise ValueError(f"column {self.column!r}: needs a 'file'")
        return self

    @classmethod
    def table_of(cls, sample: np.ndarray) -> dict[str, list[float]]:
        """Return the keys of the law that describe a sample, shape (n,)."""
        raise TypeError(f"{cls.__name__} does not define its table")
