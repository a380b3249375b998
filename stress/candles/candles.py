"""Open, high, low and close of bars of one length, with the gaps that they have."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

import numpy as np

__all__ = ["Candles", "said"]


def said(seconds: float) -> str:
    """Return a Unix time in words, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


@dataclass(frozen=True, eq=False)
class Candles:
    """Bars in ascending order; those that are missing are simply not there.

    Parameters
    ----------
    time : ndarray of int64, shape (n,)
        When each bar opens, seconds since 1970, UTC.
    open, high, low, close : ndarray of float, shape (n,)
        Prices, above 0.
    seconds : int
        Length of a bar.
    sha256 : str
        Of the file that they were read from; empty without a file.
    notes : tuple of str
        What is odd about them, a line each.
    """

    time: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    seconds: int
    sha256: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of bars."""
        return self.time.size

    def __getitem__(self, which: slice | np.ndarray) -> "Candles":
        """Return some of the bars."""
        return replace(self, **{name: getattr(self, name)[which] for name in ("time", "open", "high", "low", "close")})

    @cached_property
    def follows(self) -> np.ndarray:
        """Say of every bar but the first whether it follows the one before without a gap, shape (n - 1,)."""
        return np.diff(self.time) == self.seconds

    @cached_property
    def returns(self) -> np.ndarray:
        """Log-returns from close to close, without those across gaps, shape (<= n - 1,)."""
        return np.diff(np.log(self.close))[self.follows]

    @property
    def span(self) -> str:
        """First and last time, in words."""
        return f"{said(self.time[0])} to {said(self.time[-1] + self.seconds)} UTC"

    def between(self, since: float | None, until: float | None) -> "Candles":
        """Return the bars that open at or after `since` and before `until`, Unix times."""
        first = 0 if since is None else int(np.searchsorted(self.time, since))
        last = len(self) if until is None else int(np.searchsorted(self.time, until))
        return self[first:last]

    def longest_gap(self) -> float:
        """Return the longest time without a bar, in hours."""
        return float((np.diff(self.time).max(initial=self.seconds) - self.seconds) / 3600.0)
