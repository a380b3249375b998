"""The reserves of a run: by level over the horizon, and the one that a level over a year asks for."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stress.outcomes import Outcomes
from stress.summary.clusters import Clusters
from stress.summary.curve import KINDS
from stress.summary.intervals import HOURS_PER_YEAR
from stress.summary.quantile import quantile_interval
from stress.summary.smooth import smooth_quantile
from stress.summary.tail import check_tail

__all__ = ["ReserveEstimate", "estimate_reserve", "estimate_reserves", "horizon_level"]


@dataclass(frozen=True)
class ReserveEstimate:
    """The reserve that suffices at a level, or why the run cannot say.

    Parameters
    ----------
    level : float
        ``P(drawdown <= value)`` over the horizon is at least this.
    kind : str
        ``net`` (with credit for income) or ``gross`` (without).
    value, low, high : float or None
        Order statistic and interval, in quote currency; None when refused.
    method : str
        ``cluster-order-statistic`` or ``order-statistic``.
    reason : str or None
        Why it is refused.
    n_paths_needed : int or None
        Paths of the same design that would do.
    upper_bound : float or None
        When refused: the largest drawdown, if it is a one-sided upper bound of the reserve (Wilks).
    smooth, smooth_low, smooth_high : float or None
        Harrell and Davis's estimate and interval; the interval None for an infinite variance.
    loss_beyond : float or None
        Mean over all paths of what lies beyond the reserve, ``E[(drawdown - value)+]``; None for an infinite mean.
    """

    level: float
    kind: str
    value: float | None
    low: float | None
    high: float | None
    method: str
    reason: str | None = None
    n_paths_needed: int | None = None
    upper_bound: float | None = None
    smooth: float | None = None
    smooth_low: float | None = None
    smooth_high: float | None = None
    loss_beyond: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain, JSON-ready values."""
        return asdict(self)


def estimate_reserves(
    outcomes: Outcomes, levels: Sequence[float], clusters: Clusters, confidence: float
) -> tuple[ReserveEstimate, ...]:
    """Return the reserve of every level, first net, then gross."""
    return tuple(
        estimate_reserve(outcomes.columns[column], level, kind, clusters, confidence)
        for kind, column in KINDS.items()
        for level in levels
    )


def horizon_level(annual_level: float, horizon_hours: float) -> float:
    """Return the level over the horizon that gives `annual_level` over a year of independent horizons.

    ``annual_level ** (horizon / year)``: a fund that survives each of n equal parts with probability p survives
    all with p^n.  No renewal of the book, hence indicative.
    """
    return float(annual_level ** (horizon_hours / HOURS_PER_YEAR))


def estimate_reserve(
    drawdown: np.ndarray, level: float, kind: str, clusters: Clusters, confidence: float
) -> ReserveEstimate:
    """Return the reserve of a level from drawdowns, shape (n_paths,); without an interval it is not a result."""
    found = asdict(quantile_interval(drawdown, level, clusters=clusters, confidence=confidence))
    if found["reason"]:
        return ReserveEstimate(**{**found, "value": None}, kind=kind)
    return ReserveEstimate(**found, kind=kind, **_beside(drawdown, level, found["value"], clusters, confidence))


def _beside(drawdown: np.ndarray, level: float, value: float, clusters: Clusters, confidence: float) -> dict[str, Any]:
    """Return the smoother estimate and the loss beyond the reserve, as far as the tail lets them exist."""
    tail, smooth = check_tail(drawdown), smooth_quantile(drawdown, level, clusters=clusters, confidence=confidence)
    low, high = (None, None) if tail.infinite_variance else (smooth.low, smooth.high)
    beyond = None if tail.infinite_mean else float(np.mean(np.maximum(drawdown - value, 0.0)))
    return {"smooth": smooth.value, "smooth_low": low, "smooth_high": high, "loss_beyond": beyond}
