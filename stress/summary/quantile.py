"""Which reserve is enough at a level: an order statistic of the drawdown, with a distribution-free interval.

Letters: n paths, x sorted ascending, level p, ranks count from 1.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr

from stress.summary.clusters import Clusters
from stress.summary.intervals import effective_size

__all__ = [
    "QuantileInterval",
    "check_probability",
    "coverage",
    "order_statistic",
    "quantile_interval",
    "ranks",
    "two_sided_sample_size",
    "wilks_sample_size",
]


@dataclass(frozen=True)
class QuantileInterval:
    """A quantile with its interval, or why it has none.

    Parameters
    ----------
    level, value : float
        The level and the order statistic.
    low, high : float or None
        Equal-tailed interval; None when refused.
    method : str
        ``order-statistic`` or ``cluster-order-statistic``.
    reason : str or None
        Why the interval is refused.
    n_paths_needed : int or None
        Paths of the same design that an interval needs, when refused.
    upper_bound : float or None
        When refused: the largest observation, if it is a one-sided upper bound (Wilks 1941).
    """

    level: float
    value: float
    low: float | None
    high: float | None
    method: str
    reason: str | None = None
    n_paths_needed: int | None = None
    upper_bound: float | None = None


def order_statistic(x: np.ndarray, level: float) -> float:
    """Return ``x[ceil(level n) - 1]`` of an ascending sample: the least value that suffices at the level."""
    # One part in 1e15 less, so that 0.07 * 100 is 7 and not 8.
    rank = math.ceil(level * len(x) * (1 - 1e-15))
    return float(x[max(rank, 1) - 1])


def ranks(n: int, level: float, confidence: float = 0.95) -> tuple[int, int]:
    """Return the ranks of the order statistics that enclose a quantile.

    Parameters
    ----------
    n : int
        Sample size.
    level, confidence : float
        Level of the quantile, two-sided confidence.

    Returns
    -------
    lower, upper : int
        Equal-tailed: the largest ``lower`` with ``P(Bin(n, level) <= lower-1) <= (1-confidence)/2`` and the
        smallest ``upper`` with ``P(Bin <= upper-1) >= (1+confidence)/2``.  A rank of 0 or n+1 means that the
        sample is too small (David & Nagaraja 2003, section 7.1).
    """
    below = _binomial_cdf(n, level)
    lower = bisect_right(range(n + 1), (1 - confidence) / 2, key=below)
    return lower, bisect_left(range(n + 1), (1 + confidence) / 2, key=below) + 1


def coverage(n: int, level: float, lower: int, upper: int) -> float:
    """Return the chance that order statistics `lower` and `upper` of n enclose the quantile."""
    below = _binomial_cdf(n, level)
    return below(upper - 1) - (below(lower - 1) if lower > 0 else 0.0)


def wilks_sample_size(level: float, confidence: float = 0.95) -> int:
    """Return the least n whose maximum is an upper bound of the quantile: ``1 - level^n >= confidence``."""
    return math.ceil(math.log1p(-confidence) / math.log(level))


def two_sided_sample_size(level: float, confidence: float = 0.95) -> int:
    """Return the smallest n for which both ranks of the equal-tailed interval exist."""
    return math.ceil(math.log((1 - confidence) / 2) / math.log(max(level, 1 - level)))


def quantile_interval(
    x: np.ndarray, level: float, *, confidence: float = 0.95, clusters: Clusters | None = None
) -> QuantileInterval:
    """Estimate a quantile with a distribution-free interval, or refuse the interval.

    Parameters
    ----------
    x : ndarray, shape (n_paths,)
        Sample, in the order of the paths.
    level, confidence : float
        Level of the quantile, two-sided confidence.
    clusters : Clusters, optional
        Which paths share a population; independent paths otherwise.

    Returns
    -------
    QuantileInterval
        With clusters, the ranks are those of the effective sample size of the share of paths at or below the
        quantile, taken as fractions of the sample (Woodruff 1952; Korn & Graubard 1998).  Both bounds are
        None, with the reason, when a rank falls outside the sample.

    Raises
    ------
    ValueError
        Unless level and confidence lie between 0 and 1.
    """
    check_probability(level=level, confidence=confidence)
    n, ordered = len(x), np.sort(x)
    value = order_statistic(ordered, level)
    size = n if clusters is None else _effective_paths(x <= value, clusters)
    method = "cluster-order-statistic" if clusters and clusters.n_clusters > 1 else "order-statistic"
    lower, upper = ranks(size, level, confidence)
    if lower < 1 or upper > size:
        return _refused(ordered, level, value, confidence, size, method)
    low, high = ordered[max(1, lower * n // size) - 1], ordered[-(-upper * n // size) - 1]
    return QuantileInterval(level, value, min(float(low), value), max(float(high), value), method)


def check_probability(**values: float) -> None:
    """Raise a ValueError that names the first value that does not lie strictly between 0 and 1."""
    for name, value in values.items():
        if not 0 < value < 1:
            raise ValueError(f"{name} must lie between 0 and 1, not {value}")


def _binomial_cdf(n: int, p: float) -> Callable[[int], float]:
    return lambda k: float(bdtr(k, n, p))


def _effective_paths(at_or_below: np.ndarray, clusters: Clusters) -> int:
    share, between = float(np.mean(at_or_below)), clusters.variance_of_mean(at_or_below)
    return max(1, int(effective_size(share, between, clusters.n_paths, clusters.n_clusters)))


def _refused(
    ordered: np.ndarray, level: float, value: float, confidence: float, size: int, method: str
) -> QuantileInterval:
    n, needed = len(ordered), two_sided_sample_size(level, confidence)
    worth = "" if size == n else f" (worth {size:,} independent ones)"
    return QuantileInterval(
        level,
        value,
        None,
        None,
        method,
        reason=f"{n:,} paths{worth} are too few for an interval at this level",
        n_paths_needed=math.ceil(needed * n / size),
        upper_bound=float(ordered[-1]) if size >= wilks_sample_size(level, confidence) else None,
    )
