"""Which reserve do the largest falls point to, beyond the paths that were counted: peaks over many thresholds.

A single threshold can be chosen to please, so that every one that fits has a say.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from stress.summary.clusters import Clusters
from stress.summary.pareto import anderson_darling, goodness
from stress.summary.peaks import Peaks
from stress.summary.quantile import order_statistic

__all__ = ["ExtremeReserve", "Extremes", "ThresholdFit", "estimate_extremes"]

#: Bounds of a reserve, None where there are none.
Interval = tuple[float | None, float | None]

SHARES = (0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005)  # of the paths, beyond each threshold
MOST = 20_000  # exceedances; beyond, a lower threshold adds more bias than it takes noise away
FEWEST = 50  # effective exceedances; fewer give no fit
REACH = 10.0  # how many times below the smallest probability with `FEWEST` events one may extrapolate
SIGNIFICANCE = 0.05  # false discoveries among the thresholds that are refused


@dataclass(frozen=True)
class ThresholdFit:
    """A generalized Pareto law above one threshold.

    Parameters
    ----------
    threshold, mean_excess, scale : float
        Threshold, mean of what lies above it, fitted scale; quote currency.
    n_exceedances : int
        Paths above it.
    n_effective : float
        What they are worth in independent ones.
    xi : float
        Maximum-likelihood tail index.
    xi_error : float or None
        Its standard error, by population cluster; None at -1/2 and below, where likelihood has no such theory.
    endpoint : float or None
        Largest possible loss of the fitted law; None when it has no end.
    p_value : float
        Of the Anderson-Darling test, at the effective number of exceedances.
    accepted : bool
        Whether neither this threshold nor a higher one is refused by the sequence of tests.
    """

    threshold: float
    n_exceedances: int
    n_effective: float
    xi: float
    xi_error: float | None
    scale: float
    mean_excess: float
    endpoint: float | None
    p_value: float
    accepted: bool = False


@dataclass(frozen=True)
class ExtremeReserve:
    """The reserve of a level by extrapolation, over all accepted thresholds.

    Parameters
    ----------
    level : float
        ``P(drawdown <= value)`` over the horizon.
    least, most : float or None
        Range of the estimates; None when refused.
    low, high : float or None
        From the lowest to the highest bound of their profile-likelihood intervals; ``high`` None when unbounded.
    shortfall_least, shortfall_most : float or None
        Range of the expected shortfall; None for a law without a mean.
    n_thresholds : int
        Accepted thresholds that answer.
    agrees : bool or None
        Whether the interval overlaps the empirical one; None when that is refused.
    reason : str or None
        Why it is refused.
    """

    level: float
    least: float | None = None
    most: float | None = None
    low: float | None = None
    high: float | None = None
    shortfall_least: float | None = None
    shortfall_most: float | None = None
    n_thresholds: int = 0
    agrees: bool | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Extremes:
    """What peaks over thresholds say.

    Parameters
    ----------
    fits : tuple of ThresholdFit
        From the lowest threshold to the highest.
    reserves : tuple of ExtremeReserve
        By level.
    least_probability : float or None
        Smallest ``1 - level`` that the sample may be extrapolated to.
    reason : str or None
        Why nothing was fitted.
    """

    fits: tuple[ThresholdFit, ...]
    reserves: tuple[ExtremeReserve, ...]
    least_probability: float | None = None
    reason: str | None = None

    @property
    def accepted(self) -> tuple[ThresholdFit, ...]:
        """Fits that the sequence of tests leaves."""
        return tuple(fit for fit in self.fits if fit.accepted)

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        return asdict(self)


def estimate_extremes(
    drawdown: np.ndarray,
    levels: Iterable[float],
    *,
    clusters: Clusters | None = None,
    confidence: float = 0.95,
    empirical: Mapping[float, Interval] | None = None,
) -> Extremes:
    """Extrapolate the tail of the drawdowns from a range of thresholds.

    Parameters
    ----------
    drawdown : ndarray, shape (n_paths,)
        Deepest fall of the fund on each path, in quote currency.
    levels : iterable of float
        Levels of the reserve.
    clusters : Clusters, optional
        Which paths share a population; independent paths otherwise.
    confidence : float
        Of the intervals.
    empirical : mapping of float to (float or None, float or None), optional
        Intervals of the order statistics by level, None where they are refused.

    Returns
    -------
    Extremes
        Thresholds leave 10 % to 0.5 % of the paths above them, at least 50 effective ones and at most 20,000.  The
        tests of fit go from the lowest up; those that ForwardStop refuses at 5 % are left out (G'Sell et al. 2016;
        Bader, Yan & Zhang 2018).  A level is refused beyond ten times below the smallest probability with 50 events.
    """
    clusters = clusters or Clusters(np.zeros(len(drawdown), dtype=int))
    levels, given = tuple(levels), empirical or {}
    shares = [share for share in SHARES if share * len(drawdown) <= MOST] or SHARES[-1:]
    peaks = [found for found in (_peaks(drawdown, share, clusters) for share in shares) if found is not None]
    fits = [_described(found) for found in peaks]
    kept = [i for i, fit in enumerate(fits) if fit.n_effective >= FEWEST]
    peaks, fits = [peaks[i] for i in kept], _judged([fits[i] for i in kept])
    if not fits:
        reason = f"fewer than {FEWEST} exceedances (in independent paths) of any threshold that leaves 10 %"
        return Extremes((), tuple(ExtremeReserve(level, reason=reason) for level in levels), None, reason)
    least = min(FEWEST / REACH / fit.n_effective * p.share for fit, p in zip(fits, peaks, strict=True))
    good = [p for p, fit in zip(peaks, fits, strict=True) if fit.accepted]
    rows = tuple(_reserve(good, level, least, confidence, given.get(level, (None, None))) for level in levels)
    return Extremes(tuple(fits), rows, least, None if good else "no threshold passes the test of fit")


def _peaks(x: np.ndarray, share: float, clusters: Clusters) -> Peaks | None:
    threshold = order_statistic(np.sort(x), 1.0 - share)
    excess = x[x > threshold]
    if threshold <= 0 or len(excess) < FEWEST or np.ptp(excess) == 0:
        return None
    return Peaks(x, threshold, clusters)


def _described(peaks: Peaks) -> ThresholdFit:
    """Return the fit of one threshold, not yet judged beside the others."""
    worth = peaks.worth()
    statistic = anderson_darling(peaks.excess, peaks.xi, peaks.beta)
    return ThresholdFit(
        threshold=peaks.threshold,
        n_exceedances=peaks.k,
        n_effective=peaks.share * worth,
        xi=peaks.xi,
        xi_error=peaks.xi_error(),
        scale=peaks.beta,
        mean_excess=float(np.mean(peaks.excess)),
        endpoint=peaks.threshold - peaks.beta / peaks.xi if peaks.xi < 0 else None,
        # Rao and Scott's (1981) first-order correction for clusters.
        p_value=goodness(statistic * worth / peaks.n, peaks.xi),
    )


def _judged(fits: list[ThresholdFit]) -> list[ThresholdFit]:
    """Accept what lies above the last threshold that ForwardStop refuses, as far as likelihood theory holds."""
    refused = 0
    for j in range(1, len(fits) + 1):
        if -sum(math.log1p(-fit.p_value) for fit in fits[:j]) / j <= SIGNIFICANCE:
            refused = j
    return [replace(fit, accepted=j >= refused and fit.xi_error is not None) for j, fit in enumerate(fits)]


def _reserve(peaks: list[Peaks], level: float, least: float, confidence: float, empirical: Interval) -> ExtremeReserve:
    alpha = 1.0 - level
    if not peaks:
        return ExtremeReserve(level, reason="no threshold passes the test of fit")
    if alpha < least * (1.0 - 1e-9):
        return ExtremeReserve(level, reason=f"the sample may be extrapolated to {100 * (1 - least):.6g} %")
    usable = [p for p in peaks if p.share >= 2.0 * alpha]
    if not usable:
        return ExtremeReserve(level, reason="lies below the accepted thresholds")
    values = [p.threshold + p.quantile(alpha) for p in usable]
    intervals = [p.interval(alpha, confidence) for p in usable]
    highs = [high for _, high in intervals if high is not None]
    low, high = min(low for low, _ in intervals), max(highs) if len(highs) == len(usable) else None
    finite = all(p.xi < 1 for p in usable)
    shortfalls = [p.threshold + (p.quantile(alpha) + p.beta) / (1.0 - p.xi) for p in usable] if finite else []
    return ExtremeReserve(
        level,
        min(values),
        max(values),
        low,
        high,
        min(shortfalls, default=None),
        max(shortfalls, default=None),
        len(usable),
        _overlap(low, high, empirical),
    )


def _overlap(low: float, high: float | None, empirical: Interval) -> bool | None:
    other_low, other_high = empirical
    if other_low is None or other_high is None:
        return None
    return low <= other_high and (high is None or high >= other_low)
