"""What every price process declares, and the sampler that all engines share."""

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from stress.randomness import FUNDING, fill_normals
from stress.registry import Part
from stress.rules import kernel

CHUNK = 32  # steps per entry of the running extremes, by which an engine skips quiet stretches
NO_TABLE = np.zeros((1, 1))


@dataclass(frozen=True)
class Clock:
    """The simulation clock."""

    n_steps: int
    step_seconds: float

    @property
    def step_years(self) -> float:
        """Return one step in years of 365 days."""
        return self.step_seconds / (365.0 * 86400.0)


class Market(Part):
    """Family of price processes.

    ``increments`` is a rule ``(numbers, table, path, k0, k1, out)`` that fills `out` (n_steps,) with
    log-returns of one path; ``numbers(clock)`` gives its record and ``table(clock)`` a look-up table.
    """

    price_usd: float = Field(gt=0)
    increments: ClassVar[Any]
    is_given: ClassVar[bool] = False  # the path is told, not drawn: at most the noise inside its bars is random

    def numbers(self, clock: Clock) -> dict[str, float]:
        """Return the process's parameters per step."""
        raise TypeError(f"market {self.kind!r} does not define its numbers")

    def table(self, clock: Clock) -> np.ndarray:
        """Return a look-up table, shape (rows, cells); most processes need none."""
        return NO_TABLE

    def tilts(self, clock: Clock) -> Any:
        """Return what of a path may be drawn otherwise (`stress.markets.tilts.Tilts`); None where nothing may."""
        return None

    def problems(self, clock: Clock) -> list[tuple[str, str]]:
        """Return (key, message) for settings that do not fit the clock."""
        return []


@kernel
def accumulate(path, overlay, lows, highs):
    """Turn log-returns plus the scripted `overlay` into a log path, with the extremes of every chunk."""
    level = 0.0
    for c in range(lows.size):
        low, high = 1e300, -1e300
        for t in range(c * CHUNK, min((c + 1) * CHUNK, path.size)):
            level += path[t] + overlay[t]
            path[t] = level
            low, high = min(low, level), max(high, level)
        lows[c], highs[c] = low, high


@cache
def sampler(increments):
    """Compile the block sampler of a process: its own kernel, so that compilations add, not multiply.

    Returns
    -------
    kernel ``(numbers, table, overlay, key, first, shocks, lows, highs)``
        Fills `shocks` (n, n_steps) with log(index / initial price) of paths `first`, `first` + 1, ...
    """

    @kernel
    def sample(numbers, table, overlay, key, first, shocks, lows, highs):
        """Fill a block, path by path."""
        for p in range(shocks.shape[0]):
            increments(numbers[0], table, first + p, key[0], key[1], shocks[p])
            accumulate(shocks[p], overlay, lows[p], highs[p])

    return sample


@kernel
def funding_normals(key, first, normals):
    """Fill `normals` (n, n_intervals) with the funding innovations of paths `first`, `first` + 1, ..."""
    for p in range(normals.shape[0]):
        fill_normals(normals[p], first + p, FUNDING, key[0], key[1])


@kernel
def combine(market, own, beta, weight, scripted, shocks):
    """Fill `shocks` (n, n_steps) of one symbol with beta x the market's log path + its own + what is scripted for it.

    `market` and `own` (n, n_steps) are log paths since the start, `scripted` (n_steps,) is cumulative.
    """
    for p in range(shocks.shape[0]):
        for t in range(shocks.shape[1]):
            shocks[p, t] = beta * market[p, t] + weight * own[p, t] + scripted[t]


def symbol_key(seed: int, symbol: int) -> np.ndarray:
    """Return the key of the part of the price that is a symbol's own, shape (2,); it is never the market's."""
    return np.random.SeedSequence(seed, spawn_key=(symbol,)).generate_state(2).astype(np.uint64)
