"""Fits of models with a hidden volatility: regimes, Heston, Bates and the volatility clock."""

import math
from typing import Any

import numpy as np
from scipy import special, stats

from stress.calibration.fit import ABOVE_TWO, LINE, POSITIVE, SHARE, Fit, by_likelihood, fits
from stress.calibration.hidden import binned, filter_states
from stress.calibration.independent import student_log_density, unit
from stress.calibration.volatility import quantiles
from stress.candles import Candles

CELLS = 48  # of the grid of variances
MOST_JUMPS = 3  # in a bar, of Bates's price
DAY = 86_400.0


def normal_density(middles: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Return the density of every bin at every variance, shape (bins, states)."""
    return np.exp(-0.5 * middles[:, None] ** 2 / variance) / np.sqrt(2.0 * math.pi * variance)


def student_density(middles: np.ndarray, variance: np.ndarray, nu: float) -> np.ndarray:
    """Return the density of Student-t returns of these variances, shape (bins, states)."""
    scale = np.sqrt(variance * (nu - 2.0) / nu)
    return np.exp(student_log_density(middles[:, None] / scale, nu)) / scale


# --- two regimes


@fits("regime")
def fit_regime(candles: Candles) -> Fit:
    """Fit two regimes with Student-t noise; the state changes between bars."""
    middles, bins = binned(candles.returns)
    vol = math.sqrt(np.mean(candles.returns**2) / unit(candles))
    hours = candles.seconds / 3600.0

    def model(p):
        """Return the chain of hidden states of some parameters."""
        variance = np.array([p["vol_calm_annual"], p["vol_wild_annual"]]) ** 2 * unit(candles)
        return student_density(middles, variance, p["tail_index"]), *switching(p, hours)

    def log_likelihood(p):
        """Return the log-likelihood of some parameters."""
        if p["vol_wild_annual"] < p["vol_calm_annual"]:
            return -math.inf
        return filter_states(bins, model(p), np.zeros(2))[0]

    found, errors, value, flags = by_likelihood(
        log_likelihood,
        {
            "vol_calm_annual": (math.log(0.6 * vol), POSITIVE),
            "vol_wild_annual": (math.log(1.8 * vol), POSITIVE),
            "calm_hours": (math.log(72.0), POSITIVE),
            "wild_hours": (math.log(24.0), POSITIVE),
            "tail_index": (1.0, ABOVE_TWO),
        },
    )

    def states(other: Candles) -> dict[str, Any]:
        """Return how often the wild regime was the one."""
        _, seen = filter_states(binned_as(middles, other), model(found), np.array([0.0, 1.0]))
        return {"start_wild": float(f"{seen.mean():.4g}")}

    market = {"kind": "regime", "bar_seconds": float(candles.seconds), **found}
    return Fit("regime", market, errors, value, 5, flags, states)


def switching(p: Any, hours: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the transitions over a bar and the stationary probabilities of a chain of two states."""
    out, back = hours / p["calm_hours"], hours / p["wild_hours"]
    wild = out / (out + back)
    left = -math.expm1(-(out + back))
    moves = np.array([[1.0 - wild * left, wild * left], [(1.0 - wild) * left, 1.0 - (1.0 - wild) * left]])
    return moves, np.array([1.0 - wild, wild])


def binned_as(middles: np.ndarray, candles: Candles) -> np.ndarray:
    """Return the bins of other returns, shape (n,)."""
    return np.searchsorted(0.5 * (middles[1:] + middles[:-1]), candles.returns)


# --- Heston and Bates


@fits("heston")
def fit_heston(candles: Candles) -> Fit:
    """Fit Heston's variance; the correlation with the price is left at its default, a grid does not see it."""
    return _square_root("heston", candles, jumps=False)


@fits("bates")
def fit_bates(candles: Candles) -> Fit:
    """Fit Bates's price: Heston's variance and jumps of normal size."""
    return _square_root("bates", candles, jumps=True)


def _square_root(name: str, candles: Candles, *, jumps: bool) -> Fit:
    middles, bins = binned(candles.returns)
    dt, sd = unit(candles), float(candles.returns.std())

    def model(p):
        """Return the chain of hidden states of some parameters."""
        grid, moves, start = square_root_chain(p, dt)
        density = bates_density(middles, grid * dt, p, dt) if jumps else normal_density(middles, grid * dt)
        return grid, (density, moves, start)

    def log_likelihood(p):
        """Return the log-likelihood of some parameters."""
        if not 0.02 < 2.0 * p["reversion_per_year"] * p["vol_annual"] ** 2 / p["vol_of_vol"] ** 2 < 200.0:
            return -math.inf
        return filter_states(bins, model(p)[1], np.zeros(CELLS))[0]

    start = {
        "vol_annual": (math.log(sd / math.sqrt(dt)), POSITIVE),
        "reversion_per_year": (math.log(150.0), POSITIVE),
        "vol_of_vol": (math.log(12.0 * sd / math.sqrt(dt)), POSITIVE),
    }
    if jumps:
        start |= {
            "jumps_per_year": (math.log(0.02 / dt), POSITIVE),
            "jump_mean": (0.0, LINE),
            "jump_sd": (math.log(3.0 * sd), POSITIVE),
        }
    found, errors, value, flags = by_likelihood(log_likelihood, start)

    def states(other: Candles) -> dict[str, Any]:
        """Return quantiles of the filtered volatility."""
        grid, chain = model(found)
        _, seen = filter_states(binned_as(middles, other), chain, grid)
        return {"start_vols_annual": quantiles(np.sqrt(seen))}

    market = {"kind": name, "bar_seconds": float(candles.seconds), **found}
    return Fit(name, market, errors, value, len(start), flags, states)


def square_root_chain(p: Any, dt: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return variances, transitions and start of Cox, Ingersoll and Ross's process on a grid even in the root."""
    kappa, theta, xi = p["reversion_per_year"], p["vol_annual"] ** 2, p["vol_of_vol"]
    ratio = 2.0 * kappa / xi**2
    top = max(16.0 * theta, special.gammaincinv(ratio * theta, 1.0 - 1e-5) / ratio)
    edges = np.linspace(0.0, math.sqrt(top), CELLS + 1) ** 2
    grid = (0.5 * (np.sqrt(edges[1:]) + np.sqrt(edges[:-1]))) ** 2
    decay = math.exp(-kappa * dt)
    mean = theta + (grid - theta) * decay
    spread = grid * xi**2 / kappa * decay * (1.0 - decay) + 0.5 * theta * xi**2 / kappa * (1.0 - decay) ** 2
    shape = mean**2 / spread  # gamma with the exact mean and variance
    below = special.gammainc(shape[:, None], edges[None, :] * (mean / spread)[:, None])
    below[:, -1] = 1.0
    start = np.diff(special.gammainc(ratio * theta, ratio * edges))
    return grid, np.diff(below, axis=1), start / start.sum()


def bates_density(middles: np.ndarray, variance: np.ndarray, p: Any, dt: float) -> np.ndarray:
    """Return the density of returns with up to MOST_JUMPS normal jumps, shape (bins, states)."""
    rate = p["jumps_per_year"] * dt
    drift = -rate * math.expm1(p["jump_mean"] + 0.5 * p["jump_sd"] ** 2)
    return sum(
        stats.poisson.pmf(n, rate)
        * normal_density(middles - drift - n * p["jump_mean"], variance + n * p["jump_sd"] ** 2)
        for n in range(MOST_JUMPS + 1)
    )


# --- log-normal volatility of days


@fits("volatility_clock")
def fit_clock(candles: Candles) -> Fit:
    """Fit the volatility clock without its jumps: log-normal volatility of days, Student-t noise of bars."""
    middles, bins = binned(candles.returns)
    dt, sd = unit(candles), float(candles.returns.std())
    every = max(1, round(DAY / candles.seconds))

    def model(p):
        """Return the chain of hidden states of some parameters."""
        vols, moves, start = log_normal_chain(p)
        return vols, (student_density(middles, vols**2 * dt, p["tail_index"]), moves, start)

    def log_likelihood(p):
        """Return the log-likelihood of some parameters."""
        return filter_states(bins, model(p)[1], np.zeros(CELLS), every)[0]

    found, errors, value, flags = by_likelihood(
        log_likelihood,
        {
            "vol_annual": (math.log(sd / math.sqrt(dt)), POSITIVE),
            "log_vol_sd": (math.log(0.5), POSITIVE),
            "persistence_daily": (2.5, SHARE),
            "tail_index": (0.5, ABOVE_TWO),
        },
    )

    def states(other: Candles) -> dict[str, Any]:
        """Return quantiles of the filtered volatility."""
        vols, chain = model(found)
        _, seen = filter_states(binned_as(middles, other), chain, vols**2, every)
        return {"start_vols_annual": quantiles(np.sqrt(seen))}

    market = {"kind": "volatility_clock", **found, "noise_clock_seconds": float(candles.seconds), "jumps_per_year": 0.0}
    return Fit("volatility_clock", market, errors, value, 4, flags, states)


def log_normal_chain(p: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return volatilities, transitions over a day and start of an AR(1) in log volatility, mean square one."""
    edges = np.linspace(-4.0, 4.0, CELLS + 1)
    state = 0.5 * (edges[1:] + edges[:-1])
    inner = edges[1:-1]
    rho = p["persistence_daily"]
    below = special.ndtr((inner - rho * state[:, None]) / math.sqrt(1.0 - rho * rho))
    moves = np.diff(np.column_stack([np.zeros(CELLS), below, np.ones(CELLS)]), axis=1)
    start = np.diff(np.concatenate([[0.0], special.ndtr(inner), [1.0]]))
    log_sd = p["log_vol_sd"]
    return p["vol_annual"] * np.exp(log_sd * state - log_sd * log_sd), moves, start
