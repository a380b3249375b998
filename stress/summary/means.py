"""How sure are a mean and a ratio of two means: Student intervals from the spread between populations."""

import numpy as np

from stress.summary.clusters import Clusters
from stress.summary.intervals import Estimate

__all__ = ["around", "estimate_mean", "estimate_ratio"]


def estimate_mean(values: np.ndarray, clusters: Clusters, confidence: float) -> Estimate:
    """Return the mean of `values`, shape (n_paths,), with its interval by cluster; batches for one population."""
    half = clusters.replicates().half_width(values, confidence)
    return around(float(np.mean(values)), half, clusters, confidence, "mean")


def estimate_ratio(over: np.ndarray, under: np.ndarray, clusters: Clusters, confidence: float) -> Estimate | None:
    """Return the ratio of the means of two columns, with its interval.

    Parameters
    ----------
    over, under : ndarray, shape (n_paths,)
        Numerator and denominator of each path, any unit.
    clusters : Clusters
        Which paths share a population.
    confidence : float
        Of the interval.

    Returns
    -------
    Estimate or None
        ``mean(over) / mean(under)``; its error is that of the mean of ``(over - ratio under) / mean(under)``
        (linearization; Cochran 1977, section 6.4).  None when the denominator's mean is not positive.
    """
    base = float(np.mean(under))
    if base <= 0:
        return None
    ratio = float(np.mean(over)) / base
    half = clusters.replicates().half_width((over - ratio * under) / base, confidence)
    return around(ratio, half, clusters, confidence, "ratio")


def around(value: float, half: float, clusters: Clusters, confidence: float, what: str) -> Estimate:
    """Return ``value +- half`` as an estimate of `what`; without an interval when the half-width is not finite."""
    method = f"cluster-{what}" if clusters.n_clusters > 1 else f"batch-{what}"
    if not np.isfinite(half):
        return Estimate(value, None, None, confidence, method)
    return Estimate(value, value - half, value + half, confidence, method)
