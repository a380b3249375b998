"""What draws of the parameters say about the answer: central intervals, drivers, and whether luck blurs them.

Letters: n draws, L levels.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import spearmanr

from stress.summary.intervals import annual_rate
from stress.summary.model_risk import QUOTABLE, Driver, ParameterInterval, Spread
from stress.summary.notation import Money, percent
from stress.summary.quantile import QuantileInterval

__all__ = ["GOAL", "Draws", "error_shares", "log_error", "parameter_interval", "parameter_page"]

DOLLARS = Money()
GOAL = 0.2  # Monte Carlo error of one draw over the spread between draws, at most


@dataclass(frozen=True, eq=False)
class Draws:
    """The parameters of n draws and the answer of each.

    Parameters
    ----------
    parameters : dict of str to ndarray, shape (n,)
        What was drawn, by dotted name.
    ranges : dict of str to (float, float)
        Ends of each parameter's range.
    ruin : ndarray, shape (n,)
        ``P(drawdown > fund)`` of each draw over the horizon.
    levels : tuple of float, length L
        Ascending.
    reserves, errors : ndarray, shape (n, L)
        Net reserve of each draw, quote, and the Monte Carlo standard deviation of its logarithm; NaN where refused.
    """

    parameters: dict[str, np.ndarray]
    ranges: dict[str, tuple[float, float]]
    ruin: np.ndarray
    levels: tuple[float, ...]
    reserves: np.ndarray
    errors: np.ndarray

    @property
    def usable(self) -> list[int]:
        """Columns of the levels that every draw supports."""
        return [i for i in range(len(self.levels)) if not np.isnan(self.reserves[:, i]).any()]

    def columns(self) -> dict[str, np.ndarray]:
        """Return one column per parameter and answer, as the file of draws has them."""
        by_level = {}
        for i, level in enumerate(self.levels):
            by_level[f"reserve_{level:g}"] = self.reserves[:, i]
            by_level[f"log_error_{level:g}"] = self.errors[:, i]
        return {**self.parameters, "ruin": self.ruin, **by_level}


def log_error(found: QuantileInterval, confidence: float) -> float:
    """Return the standard deviation of log(reserve) that an interval means; NaN when refused or not above zero."""
    if found.low is None or found.high is None or found.value <= 0.0:
        return math.nan
    z = float(ndtri((1 + confidence) / 2))
    if found.low <= 0.0:  # half an interval: the other half is unbounded in logs
        return math.log(found.high / found.value) / z
    return math.log(found.high / found.low) / (2 * z)


def error_shares(reserves: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Return, level by level, the Monte Carlo error of one draw over the spread between draws, shape (L,).

    Parameters
    ----------
    reserves : ndarray, shape (n, L)
        Reserve of each draw, quote; NaN where refused.
    errors : ndarray, shape (n, L)
        Standard deviation of its logarithm from the simulation alone.

    Returns
    -------
    ndarray, shape (L,)
        Root mean square error over the standard deviation of log(reserve); NaN where a draw refused the level,
        1 where the draws do not differ: then all that is seen may be luck.
    """
    return np.array([_share(*column) for column in zip(reserves.T, errors.T, strict=True)])


def _share(reserves: np.ndarray, errors: np.ndarray) -> float:
    if np.isnan(reserves).any():
        return math.nan
    seen = (reserves > 0.0) & np.isfinite(errors)
    spread = float(np.std(np.log(reserves[seen]), ddof=1)) if seen.sum() > 1 else 0.0
    return float(np.sqrt(np.mean(np.square(errors[seen])))) / spread if spread > 0.0 else 1.0


def parameter_interval(
    draws: Draws, *, config_sha256: str, horizon_hours: float, n_paths: int, confidence: float
) -> ParameterInterval:
    """Return central intervals over draws, and which parameters the reserve follows.

    Parameters
    ----------
    draws : Draws
    config_sha256 : str
        Of the scenario whose parameters were drawn.
    horizon_hours : float
    n_paths : int
        Of each draw.
    confidence : float
        Share of the draws inside each interval.

    Returns
    -------
    ParameterInterval
        Levels that a draw refused are left out.  Drivers are Spearman's rank correlations with the reserve at
        the highest level that is left (Saltelli et al. 2008, section 1.2), strongest first.
    """
    usable = draws.usable
    target = draws.reserves[:, usable[-1]] if usable else draws.ruin
    drivers = [Driver(name, *draws.ranges[name], _rank_correlation(x, target)) for name, x in draws.parameters.items()]
    shares = error_shares(draws.reserves, draws.errors)[usable]

    def annual(p: float) -> float:
        """Return a rate a year; certainty has none, and so many paths cannot tell it from this."""
        return annual_rate(min(p, 1.0 - 1.0 / (n_paths + 1)), horizon_hours) or 0.0

    ruin = _spread(draws.ruin, confidence)
    return ParameterInterval(
        config_sha256=config_sha256,
        n_draws=len(draws.ruin),
        n_paths=n_paths,
        confidence=confidence,
        ruin=ruin,
        ruin_annual=Spread(annual(ruin.median), annual(ruin.low), annual(ruin.high)),
        reserves=tuple((draws.levels[i], _spread(draws.reserves[:, i], confidence)) for i in usable),
        error_share=float(shares.max()) if usable else 1.0,
        drivers=tuple(sorted(drivers, key=lambda driver: -abs(driver.rank_correlation))),
    )


def _spread(x: np.ndarray, confidence: float) -> Spread:
    low, median, high = np.quantile(x, [(1 - confidence) / 2, 0.5, (1 + confidence) / 2])
    return Spread(float(median), float(low), float(high))


def _rank_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Return Spearman's correlation; 0 where one of the two does not vary."""
    if np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return 0.0
    return float(spearmanr(x, y).statistic)


def parameter_page(interval: ParameterInterval, *, name: str, horizon_hours: float, money: Money = DOLLARS) -> str:
    """Return what a terminal shows of an interval."""
    inside = f"median [{percent(interval.confidence)} of the draws]"
    lines = [
        f"{name}: {interval.n_draws:,} draws of {len(interval.drivers)} parameters, {interval.n_paths:,} paths each"
    ]
    lines += ["", f"{f'Over {horizon_hours:g} h':<42} {inside}", _line("Fund exhausted", interval.ruin, percent)]
    lines += [_line(f"Reserve {percent(level)}, net", row, money) for level, row in interval.reserves]
    lines += ["", f"{'Parameter, and its range':<42} rank correlation with the reserve"]
    for row in interval.drivers:
        lines.append(f"  {f'{row.name} {row.low:g} to {row.high:g}':<40} {row.rank_correlation:+.2f}")
    met = "met" if interval.error_share <= GOAL else "NOT met: more paths are needed"
    lines += ["", f"Simulation error over the spread: {interval.error_share:.2f} (goal: at most {GOAL:g}; {met})"]
    if interval.n_draws < QUOTABLE:
        lines.append(f"Not for quotation: {interval.n_draws:,} draws are fewer than {QUOTABLE}.")
    return "\n".join(lines)


def _line(label: str, row: Spread, write: Callable[[float], str]) -> str:
    return f"  {label:<40} {write(row.median)} [{write(row.low)}, {write(row.high)}]"
