"""Fits of GARCH and GJR by the package `arch`, and of filtered history, which uses the same recursion."""

import math
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from stress.calibration.fit import ABOVE_TWO, Fit, by_likelihood, fits
from stress.calibration.independent import student_log_density, unit
from stress.candles import Candles
from stress.markets.bars import midpoints
from stress.markets.garch import Recursion

MOST_PERSISTENT = 0.9995  # beyond it the stationary variance is a number without a meaning
ERRORS_FROM_ONE = 2.0  # standard errors within which persistence cannot be told from one
MOST_VOLATILE = 4.9  # a year's
QUANTILES = 65  # of the filtered volatility that a market starts from
SCALE = 1_000.0  # returns are fitted in these units, as `arch` asks for


@fits("garch")
def fit_garch(candles: Candles) -> Fit:
    """Fit GARCH(1,1) with Student-t noise."""
    return _fitted("garch", candles, asymmetric=False)


@fits("gjr")
def fit_gjr(candles: Candles) -> Fit:
    """Fit GJR-GARCH(1,1) with Student-t noise: falls may raise volatility more than rises."""
    return _fitted("gjr", candles, asymmetric=True)


@fits("garch_qml")
def fit_garch_qml(candles: Candles) -> Fit:
    """Fit GARCH(1,1) as if its noise were normal, then the tail of what is left (Bollerslev and Wooldridge 1992).

    The joint fit takes the mean square of its noise from the tail that it assumes; where that is wrong, the volatility
    is wrong too.  Here it is the sample's.
    """
    return _two_stages(candles, asymmetric=False)


@fits("filtered")
def fit_filtered(candles: Candles) -> Fit:
    """Fit the recursion of filtered history; its shocks are the sample's, so there is no likelihood."""
    fit = _two_stages(candles, asymmetric=False)
    names = ("vol_annual", "alpha", "beta", "gamma", "vol_largest_annual")
    market = {"kind": "filtered", **{name: fit.market[name] for name in names}}
    return Fit("filtered", market, fit.errors, None, fit.n_parameters, fit.flags, fit.states)


def _two_stages(candles: Candles, *, asymmetric: bool) -> Fit:
    recursion = _fitted("garch_qml", candles, asymmetric=asymmetric, noise="normal")
    left = candles.returns / filtered_vols(recursion.market, candles) / math.sqrt(unit(candles))
    tail, error, log_likelihood = tail_of(left)
    value = log_likelihood - float(np.log(filtered_vols(recursion.market, candles) * math.sqrt(unit(candles))).sum())
    market = {**recursion.market, "tail_index": tail}
    errors = {**recursion.errors, "tail_index": error}
    return replace(recursion, market=market, errors=errors, log_likelihood=value, n_parameters=4)


