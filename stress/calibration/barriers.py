"""How often leveraged positions are hit: in history from every bar on, in a model on simulated paths."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from stress.candles import Candles
from stress.markets.base import CHUNK, Clock, Market, sampler
from stress.randomness import stream_key
from stress.rules import record

__all__ = ["Cell", "Hits", "barrier", "history_hits", "model_hits"]

MAINTENANCE = 0.005  # of the entry: a position of leverage L is gone when the price has moved by 1 / L less this
LEVERAGES, HOURS = (5, 10, 20, 50), (1, 4, 24)
SIDES = ("long", "short")
FEWEST_BLOCKS = 10  # below which nobody knows how sure history is
BLOCK_DAYS, RESAMPLES = 10.0, 400  # of the bootstrap that says how sure history is
N_PATHS, AT_ONCE, STEP = 20_000, 500, 60.0
Cell = tuple[str, int, int]  # side, leverage, hours


@dataclass(frozen=True)
class Hits:
    """How often one kind of position is hit.

    Parameters
    ----------
    share : float
        Of start times, or of paths.
    low, high : float
        95 % interval; nan where history is too short for one.
    count : int
        Hits that the share rests on.
    """

    share: float
    low: float
    high: float
    count: int


def barrier(side: str, leverage: int) -> float:
    """Return ln(liquidation price / entry): 1 -+ (1 / L - maintenance)."""
    room = 1.0 / leverage - MAINTENANCE
    return math.log1p(-room) if side == "long" else math.log1p(room)


def cells(candles: Candles) -> Iterator[Cell]:
    """Yield the cells whose horizon is a number of bars."""
    for hours in HOURS:
        if (hours * 3600) % candles.seconds == 0:
            yield from ((side, leverage, hours) for side in SIDES for leverage in LEVERAGES)


def history_hits(candles: Candles) -> dict[Cell, Hits]:
    """Count hits from the open of every bar whose horizon holds no gap.

    Intervals are percentiles of a bootstrap of blocks of ten days: starts overlap, and storms last.
    """
    found = {}
    for hours in sorted({cell[2] for cell in cells(candles)}):
        n = hours * 3600 // candles.seconds
        falls, rises, starts = _extremes(candles, n)
        block = starts * candles.seconds // round(BLOCK_DAYS * 86_400)
        for side in SIDES:
            for leverage in LEVERAGES:
                at = barrier(side, leverage)
                hit = falls <= at if side == "long" else rises >= at
                found[side, leverage, hours] = _with_interval(hit, block)
    return found


def _extremes(candles: Candles, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the deepest and the highest log price within `n` bars of each start without gaps, and the starts."""
    if len(candles) < n:
        return np.empty(0), np.empty(0), np.empty(0, dtype=np.int64)
    lows = np.lib.stride_tricks.sliding_window_view(np.log(candles.low), n).min(axis=1)
    highs = np.lib.stride_tricks.sliding_window_view(np.log(candles.high), n).max(axis=1)
    last = len(candles) - n + 1
    whole = candles.time[n - 1 :] - candles.time[:last] == (n - 1) * candles.seconds
    starts = np.flatnonzero(whole)
    first = np.log(candles.open[:last][whole])
    return lows[whole] - first, highs[whole] - first, starts


def _with_interval(hit: np.ndarray, block: np.ndarray) -> Hits:
    if hit.size == 0:
        return Hits(math.nan, math.nan, math.nan, 0)
    _, index = np.unique(block, return_inverse=True)
    hits, sizes = np.bincount(index, hit), np.bincount(index)
    if sizes.size < FEWEST_BLOCKS:
        return Hits(float(hit.mean()), math.nan, math.nan, int(hit.sum()))
    drawn = np.random.default_rng(0).integers(sizes.size, size=(RESAMPLES, sizes.size))
    shares = hits[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(shares, (0.025, 0.975))
    return Hits(float(hit.mean()), float(low), float(high), int(hit.sum()))


def model_hits(market: Market, wanted: list[Cell], *, n_paths: int = N_PATHS, seed: int = 7) -> dict[Cell, Hits]:
    """Count hits on simulated paths that are watched every minute; intervals are Wilson's (1927)."""
    longest = max(hours for _, _, hours in wanted)
    clock = Clock(round(longest * 3600.0 / STEP), STEP)
    counts = dict.fromkeys(wanted, 0)
    for paths in _blocks(market, clock, n_paths, seed):
        for hours in {cell[2] for cell in wanted}:
            part = paths[:, : round(hours * 3600.0 / STEP)]
            lows, highs = part.min(axis=1), part.max(axis=1)
            for cell in (cell for cell in wanted if cell[2] == hours):
                at = barrier(*cell[:2])
                counts[cell] += int((lows <= at).sum() if cell[0] == "long" else (highs >= at).sum())
    return {cell: _wilson(count, n_paths) for cell, count in counts.items()}


def _blocks(market: Market, clock: Clock, n_paths: int, seed: int) -> Iterator[np.ndarray]:
    """Yield blocks of log paths, shape (AT_ONCE, n_steps)."""
    numbers, table, sample = record(market.numbers(clock)), market.table(clock), sampler(type(market).increments)
    paths = np.empty((AT_ONCE, clock.n_steps))
    lows, highs = (np.empty((AT_ONCE, -(-clock.n_steps // CHUNK))) for _ in range(2))
    for first in range(0, n_paths, AT_ONCE):
        sample(numbers, table, np.zeros(clock.n_steps), stream_key(seed), first, paths, lows, highs)
        yield paths[: n_paths - first]


def _wilson(count: int, n: int) -> Hits:
    z = 1.959963984540054
    share, wide = count / n, z * z / n
    middle, half = share + wide / 2.0, z * math.sqrt(share * (1.0 - share) / n + wide / (4.0 * n))
    return Hits(share, max(0.0, (middle - half) / (1.0 + wide)), (middle + half) / (1.0 + wide), count)
