"""The generalized Pareto law of exceedances over a threshold: its fit, its likelihood, and whether it fits.

Letters: y exceedances, k of them, xi tail index, beta scale; ``P(Y > y) = (1 + xi y / beta)^(-1/xi)``.
"""

import math
from typing import Any

import numpy as np

__all__ = [
    "GOODNESS_P",
    "GOODNESS_XI",
    "Likelihood",
    "anderson_darling",
    "fit_generalized_pareto",
    "goodness",
    "growth",
    "influence",
]

#: Levels of significance and tail indices of the table of `goodness`.
GOODNESS_P = (0.9, 0.75, 0.5, 0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.001)
GOODNESS_XI = (-0.4, -0.2, 0.0, 0.2, 0.4, 0.6, 0.8, 1.0)

#: Upper points of the statistic with both numbers fitted, a row a tail index (benchmarks/goodness.py).
_POINTS = (
    (0.231, 0.310, 0.443, 0.652, 0.934, 1.173, 1.407, 1.736, 1.997, 2.547),
    (0.222, 0.296, 0.419, 0.610, 0.870, 1.080, 1.304, 1.607, 1.826, 2.305),
    (0.214, 0.283, 0.393, 0.566, 0.802, 0.985, 1.202, 1.448, 1.635, 2.111),
    (0.206, 0.271, 0.374, 0.531, 0.747, 0.913, 1.103, 1.327, 1.477, 1.930),
    (0.201, 0.263, 0.360, 0.506, 0.707, 0.863, 1.021, 1.242, 1.390, 1.825),
    (0.197, 0.256, 0.349, 0.489, 0.676, 0.824, 0.970, 1.176, 1.318, 1.687),
    (0.193, 0.251, 0.342, 0.476, 0.655, 0.794, 0.935, 1.125, 1.282, 1.631),
    (0.191, 0.248, 0.337, 0.466, 0.638, 0.769, 0.905, 1.091, 1.238, 1.565),
)

_STEEPEST, _FLATTEST, _PER_UNIT = -12, 26, 10  # nodes in log(1 + xi y_max / beta)
_NEXT_TO_ZERO = 1e-7


def fit_generalized_pareto(excess: np.ndarray) -> tuple[float, float]:
    """Fit the generalized Pareto law to exceedances over a threshold.

    Parameters
    ----------
    excess : ndarray, shape (k,)
        Positive, not all equal.

    Returns
    -------
    xi, scale : float
        Tail index and scale.  The profile likelihood in theta = -xi/scale is averaged over a grid, which is
        about as efficient as maximum likelihood and cannot fail to converge (Zhang & Stephens 2009).
    """
    y, k = np.sort(excess), len(excess)
    n_grid = 30 + math.isqrt(k)
    theta = 1 - np.sqrt(n_grid / (np.arange(1, n_grid + 1) - 0.5))
    theta = 1 / y[-1] + theta / (3 * y[int(k / 4 + 0.5) - 1])
    xi = np.log1p(-np.outer(theta, y)).mean(axis=1)
    likelihood = k * (np.log(-theta / xi) - xi - 1)
    weight = np.exp(likelihood - likelihood.max())
    best = float(theta @ weight / weight.sum())
    shape = float(np.log1p(-best * y).mean())
    return shape, -shape / best


def growth(xi: Any, log_ratio: Any) -> Any:
    """Return ``(r^xi - 1) / xi``, or ln r at 0: how many scales above the threshold a share 1/r of exceedances lies."""
    xi = _away_from_zero(xi)
    return np.expm1(xi * log_ratio) / xi


