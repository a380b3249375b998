"""What a fit is, and maximum likelihood: the optimum, its standard errors, and when neither is to be believed."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import minimize

from stress.candles import Candles

__all__ = ["FITTERS", "Fit", "Transform", "by_likelihood", "fits"]

#: Name of a model to the function that fits it to candles.
FITTERS: dict[str, Callable[[Candles], "Fit"]] = {}
STEP = 1e-3  # of the numeric second derivatives, in transformed parameters
MAX_EVALUATIONS = 1_500


@dataclass(frozen=True, eq=False)
class Fit:
    """A price model with the parameters that a sample supports best.

    Parameters
    ----------
    name : str
        Of the model, as the user asks for it.
    market : dict
        Keys of ``[market]`` without `price_usd`.
    errors : dict of str to float
        Standard errors of some of these keys.
    log_likelihood : float or None
        Of the returns; None where a model has none.
    n_parameters : int
        Fitted ones.
    flags : tuple of str
        Why the fit is not to be believed, a line each.
    states : callable or None
        From candles to the keys of ``[market]`` that say which states of volatility they went through.
    """

    name: str
    market: dict[str, Any]
    errors: dict[str, float] = field(default_factory=dict)
    log_likelihood: float | None = None
    n_parameters: int = 0
    flags: tuple[str, ...] = ()
    states: Callable[[Candles], dict[str, Any]] | None = None

    @property
    def aic(self) -> float | None:
        """Akaike's criterion, 2 k - 2 ln L."""
        return None if self.log_likelihood is None else 2.0 * self.n_parameters - 2.0 * self.log_likelihood

    def market_through(self, candles: Candles | None) -> dict[str, Any]:
        """Return the market with the states of volatility of `candles`, or with the stationary law."""
        return self.market if candles is None or self.states is None else self.market | self.states(candles)


def fits(name: str) -> Callable[[Callable[[Candles], Fit]], Callable[[Candles], Fit]]:
    """Enter a function into the table of fitters under the name of its model."""

    def enter(fitter: Callable[[Candles], Fit]) -> Callable[[Candles], Fit]:
        """Enter it."""
        FITTERS[name] = fitter
        return fitter

    return enter


@dataclass(frozen=True)
class Transform:
    """How a parameter is searched: freely on a line whose image are its allowed values."""

    forward: Callable[[float], float]
    slope: Callable[[float], float]


LINE = Transform(lambda x: x, lambda x: 1.0)
POSITIVE = Transform(lambda x: math.exp(min(x, 50.0)), lambda x: math.exp(min(x, 50.0)))
SHARE = Transform(lambda x: 1.0 / (1.0 + math.exp(-x)), lambda x: math.exp(-x) / (1.0 + math.exp(-x)) ** 2)
ABOVE_TWO = Transform(lambda x: 2.0 + math.exp(min(x, 5.0)), lambda x: math.exp(min(x, 5.0)))


def by_likelihood(
    log_likelihood: Callable[[Mapping[str, float]], float], start: Mapping[str, tuple[float, Transform]]
) -> tuple[dict[str, float], dict[str, float], float, tuple[str, ...]]:
    """Maximize a log-likelihood (Nelder and Mead 1965); standard errors from the curvature at the optimum.

    Parameters
    ----------
    log_likelihood : callable
        Of a mapping from names to parameters.
    start : mapping
        Name to (where the search begins, before the transform; the transform).

    Returns
    -------
    parameters, errors : dict of str to float
    value : float
        The log-likelihood at the optimum.
    flags : tuple of str
        Empty if the search converged and the curvature is that of a maximum.
    """
    names, transforms = list(start), [transform for _, transform in start.values()]

    def parameters(x: np.ndarray) -> dict[str, float]:
        """Return the parameters at a point of the search."""
        return {name: t.forward(float(v)) for name, t, v in zip(names, transforms, x, strict=True)}

    def cost(x: np.ndarray) -> float:
        """Return minus the log-likelihood, which is minimized."""
        value = log_likelihood(parameters(x))
        return -value if math.isfinite(value) else 1e12

    options = {"xatol": 1e-4, "fatol": 1e-3, "maxfev": MAX_EVALUATIONS, "adaptive": len(names) > 4}
    found = minimize(cost, [value for value, _ in start.values()], method="Nelder-Mead", options=options)
    flags = () if found.success else (f"did not converge in {found.nfev} evaluations",)
    spread, curved = _spread(cost, found.x)
    slopes = [t.slope(float(v)) for t, v in zip(transforms, found.x, strict=True)]
    errors = {n: s * abs(d) for n, s, d in zip(names, spread, slopes, strict=True)} if curved else {}
    return parameters(found.x), errors, -float(found.fun), flags if curved else (*flags, "no standard errors: flat")


def _spread(cost: Callable[[np.ndarray], float], x: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return the roots of the inverse Hessian's diagonal, and whether it is that of a minimum."""
    n = x.size
    hessian, unit = np.empty((n, n)), STEP * np.eye(n)
    for i in range(n):
        for j in range(i, n):
            up, down = cost(x + unit[i] + unit[j]) + cost(x - unit[i] - unit[j]), 0.0
            down = cost(x + unit[i] - unit[j]) + cost(x - unit[i] + unit[j])
            hessian[i, j] = hessian[j, i] = (up - down) / (4.0 * STEP * STEP)
    try:
        covariance = np.linalg.inv(hessian)
    except np.linalg.LinAlgError:
        return np.zeros(n), False
    diagonal = np.diag(covariance)
    return np.sqrt(np.maximum(diagonal, 0.0)), bool((diagonal > 0.0).all() and np.isfinite(diagonal).all())
