"""What every price process declares, and the sampler that all engines share."""

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal, Self

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
    ``deviations``, a rule with the same arguments, fills `out` with the standard deviations of each step's normal
    noise; None where a step's noise is not normal given everything else.
    """

    price_usd: float = Field(gt=0)
    extremes: Literal["bridge"] | None = None  # marks meet the low and the high of every three steps
    increments: ClassVar[Any]
    deviations: ClassVar[Any] = None
    touches_extremes: ClassVar[bool] = False  # its bars have lows and highs of their own
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

    def drivers(self, clock: Clock) -> tuple[Any, ...]:
        """Return the ways in which the price goes (`stress.markets.drivers.Driver`); none where none are told."""
        return ()

    def problems(self, clock: Clock) -> list[tuple[str, str]]:
        """Return (key, message) for settings that do not fit the clock."""
        return []

    def without_jumps(self) -> Self:
        """Return the same process, on the same numbers, without its jumps; itself where it has none."""
        return self.model_copy(update={"jumps_per_year": 0.0}) if getattr(self, "jumps_per_year", 0.0) > 0.0 else self


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


@cache
def deviation_sampler(deviations):
    """Compile the sampler of what a process's noise is, a kernel ``(numbers, table, key, first, found)``.

    It fills `found` (n, n_steps) with the standard deviations of paths `first`, `first` + 1, ...
    """

    @kernel
    def sample(numbers, table, key, first, found):
        """Fill a block, path by path."""
        for p in range(found.shape[0]):
            deviations(numbers[0], table, first + p, key[0], key[1], found[p])

    return sample
