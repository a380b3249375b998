"""Noise inside bars whose return is given: a Brownian bridge, and one that touches the bar's low and high."""

import math

from stress.rules import rule


@rule
def pin_bar(out, first, last, sd, total):
    """Turn the normals out[first:last] into log-returns that add up to `total`, with noise of `sd` a bar."""
    n = last - first
    scale, missing = sd / math.sqrt(n), total
    for t in range(first, last):
        out[t] *= scale
        missing -= out[t]
    share = missing / n
    for t in range(first, last):
        out[t] += share


@rule
def touch(out, first, last, low, high):
    """Change the log-returns of a bar such that its path's extremes are `low` and `high`, and its end stays.

    What lies above start and end is stretched until it reaches the high, what lies below until it reaches the low;
    both are relative to the start.  A path that has nothing there is lifted at the step nearest to it.
    """
    end, top, bottom, level = 0.0, 0.0, 0.0, 0.0
    for t in range(first, last):
        end += out[t]
    ceiling, floor = max(0.0, end), min(0.0, end)
    top, bottom, at_top, at_bottom = -math.inf, math.inf, first, first
    for t in range(first, last - 1):
        level += out[t]
        if level > top:
            top, at_top = level, t
        if level < bottom:
            bottom, at_bottom = level, t
    up = (high - ceiling) / (top - ceiling) if top > ceiling else 0.0
    down = (floor - low) / (floor - bottom) if bottom < floor else 0.0
    level, before = 0.0, 0.0
    for t in range(first, last):
        level += out[t]
        moved = level
        if t == last - 1:
            moved = end
        elif t == at_top and at_top != at_bottom:
            moved = high
        elif t == at_bottom:
            moved = low
        elif level > ceiling:
            moved = ceiling + (level - ceiling) * up
        elif level < floor:
            moved = floor - (floor - level) * down
        out[t] = moved - before
        before = moved
