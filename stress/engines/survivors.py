"""Where orders are for parts of positions: the ladder's crossed accounts one by one, and those that go on.

An account that survives its order has left its rung for good: it is kept with the price that calls it again, and
tested directly from then on.
"""

from typing import NamedTuple

import numpy as np

from stress.accounts import ACCOUNT
from stress.engines.climb import ROUNDING, Climb
from stress.engines.rounds import KEPT, Flows, Round, compose_orders, first_of, round_of
from stress.engines.steps import write_down
from stress.exchange.margin import liquidation_price
from stress.exchange.orders import is_called, is_waiting
from stress.rules import inline, record_dtype

FLOWS = record_dtype(Flows())
FROM_RUNG, FROM_LEAVERS = -1, -2  # instead of a place among the survivors; leavers count down from there


class Survivors(NamedTuple):
    """Working arrays of the rounds of one path; (n,) with room for every account, or none."""

    climb: Climb
    round: Round
    ids: np.ndarray  # (n,) rows in the population
    seats: np.ndarray  # (n,) where each account of the round came from
    flows: np.ndarray  # (1,)
    rows: np.ndarray  # (n,) accounts that went on
    row_ids: np.ndarray  # (n,)
    prices: np.ndarray  # (n,) the mark that calls each again
    used: np.ndarray  # (1,)


def survivors_of(climb: Climb, n: int) -> Survivors:
    """Allocate for up to `n` accounts."""
    ids, seats, row_ids = (np.zeros(n, np.int64) for _ in range(3))
    flows, used = np.zeros(1, FLOWS), np.zeros(1, np.int64)
    return Survivors(climb, round_of(n), ids, seats, flows, np.zeros(n, ACCOUNT), row_ids, np.zeros(n), used)


@inline
def push(here, n, account, id_, seat):
    """Put an account into the round."""
    here.round.batch[n] = account
    here.ids[n] = id_
    here.seats[n] = seat
    return n + 1


@inline
def gather(state, book, here, step):
    """Take everybody who is called into the round: from the rungs, from aside, leavers, survivors."""
    climb, rungs, n = here.climb, here.climb.rungs, 0
    for i in range(climb.at.size):
        for k in range(climb.at[i], climb.front[i]):
            n = push(here, n, rungs.rows[k], rungs.ids[k], FROM_RUNG)
        climb.at[i] = climb.front[i]
    for s in range(2):
        for i in range(climb.open[s], climb.seen[s]):
            if climb.done[i] == 1:
                n = push(here, n, rungs.aside[i], rungs.aside_ids[i], FROM_RUNG)
                climb.done[i] = 2
    for i in range(climb.left.size):
        if climb.left[i] == 1:
            n = push(here, n, climb.leavers[i], rungs.leaver_ids[i], FROM_LEAVERS - i)
    for i in range(here.used[0]):
        a = here.rows[i]
        if may_be_called(state, here, i) and is_called(a, state, book, step):
            n = push(here, n, a, here.row_ids[i], i)
    return n


@inline
def may_be_called(state, here, i):
    """Say whether survivor `i` must be tested at this mark."""
    side = 1.0 if here.rows[i].qty > 0.0 else -1.0
    return here.rows[i].wait != 0 or side * (state.mark - here.prices[i]) <= 0.0


@inline
def find_survivors(state, book, here, step):
    """Say whether any survivor is called."""
    for i in range(here.used[0]):
        if may_be_called(state, here, i) and is_called(here.rows[i], state, book, step):
            return True
    return False


@inline
def scatter(state, book, here, n, ledger, path_id, step, round_):
    """Give the accounts that go on a place, and write down what left each account."""
    for j in range(n):
        seat, goes_on = here.seats[j], here.round.sold[j] == KEPT
        if seat <= FROM_LEAVERS:
            here.climb.leavers[FROM_LEAVERS - seat] = here.round.batch[j]
            here.climb.left[FROM_LEAVERS - seat] = 0 if goes_on else 2
        elif goes_on or seat >= 0:
            if seat == FROM_RUNG:
                seat = here.used[0]
                here.used[0] += 1
            here.rows[seat] = here.round.batch[j]
            here.row_ids[seat] = here.ids[j]
            if not goes_on:
                here.rows[seat].qty = 0.0
            price_again(state, book, here, seat)
        if here.round.offered[j] != 0.0:
            write_down(ledger, path_id, step, round_, here.ids[j], here.round.offered[j])


@inline
def price_again(state, book, here, i):
    """Set the mark that calls survivor `i` again, on the safe side of rounding; never, once it is closed."""
    a = here.rows[i]
    if a.qty == 0.0:
        here.prices[i] = 1e300
        return
    side = 1.0 if a.qty > 0.0 else -1.0
    price = liquidation_price(a.qty, a.entry, a.collateral, state.funding, book.tiers)
    here.prices[i] = price * (1.0 + side * ROUNDING)


@inline
def price_survivors(state, book, here):
    """Set all prices anew: funding has moved them."""
    for i in range(here.used[0]):
        price_again(state, book, here, i)


@inline
def bound_survivors(state, book, here):
    """Narrow the marks between which nobody is called to those of the survivors; note who waits."""
    state.waiting = 0
    for i in range(here.used[0]):
        a = here.rows[i]
        if a.qty == 0.0:
            continue
        if a.qty > 0.0:
            state.next_low = max(state.next_low, here.prices[i])
        else:
            state.next_high = min(state.next_high, here.prices[i])
        if a.wait != 0 and is_waiting(a, state, book):
            state.waiting = 1
    state.touched = max(state.touched, state.waiting)


def compose_single_orders(rules):
    """Return ``close_singly(state, book, here, shocks, step, path_id, round_, ledger)``: account by account."""
    place_orders, finish_round = compose_orders(rules)

    @inline
    def close_singly(state, book, here, shocks, step, path_id, round_, ledger):
        """Take everybody who is called through the orders."""
        n = gather(state, book, here, step)
        flows, called = here.flows[0], first_of(here.round, n)
        share, fill = place_orders(state, book, shocks, step, called, flows)
        if flows.short_offered != 0.0 or flows.short_held != 0.0:
            state.needs_loop = 1  # a layer before the fund has to act
        finish_round(state, book, step, flows, share, fill)
        scatter(state, book, here, n, ledger, path_id, step, round_)

    return close_singly
