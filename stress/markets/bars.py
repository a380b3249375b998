"""Processes with a clock of their own: one variance a bar, whatever the simulation step.

A process that was fitted to hourly bars is a process of hours.  Its parameters belong to the bar; a finer step splits
the bar's noise and a coarser one adds bars up, so that what a bar does, and the reserve with it, does not depend on the
step.
"""

import math
from typing import Any

import numpy as np
from pydantic import Field

from stress.markets.base import Clock, Market
from stress.markets.noise import fill_noise, noise_numbers
from stress.rules import rule

__all__ = ["OnBars", "drawn_start", "midpoints", "note_spread", "on_bars", "spread_bar", "spreading"]


@rule
def spread_bar(out, first, last, sd, drift):
    """Turn the normals out[first:last] into log-returns drift + sd z; return the sum of the sd z."""
    total = 0.0
    for t in range(first, last):
        noise = sd * out[t]
        total += noise
        out[t] = drift + noise
    return total


@rule
def note_spread(out, first, last, sd, drift):
    """Turn the normals out[first:last] into the standard deviation of each step; return what `spread_bar` returns."""
    total = 0.0
    for t in range(first, last):
        total += sd * out[t]
        out[t] = sd
    return total


@rule
def total_of(fine, first, last):
    """Return the log-return of the bars that one step adds up."""
    total = 0.0
    for i in range(first, last):
        total += fine[i]
    return total


@rule
def pooled_spread(fine, first, last):
    """Return the standard deviation of one step's noise from those of its bars."""
    square = 0.0
    for i in range(first, last):
        square += fine[i] * fine[i]
    return math.sqrt(square)


@rule
def drawn_start(row, u):
    """Return the value at probability `u` of a row of equally likely values."""
    return row[min(int(u * row.size), row.size - 1)]


def on_bars(walk: Any, pool: Any = total_of) -> Any:
    """Compose `increments` from ``walk(numbers, table, path, k0, k1, fine)``, which sees whole bars only.

    `fine` holds the standard normals of ``steps_per_bar`` working steps a bar; `walk` turns them into log-returns.  A
    last bar that the horizon cuts is walked to its end; ``pool`` makes one step of several bars.
    """

    @rule
    def increments(numbers, table, path, k0, k1, out):
        """Fill `out` with log-returns: bars split into steps, or added up."""
        width, summed = int(numbers.steps_per_bar), int(numbers.bars_per_step)
        whole = (out.size * summed + width - 1) // width * width
        fine = out if whole == out.size else np.empty(whole)
        fill_noise(numbers, path, k0, k1, fine)
        walk(numbers, table, path, k0, k1, fine)
        if summed > 1:
            for t in range(out.size):
                out[t] = pool(fine, t * summed, (t + 1) * summed)
        elif whole != out.size:
            out[:] = fine[: out.size]

    return increments


def spreading(walk_of: Any, spread: Any = spread_bar, note: Any = note_spread) -> tuple[Any, Any]:
    """Compose `increments` and `deviations` from ``walk_of(spread)``, which spreads the noise or notes its size."""
    return on_bars(walk_of(spread)), on_bars(walk_of(note), pooled_spread)


def midpoints(n: int) -> np.ndarray:
    """Return the middles of `n` equal cells of probability, shape (n,)."""
    return (np.arange(n) + 0.5) / n


class OnBars(Market):
    """A process whose parameters belong to bars of `bar_seconds`."""

    bar_seconds: float = Field(default=3600.0, gt=0, le=7 * 86400)  # the bars that it was fitted to

    @property
    def bar_years(self) -> float:
        """One bar in years of 365 days."""
        return Clock(1, self.bar_seconds).step_years

    def problems(self, clock: Clock) -> list[tuple[str, str]]:
        """Refuse bars that neither hold whole steps nor are held by one."""
        ratio = self.bar_seconds / clock.step_seconds
        ratio = max(ratio, 1.0 / ratio)
        if abs(ratio - round(ratio)) < 1e-9:
            return []
        return [("bar_seconds", f"{self.bar_seconds:g} must divide, or be divided by, {clock.step_seconds:g} s")]

    def numbers(self, clock: Clock) -> dict[str, float]:
        """Return how bars and steps count each other, and the clock of the noise."""
        step = min(self.bar_seconds, clock.step_seconds)
        return noise_numbers(Clock(clock.n_steps, step)) | {
            "steps_per_bar": float(max(1, round(self.bar_seconds / clock.step_seconds))),
            "bars_per_step": float(max(1, round(clock.step_seconds / self.bar_seconds))),
            "root_of_steps": 1.0 / math.sqrt(max(1, round(self.bar_seconds / clock.step_seconds))),
        }
