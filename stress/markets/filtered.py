"""Filtered historical simulation: GARCH volatility, and shocks drawn from those of history."""

import math
from functools import partial

import numpy as np

from stress.markets.bars import drawn_start, on_bars
from stress.markets.base import Clock
from stress.markets.bridge import pin_bar
from stress.markets.garch import Recursion, next_variance, simulated
from stress.markets.prices import OnPrices, bridge_spread, free_of_drift
from stress.randomness import MIXING, VOLATILITY, uniform_pair
from stress.rules import rule


@rule
def filtered_walk(numbers, table, path, k0, k1, fine):
    """Turn normals into log-returns: a bar's shock and the noise within it are those of one bar of the past."""
    width, n = int(numbers.steps_per_bar), table.shape[1]
    variance = drawn_start(table[2], uniform_pair(0, path, VOLATILITY, k0, k1)[0])
    for j in range(fine.size // width):
        at = int(uniform_pair(j, path, MIXING, k0, k1)[0] * n)
        sd = math.sqrt(variance)
        shock = sd * table[0, at]
        pin_bar(fine, j * width, (j + 1) * width, sd * table[1, at], shock - 0.5 * variance)
        variance = next_variance(numbers, variance, shock)


class Filtered(Recursion, OnPrices, kind="filtered"):
    """Shocks of a file over the GARCH volatility of their time, drawn at that of the path.

    Filtered historical simulation: Barone-Adesi, Giannopoulos and Vosper (1999), Journal of Futures Markets 19.
    """

    increments = staticmethod(on_bars(filtered_walk))

    def problems(self, clock: Clock) -> list[tuple[str, str]]:
        """Refuse what has no stationary law and what does not fit the clock."""
        return OnPrices.problems(self, clock) + self.recursion_problems()

    def numbers(self, clock: Clock) -> dict[str, float]:
        """Return the coefficients per bar."""
        return OnPrices.numbers(self, clock) | self.recursion_numbers(self.bar_years)

    def shocks(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the file's returns and ranges over the volatility expected at their time, shape (n_returns,) each."""
        candles, c = self.candles, self.recursion_numbers(self.bar_years)
        returns = free_of_drift(candles.returns)
        variances = np.empty(returns.size)
        variance = self.vol_annual**2 * self.bar_years
        for i, r in enumerate(returns.tolist()):
            variances[i] = variance
            weight = c["alpha"] + (c["gamma"] if r < 0.0 else 0.0)
            variance = min(c["omega"] + weight * r * r + c["beta"] * variance, c["largest"])
        sd = np.sqrt(variances)
        unit = math.sqrt(np.mean((returns / sd) ** 2))
        return returns / sd / unit, bridge_spread(candles)[1:][candles.follows] / sd / unit

    def table(self, clock: Clock) -> np.ndarray:
        """Return shocks of unit variance, the noise within bars, and the variances to start from, (3, n_returns)."""
        shocks, noise = self.shocks()
        return np.stack([shocks, noise, self.start_row(shocks.size, self.bar_years)])

    def stationary(self, at: np.ndarray) -> np.ndarray:
        """Return quantiles of the stationary variance, simulated: it has no closed form."""
        shocks, _ = self.shocks()
        return np.quantile(simulated(self, partial(_drawn, shocks)), at)


def _drawn(shocks: np.ndarray, rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.choice(shocks, n)
