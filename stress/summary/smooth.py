"""A smoother reserve than one order statistic: all of them, weighted by how likely each is the quantile."""

import numpy as np
from scipy.special import betainc, betaln, xlog1py, xlogy

from stress.summary.clusters import Clusters
from stress.summary.intervals import Estimate
from stress.summary.quantile import check_probability

__all__ = ["harrell_davis", "smooth_quantile"]


def harrell_davis(x: np.ndarray, level: float) -> float:
    """Return the Harrell-Davis estimate of a quantile: a Beta-weighted mean of all order statistics.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Sample, in any order.
    level : float
        Level of the quantile.

    Returns
    -------
    float
        ``sum_i w_i x_(i)``, ``w_i`` the Beta((n+1)p, (n+1)(1-p)) mass of ``[(i-1)/n, i/n]`` (Harrell &
        Davis 1982).  Smoother than an order statistic, and not robust to an infinite variance.
    """
    check_probability(level=level)
    n = len(x)
    mass = betainc((n + 1) * level, (n + 1) * (1 - level), np.arange(n + 1) / n)
    return float(np.diff(mass) @ np.sort(x))


def smooth_quantile(
    x: np.ndarray, level: float, *, clusters: Clusters | None = None, confidence: float = 0.95
) -> Estimate:
    """Estimate a quantile by Harrell and Davis, with an interval by cluster.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Sample, in the order of the paths.
    level, confidence : float
        Level of the quantile, two-sided confidence.
    clusters : Clusters, optional
        Which paths share a population; consecutive batches of independent paths otherwise.

    Returns
    -------
    Estimate
        Student's interval from the spread of the influence function between clusters, corrected for skewness.
    """
    clusters = clusters or Clusters(np.zeros(len(x), dtype=int))
    down, up = clusters.replicates().half_widths(_influence(x, level), confidence)
    method = "cluster-harrell-davis" if clusters.n_clusters > 1 else "batch-harrell-davis"
    value = harrell_davis(x, level)
    return Estimate(value, value - down, value + up, confidence, method)


def _influence(x: np.ndarray, level: float) -> np.ndarray:
    """Return what each path moves the estimate by, times n: ``-int (1{x <= y} - F(y)) J(F(y)) dy`` (Serfling 1980).

    J is the density of Beta((n+1)p, (n+1)(1-p)), F the empirical law, so that the integral is a sum over the gaps.
    """
    n, order = len(x), np.argsort(x, kind="stable")
    share = np.arange(1, n) / n
    a, b = (n + 1) * level, (n + 1) * (1 - level)
    density = np.exp(xlogy(a - 1, share) + xlog1py(b - 1, -share) - betaln(a, b))
    gaps = density * np.diff(x[order])
    moved = np.empty(n)
    moved[order] = share @ gaps - np.append(np.cumsum(gaps[::-1])[::-1], 0.0)
    return moved
