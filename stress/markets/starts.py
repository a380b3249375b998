"""Which volatility a path starts from: today's, a list from history, or the process's own stationary law."""

from typing import Annotated

import numpy as np
from pydantic import Field

from stress.markets.bars import midpoints
from stress.registry import Settings

Volatility = Annotated[float, Field(gt=0, le=20)]


class Starts(Settings):
    """Volatilities, a year's, of which each path starts from one, all equally likely; none: the stationary law.

    One number is today's volatility; quantiles of the filtered volatility of a sample are its cycle.
    """

    start_vols_annual: tuple[Volatility, ...] = Field(default=(), max_length=2_000)

    def start_row(self, n: int, unit: float) -> np.ndarray:
        """Return `n` equally likely variances of a bar of `unit` years, shape (n,), in ascending order."""
        if self.start_vols_annual:
            vols = np.quantile(self.start_vols_annual, midpoints(n), method="nearest")
            return np.sort(vols * vols * unit)
        return self.stationary(midpoints(n)) * unit

    def stationary(self, at: np.ndarray) -> np.ndarray:
        """Return quantiles of the stationary variance of a year at the probabilities `at`."""
        raise TypeError(f"{type(self).__name__} does not define its stationary law")
