"""Filtered historical simulation: GARCH volatility, and shocks drawn from those of history."""

import math
from functools import partial

import numpy as np

from stress.markets.bars import drawn_start, spreading
from stress.markets.base import Clock
from stress.markets.bridge import CLOSE, given_bar, note_bar
from stress.markets.garch import Recursion, next_variance, simulated
from stress.markets.prices import OnPrices, typical_rows
from stress.randomness import MIXING, VOLATILITY, uniform_pair
from stress.rules import rule


def filtered_walk(give):
    """Return the walk over bars: a bar's shock, low and high are those of one bar of the past."""

    @rule
    def walk(numbers, table, path, k0, k1, fine):
        """Turn normals into what `give` makes of them."""
        width, n = int(numbers.steps_per_bar), table.shape[1]
        variance = drawn_start(table[4], uniform_pair(0, path, VOLATILITY, k0, k1)[0])
        for j in range(fine.size // width):
            at = int(uniform_pair(j, path, MIXING, k0, k1)[0] * n)
            sd = math.sqrt(variance)
            give(fine, j * width, (j + 1) * width, table, at, sd, -0.5 * variance)
            variance = next_variance(numbers, variance, sd * table[CLOSE, at])

    return walk


filtered_increments, filtered_deviations = spreading(filtered_walk, given_bar, note_bar)


class Filtered(Recursion, OnPrices, kind="filtered"):
    """Shocks of a file over the GARCH volatility of their time, drawn at that of the path.

    Filtered historical simulation: Barone-Adesi, Giannopoulos and Vosper (1999), Journal of Futures Markets 19.
    """

    increments = staticmethod(filtered_increments)
    deviations = staticmethod(filtered_deviations)

    def problems(self, clock: Clock) -> list[tuple[str, str]]:
        """Refuse what has no stationary law and what does not fit the clock."""
        return OnPrices.problems(self, clock) + self.recursion_problems()

    def numbers(self, clock: Clock) -> dict[str, float]:
        """Return the coefficients per bar."""
        return OnPrices.numbers(self, clock) | self.recursion_numbers(self.bar_years)

    def shocks(self) -> np.ndarray:
        """Return the file's bars over the volatility that was expected of each, closes without drift, (4, n_returns).

        Returns without a drift have shocks with one where calm bars rose and wild ones fell.
        """
        rows = typical_rows(self.candles) / np.sqrt(self.filtered(self.candles.returns, self.bar_years))
        rows[CLOSE] -= rows[CLOSE].mean()
        return rows / math.sqrt(np.mean(rows[CLOSE] ** 2))

    def table(self, clock: Clock) -> np.ndarray:
        """Return shocks whose closes have unit variance, and the variances to start from, shape (5, n_returns)."""
        shocks = self.shocks()
        return np.vstack([shocks, self.start_row(shocks.shape[1], self.bar_years)])

    def stationary(self, at: np.ndarray) -> np.ndarray:
        """Return quantiles of the stationary variance, simulated: it has no closed form."""
        return np.quantile(simulated(self, partial(_drawn, self.shocks()[CLOSE])), at)


def _drawn(shocks: np.ndarray, rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.choice(shocks, n)
