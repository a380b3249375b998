"""Marks that meet the extremes of a price between them: Brownian-bridge low and high of every three steps.

Who is watched only at steps survives what happens between them.  Given the prices at both ends of a step and the
step's noise, the price in between is a Brownian bridge, whose low and high have a law in closed form.
"""

import math
from collections.abc import Iterator

import numpy as np

from stress.markets.base import Clock, Market
from stress.randomness import EXTREMES, fill_uniforms, log_unit
from stress.rules import inline, kernel, rule

__all__ = ["GROUP", "bridge_low", "extremes_problems", "visit_extremes"]

GROUP = 3  # steps that are looked at together: one for the low, one for the high, one for the price at the end


@inline
def bridge_low(start, end, sd, log_chance):
    """Return the lowest value of a Brownian bridge from `start` to `end`, logs, at the log of a probability.

    P(low < x) = exp(-2 (start - x) (end - x) / sd^2), solved for x (Glasserman 2004, section 6.4).
    """
    gap = start - end
    return 0.5 * (start + end - np.sqrt(gap * gap - 2.0 * sd * sd * log_chance))


@kernel
def bridge_lows(path, deviations, chances, sign, lows):
    """Fill `lows` (n_steps,) with the lowest value of sign x `path` within every step, times sign."""
    lows[0] = sign * bridge_low(0.0, sign * path[0], deviations[0], log_unit(chances[0]))
    ends, starts = path[1:], path[:-1]
    later, sds, chance = lows[1:], deviations[1:], chances[1:]
    for t in range(ends.size):
        later[t] = sign * bridge_low(sign * starts[t], sign * ends[t], sds[t], log_unit(chance[t]))


@rule
def meet_extremes(path, lows, highs, start, first):
    """Let the first two of the steps from `first` on be low and high of all of them, in the order in which they came.

    Low and high have exact laws, each by itself; that they depend on each other is left out.
    """
    low, high, low_came_first = math.inf, -math.inf, False
    for t in range(first, first + GROUP):
        if lows[t] < low and highs[t] > high:
            low_came_first = path[t] > start
        elif lows[t] < low:
            low_came_first = False
        elif highs[t] > high:
            low_came_first = True
        low, high, start = min(low, lows[t]), max(high, highs[t]), path[t]
    path[first] = low if low_came_first else high
    path[first + 1] = high if low_came_first else low


@kernel
def visit_extremes(key, first, deviations, shocks):
    """Move the log paths `shocks` (n, n_steps) of paths `first`, `first` + 1, ... to their extremes.

    `deviations` (n, n_steps) are the standard deviations of each step's noise.  Every third step stays where it is.
    """
    n_steps = shocks.shape[1]
    chances, lows, highs = np.empty(2 * n_steps), np.empty(n_steps), np.empty(n_steps)
    for p in range(shocks.shape[0]):
        fill_uniforms(chances, first + p, EXTREMES, key[0], key[1])
        bridge_lows(shocks[p], deviations[p], chances[:n_steps], 1.0, lows)
        bridge_lows(shocks[p], deviations[p], chances[n_steps:], -1.0, highs)
        start = 0.0
        for t in range(0, n_steps - GROUP + 1, GROUP):
            end = shocks[p, t + GROUP - 1]
            meet_extremes(shocks[p], lows, highs, start, t)
            start = end


def extremes_problems(market: Market, clock: Clock) -> Iterator[tuple[str, str]]:
    """Yield (key, message) where a market's extremes between marks are asked for and cannot be had."""
    if market.extremes is None:
        return
    if market.touches_extremes:
        yield "extremes", f"must be absent: the bars of {market.kind!r} have lows and highs of their own"
    elif type(market).deviations is None:
        yield "extremes", f"must be absent: {market.kind!r} does not say what its noise within a step is"
    if clock.n_steps % GROUP != 0:
        yield "extremes", f"needs steps in groups of {GROUP}: run.horizon_hours holds {clock.n_steps:,} of them"
