"""Where a path stands on the ladder, and whom the mark has crossed: rungs, accounts kept aside, leavers."""

from typing import NamedTuple

import numpy as np

from stress.engines.rounds import common_part
from stress.engines.rungs import NEAR, Rungs
from stress.exchange.margin import is_breached
from stress.exchange.orders import is_called
from stress.rules import inline, rule

ROUNDING = 1e-12  # a threshold as a price is only as good as one division; the test itself is on keys


class Climb(NamedTuple):
    """A ladder and where a path stands on it."""

    rungs: Rungs
    at: np.ndarray  # (n_lists,) first rung that is not crossed
    front: np.ndarray  # (n_lists,) first rung that this round does not cross
    price: np.ndarray  # (n_lists,) the mark that crosses the next rung
    done: np.ndarray  # (m,) of the accounts kept aside, 0: alive, 1: breached in this round, 2: closed
    open: np.ndarray  # (2,) by side, the first account kept aside that is not closed
    seen: np.ndarray  # (2,) by side, the first whose price has not been reached
    leavers: np.ndarray  # (k,) a copy: their margin changes
    left: np.ndarray  # (k,) as `done`


def climb_of(rungs: Rungs) -> Climb:
    """Allocate a path's place on the ladder."""
    n, m, k = rungs.lists.size, rungs.aside.size, rungs.leavers.size
    at, front, done, open_, seen, left = (np.zeros(size, np.int64) for size in (n, n, m, 2, 2, k))
    return Climb(rungs, at, front, np.zeros(n), done, open_, seen, rungs.leavers.copy(), left)


@inline
def restart(climb):
    """Put everybody back on the ladder."""
    for i in range(climb.at.size):
        climb.at[i] = climb.rungs.lists[i].start
        climb.front[i] = climb.at[i]
    for i in range(climb.done.size):
        climb.done[i] = 0
    for i in range(2):
        climb.open[i] = climb.rungs.aside_sides[i].start
        climb.seen[i] = climb.open[i]
    for i in range(climb.left.size):
        climb.left[i] = 0
        climb.leavers[i] = climb.rungs.leavers[i]


@inline
def set_price(state, climb, i):
    """Set the mark that crosses the next rung of list `i`, on the safe side of rounding."""
    line = climb.rungs.lists[i]
    price = 0.0 if line.side > 0.0 else 1e300
    if climb.at[i] < line.stop:
        price = (climb.rungs.keys[climb.at[i]] + state.funding) / line.factor * (1.0 + line.side * ROUNDING)
    climb.price[i] = price


@inline
def find_crossed(state, climb):
    """Advance every list's front over the rungs that the mark has crossed; return whether there are any."""
    rungs = climb.rungs
    found = False
    for i in range(climb.at.size):
        line = rungs.lists[i]
        if line.side * (state.mark - climb.price[i]) > 0.0:
            continue
        level = state.mark * line.factor - state.funding
        k = climb.at[i]
        while k < line.stop and line.side * (level - rungs.keys[k]) < 0.0:
            k += 1
        climb.front[i] = k
        found = found or k > climb.at[i]
    return found


@inline
def find_aside(state, book, climb):
    """Test directly the accounts kept aside whose price has been reached; return whether any is breached."""
    found = False
    for s in range(2):
        line = climb.rungs.aside_sides[s]
        prices = climb.rungs.aside_prices
        while climb.seen[s] < line.stop and line.side * (prices[climb.seen[s]] - state.mark) >= -NEAR * state.mark:
            climb.seen[s] += 1
        for i in range(climb.open[s], climb.seen[s]):
            a = climb.rungs.aside[i]
            hit = is_breached(a.qty, a.entry, a.collateral, state.mark, state.funding, book.tiers)
            if climb.done[i] == 0 and hit:
                climb.done[i] = 1
                found = True
    return found


@inline
def find_leavers(state, book, climb, step):
    """Test directly the accounts that may withdraw their margin; return whether any is called."""
    found = False
    for i in range(climb.left.size):
        if climb.left[i] == 0 and is_called(climb.leavers[i], state, book, step):
            climb.left[i] = 1
            found = True
    return found


@rule
def owed(account):
    """Return qE - W, what the position would have to fetch to leave nothing."""
    return account.qty * account.entry - account.collateral


@inline
def crossed_sums(book, climb):
    """Return quantity and value qE - W of the crossed longs and shorts, and the crowd's net quantity.

    They are differences of prefix sums.
    """
    rungs = climb.rungs
    long_qty, long_value, short_qty, short_value, common = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(climb.at.size):
        a, b = climb.at[i], climb.front[i]
        if b > a:
            qty, value = 0.0, 0.0
            for c in range(rungs.cum_qty.shape[1]):
                part = rungs.cum_qty[b, c] - rungs.cum_qty[a, c]
                qty += part
                common += book.common[c] * part
                value += rungs.cum_value[b, c] - rungs.cum_value[a, c]
            if rungs.lists[i].side > 0.0:
                long_qty += qty
                long_value += value
            else:
                short_qty += qty
                short_value += value
    for i in range(climb.open[0], climb.seen[0]):
        if climb.done[i] == 1:
            long_qty += rungs.aside[i].qty
            long_value += owed(rungs.aside[i])
            common += common_part(book, rungs.aside[i], rungs.aside[i].qty)
    for i in range(climb.open[1], climb.seen[1]):
        if climb.done[i] == 1:
            short_qty += rungs.aside[i].qty
            short_value += owed(rungs.aside[i])
            common += common_part(book, rungs.aside[i], rungs.aside[i].qty)
    for i in range(climb.left.size):
        if climb.left[i] == 1:
            a = climb.leavers[i]
            long_qty += max(0.0, a.qty)
            short_qty += min(0.0, a.qty)
            long_value += owed(a) if a.qty > 0.0 else 0.0
            short_value += owed(a) if a.qty < 0.0 else 0.0
            common += common_part(book, a, a.qty)
    return long_qty, long_value, short_qty, short_value, common


@inline
def set_thresholds(state, climb):
    """Set the marks between which nobody is crossed: the nearest rung of every list."""
    rungs = climb.rungs
    low, high = 0.0, 1e300
    for i in range(climb.at.size):
        if state.touched == 1:
            set_price(state, climb, i)
        if rungs.lists[i].side > 0.0:
            low = max(low, climb.price[i])
        else:
            high = min(high, climb.price[i])
    if climb.open[0] < rungs.aside_sides[0].stop:
        low = max(low, rungs.aside_prices[climb.open[0]] * (1.0 + ROUNDING))
    if climb.open[1] < rungs.aside_sides[1].stop:
        high = min(high, rungs.aside_prices[climb.open[1]] * (1.0 - ROUNDING))
    unknown = 0
    for i in range(climb.left.size):
        if climb.left[i] == 0 and climb.leavers[i].collateral != rungs.leavers[i].collateral:
            unknown = 1  # its margin is gone and it was not liquidated yet: test it at every step
        elif climb.left[i] == 0 and climb.leavers[i].qty > 0.0:
            low = max(low, rungs.leaver_prices[i] * (1.0 + ROUNDING))
        elif climb.left[i] == 0:
            high = min(high, rungs.leaver_prices[i] * (1.0 - ROUNDING))
    state.next_low = low
    state.next_high = high
    state.touched = unknown
