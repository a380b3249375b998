"""How bad are the worst paths: expected shortfall, and whether its mean and variance exist at all."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stress.summary.clusters import Clusters
from stress.summary.pareto import fit_generalized_pareto
from stress.summary.quantile import check_probability, order_statistic

__all__ = ["TailCheck", "TailEstimate", "check_tail", "expected_shortfall"]

#: Paths beyond a quantile: fewer give no interval; fewer are flagged; more are not needed for a fit.
_FEWEST, _ENOUGH, _AMPLE = 10, 50, 1000


@dataclass(frozen=True)
class TailCheck:
    """How heavy the tail is, from a generalized Pareto law fitted to the largest values.

    Parameters
    ----------
    xi : float or None
        Tail index: the variance is infinite above 1/2, the mean at 1; None when it cannot be judged.
    standard_error : float or None
        Of ``xi``, ``(1 + xi) / sqrt(n_exceedances)``.
    threshold : float
        The fit uses values above it.
    n_exceedances : int
        How many there are.
    """

    xi: float | None
    standard_error: float | None
    threshold: float
    n_exceedances: int

    @property
    def infinite_mean(self) -> bool:
        """Whether the fitted law has no mean."""
        return self.xi is not None and self.xi >= 1

    @property
    def infinite_variance(self) -> bool:
        """Whether the fitted law has no variance."""
        return self.xi is not None and self.xi > 0.5

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain, JSON-ready values."""
        return asdict(self)


@dataclass(frozen=True)
class TailEstimate:
    """Expected shortfall at a level.

    Parameters
    ----------
    level : float
        Level: the mean is over the worst ``1 - level`` share of the paths.
    value, low, high : float or None
        Estimate and interval, in quote currency; None when refused.
    n_exceedances : int
        Paths beyond the quantile.
    reason : str or None
        What was refused, or what to beware of.
    """

    level: float
    value: float | None
    low: float | None
    high: float | None
    n_exceedances: int
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain, JSON-ready values."""
        return asdict(self)


def expected_shortfall(
    x: np.ndarray,
    level: float,
    *,
    confidence: float = 0.95,
    clusters: Clusters | None = None,
    tail: TailCheck | None = None,
) -> TailEstimate:
    """Estimate the mean of the worst ``1 - level`` share of the paths.

    Parameters
    ----------
    x : ndarray, shape (n_paths,)
        Drawdown of each path, in quote currency.
    level, confidence : float
        Level, two-sided confidence.
    clusters : Clusters, optional
        Which paths share a population; consecutive batches of independent paths otherwise.
    tail : TailCheck, optional
        Result of `check_tail` on the same sample, if it is at hand.

    Returns
    -------
    TailEstimate
        ``q + mean((x - q)+) / (1 - level)``, q the order statistic (Rockafellar & Uryasev 2000).  The
        interval is a delete-one-cluster jackknife with Student's quantile, corrected for skewness; q is held, since
        its first-order effect is zero.  Refused: the interval for an infinite variance or fewer than 10 paths beyond
        q, the value too for an infinite mean; fewer than 50 paths are flagged.
    """
    check_probability(level=level, confidence=confidence)
    tail = check_tail(x) if tail is None else tail
    quantile = order_statistic(np.sort(x), level)
    n_beyond = int(np.count_nonzero(x > quantile))
    if tail.infinite_mean:
        return TailEstimate(level, None, None, None, n_beyond, f"infinite mean: tail index {tail.xi:.2f}")
    worst = quantile + np.maximum(x - quantile, 0.0) / (1 - level)
    value = float(np.mean(worst))
    if tail.infinite_variance or n_beyond < _FEWEST:
        reason = f"infinite variance: tail index {tail.xi:.2f}" if tail.infinite_variance else _few(n_beyond)
        return TailEstimate(level, value, None, None, n_beyond, reason)
    down, up = (clusters or Clusters.batches(len(x))).replicates().half_widths(worst, confidence)
    flag = _few(n_beyond) if n_beyond < _ENOUGH else None
    return TailEstimate(level, value, max(0.0, value - down), value + up, n_beyond, flag)


def check_tail(x: np.ndarray) -> TailCheck:
    """Fit a generalized Pareto law to the largest tenth of the positive values, 50 to 1000 of them.

    Parameters
    ----------
    x : ndarray, shape (n_paths,)
        Drawdown of each path; the many paths without a loss are no part of the tail.

    Returns
    -------
    TailCheck
        Without a tail index when fewer than 50 values exceed the threshold, or when they are all alike.
    """
    positive = np.sort(x[x > 0])
    size = min(_AMPLE, max(_ENOUGH, positive.size // 10))
    threshold = float(positive[-size - 1]) if positive.size > size else 0.0
    excess = positive[positive > threshold] - threshold
    if excess.size < _ENOUGH or np.ptp(excess) == 0:
        return TailCheck(None, None, threshold, excess.size)
    xi, _ = fit_generalized_pareto(excess)
    return TailCheck(xi, (1 + xi) / math.sqrt(excess.size), threshold, excess.size)


def _few(n_beyond: int) -> str:
    return f"{n_beyond} path{'' if n_beyond == 1 else 's'} beyond the quantile, indicative"
