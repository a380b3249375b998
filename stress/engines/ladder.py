"""The ladder: a step touches only the accounts that the price has crossed.

It runs the shadow fund, which has no bottom, so that no decision depends on money.  A path on which funding
leaves the reach of the lists, or a layer before the fund has to act, is handed to the account loop whole.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from stress.engines.rounds import compose_end, limit_of
from stress.engines.rulebook import Rulebook
from stress.engines.rungs import NEAR, Rungs
from stress.engines.steps import compose_path, path_of, write_down
from stress.exchange.liquidity import advance_depth
from stress.exchange.margin import is_breached
from stress.exchange.settlement import flatten, record_event
from stress.rules import frugal_kernel, rule

ROUNDING = 1e-12  # a threshold as a price is only as good as one division; the test itself is on keys


class Climb(NamedTuple):
    """A ladder and where a path stands on it."""

    rungs: Rungs
    at: np.ndarray  # (n_lists,) first rung that is not crossed
    front: np.ndarray  # (n_lists,) first rung that this round does not cross
    done: np.ndarray  # (m,) of the accounts kept aside, 0: alive, 1: breached in this round, 2: closed
    open: np.ndarray  # (2,) by side, the first account kept aside that is not closed
    seen: np.ndarray  # (2,) by side, the first whose price has not been reached


def climb_of(rungs: Rungs) -> Climb:
    """Allocate a path's place on the ladder."""
    sizes = (rungs.lists.size, rungs.lists.size, rungs.aside.size, 2, 2)
    return Climb(rungs, *(np.zeros(n, np.int64) for n in sizes))


@rule
def restart(climb):
    """Put everybody back on the ladder."""
    for i in range(climb.at.size):
        climb.at[i] = climb.rungs.lists[i].start
    for i in range(climb.done.size):
        climb.done[i] = 0
    for i in range(2):
        climb.open[i] = climb.rungs.aside_sides[i].start
        climb.seen[i] = climb.open[i]


@rule
def find_crossed(state, book, climb):
    """Advance every list's front over the rungs that the mark has crossed; return whether there are any."""
    rungs = climb.rungs
    found = False
    for i in range(climb.at.size):
        line = rungs.lists[i]
        level = state.mark * line.factor - state.funding
        k = climb.at[i]
        if line.side > 0.0:
            while k < line.stop and level < rungs.keys[k]:
                k += 1
        else:
            while k < line.stop and level > rungs.keys[k]:
                k += 1
        climb.front[i] = k
        found = found or k > climb.at[i]
    return found


@rule
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


@rule
def owed(account):
    """Return qE - W, what the position would have to fetch to leave nothing."""
    return account.qty * account.entry - account.collateral


@rule
def crossed_sums(climb):
    """Return quantity and value qE - W of the crossed longs and shorts: differences of prefix sums."""
    rungs = climb.rungs
    long_qty, long_value, short_qty, short_value = 0.0, 0.0, 0.0, 0.0
    for i in range(climb.at.size):
        qty = rungs.cum_qty[climb.front[i]] - rungs.cum_qty[climb.at[i]]
        value = rungs.cum_value[climb.front[i]] - rungs.cum_value[climb.at[i]]
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
    for i in range(climb.open[1], climb.seen[1]):
        if climb.done[i] == 1:
            short_qty += rungs.aside[i].qty
            short_value += owed(rungs.aside[i])
    return long_qty, long_value, short_qty, short_value


@rule
def set_thresholds(state, climb):
    """Set the marks between which nobody is crossed: the nearest rung of every list."""
    rungs = climb.rungs
    low, high = 0.0, 1e300
    for i in range(climb.at.size):
        line = rungs.lists[i]
        if climb.at[i] < line.stop:
            price = (rungs.keys[climb.at[i]] + state.funding) / line.factor
            if line.side > 0.0:
                low = max(low, price)
            else:
                high = min(high, price)
    if climb.open[0] < rungs.aside_sides[0].stop:
        low = max(low, rungs.aside_prices[climb.open[0]])
    if climb.open[1] < rungs.aside_sides[1].stop:
        high = min(high, rungs.aside_prices[climb.open[1]])
    state.next_low = low * (1.0 + ROUNDING)
    state.next_high = high * (1.0 - ROUNDING)
    state.touched = 0


def compose_close(rules):
    """Return the rule that settles everything that a round has crossed."""
    settle = rules.settle

    @rule
    def close_crossed(state, book, climb, fill, share, step, path_id, round_, ledger):
        rungs = climb.rungs
        for i in range(climb.at.size):
            for k in range(climb.at[i], climb.front[i]):
                settle(state, book, rungs.rows[k], fill, share)
                write_down(ledger, path_id, step, round_, rungs.ids[k], rungs.rows[k].qty)
            climb.at[i] = climb.front[i]
        for s in range(2):
            for i in range(climb.open[s], climb.seen[s]):
                if climb.done[i] == 1:
                    settle(state, book, rungs.aside[i], fill, share)
                    write_down(ledger, path_id, step, round_, rungs.aside_ids[i], rungs.aside[i].qty)
                    climb.done[i] = 2
            while climb.open[s] < climb.seen[s] and climb.done[climb.open[s]] == 2:
                climb.open[s] += 1

    return close_crossed


def compose_liquidate(rules, value_fund):
    """Return the liquidation rounds of a step on the ladder."""
    price_batch, trade, close_crossed = rules.price_batch, rules.trade, compose_close(rules)
    fund_first = rules.fund_first

    @rule
    def liquidate(state, book, path, step, path_id, climb, ledger):
        if abs(state.funding) > climb.rungs.funding_reach:
            state.needs_loop = 1
            return
        round_ = 0
        while round_ < book.max_rounds:
            crossed = find_crossed(state, book, climb)
            if not (find_aside(state, book, climb) or crossed):
                break
            advance_depth(state, path.shocks, step, book.liquidity)
            long_qty, long_value, short_qty, short_value = crossed_sums(climb)
            limit = limit_of(long_qty, long_value, short_qty, short_value, state.funding)
            qty = long_qty + short_qty
            share, fill = price_batch(state, book, -qty, limit)
            before = state.bad_debt
            close_crossed(state, book, climb, fill, share, step, path_id, round_, ledger)
            if not fund_first and state.bad_debt > before:
                state.needs_loop = 1
            state.inventory += (1.0 - share) * qty
            flatten(state)
            trade(state, book, step, -(share * qty), fill)
            record_event(state, book, step, value_fund(state, book))
            round_ += 1
        state.rounds_max = max(state.rounds_max, round_)
        set_thresholds(state, climb)
        state.touched = int(round_ == book.max_rounds)

    return liquidate


@rule
def carry_all(state, book, climb):
    """Do nothing: a shadow fund carries whatever it has taken over."""
    return


@cache
def _compiled(key):
    rules = _COMPOSE[key].compose()
    value_fund, _ = compose_end(rules)
    follow = compose_path(rules, compose_liquidate(rules, value_fund), carry_all, value_fund)

    @frugal_kernel
    def run_block(states, book, world, first, climb, ledger, traces):
        for p in range(states.size):
            restart(climb)
            follow(states[p], book[0], path_of(world, p), first + p, climb, ledger, traces[p])

    return run_block


_COMPOSE: dict[object, Rulebook] = {}


def compiled(rulebook: Rulebook):
    """Return the kernel ``(states, book, world, first, climb, ledger, traces)`` for a set of rules, compiled once."""
    _COMPOSE[rulebook.key] = rulebook
    return _compiled(rulebook.key)
