"""Noise that is the same at every step: its normals belong to a grid of minutes (docs/method.md, section 7).

A shorter step splits a minute's normal, a longer one adds minutes up.  So runs at 60, 30, 15 and 5 seconds are one
path, looked at more or less often, and what a finer step changes is the model and not the luck of the draw.
"""

import math

import numpy as np

from stress.markets.base import Clock
from stress.randomness import NOISE, REFINEMENT, fill_normals
from stress.rules import rule

BASE_SECONDS = 60.0


def noise_numbers(clock: Clock) -> dict[str, float]:
    """Return how many steps split a minute and how many minutes one step adds up; 1 and 1 on a grid of its own.

    Steps that neither divide a minute nor are a multiple of one have no minutes in common with others.
    """
    split, summed = BASE_SECONDS / clock.step_seconds, clock.step_seconds / BASE_SECONDS
    return {"steps_per_minute": _whole(split), "minutes_per_step": _whole(summed)}


def _whole(ratio: float) -> float:
    """Return a whole ratio, or 1."""
    return float(round(ratio)) if ratio > 1.0 and abs(ratio - round(ratio)) < 1e-9 * ratio else 1.0


@rule
def split_minute(total, share, part):
    """Shift the independent normals in `part` such that they add up to `total`, sqrt(their number) times z.

    z / sqrt(k) + (e_i - mean e) are independent standard normals again, because the mean of a normal sample and
    its deviations from the mean are independent.
    """
    missing = total
    for i in range(part.size):
        missing -= part[i]
    missing *= share
    for i in range(part.size):
        part[i] += missing


@rule
def split_minutes(minutes, k, out):
    """Split every minute over `k` normals in `out`; a last minute that is cut short, over what there is of it."""
    full, root, share = out.size // k, math.sqrt(k), 1.0 / k
    for b in range(full):
        split_minute(root * minutes[b], share, out[b * k : (b + 1) * k])
    left = out.size - full * k
    if left > 0:
        split_minute(math.sqrt(left) * minutes[full], 1.0 / left, out[full * k :])


@rule
def add_minutes(minutes, k, out):
    """Fill `out` with the sums of `k` normals each, divided by sqrt(k)."""
    scale = 1.0 / math.sqrt(k)
    for t in range(out.size):
        total = 0.0
        for i in range(t * k, (t + 1) * k):
            total += minutes[i]
        out[t] = total * scale


@rule
def fill_noise(numbers, path, k0, k1, out):
    """Fill `out` (n_steps,) with independent standard normals, the same path at every step that fits the minute."""
    split, summed = int(numbers.steps_per_minute), int(numbers.minutes_per_step)
    if split == 1 and summed == 1:
        fill_normals(out, path, NOISE, k0, k1)
        return
    minutes = np.empty((out.size + split - 1) // split * summed)
    fill_normals(minutes, path, NOISE, k0, k1)
    if summed > 1:
        add_minutes(minutes, summed, out)
    else:
        fill_normals(out, path, REFINEMENT, k0, k1)
        split_minutes(minutes, split, out)
