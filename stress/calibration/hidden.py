"""The likelihood of a hidden volatility on a grid: one forward filter for regimes, Heston, Bates and log-normal days.

A return depends on the state of its time alone, the states are a Markov chain; the filter sums over all their paths
(Hamilton 1989; for a continuous state on a grid, Kitagawa 1987, JASA 82, 1032-1063).
"""

import math

import numpy as np

from stress.rules import kernel

BINS = 1_501  # of returns, on which densities are tabled
WIDEST = 60.0  # standard deviations that the table of densities reaches


def binned(returns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the middles of the bins, dense where returns are, and the bin of every return, shapes (BINS,) and (n,)."""
    unit = 0.3 * float(returns.std())
    reach = math.asinh(max(WIDEST, 1.01 * float(np.abs(returns).max()) / unit))
    middles = unit * np.sinh(np.linspace(-reach, reach, BINS))
    edges = 0.5 * (middles[1:] + middles[:-1])
    return middles, np.searchsorted(edges, returns)


@kernel
def forward(bins, density, moves, first, last, start, every, means, values):
    """Return the log-likelihood; fill `means` (n,) with the mean of `values` (states,) given the past.

    `density` (bins, states) is that of a return in a state; `moves` (states, states) holds the transitions, whose row i
    is nothing outside first[i]:last[i]; the state may change before each `every`-th return.
    """
    n_states = start.size
    now, then = start.copy(), np.empty(n_states)
    log_likelihood = 0.0
    for t in range(bins.size):
        if t > 0 and t % every == 0:
            then[:] = 0.0
            for i in range(n_states):
                for j in range(first[i], last[i]):
                    then[j] += now[i] * moves[i, j]
            now[:] = then
        mean, total = 0.0, 0.0
        for i in range(n_states):
            mean += now[i] * values[i]
        for i in range(n_states):
            now[i] *= density[bins[t], i]
            total += now[i]
        means[t] = mean
        if not total > 0.0:
            return -np.inf
        log_likelihood += math.log(total)
        for i in range(n_states):
            now[i] /= total
    return log_likelihood


def filter_states(
    bins: np.ndarray, chain: tuple[np.ndarray, np.ndarray, np.ndarray], values: np.ndarray, every: int = 1
) -> tuple[float, np.ndarray]:
    """Return the log-likelihood and the mean of `values` before each return, shape (n,).

    `chain` is (densities, transitions, start) as `forward` takes them.
    """
    density, moves, start = chain
    held = moves > 1e-9
    first = held.argmax(axis=1)
    last = held.shape[1] - held[:, ::-1].argmax(axis=1)
    means = np.empty(bins.size)
    return forward(bins, density, moves, first, last, start, every, means, values), means