class Likelihood:
    """The log-likelihood of exceedances, for any number of laws at once.

    Parameters
    ----------
    excess : ndarray, shape (k,)
        Positive.

    Notes
    -----
    ``l = -k ln beta - (1 + 1/xi) S(xi/beta)`` needs the sample only through ``S(theta) = sum ln(1 + theta y)``,
    which is tabulated once, with its slope, in ``s = ln(1 + theta max(y))``, where it is smooth.
    """

    def __init__(self, excess: np.ndarray):
        from scipy.interpolate import CubicHermiteSpline  # a third of a second

        self.size, self.largest = len(excess), float(np.max(excess))
        nodes = np.arange(_STEEPEST * _PER_UNIT, _FLATTEST * _PER_UNIT + 1) / _PER_UNIT
        ratio = excess / self.largest
        inside = [1.0 + theta * ratio for theta in np.expm1(nodes)]
        total = [np.log(x).sum() for x in inside]
        slope = [math.exp(s) * (ratio / x).sum() for s, x in zip(nodes, inside, strict=True)]
        self._total = CubicHermiteSpline(nodes, total, slope)

    def __call__(self, xi: Any, beta: Any) -> Any:
        """Return the log-likelihood of laws of any shape; minus infinity where one is impossible or irregular."""
        xi = _away_from_zero(np.asarray(xi, dtype=float))
        with np.errstate(divide="ignore", invalid="ignore"):
            s = np.log1p(xi / beta * self.largest)
            found = -self.size * np.log(beta) - (1.0 + 1.0 / xi) * self._total(s)
        possible = (beta > 0) & (s > _STEEPEST) & (s < _FLATTEST) & (xi > -1.0)
        return np.where(possible, found, -np.inf)


def influence(excess: np.ndarray, xi: float, beta: float) -> np.ndarray:
    """Return what each exceedance moves (xi, beta) by, times k, shape (k, 2).

    The score times the inverse of Fisher's information, ``(1+xi) [[1+xi, -beta], [-beta, 2 beta^2]]`` (Smith 1987),
    which exists for xi > -1/2.
    """
    z = excess / beta
    xi = float(_away_from_zero(xi))
    inside = 1.0 + xi * z
    score_xi = np.log(inside) / xi**2 - (1.0 + 1.0 / xi) * z / inside
    score_beta = ((1.0 + xi) * z / inside - 1.0) / beta
    inverse = (1.0 + xi) * np.array([[1.0 + xi, -beta], [-beta, 2.0 * beta**2]])
    return np.column_stack([score_xi, score_beta]) @ inverse


def anderson_darling(excess: np.ndarray, xi: float, beta: float) -> float:
    """Return Anderson and Darling's distance of exceedances from the law (1954)."""
    y, k = np.sort(excess), len(excess)
    xi = float(_away_from_zero(xi))
    survival = np.log1p(np.maximum(xi * y / beta, -1.0 + 1e-15)) / xi  # minus ln P(Y > y)
    below = np.log(-np.expm1(-survival))
    odd = 2.0 * np.arange(1, k + 1) - 1.0
    return float(-k - (odd @ (below - survival[::-1])) / k)


def goodness(statistic: float, xi: float) -> float:
    """Return the p-value of Anderson and Darling's statistic when both numbers were fitted.

    The law of the statistic depends on the tail index alone (Choulakian & Stephens 2001): interpolated in it, and
    logarithmically between and beyond the points of the table.
    """
    points = np.array([np.interp(xi, GOODNESS_XI, column) for column in zip(*_POINTS, strict=True)])
    if statistic <= points[0]:
        return GOODNESS_P[0]
    if statistic <= points[-1]:
        return float(np.exp(np.interp(statistic, points, np.log(GOODNESS_P))))
    slope = math.log(GOODNESS_P[-1] / GOODNESS_P[-2]) / (points[-1] - points[-2])
    return GOODNESS_P[-1] * math.exp(max(-700.0, slope * (statistic - points[-1])))


def _away_from_zero(xi: Any) -> Any:
    """Replace a tail index at which the formulas divide 0 by 0 by its neighbor, which they cannot tell from it."""
    return np.where(np.abs(xi) < _NEXT_TO_ZERO, _NEXT_TO_ZERO, xi)
