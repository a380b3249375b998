"""History in random order: blocks of bars of a file, of random length."""

import numpy as np
from pydantic import Field

from stress.markets.bars import on_bars
from stress.markets.base import Clock
from stress.markets.bridge import pin_bar
from stress.markets.prices import OnPrices, bridge_spread, free_of_drift
from stress.randomness import MIXING, uniform_pair
from stress.rules import rule


@rule
def bootstrap_walk(numbers, table, path, k0, k1, fine):
    """Turn normals into the log-returns of bars of the past, each with noise of its own range."""
    width, n = int(numbers.steps_per_bar), table.shape[1]
    at = 0
    for j in range(fine.size // width):
        anew, where = uniform_pair(j, path, MIXING, k0, k1)
        at = int(where * n) if j == 0 or anew < numbers.restart else (at + 1) % n
        pin_bar(fine, j * width, (j + 1) * width, table[1, at], table[0, at])


class Bootstrap(OnPrices, kind="bootstrap"):
    """Stationary block bootstrap of the returns of a file (Politis and Romano 1994, JASA 89, 1303-1313).

    Blocks are geometric with a mean of `block_bars`; the mean of history is taken off.
    """

    block_bars: float = Field(default=24.0, ge=1, le=10_000)  # a day of hourly bars, illustrative
    increments = staticmethod(on_bars(bootstrap_walk))

    def numbers(self, clock: Clock) -> dict[str, float]:
        """Return how often a block begins."""
        return super().numbers(clock) | {"restart": 1.0 / self.block_bars}

    def table(self, clock: Clock) -> np.ndarray:
        """Return log-returns and the noise within bars, shape (2, n_returns)."""
        candles = self.candles
        return np.stack([free_of_drift(candles.returns), bridge_spread(candles)[1:][candles.follows]])
