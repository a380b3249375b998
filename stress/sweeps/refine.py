"""Further points of a grid where the ruin probability crosses a level: the middle between two neighbors."""

from collections import defaultdict
from itertools import pairwise
from typing import Any

import numpy as np

from stress.sweeps.plan import Plan

__all__ = ["refined"]


def refined(plan: Plan, ruin: np.ndarray) -> tuple[tuple[Any, ...], ...]:
    """Return the points between neighbors of which one is above the level and one is not.

    Parameters
    ----------
    plan : Plan
        Its axes with a range or with numbers are cut; along the others nothing lies between.
    ruin : ndarray, shape (n_points,)
        Ruin probability of every point; NaN where it failed.

    Returns
    -------
    tuple of tuple
        One value an axis for each, none of them a point of the plan already.
    """
    level = plan.settings.refine.ruin if plan.settings.refine else 1.0
    found: dict[tuple[Any, ...], None] = {}
    for i, axis in enumerate(plan.axes):
        if axis.numeric:
            for a, b in _crossings(plan.rows, ruin > level, np.isnan(ruin), i):
                found[(*a[:i], axis.middle(a[i], b[i]), *a[i + 1 :])] = None
    known = set(map(repr, plan.rows))
    return tuple(row for row in found if repr(row) not in known)


def _crossings(rows: Any, above: np.ndarray, unknown: np.ndarray, i: int) -> list[tuple[Any, Any]]:
    """Return neighbors along axis i, all else equal, between which the answer changes."""
    lines = defaultdict(list)
    for point, row in enumerate(rows):
        if not unknown[point]:
            lines[repr((*row[:i], *row[i + 1 :]))].append((row[i], point))
    ordered = [sorted(line) for line in lines.values()]
    pairs = [(p, q) for line in ordered for (_, p), (_, q) in pairwise(line) if above[p] != above[q]]
    return [(rows[p], rows[q]) for p, q in pairs]
