"""Tables that a user brings, CSV or Parquet: columns by their usual names, times, numbers; errors in one line."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from stress.toml import ScenarioError

__all__ = ["parse_time", "pick_column", "read_numbers", "read_table", "read_times"]

UNITS = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3), (0.0, 1.0))  # an epoch above this is in that unit of a second
NOTHING: tuple[str, ...] = ()
ZONE = re.compile(r"(Z|[+-]\d\d:?\d\d)$")  # at the end of an ISO 8601 time


def read_table(path: Path) -> Any:
    """Return the table of a CSV or Parquet file; a ScenarioError in one line where there is none."""
    import pandas as pd

    if path.suffix.lower() not in (".csv", ".parquet"):
        raise ScenarioError(f"{path}: should end in .csv or .parquet")
    if not path.is_file():
        raise ScenarioError(f"{path}: no such file")
    try:
        return pd.read_parquet(path) if path.suffix.lower() == ".parquet" else pd.read_csv(path)
    except (ValueError, OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None


def pick_column(frame: Any, names: tuple[str, ...], what: str, path: Path) -> Any:
    """Return the column that has the first of these names; a ScenarioError names what there is."""
    given = {str(column).strip().lower().replace(" ", "_"): column for column in frame.columns}
    for name in names:
        if name in given:
            return frame[given[name]]
    has = ", ".join(map(str, frame.columns))
    raise ScenarioError(f"{path}: has no column of {what} ({', '.join(names)}); it has {has}")


def read_numbers(column: Any, path: Path, *, least: float = -np.inf) -> np.ndarray:
    """Return finite numbers of at least `least`; a ScenarioError names the first row that is none."""
    import pandas as pd

    values = pd.to_numeric(column, errors="coerce").to_numpy(float)
    wrong = ~(np.isfinite(values) & (values >= least))
    if wrong.any():
        row = int(wrong.argmax())
        more = f" (and {int(wrong.sum()) - 1} more)" if wrong.sum() > 1 else ""
        allowed = "must be numbers" if np.isinf(least) else f"must be numbers of at least {least:g}"
        raise ScenarioError(f"{path}: {column.name}: row {row + 1} is {column.iloc[row]!s}, all {allowed}{more}")
    return values


def parse_time(text: str, option: str) -> float:
    """Return a time as seconds since 1970; `option` is named in the error."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ScenarioError(f"{option} {text}: expected a time in ISO 8601, e.g. 2020-03-12T00:00") from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def read_times(column: Any, path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return whole seconds since 1970 and what had to be assumed."""
    import pandas as pd

    numbers, notes = pd.to_numeric(column, errors="coerce") if column.dtype.kind not in "M" else None, NOTHING
    if numbers is not None and numbers.notna().all():
        values = numbers.to_numpy(float)
        scale = next(scale for above, scale in UNITS if abs(values[0]) >= above)
        seconds = values * scale
    else:
        try:
            stamps = pd.to_datetime(column, utc=True, format=None if column.dtype.kind == "M" else "ISO8601")
        except (ValueError, TypeError) as error:
            raise ScenarioError(f"{path}: time: {str(error).splitlines()[0]}") from None
        seconds = stamps.to_numpy("datetime64[ns]").astype(np.int64) / 1e9
        if stamps.isna().any():
            raise ScenarioError(f"{path}: time: row {1 + int(stamps.isna().argmax())} is empty")
        if getattr(column.dtype, "tz", None) is None and not ZONE.search(str(column.iloc[0])):
            notes = ("times without a zone are taken as UTC",)
    return np.round(seconds).astype(np.int64), notes
