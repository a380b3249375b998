"""Who need not be looked at: accounts of several symbols by how far the market must move to endanger them.

An account is surely healthy until some mark has moved by more than its *safe move* since the anchor, the last time
when all accounts were looked at.  Accounts are sorted by it, so a step meets the front of the queue only.  There an
account is looked at when what it may have lost since its own last look exceeds its cushion.  When the front has
cost as much as a new anchor, there is one.  The result is that of looking at everybody at every step.
"""

from typing import NamedTuple

import numpy as np

from stress.engines.desks import Book
from stress.exchange.portfolio import (
    BOUNDLESS,
    moved_since,
    pay_in,
    portfolio_is_breached,
    quote_equity,
    read_levels,
    sell_coins_for_debt,
    watch,
)
from stress.rules import inline, rule

ANCHOR_COST = 64  # tests of a cushion that one look, at a new anchor and with its sorting, is worth
SAME_MOVE = 1.0 + 1e-12  # a move is rounded too


class Accounts(NamedTuple):
    """The accounts of one path: working copies, or the population from which a path starts."""

    wallet: np.ndarray  # (n,)
    coins: np.ndarray  # (n, n_assets)
    legs: np.ndarray  # (m,) of LEG, sorted by account


class Queue(NamedTuple):
    """Who may be breached: the accounts by their safe move since the anchor, and what each may lose by."""

    order: np.ndarray  # (n,) accounts, the most endangered first
    safe: np.ndarray  # (n,) their safe moves, rising
    anchor: np.ndarray  # (n_levels,) marks, funding and coin prices at the anchor
    weights: np.ndarray  # (n, n_levels) loss of an account per move of a level
    seen: np.ndarray  # (n, n_levels) levels at the account's own last look
    cushion: np.ndarray  # (n,) what it could lose then, quote
    cost: np.ndarray  # (1,) tests since the anchor
    stale: np.ndarray  # (1,) 1: accounts have changed since the anchor
    levels: np.ndarray  # (n_levels,) of now


class Venue(NamedTuple):
    """Numbers and working arrays that the desks share."""

    books: np.ndarray  # (n_symbols,) fund_initial changes: what the pool has for the desk
    whole: np.ndarray  # (1,) the book of the venue as a whole
    initials: np.ndarray  # (n_pools,)
    assets: np.ndarray  # (n_assets,)
    prices: np.ndarray  # (n_assets,) of now
    values: np.ndarray  # (n_symbols,) marked change of each desk's fund
    lost: np.ndarray  # (n_symbols,)
    starts: np.ndarray  # (n + 1,) first leg of each account
    by_desk: np.ndarray  # (m,) legs, symbol by symbol
    desk_starts: np.ndarray  # (n_symbols + 1,)
    skips: np.ndarray  # (1,) 0: look at everybody at every step (for comparison)


def accounts_of(book: Book) -> Accounts:
    """Return fresh copies of a population's accounts."""
    portfolios = book.portfolios
    return Accounts(portfolios.wallet.copy(), portfolios.coins.copy(), portfolios.legs.copy())


def queue_of(book: Book) -> Queue:
    """Allocate the queue of a population."""
    n, n_levels = book.accounts.size, 2 * len(book.desks) + book.portfolios.coins.shape[1]
    order, cost, stale = np.zeros(n, np.int64), np.zeros(1, np.int64), np.zeros(1, np.int64)
    anchor, levels = np.zeros(n_levels), np.zeros(n_levels)
    weights, seen = np.zeros((n, n_levels)), np.zeros((n, n_levels))
    return Queue(order, np.zeros(n), anchor, weights, seen, np.zeros(n), cost, stale, levels)


@rule
def legs_of(accounts, venue, i):
    """Return the legs of account `i`."""
    return accounts.legs[venue.starts[i] : venue.starts[i + 1]]


@rule
def look(desks, venue, accounts, queue, i):
    """Note what account `i` may lose from here; return its safe move."""
    legs, coins, weights = legs_of(accounts, venue, i), accounts.coins[i], queue.weights[i]
    cushion, reach = watch(accounts.wallet[i], coins, legs, desks, venue.books, venue.prices, venue.assets, weights)
    if venue.skips[0] == 0:
        cushion = -1.0
    queue.cushion[i] = cushion
    for k in range(queue.levels.size):
        queue.seen[i, k] = queue.levels[k]
    return cushion / reach


