"""History in random order: blocks of bars of a file, of random length."""

import numpy as np
from pydantic import Field

from stress.markets.bars import spreading
from stress.markets.base import Clock
from stress.markets.bridge import given_bar, note_bar
from stress.markets.prices import OnPrices, typical_rows
from stress.randomness import MIXING, uniform_pair
from stress.rules import rule


def bootstrap_walk(give):
    """Return the walk over bars: those of the past, each with its own low and high."""

    @rule
    def walk(numbers, table, path, k0, k1, fine):
        """Turn normals into what `give` makes of them."""
        width, n = int(numbers.steps_per_bar), table.shape[1]
        at = 0
        for j in range(fine.size // width):
            anew, where = uniform_pair(j, path, MIXING, k0, k1)
            at = int(where * n) if j == 0 or anew < numbers.restart else (at + 1) % n
            give(fine, j * width, (j + 1) * width, table, at, 1.0, 0.0)

    return walk


bootstrap_increments, bootstrap_deviations = spreading(bootstrap_walk, given_bar, note_bar)


class Bootstrap(OnPrices, kind="bootstrap"):
    """Stationary block bootstrap of the returns of a file (Politis and Romano 1994, JASA 89, 1303-1313).

    Blocks are geometric with a mean of `block_bars`; the mean of history is taken off.
    """

    block_bars: float = Field(default=24.0, ge=1, le=10_000)  # a day of hourly bars, illustrative
    increments = staticmethod(bootstrap_increments)
    deviations = staticmethod(bootstrap_deviations)

    def numbers(self, clock: Clock) -> dict[str, float]:
        """Return how often a block begins."""
        return super().numbers(clock) | {"restart": 1.0 / self.block_bars}

    def table(self, clock: Clock) -> np.ndarray:
        """Return the bars, shape (4, n_returns)."""
        return typical_rows(self.candles)
