"""Does the fund grow as funds have grown: its median year, its income by liquidated notional, and how much that is.

A year is the horizon repeated, each time with a new book: no renewal, hence indicative.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from scipy.special import stdtrit

from stress.outcomes import Outcomes
from stress.summary.clusters import Clusters
from stress.summary.intervals import HOURS_PER_YEAR, Estimate
from stress.summary.means import around, estimate_mean, estimate_ratio

__all__ = ["HISTORY", "Growth", "estimate_growth", "fund_change", "median_year"]

#: What the three quantities of `Growth` were in history, each in one or more lines.  BitMEX 2019: the fund went from
#: 20,800 to 33,491 BTC, and gained about USD 94 m on some USD 20 bn liquidated (derived).  BTC on Hyperliquid, December
#: 2025 to January 2026: public liquidations over open interest, mean and median of the days.
HISTORY = {
    "year": ("+61 % (BitMEX 2019)",),
    "per_liquidated": ("0.47 % (BitMEX 2019)",),
    "liquidated_per_day": ("1.28 %, median 1.12 % (Hyperliquid BTC)", "3-6 % (BitMEX 2018-20)"),
}

_N_YEARS, _SEED = 2000, 20_190_101
_SHORTEST_HOURS, _OFF = 1.0, 0.05
_BLOCK = 4_000_000


@dataclass(frozen=True)
class Growth:
    """The fund's growth; each None where the run cannot tell.

    Parameters
    ----------
    year : Estimate or None
        Median change of the fund in a year over its start.
    per_liquidated : Estimate or None
        Mean change of the fund over mean liquidated notional.
    liquidated_per_day : Estimate or None
        Mean liquidated notional a day over open interest.
    """

    year: Estimate | None
    per_liquidated: Estimate | None
    liquidated_per_day: Estimate | None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain, JSON-ready values."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: estimate and estimate.to_dict() for name, estimate in found.items()}


def fund_change(outcomes: Outcomes) -> np.ndarray:
    """Return what the fund earned or lost on each path, shape (n_paths,): what the operator paid in is no profit."""
    return outcomes.fund_end - outcomes.topped_up - outcomes.facts.fund_initial


def estimate_growth(outcomes: Outcomes, clusters: Clusters, confidence: float) -> Growth:
    """Estimate the three quantities of `Growth` from the outcomes of a run."""
    facts = outcomes.facts
    change, liquidated = fund_change(outcomes), outcomes.liquidated_notional
    year, daily = None, None
    if facts.fund_initial > 0:
        year = median_year(change / facts.fund_initial, facts.horizon_hours, clusters, confidence)
    if facts.open_interest > 0:
        days = facts.horizon_hours / 24
        daily = estimate_mean(liquidated / (facts.open_interest * days), clusters, confidence)
    return Growth(year, estimate_ratio(change, liquidated, clusters, confidence), daily)


def median_year(change: np.ndarray, horizon_hours: float, clusters: Clusters, confidence: float) -> Estimate | None:
    """Estimate the median change over a year of independent horizons.

    Parameters
    ----------
    change : ndarray, shape (n_paths,)
        Change over one horizon, any unit.
    horizon_hours : float
        Length of a path.
    clusters : Clusters
        Which paths share a population.
    confidence : float
        Of the interval.

    Returns
    -------
    Estimate or None
        Median of 2,000 sums of ``n = round(8760 / horizon_hours)`` draws from `change` (Efron 1979), in the unit of
        `change`, always with the same random numbers.  With G the law of a sum of n - 1 draws and g the density of a
        year at its median m, path i moves the median by ``n (1/2 - G(m - change_i)) / g / n_paths`` (the influence
        function of a quantile; Hampel 1974); the interval is Student's, from the spread of that between clusters,
        with the error of the 2,000 years added.  So a rare ruin, which hardly moves a median, does not widen it.
        None for a horizon below one hour, or of which no whole number makes a year within 5 %.
    """
    n = round(HOURS_PER_YEAR / horizon_hours)
    if horizon_hours < _SHORTEST_HOURS or abs(n * horizon_hours / HOURS_PER_YEAR - 1) > _OFF:
        return None
    partial, years = _sums(change, n)
    value, per_density = float(np.median(years)), _per_density(years)
    below = np.searchsorted(np.sort(partial), value - change, side="right") / _N_YEARS
    units = clusters.replicates()
    variance = units.variance_of_mean(n * (0.5 - below) * per_density) + per_density**2 / (4 * _N_YEARS)
    half = stdtrit(max(1, units.n_clusters - 1), (1 + confidence) / 2) * np.sqrt(variance)
    return around(value, float(half), clusters, confidence, "median")


def _sums(change: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw years of n horizons; return their sums without and with the last one, each of shape (n_years,)."""
    rng = np.random.default_rng(_SEED)
    size = max(1, _BLOCK // n)  # years at a time, so that memory stays small
    partial, years = np.empty(_N_YEARS), np.empty(_N_YEARS)
    for start in range(0, _N_YEARS, size):
        rows = slice(start, min(start + size, _N_YEARS))
        drawn = change[rng.integers(len(change), size=(rows.stop - start, n))]
        partial[rows] = drawn[:, :-1].sum(axis=1)
        years[rows] = partial[rows] + drawn[:, -1]
    return partial, years


def _per_density(years: np.ndarray) -> float:
    """Return one over the density of a year at its median, from the central fifth of the years."""
    low, high = np.quantile(years, (0.4, 0.6))
    return float(high - low) / 0.2
