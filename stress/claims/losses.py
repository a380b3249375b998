"""Read a history of losses from CSV or Parquet, and refuse in one line what is none."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stress.candles.candles import said
from stress.claims.base import Arrivals
from stress.tables import parse_time, pick_column, read_numbers, read_table, read_times
from stress.toml import ScenarioError

__all__ = ["LossHistory", "read_losses"]

TIMES = ("time", "date", "timestamp", "datetime", "day", "ts")
LOSSES = ("loss", "loss_usd", "amount", "amount_usd", "claim", "bad_debt", "bad_debt_usd", "deficit")
SECONDS = 365.0 * 86_400.0
FEWEST = 10


@dataclass(frozen=True, eq=False)
class LossHistory:
    """Losses of a window that was watched throughout.

    Parameters
    ----------
    time : ndarray of int64, shape (n,)
        When each loss came, seconds since 1970, ascending and different.
    loss : ndarray, shape (n,)
        How large it was, above 0; quote currency.
    since, until : float
        The window, seconds since 1970.
    sha256 : str
        Of the file.
    notes : tuple of str
        What was done with the rows, a line each.
    """

    time: np.ndarray
    loss: np.ndarray
    since: float
    until: float
    sha256: str = ""
    notes: tuple[str, ...] = ()

    @property
    def years(self) -> float:
        """Length of the window, in years of 365 days."""
        return (self.until - self.since) / SECONDS

    @property
    def arrivals(self) -> Arrivals:
        """When the losses came; one at the very start of the window begins it and is not counted."""
        after = bool(self.time[0] == self.since)
        return Arrivals((self.time[after:] - self.since) / SECONDS, self.years, after)

    @property
    def span(self) -> str:
        """The window in words."""
        return f"{said(self.since)} to {said(self.until)} UTC"


def read_losses(path: str | Path, *, since: str | None = None, until: str | None = None) -> LossHistory:
    """Read a history of losses.

    Parameters
    ----------
    path : path-like
        CSV or Parquet with a column of times (``time``, ``date``, ...) and one of losses (``loss``, ``amount``, ...).
        Losses of one time are one loss; rows of zero say that nothing happened.
    since, until : str, optional
        The window that was watched, ISO 8601, UTC unless said otherwise; by default from the first row to the last.

    Returns
    -------
    LossHistory

    Raises
    ------
    ScenarioError
        One line: the file, what is wrong, and where.
    """
    path = Path(path).expanduser()
    frame = read_table(path)
    if frame.empty:
        raise ScenarioError(f"{path}: holds no losses")
    times, notes = read_times(pick_column(frame, TIMES, "times", path), path)
    losses = read_numbers(pick_column(frame, LOSSES, "losses", path), path, least=0.0)
    _check_order(times, path)
    first = float(times[0]) if since is None else parse_time(since, "--from")
    last = float(times[-1]) if until is None else parse_time(until, "--to")
    inside = (times >= first) & (times <= last) & (losses > 0.0)
    notes = (*notes, *_left_out(times, losses, first, last))
    moments, which = np.unique(times[inside], return_inverse=True)
    if moments.size < np.count_nonzero(inside):
        notes = (*notes, f"{np.count_nonzero(inside) - moments.size} losses came with another and are added to it")
    loss = np.bincount(which, weights=losses[inside], minlength=moments.size)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return _checked(LossHistory(moments, loss, first, last, digest, notes), path)


def _check_order(times: np.ndarray, path: Path) -> None:
    back = np.diff(times) < 0
    if back.any():
        at = int(back.argmax())
        raise ScenarioError(
            f"{path}: time: row {at + 2}, {said(times[at + 1])}, is earlier than the row before: sort the file"
        )


def _left_out(times: np.ndarray, losses: np.ndarray, first: float, last: float) -> tuple[str, ...]:
    zero, outside = int((losses == 0.0).sum()), int(((times < first) | (times > last)).sum())
    lines = (f"{zero} rows without a loss" if zero else "", f"{outside} rows outside the window" if outside else "")
    return tuple(f"{line} left out" for line in lines if line)


def _checked(history: LossHistory, path: Path) -> LossHistory:
    n = history.loss.size
    if history.until <= history.since:
        raise ScenarioError(f"{path}: the window {history.span} is empty")
    if n < FEWEST:
        raise ScenarioError(f"{path}: {n} losses in {history.span}; needs {FEWEST} to fit anything")
    if np.ptp(history.loss) == 0.0:
        raise ScenarioError(f"{path}: all {n} losses are {history.loss[0]:g}: a constant history has no law of sizes")
    return history
