"""Read candles from CSV or Parquet, and refuse in one line what is no price history."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from stress.candles.candles import Candles, said
from stress.tables import parse_time, read_table, read_times
from stress.toml import ScenarioError

__all__ = ["read_candles"]

ALIASES = {
    "time": ("time", "timestamp", "date", "datetime", "open_time", "opentime", "unix", "ts", "t"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "symbol": ("symbol", "coin", "instrument", "market", "pair", "ticker"),
}
PRICES = ("open", "high", "low", "close")
BAD_PRINT = 1.6  # high over low; no hour of a major coin has had more (docs/markets.md)
FEWEST = 2


def read_candles(
    path: str | Path, *, symbol: str | None = None, since: str | None = None, until: str | None = None
) -> Candles:
    """Read the candles of one symbol.

    Parameters
    ----------
    path : path-like
        CSV or Parquet with columns time, open, high, low, close under any of their usual names.  Times are ISO 8601,
        UTC unless they say otherwise, or seconds, milliseconds, microseconds or nanoseconds since 1970.
    symbol : str, optional
        Which of several.
    since, until : str, optional
        First and one after the last time, ISO 8601, UTC unless said otherwise.

    Returns
    -------
    Candles

    Raises
    ------
    ScenarioError
        One line: the file, what is wrong, and where.
    """
    path = Path(path).expanduser()
    frame = _columns(read_table(path), path)
    frame = _one_symbol(frame, symbol, path)
    if len(frame) < FEWEST:
        raise ScenarioError(f"{path}: holds {len(frame)} bars")
    times, notes = read_times(frame["time"], path)
    open_, high, low, close = (_prices(frame[name], name, path) for name in PRICES)
    seconds = _bar(times, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    candles = _without_bad_prints(Candles(times, open_, high, low, close, seconds, digest), notes)
    window = candles.between(_bound(since, "from"), _bound(until, "to"))
    if len(window) < FEWEST:
        raise ScenarioError(f"{path}: {len(window)} bars between {since or '-'} and {until or '-'}; has {candles.span}")
    return _with_gaps(window)


def _bound(text: str | None, option: str) -> float | None:
    return None if text is None else parse_time(text, option)


def _columns(frame: Any, path: Path) -> Any:
    """Return the frame under our names; without an index, and without columns that nobody asked for."""
    if frame.index.name is not None:
        frame = frame.reset_index()
    given = {str(column).strip().lower().replace(" ", "_"): column for column in frame.columns}
    found = {name: given[alias] for name, known in ALIASES.items() for alias in reversed(known) if alias in given}
    missing = [name for name in ("time", *PRICES) if name not in found]
    if missing:
        has = ", ".join(map(str, frame.columns))
        raise ScenarioError(f"{path}: has no column {', '.join(missing)}; it has {has}")
    return frame[list(found.values())].set_axis(list(found), axis=1)


def _one_symbol(frame: Any, symbol: str | None, path: Path) -> Any:
    if "symbol" not in frame:
        if symbol is not None:
            raise ScenarioError(f"{path}: --symbol {symbol}: the file has no column of symbols")
        return frame
    known = sorted(map(str, frame["symbol"].unique()))
    if symbol is None and len(known) == 1:
        return frame
    if symbol not in known:
        said_symbol = "needs --symbol" if symbol is None else f"--symbol {symbol}: not there"
        raise ScenarioError(f"{path}: {said_symbol}; known: {', '.join(known[:20])}")
    return frame[frame["symbol"].astype(str) == symbol]


def _prices(column: Any, name: str, path: Path) -> np.ndarray:
    import pandas as pd

    values = pd.to_numeric(column, errors="coerce").to_numpy(float)
    wrong = ~(np.isfinite(values) & (values > 0.0))
    if wrong.any():
        row = int(wrong.argmax())
        more = f" (and {int(wrong.sum()) - 1} more)" if wrong.sum() > 1 else ""
        [value] = column.iloc[[row]].tolist()
        raise ScenarioError(f"{path}: {name}: row {row + 1} is {value!r}, prices must be positive numbers{more}")
    return values


def _bar(times: np.ndarray, path: Path) -> int:
    """Return the length of a bar, the usual distance of times; refuse what is not ascending or not on one grid."""
    apart = np.diff(times)
    if (apart <= 0).any():
        at = int((apart <= 0).argmax())
        what = "comes twice" if apart[at] == 0 else "is followed by an earlier one: sort the file"
        raise ScenarioError(f"{path}: time {said(times[at])} (row {at + 1}) {what}")
    lengths, counts = np.unique(apart, return_counts=True)
    bar = int(lengths[counts.argmax()])
    off = apart % bar != 0
    if off.any():
        at = int(off.argmax())
        raise ScenarioError(
            f"{path}: mixed frequency: most bars last {bar} s, that of {said(times[at])} lasts {apart[at]} s"
        )
    return bar


def _without_bad_prints(candles: Candles, notes: tuple[str, ...]) -> Candles:
    """Leave out bars whose range no market has had, or that do not hold their own open and close."""
    inside = (candles.low <= np.minimum(candles.open, candles.close) * (1 + 1e-9)) & (
        candles.high >= np.maximum(candles.open, candles.close) * (1 - 1e-9)
    )
    good = inside & (candles.high < BAD_PRINT * candles.low)
    if not good.all():
        first = said(candles.time[int((~good).argmax())])
        notes = (*notes, f"{int((~good).sum())} bad prints left out, the first {first}")
    return replace(candles[good], notes=notes)


def _with_gaps(candles: Candles) -> Candles:
    missing = int((np.diff(candles.time) // candles.seconds - 1).sum())
    if missing == 0:
        return candles
    gaps = int((~candles.follows).sum())
    line = f"{gaps} gaps, {missing} bars missing, the longest {candles.longest_gap():g} h; no return is taken across"
    return replace(candles, notes=(*candles.notes, line))
