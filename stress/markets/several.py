"""What moves one symbol of several: the market by its beta, noise of its own, common jumps, crashes of its own."""

import math

import numpy as np

from stress.markets.jumps import poisson_count
from stress.markets.noise import fill_noise
from stress.randomness import CRASHES, uniform_pair
from stress.rules import kernel

__all__ = ["add_crashes", "combine", "crash_drift", "share_volatility", "symbol_key"]


@kernel
def combine(market, own, beta, weight, scripted, shocks):
    """Fill `shocks` (n, n_steps) of one symbol with beta x the market's log path + its own + what is scripted for it.

    `market` and `own` (n, n_steps) are log paths since the start, `scripted` (n_steps,) is cumulative.
    """
    for p in range(shocks.shape[0]):
        for t in range(shocks.shape[1]):
            shocks[p, t] = beta * market[p, t] + weight * own[p, t] + scripted[t]


@kernel
def share_volatility(numbers, key, first, deviations, own):
    """Fill `own` (n, n_steps) with log paths whose noise is their own and whose volatility is `deviations`.

    A return of the market is its standard deviation s times a normal z; here it is s times another normal.  Where s is
    random, both are large together: with s^2 an inverse gamma they are jointly Student-t, so their dependence is the
    t copula's (Demarta and McNeil 2005).
    """
    for p in range(own.shape[0]):
        fill_noise(numbers[0], first + p, key[0], key[1], own[p])
        level = 0.0
        for t in range(own.shape[1]):
            sd = deviations[p, t]
            level += sd * own[p, t] - 0.5 * sd * sd
            own[p, t] = level


def crash_drift(per_step: float, size: float) -> float:
    """Return the log drift of a step that makes up for crashes of log `size` on average."""
    return -per_step * math.expm1(size)


@kernel
def add_crashes(key, first, per_step, size, length, drift, shocks):
    """Add crashes to log paths (n, n_steps): a Poisson process, each of log `size` spread over `length` steps."""
    n_steps = shocks.shape[1]
    for p in range(shocks.shape[0]):
        for t in range(n_steps):
            shocks[p, t] += drift * (t + 1)
        u, _ = uniform_pair(0, first + p, CRASHES, key[0], key[1])
        for j in range(poisson_count(u, per_step * n_steps)):
            start = uniform_pair(j + 1, first + p, CRASHES, key[0], key[1])[0] * n_steps
            for t in range(int(start), n_steps):
                shocks[p, t] += size * min(1.0, (t + 1.0 - start) / length)


def symbol_key(seed: int, symbol: int) -> np.ndarray:
    """Return the key of the part of the price that is a symbol's own, shape (2,); it is never the market's."""
    return np.random.SeedSequence(seed, spawn_key=(symbol,)).generate_state(2).astype(np.uint64)
