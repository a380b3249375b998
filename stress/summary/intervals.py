"""How sure is a probability that was counted: intervals for a share of paths.

Letters: x events in n paths, p = x/n, m clusters.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import betaincinv, ndtri, stdtrit

from stress.summary.clusters import Clusters

__all__ = [
    "HOURS_PER_YEAR",
    "Estimate",
    "annual_rate",
    "clopper_pearson",
    "effective_size",
    "estimate_probability",
    "wilson",
    "within_year",
    "zero_event_bound",
]

#: A year has 365 days.
HOURS_PER_YEAR = 365 * 24


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Parameters
    ----------
    value : float
        The estimate.
    low, high : float or None
        Its interval; None when the sample cannot support one.
    confidence : float
        Confidence of the interval.
    method : str
        How the interval was made.
    annual, annual_low, annual_high : float or None
        For a probability over a horizon, the rate a year that it is equivalent to; None at certainty.
    """

    value: float
    low: float | None
    high: float | None
    confidence: float
    method: str
    annual: float | None = None
    annual_low: float | None = None
    annual_high: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain, JSON-ready values."""
        return asdict(self)


def clopper_pearson(x: Any, n: Any, confidence: float = 0.95) -> tuple[Any, Any]:
    """Return the exact interval of a probability, from x events in n trials.

    Parameters
    ----------
    x, n : float or ndarray
        Events and trials; need not be whole numbers (an effective sample size).
    confidence : float
        Two-sided confidence.

    Returns
    -------
    low, high : float or ndarray
        Quantiles of Beta(x, n-x+1) and Beta(x+1, n-x) (Clopper & Pearson 1934).

    Raises
    ------
    ValueError
        Unless ``0 <= x <= n``, ``n > 0`` and ``0 < confidence < 1``.
    """
    x, n = _checked(x, n, confidence)
    tail, inside_low, inside_high = (1 - confidence) / 2, x > 0, x < n
    low = np.where(inside_low, betaincinv(np.where(inside_low, x, 1), n - x + 1, tail), 0.0)
    high = np.where(inside_high, betaincinv(x + 1, np.where(inside_high, n - x, 1), 1 - tail), 1.0)
    return low[()], high[()]


def wilson(x: Any, n: Any, confidence: float = 0.95) -> tuple[Any, Any]:
    """Return the score interval of a probability (Wilson 1927): cheap and close, for plots.

    Parameters, errors and shapes are those of `clopper_pearson`.
    """
    x, n = _checked(x, n, confidence)
    z2 = ndtri((1 + confidence) / 2) ** 2
    center = (x + z2 / 2) / (n + z2)
    half = np.sqrt(z2) / (n + z2) * np.sqrt(x * (n - x) / n + z2 / 4)
    return np.where(x > 0, center - half, 0.0)[()], np.where(x < n, center + half, 1.0)[()]


def zero_event_bound(n: float, confidence: float = 0.95) -> float:
    """Return the one-sided upper bound of a probability that gave no event in n trials, about 3/n."""
    return -math.expm1(math.log1p(-confidence) / n)


def effective_size(p: Any, between: Any, n: int, m: int) -> Any:
    """Return the number of independent paths that would say as much as n paths in m clusters.

    Parameters
    ----------
    p, between : float or ndarray
        Share of events and its variance as seen between clusters (`Clusters.variance_of_mean`).
    n, m : int
        Paths and clusters.

    Returns
    -------
    float or ndarray
        ``p (1-p) / between``, reduced for the few clusters by the square of the ratio of Student's
        quantiles at n-1 and m-1 degrees of freedom, and at most n (Korn & Graubard 1998).
    """
    p, between = np.asarray(p, dtype=float), np.asarray(between, dtype=float)
    if m < 2:
        return np.full(p.shape, float(n))[()]
    few = (stdtrit(n - 1, 0.975) / stdtrit(m - 1, 0.975)) ** 2
    known = between > 0
    size = np.where(known, few * p * (1 - p) / np.where(known, between, 1.0), n)
    return np.minimum(n, size)[()]


def estimate_probability(
    hits: np.ndarray, clusters: Clusters, *, confidence: float = 0.95, horizon_hours: float
) -> Estimate:
    """Estimate the probability of an event over the horizon from the paths on which it happened.

    Parameters
    ----------
    hits : ndarray of bool, shape (n_paths,)
        Whether the event happened.
    clusters : Clusters
        Which paths share a population; a single cluster means independent paths.
    confidence : float
        Confidence of the interval.
    horizon_hours : float
        Length of a path.

    Returns
    -------
    Estimate
        Clopper-Pearson interval at the effective sample size.  Without any event the interval is
        ``[0, 1 - (1 - confidence)^(1/n)]``, one-sided, with the paths counted as independent: no event
        tells nothing of how populations differ.
    """
    n, p = hits.size, float(np.mean(hits))
    if p == 0:
        low, high, method = 0.0, zero_event_bound(n, confidence), "one-sided zero events"
    else:
        size = effective_size(p, clusters.variance_of_mean(hits), n, clusters.n_clusters)
        low, high = map(float, clopper_pearson(p * size, size, confidence))
        method = "cluster-binomial" if clusters.n_clusters > 1 else "binomial"
    annual = [annual_rate(q, horizon_hours) for q in (p, low, high)]
    return Estimate(p, low, high, confidence, method, *annual)


def annual_rate(p: float, horizon_hours: float) -> float | None:
    """Return the events a year, ``-ln(1-p)/T`` with T in years of 365 days; None when p is 1."""
    return -math.log1p(-p) * HOURS_PER_YEAR / horizon_hours if p < 1 else None


def within_year(events_a_year: float | None) -> float:
    """Return the probability of at least one event in a year, ``1 - exp(-rate)``; None stands for certainty."""
    return 1.0 if events_a_year is None else -math.expm1(-events_a_year)


def _checked(x: Any, n: Any, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    x, n = np.asarray(x, dtype=float), np.asarray(n, dtype=float)
    if not ((x >= 0) & (x <= n) & (n > 0)).all():
        raise ValueError("interval of a probability: needs 0 <= x <= n and n > 0")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
    return x, n
