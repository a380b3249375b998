"""What protects an index against one bad source?  Medians of spot prices, as venues publish them (method.md 3)."""

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["protected_average", "weighted_median"]

OUTLIER = 0.05  # Binance: a source further than this from the median has no weight


def protected_average(prices: ArrayLike, weights: ArrayLike, *, outlier: float = OUTLIER) -> float:
    """Return the weighted average of sources; one outlier loses its weight, more of them leave the median.

    Parameters
    ----------
    prices, weights : array_like, shape (n,)
        Quote per base, and weights of any sum.
    outlier : float
        Relative distance from the median beyond which a source deviates (Binance's FAQ on the price index).
    """
    prices, weights = np.asarray(prices, dtype=float), np.asarray(weights, dtype=float)
    middle = float(np.median(prices))
    off = np.abs(prices / middle - 1.0) > outlier
    if np.count_nonzero(off) > 1:
        return middle
    return float(np.average(prices[~off], weights=weights[~off]))


def weighted_median(prices: ArrayLike, weights: ArrayLike) -> float:
    """Return the price at which half of the weight is reached (Hyperliquid's oracle, per validator).

    Parameters
    ----------
    prices, weights : array_like, shape (n,)
        At exactly half of the weight: the mean of the two prices between which it lies.
    """
    prices, weights = np.asarray(prices, dtype=float), np.asarray(weights, dtype=float)
    order = np.argsort(prices)
    prices, reached = prices[order], np.cumsum(weights[order]) / weights.sum()
    i = int(np.searchsorted(reached, 0.5))
    if reached[i] == 0.5:
        return float((prices[i] + prices[i + 1]) / 2.0)
    return float(prices[i])
