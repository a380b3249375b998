"""A price that only follows what it is given: returns in the file and ``[[shock]]`` tables."""

import numpy as np
from pydantic import Field

from stress.markets.base import NO_TABLE, Clock, Market
from stress.rules import rule


@rule
def given_increments(numbers, table, path, k0, k1, out):
    """Fill `out` with the given log-returns, then zeros."""
    for t in range(out.size):
        out[t] = table[0, t] if t < numbers.given else 0.0


@rule
def no_deviations(numbers, table, path, k0, k1, out):
    """Fill `out` with zeros: nothing is random."""
    out[:] = 0.0


class Scripted(Market, kind="scripted"):
    """No noise: every path is the same."""

    log_returns: tuple[float, ...] = Field(default=(), max_length=1_000_000)  # one per step, from the first on
    is_given = True
    increments = staticmethod(given_increments)
    deviations = staticmethod(no_deviations)

    def problems(self, clock: Clock) -> list[tuple[str, str]]:
        """Refuse more returns than steps."""
        if len(self.log_returns) > clock.n_steps:
            return [("log_returns", f"has {len(self.log_returns)} values, the horizon only {clock.n_steps} steps")]
        return []

    def numbers(self, clock: Clock) -> dict[str, float]:
        """Return how many returns are given."""
        return {"given": float(len(self.log_returns))}

    def table(self, clock: Clock) -> np.ndarray:
        """Return the given returns, shape (1, n)."""
        return np.array([self.log_returns]) if self.log_returns else NO_TABLE
