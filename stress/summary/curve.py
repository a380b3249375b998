"""How the ruin probability falls as the reserve grows: the whole curve of one run."""

from dataclasses import dataclass

import numpy as np

from stress.outcomes import Outcomes
from stress.summary.clusters import Clusters
from stress.summary.intervals import effective_size, wilson, zero_event_bound
from stress.summary.quantile import check_probability

__all__ = ["KINDS", "RuinCurve", "ruin_curve"]

#: Kind of reserve -> column of the outcomes: with and without credit for income.
KINDS = {"net": "drawdown", "gross": "drawdown_gross"}


@dataclass(frozen=True, eq=False)
class RuinCurve:
    """Probability of ruin against the reserve, a right-continuous step function.

    Parameters
    ----------
    reserve : ndarray, shape (k,)
        Zero and every drawdown that occurred, ascending; quote currency.
    probability, low, high : ndarray, shape (k,)
        ``P(drawdown > reserve)`` and its pointwise band.
    confidence : float
        Confidence of the band at any one reserve.
    kind : str
        ``net`` or ``gross``.
    method : str
        ``cluster-wilson`` or ``wilson``.
    exact : bool
        False when the later part of a path depends on the fund, so that the curve is right at the configured
        fund only.
    """

    reserve: np.ndarray
    probability: np.ndarray
    low: np.ndarray
    high: np.ndarray
    confidence: float
    kind: str
    method: str
    exact: bool


def ruin_curve(outcomes: Outcomes, *, kind: str = "net", confidence: float | None = None) -> RuinCurve:
    """Return the ruin probability for every reserve, from one run.

    Parameters
    ----------
    outcomes : Outcomes
        Result of a run.
    kind : {"net", "gross"}
        With or without credit for income.
    confidence : float, optional
        Confidence of the band; that of the run otherwise.

    Returns
    -------
    RuinCurve
        The band is Wilson's at the effective sample size, and the bound of zero events where none is left.

    Raises
    ------
    ValueError
        For an unknown kind or a confidence outside (0, 1).
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    confidence = outcomes.facts.confidence if confidence is None else confidence
    check_probability(confidence=confidence)
    drawdown, clusters = outcomes.columns[KINDS[kind]], Clusters.of(outcomes.population)
    n, m = clusters.n_paths, clusters.n_clusters
    reserve = np.unique(np.append(drawdown, 0.0))
    beyond = n - np.searchsorted(np.sort(drawdown), reserve, side="right")
    probability = beyond / n
    size = effective_size(probability, _between(drawdown, beyond, clusters), n, m)
    low, high = wilson(probability * size, size, confidence)
    high = np.where(beyond == 0, zero_event_bound(n, confidence), high)
    method = "cluster-wilson" if m > 1 else "wilson"
    return RuinCurve(reserve, probability, low, high, confidence, kind, method, outcomes.facts.one_run_curve_exact)


def _between(drawdown: np.ndarray, beyond: np.ndarray, clusters: Clusters) -> np.ndarray:
    """Return `Clusters.variance_of_mean` of ``drawdown > reserve`` at every reserve, in one pass.

    With c_j paths of cluster j among the worst k, ``sum_j (c_j - n_j p)^2`` needs ``sum c_j^2`` and ``sum n_j
    c_j`` only, and one more path changes these by ``2 c_j + 1`` and ``n_j``.
    """
    n, m = clusters.n_paths, clusters.n_clusters
    if m < 2:
        return np.zeros(beyond.shape)
    label = clusters.labels[np.argsort(drawdown)[::-1]]
    squares = np.concatenate([[0.0], np.cumsum(2.0 * _occurrence(label) + 1)])[beyond]
    products = np.concatenate([[0.0], np.cumsum(clusters.sizes[label], dtype=float)])[beyond]
    p = beyond / n
    spread = squares - 2 * p * products + p**2 * np.square(clusters.sizes, dtype=float).sum()
    return m / (m - 1) * np.maximum(spread, 0.0) / n**2


def _occurrence(label: np.ndarray) -> np.ndarray:
    """Return how often each entry's label occurred before it, shape of `label`."""
    order = np.argsort(label, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(label))[:-1]])
    count = np.empty(label.size, dtype=np.int64)
    count[order] = np.arange(label.size) - starts[label[order]]
    return count
