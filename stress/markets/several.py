"""Prices of several symbols: each its beta times the market, and a part of its own (docs/method.md, section 14)."""

import numpy as np

from stress.rules import kernel


@kernel
def combine(market, own, beta, weight, scripted, shocks):
    """Fill `shocks` (n, n_steps) of one symbol with beta x the market's log path + its own + what is scripted for it.

    `market` and `own` (n, n_steps) are log paths since the start, `scripted` (n_steps,) is cumulative.
    """
    for p in range(shocks.shape[0]):
        for t in range(shocks.shape[1]):
            shocks[p, t] = beta * market[p, t] + weight * own[p, t] + scripted[t]


def symbol_key(seed: int, symbol: int) -> np.ndarray:
    """Return the key of the part of the price that is a symbol's own, shape (2,) of uint64; never the market's."""
    return np.random.SeedSequence(seed, spawn_key=(symbol,)).generate_state(2).astype(np.uint64)