def _fitted(name: str, candles: Candles, *, asymmetric: bool, noise: Literal["t", "normal"] = "t") -> Fit:
    """Fit by `arch`; standard errors are robust to the law of the noise."""
    from arch import arch_model

    model = arch_model(SCALE * candles.returns, mean="Zero", p=1, o=int(asymmetric), q=1, dist=noise, rescale=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = model.fit(disp="off", show_warning=False)
    found, spread = result.params, result.std_err
    alpha, beta, gamma = (max(0.0, float(found.get(key, 0.0))) for key in ("alpha[1]", "beta[1]", "gamma[1]"))
    near = _near_one(alpha + beta + 0.5 * gamma, _persistence_error(result))
    vol, beta, flags = _stationary(float(found["omega"]) / SCALE**2, alpha, beta, gamma, candles)
    market = {
        "kind": "garch",
        "bar_seconds": float(candles.seconds),
        "vol_annual": vol,
        "alpha": alpha,
        "beta": beta,
        "gamma": gamma,
        "tail_index": max(2.05, float(found.get("nu", 200.0))),
        "vol_largest_annual": max(10.0, 2.0 * vol),
    }
    flags = (*flags, *near, *_doubts(market, candles, converged=result.convergence_flag == 0))
    keys = {"alpha": "alpha[1]", "beta": "beta[1]", "gamma": "gamma[1]", "tail_index": "nu"}
    errors = {key: float(spread[theirs]) for key, theirs in keys.items() if theirs in spread}
    likelihood = float(result.loglikelihood) + candles.returns.size * math.log(SCALE)
    return Fit(name, market, errors, likelihood, len(found), flags, filtered_states(market, candles))


def _persistence_error(result: Any) -> float:
    """Return the robust standard error of alpha + beta + gamma / 2."""
    weights = {"alpha[1]": 1.0, "beta[1]": 1.0, "gamma[1]": 0.5}
    row = np.array([weights.get(name, 0.0) for name in result.params.index])
    return math.sqrt(max(0.0, float(row @ result.param_cov.to_numpy() @ row)))


def _near_one(persistence: float, error: float) -> tuple[str, ...]:
    """Say so where a stationary persistence cannot be told from one."""
    if persistence > MOST_PERSISTENT or persistence + ERRORS_FROM_ONE * error < 1.0:
        return ()
    said = f"near-integrated: persistence {persistence:.5f} is within {ERRORS_FROM_ONE:g} standard errors"
    return (f"{said} ({error:.2g}) of one: vol_annual is a number without a meaning",)


def _doubts(market: dict[str, Any], candles: Candles, *, converged: bool) -> tuple[str, ...]:
    """Return what speaks against a fit: the search did not end, or the volatility is not that of the returns."""
    left = candles.returns / filtered_vols(market, candles) / math.sqrt(unit(candles))
    square = float(np.mean(left * left))
    said = () if abs(square - 1.0) < 0.1 else (f"returns have {square:.2f} times the variance that it expects",)
    return said if converged else (*said, "did not converge")


def tail_of(noise: np.ndarray) -> tuple[float, float, float]:
    """Return degrees of freedom of noise of unit variance, their standard error and the log-likelihood."""

    def log_likelihood(p):
        """Return the log-likelihood of some parameters."""
        scale = math.sqrt((p["nu"] - 2.0) / p["nu"])
        return float(student_log_density(noise / scale, p["nu"]).sum() - noise.size * math.log(scale))

    found, errors, value, _ = by_likelihood(log_likelihood, {"nu": (0.2, ABOVE_TWO)})
    return found["nu"], errors.get("nu", math.nan), value


def _stationary(
    omega: float, alpha: float, beta: float, gamma: float, candles: Candles
) -> tuple[float, float, tuple[str, ...]]:
    """Return the stationary volatility and beta, cut where there is no such volatility, with a flag."""
    persistence = alpha + beta + 0.5 * gamma
    flags: tuple[str, ...] = ()
    if persistence > MOST_PERSISTENT:
        beta -= persistence - MOST_PERSISTENT
        flags = (f"persistence {persistence:.5f}, not stationary within the sample: beta cut to {beta:.4f}",)
        persistence = MOST_PERSISTENT
    return min(MOST_VOLATILE, math.sqrt(omega / (1.0 - persistence) / unit(candles))), beta, flags


def filtered_states(market: dict[str, Any], fitted: Candles) -> Callable[[Candles], dict[str, Any]]:
    """Return the function that says through which volatilities candles went, filtered with these parameters."""

    def states(candles: Candles) -> dict[str, Any]:
        """Return quantiles of the filtered volatility, after the recursion has forgotten its start."""
        vols = filtered_vols(market, candles)
        vols = vols[min(500, vols.size // 2) :]
        return {"start_vols_annual": quantiles(vols)}

    return states


def quantiles(vols: np.ndarray) -> tuple[float, ...]:
    """Return volatilities that stand for a sample of them with equal weights."""
    return tuple(float(f"{v:.4g}") for v in np.quantile(vols, midpoints(QUANTILES)))


def filtered_vols(market: dict[str, Any], candles: Candles) -> np.ndarray:
    """Return the volatility, a year's, that each return was expected to have, shape (n_returns,)."""
    names = ("vol_annual", "alpha", "beta", "gamma", "vol_largest_annual")
    recursion = Recursion(**{name: market[name] for name in names})
    return np.sqrt(recursion.filtered(candles.returns, unit(candles)) / unit(candles))
