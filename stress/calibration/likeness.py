"""Does a model look like history?  Quantiles of its returns, and how long large moves follow large moves."""

from dataclasses import dataclass

import numpy as np

from stress.candles import Candles
from stress.markets.base import CHUNK, Clock, Market, sampler
from stress.randomness import stream_key
from stress.rules import record

__all__ = ["Likeness", "likeness", "memory"]

SHORT = (1_200, 72)  # paths and bars from which quantiles are taken: models of days are not asked about months
LONG = (40, 2_000)  # from which memory is taken
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
    return Likeness(
        label=label,
        bar=f"{candles.seconds / 60.0:g} minutes",
        history=np.sort(candles.returns),
        model=np.sort(simulated_bars(market, candles.seconds, *SHORT), axis=None),
        lags=np.arange(1, LAGS + 1) * candles.seconds / 3600.0,
        memory_history=memory(candles.returns[None, :]),
        memory_model=memory(simulated_bars(market, candles.seconds, *LONG)),
    )


def simulated_bars(market: Market, seconds: int, n_paths: int, n_bars: int) -> np.ndarray:
    """Return log-returns of bars, shape (n_paths, n_bars)."""
    clock, n_chunks = Clock(n_bars, float(seconds)), -(-n_bars // CHUNK)
    paths, lows, highs = (np.empty((n_paths, n)) for n in (n_bars, n_chunks, n_chunks))
    numbers, sample = record(market.numbers(clock)), sampler(type(market).increments)
    sample(numbers, market.table(clock), np.zeros(n_bars), stream_key(11), 0, paths, lows, highs)
    return np.diff(paths, axis=1, prepend=0.0)


def memory(returns: np.ndarray) -> np.ndarray:
    """Return the autocorrelation of |returns| (n_paths, n_bars) at lags 1 to LAGS, about the mean of all."""
    size = np.abs(returns) - np.abs(returns).mean()
    variance = (size * size).mean()
    return np.array([(size[:, lag:] * size[:, :-lag]).mean() / variance for lag in range(1, LAGS + 1)])
