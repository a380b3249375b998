"""Which pool of the fund is exhausted, and what it needs: a venue is not safe because its pools add up."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stress.outcomes import Outcomes
from stress.summary.clusters import Clusters
from stress.summary.intervals import Estimate, estimate_probability
from stress.summary.reserves import ReserveEstimate, estimate_reserve

__all__ = ["PoolEstimate", "any_pool_ruined", "estimate_pools"]


@dataclass(frozen=True)
class PoolEstimate:
    """What one pool of the fund asks for.

    Parameters
    ----------
    name : str
    symbols : tuple of str
        Behind which it stands, and behind no others.
    initial_usd : float
        What it starts with.
    ruin_probability : Estimate
        ``P(drawdown > initial_usd)`` over the horizon.
    drawdown : tuple of ReserveEstimate
        Quantiles of its drawdown by level, net of income.
    """

    name: str
    symbols: tuple[str, ...]
    initial_usd: float
    ruin_probability: Estimate
    drawdown: tuple[ReserveEstimate, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        return {**asdict(self), "symbols": list(self.symbols)}


def estimate_pools(
    outcomes: Outcomes, levels: Sequence[float], clusters: Clusters, confidence: float
) -> tuple[PoolEstimate, ...]:
    """Return the estimates of every pool, in the order of the file; none where the run recorded none."""
    pools, hours = outcomes.pools, outcomes.facts.horizon_hours
    if pools is None:
        return ()
    return tuple(
        PoolEstimate(
            row["name"],
            tuple(row["symbols"]),
            row["initial_usd"],
            estimate_probability(ruined, clusters, confidence=confidence, horizon_hours=hours),
            tuple(estimate_reserve(drawdown, level, "net", clusters, confidence) for level in levels),
        )
        for row, ruined, drawdown in zip(outcomes.facts.pools, pools.ruin_step.T >= 0, pools.drawdown.T, strict=True)
    )


def any_pool_ruined(outcomes: Outcomes) -> np.ndarray | None:
    """Return on which paths any of several pools was exhausted; None for a fund in one."""
    if outcomes.pools is None or len(outcomes.facts.pools) < 2:
        return None
    return np.any(outcomes.pools.ruin_step >= 0, axis=1)
