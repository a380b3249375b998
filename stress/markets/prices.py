"""Processes that are made of a file of prices, known by its sha256."""

import math
import os
from functools import lru_cache
from typing import Any

import numpy as np
from pydantic import Field, model_validator

from stress.candles import Candles, read_candles
from stress.markets.bars import OnBars
from stress.markets.bridge import CLOSE

PARKINSON = 1.0 / math.sqrt(4.0 * math.log(2.0))  # sd of a Brownian bar over the root mean square of its log range
WINDOW = ("symbol", "since", "until")


@lru_cache(maxsize=8)
def _read(file: str, written_ns: int, *window: str | None) -> Candles:
    return read_candles(file, **dict(zip(WINDOW, window, strict=True)))


class OnPrices(OnBars):
    """Bars of a CSV or Parquet `file` of candles: which of its symbols, and between which times."""

    touches_extremes = True
    file: str = Field(min_length=1)  # in a scenario file relative to it
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")  # of the file; absent: as it is now
    symbol: str | None = None
    since: str | None = None  # ISO 8601, UTC
    until: str | None = None
    bar_seconds: float = Field(default=0.0, ge=0)  # of the file's bars; taken from it

    @model_validator(mode="before")
    @classmethod
    def _find(cls, value: Any) -> Any:
        """Find the file, wherever the process runs later; what is stated of it must be so."""
        if not isinstance(value, dict) or not isinstance(value.get("file"), str) or not value["file"]:
            return value
        path = os.path.abspath(os.path.expanduser(value["file"]))
        candles = candles_of(path, *(value.get(name) for name in WINDOW))
        stated = value.get("sha256") or candles.sha256
        if stated != candles.sha256:
            raise ValueError(f"sha256: {path} has {candles.sha256[:12]}..., not {stated[:12]}...: the file has changed")
        if value.get("bar_seconds", candles.seconds) != candles.seconds:
            raise ValueError(f"bar_seconds: the bars of {path} last {candles.seconds} s, not {value['bar_seconds']:g}")
        return value | {"file": path, "sha256": stated, "bar_seconds": float(candles.seconds)}

    @property
    def candles(self) -> Candles:
        """The bars."""
        return candles_of(self.file, *(getattr(self, name) for name in WINDOW))


def candles_of(file: str, *window: str | None) -> Candles:
    """Return the candles of a file, read again only when it has been written."""
    return _read(file, os.stat(file).st_mtime_ns if os.path.isfile(file) else 0, *window)


def rows_of(candles: Candles, start: float) -> np.ndarray:
    """Return close, low and high of each bar over where it starts, and its noise; logs, shape (4, n_bars).

    A bar starts at the close before it, the first at `start`.  The noise is the standard deviation of which the range
    speaks (Parkinson 1980).
    """
    before = np.concatenate([[start], candles.close[:-1]])
    low, high = np.minimum(candles.low, before), np.maximum(candles.high, before)
    return np.log([candles.close / before, low / before, high / before, (high / low) ** PARKINSON])


def typical_rows(candles: Candles) -> np.ndarray:
    """Return the rows of bars that follow another, without the drift of the sample: mean of exp(return) one, (4, n)."""
    rows = rows_of(candles, candles.open[0])[:, 1:][:, candles.follows]
    rows[CLOSE] -= math.log(np.mean(np.exp(rows[CLOSE])))
    return rows
