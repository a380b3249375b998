"""Does a model look like history?  Quantiles of its returns, and how long large moves follow large moves."""

from dataclasses import dataclass

import numpy as np

from stress.candles import Candles
from stress.markets.base import CHUNK, Clock, Market, sampler
from stress.randomness import stream_key
from stress.rules import record

__all__ = ["Likeness", "likeness", "memory"]

N_PATHS, N_BARS = 40, 2_000
LAGS = 200


@dataclass(frozen=True, eq=False)
class Likeness:
    """History and one model side by side.

    Parameters
    ----------
    label : str
        Of the model.
    bar : str
        Length of a bar, in words.
    history, model : ndarray
        Log-returns of bars in ascending order, shapes (n,) and (m,).
    lags : ndarray, shape (k,)
        In hours.
    memory_history, memory_model : ndarray, shape (k,)
        Autocorrelation of absolute returns.
    """

    label: str
    bar: str
    history: np.ndarray
    model: np.ndarray
    lags: np.ndarray
    memory_history: np.ndarray
    memory_model: np.ndarray


def likeness(label: str, market: Market, candles: Candles) -> Likeness:
    """Simulate bars of a model and set them beside the candles."""
    clock = Clock(N_BARS, float(candles.seconds))
    n_chunks = -(-N_BARS // CHUNK)
    paths, lows, highs = (np.empty((N_PATHS, n)) for n in (N_BARS, n_chunks, n_chunks))
    numbers, sample = record(market.numbers(clock)), sampler(type(market).increments)
    sample(numbers, market.table(clock), np.zeros(N_BARS), stream_key(11), 0, paths, lows, highs)
    returns = np.diff(paths, axis=1, prepend=0.0)
    return Likeness(
        label=label,
        bar=f"{candles.seconds / 60.0:g} minutes",
        history=np.sort(candles.returns),
        model=np.sort(returns, axis=None),
        lags=np.arange(1, LAGS + 1) * candles.seconds / 3600.0,
        memory_history=memory(candles.returns[None, :]),
        memory_model=memory(returns),
    )


def memory(returns: np.ndarray) -> np.ndarray:
    """Return the autocorrelation of |returns| (n_paths, n_bars) at lags 1 to LAGS, about the mean of all."""
    size = np.abs(returns) - np.abs(returns).mean()
    variance = (size * size).mean()
    return np.array([(size[:, lag:] * size[:, :-lag]).mean() / variance for lag in range(1, LAGS + 1)])
