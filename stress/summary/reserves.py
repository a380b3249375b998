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
    return ReserveEstimate(**{**found, "value": None if found["reason"] else found["value"]}, kind=kind)
