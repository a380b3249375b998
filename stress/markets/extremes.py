"""Marks that meet the extremes of a price between them: Brownian-bridge low and high of every three steps.

Who is watched only at steps survives what happens between them.  Given the prices at both ends of a step and the
step's noise, the price in between is a Brownian bridge, whose low and high have a law in closed form.
"""

import math
from collections.abc import Iterator

from stress.markets.base import Clock, Market
from stress.randomness import EXTREMES, uniform_pair
from stress.rules import kernel, rule

__all__ = ["GROUP", "bridge_low", "extremes_problems", "visit_extremes"]

GROUP = 3  # steps that are looked at together: one for the low, one for the high, one for the price at the end


@rule
def bridge_low(start, end, sd, u):
    """Return the lowest value of a Brownian bridge from `start` to `end` at probability `u` (logs).

    P(low < x) = exp(-2 (start - x) (end - x) / sd^2), solved for x (Glasserman 2004, section 6.4).
    """
    gap = start - end
    return 0.5 * (start + end - math.sqrt(gap * gap - 2.0 * sd * sd * math.log(u)))


@rule
def meet_extremes(path, deviations, start, first, path_id, k0, k1):
    """Let the first two of the steps from `first` on be low and high of all of them, in the order in which they came.

    Low and high have exact laws, each by itself; that they depend on each other is left out.
    """
    low, high = math.inf, -math.inf
    low_came_first = 0
    for t in range(first, first + GROUP):
        end, sd = path[t], deviations[t]
        u, v = uniform_pair(t, path_id, EXTREMES, k0, k1)
        bottom, top = bridge_low(start, end, sd, u), -bridge_low(-start, -end, sd, v)
        if bottom < low and top > high:
            low_came_first = 1 if end > start else 0
        elif bottom < low:
            low_came_first = 0
        elif top > high:
            low_came_first = 1
        low, high = min(low, bottom), max(high, top)
        start = end
    path[first] = low if low_came_first == 1 else high
    path[first + 1] = high if low_came_first == 1 else low


@kernel
def visit_extremes(key, first, deviations, shocks):
    """Move the log paths `shocks` (n, n_steps) of paths `first`, `first` + 1, ... to their extremes.

    `deviations` (n, n_steps) are the standard deviations of each step's noise.  Every third step stays where it is.
    """
    for p in range(shocks.shape[0]):
        start = 0.0
        for t in range(0, shocks.shape[1] - GROUP + 1, GROUP):
            end = shocks[p, t + GROUP - 1]
            meet_extremes(shocks[p], deviations[p], start, t, first + p, key[0], key[1])
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
