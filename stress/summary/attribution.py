"""Who causes the worst moments: the share of each cohort in the deepest falls of the fund."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from stress.outcomes import Attribution, Outcomes
from stress.summary.clusters import Clusters
from stress.summary.quantile import order_statistic

__all__ = ["CohortShares", "cohort_shares"]


@dataclass(frozen=True)
class CohortShares:
    """Euler shares of the expected shortfall.

    Parameters
    ----------
    level : float
        The shares are over the paths whose drawdown is at least the reserve of this level.
    n_paths : int
        How many paths that is.
    cohorts : tuple of str
        Names of the cohorts.
    share, standard_error : tuple of float
        Share of each cohort, adding up to 1; a cohort that earns while the fund falls has a negative share.
    """

    level: float
    n_paths: int
    cohorts: tuple[str, ...]
    share: tuple[float, ...]
    standard_error: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return one row a cohort, JSON-ready."""
        rows = zip(self.cohorts, self.share, self.standard_error, strict=True)
        shares = [{"cohort": name, "share": share, "standard_error": error} for name, share, error in rows]
        return {"level": self.level, "n_paths": self.n_paths, "shares": shares}


def cohort_shares(outcomes: Outcomes, level: float) -> CohortShares | None:
    """Split the expected shortfall among the cohorts.

    Parameters
    ----------
    outcomes : Outcomes
        With an attribution that lists at least every path of the tail.
    level : float
        Level of the reserve that begins the tail.

    Returns
    -------
    CohortShares or None
        ``E[loss_c | drawdown >= reserve] / E[drawdown | drawdown >= reserve]`` (Tasche 1999), with the losses
        at each path's worst moment, so that they add up; standard errors of the ratio by cluster.  None when
        there is one path only, no attribution, no loss, or a path of the tail is not listed.  Shares say who
        was there, not what the reserve would be without a cohort: impact makes the loss more than
        proportional.
    """
    table, drawdown = outcomes.attribution, outcomes.drawdown
    if table is None or outcomes.n_paths < 2:
        return None
    tail = (drawdown >= order_statistic(np.sort(drawdown), level)) & (drawdown > 0)
    loss = _tail_losses(table, tail)
    if loss is None:
        return None
    total = loss.sum()
    share = loss.sum(axis=0) / total
    influence = (loss - np.outer(loss.sum(axis=1), share)) * (outcomes.n_paths / total)
    replicates = Clusters.of(outcomes.population).replicates()
    error = np.sqrt([replicates.variance_of_mean(column) for column in influence.T])
    return CohortShares(level, int(tail.sum()), table.cohorts, tuple(map(float, share)), tuple(map(float, error)))


def _tail_losses(table: Attribution, tail: np.ndarray) -> np.ndarray | None:
    """Spread the listed losses over all paths, zero outside the tail; None unless all of it is listed."""
    listed = tail[table.path]
    if not listed.any() or np.count_nonzero(listed) < np.count_nonzero(tail):
        return None
    loss = np.zeros((tail.size, len(table.cohorts)))
    loss[table.path[listed]] = table.loss[listed]
    return loss