@rule
def anchor(desks, venue, accounts, queue):
    """Look at everybody, and sort."""
    read_levels(desks, len(venue.values), venue.prices, queue.levels)
    for i in range(accounts.wallet.size):
        queue.safe[i] = look(desks, venue, accounts, queue, i)
    queue.order[:] = np.argsort(queue.safe, kind="mergesort")
    queue.safe[:] = queue.safe[queue.order]
    queue.anchor[:] = queue.levels
    queue.cost[0] = 0
    queue.stale[0] = 0


@rule
def restart(queue, fresh):
    """Begin a path at the anchor of its population."""
    queue.order[:] = fresh.order
    queue.safe[:] = fresh.safe
    queue.anchor[:] = fresh.anchor
    queue.weights[:] = fresh.weights
    queue.seen[:] = fresh.seen
    queue.cushion[:] = fresh.cushion
    queue.cost[0] = 0
    queue.stale[0] = 0


@inline
def may_be_breached(queue, i):
    """Say whether account `i` may have lost its cushion since its last look."""
    lost = 0.0
    for k in range(queue.levels.size):
        lost += queue.weights[i, k] * abs(queue.levels[k] - queue.seen[i, k])
    return lost > queue.cushion[i]


@rule
def changed(desks, venue, queue):
    """Say whether accounts have changed since the anchor, or the front of the queue has cost as much as another."""
    for d in range(len(venue.values)):
        if desks[d].touched == 1:
            queue.stale[0] = 1
            desks[d].touched = 0
    return queue.stale[0] == 1 or queue.cost[0] > ANCHOR_COST * queue.order.size


@rule
def sell_for_debt(desks, venue, accounts, i):
    """Let the venue sell coins of account `i` for its debt in the quote currency; say whether it did."""
    legs, coins = legs_of(accounts, venue, i), accounts.coins[i]
    value = quote_equity(accounts.wallet[i], legs, desks)
    raised = sell_coins_for_debt(value, coins, venue.prices, venue.assets, venue.whole[0].cent)
    accounts.wallet[i] += raised
    pay_in(raised, legs, desks)
    return raised > 0.0


@rule
def is_breached(desks, venue, accounts, i):
    """Test account `i` itself."""
    legs, coins = legs_of(accounts, venue, i), accounts.coins[i]
    return portfolio_is_breached(accounts.wallet[i], coins, legs, desks, venue.books, venue.prices, venue.assets)


@rule
def move_to_front(queue, k):
    """Let the account at place `k` be met at every step until the next anchor: its safe move was another account's."""
    i = queue.order[k]
    for j in range(k, 0, -1):
        queue.order[j], queue.safe[j] = queue.order[j - 1], queue.safe[j - 1]
    queue.order[0], queue.safe[0] = i, -1.0


@rule
def examine(desks, venue, accounts, queue, k):
    """Look at the account at place `k`, and if its cushion is gone test it; say whether it is breached."""
    i = queue.order[k]
    if look(desks, venue, accounts, queue, i) > 0.0:
        return False
    if sell_for_debt(desks, venue, accounts, i):
        move_to_front(queue, k)
        look(desks, venue, accounts, queue, i)
    return is_breached(desks, venue, accounts, i)


@rule
def find_breached(desks, venue, accounts, queue, room):
    """List the accounts below maintenance margin, in order; return how many."""
    n, k = 0, 0
    read_levels(desks, len(venue.values), venue.prices, queue.levels)
    moved = moved_since(queue.anchor, queue.levels, len(venue.values)) * SAME_MOVE
    while k < queue.order.size and queue.safe[k] <= moved:
        i = queue.order[k]
        if may_be_breached(queue, i) and examine(desks, venue, accounts, queue, k):
            queue.cushion[i] = BOUNDLESS
            room.taken[n] = i
            n += 1
        k += 1
    queue.cost[0] += k
    room.taken[:n].sort()
    return n
