"""Noise inside bars whose return is given: a Brownian bridge, and one that touches the bar's low and high."""

import math

from stress.rules import rule

FEWEST_STEPS = 4  # of a bar that has room for its low and its high
CLOSE, LOW, HIGH, NOISE = range(4)  # rows of a table of bars: logs over where the bar starts


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


@rule
def given_bar(out, first, last, table, at, scale, drift):
    """Turn the normals out[first:last] into bar `at` of a table, `scale` times as large, with its low and its high."""
    end = scale * table[CLOSE, at] + drift
    pin_bar(out, first, last, scale * table[NOISE, at], end)
    if last - first >= FEWEST_STEPS:
        low, high = scale * table[LOW, at] + min(drift, 0.0), scale * table[HIGH, at] + max(drift, 0.0)
        touch(out, first, last, min(low, end, 0.0), max(high, end, 0.0))


@rule
def note_bar(out, first, last, table, at, scale, drift):
    """Fill a bar with the standard deviation of each step's noise, as `given_bar` spreads it."""
    out[first:last] = scale * table[NOISE, at] / math.sqrt(last - first)
