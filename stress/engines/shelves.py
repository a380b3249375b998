"""Accounts on shelves by the prices at which something happens to them: the ladder for a book that changes.

A shelf holds the accounts whose threshold lies in a narrow band of prices, as a linked list, so that an account is
put on it or taken off it at the same cost whatever the number of accounts.  An account stands on one shelf for falling
prices (a long's liquidation or stop, a short's target), on one for rising ones, or on both.  Thresholds are kept net
of funding, for which one that liquidates at maintenance rate m moves by no more than m/(1 - m) of it, and a holder's
own not at all; whoever looks, looks that much further and tests the accounts that it finds.
"""

import math
from typing import NamedTuple

import numpy as np

from stress.engines.reactions import triggers
from stress.exchange.margin import tier_of
from stress.rules import inline, rule

WIDTH = 1e-3  # of a shelf, in log price
BELOW, ABOVE = 4.0, 3.0  # reach of the shelves about the price of the start, in log; what lies beyond is on the last
N_SHELVES = math.ceil((BELOW + ABOVE) / WIDTH)
ROUNDING = 1e-12
NOWHERE = -1
ENDLESS = 1e299  # a price beyond this is none


class Shelves(NamedTuple):
    """Falling prices in row 0, rising prices in row 1; n accounts."""

    heads: np.ndarray  # (2, N_SHELVES) first account of each shelf, or NOWHERE
    after: np.ndarray  # (2, n) the next account of the same shelf, or NOWHERE
    before: np.ndarray  # (2, n) the one before it, or NOWHERE
    at: np.ndarray  # (2, n) the shelf, or NOWHERE
    held: np.ndarray  # (n, 3) quantity, entry and collateral for which it was put there
    edges: np.ndarray  # (2,) nobody is above the first shelf, for falling prices, or below the second, for rising ones
    funding: np.ndarray  # (1,) cumulative funding at which thresholds were taken
    foot: float  # log price of the lowest shelf
    largest: float  # quantity of the largest account, base units


def shelves_of(accounts: np.ndarray, price: float) -> Shelves:
    """Allocate empty shelves for a population."""
    after, before, at = (np.full((2, accounts.size), NOWHERE) for _ in range(3))
    heads, edges = np.full((2, N_SHELVES), NOWHERE), np.array([NOWHERE, N_SHELVES])
    largest = float(np.abs(accounts["qty"]).max(initial=0.0))
    held = np.zeros((accounts.size, 3))
    return Shelves(heads, after, before, at, held, edges, np.zeros(1), math.log(price) - BELOW, largest)


@inline
def shelf_of(shelves, level):
    """Return the shelf of a price net of funding."""
    if level <= 0.0:
        return 0
    place = math.floor((math.log(level) - shelves.foot) / WIDTH)
    return min(max(place, 0), N_SHELVES - 1)


@inline
def link(shelves, i, side, level):
    """Put account `i` first on the shelf of a level."""
    shelf = shelf_of(shelves, level)
    first = shelves.heads[side, shelf]
    shelves.after[side, i], shelves.before[side, i], shelves.at[side, i] = first, NOWHERE, shelf
    if first != NOWHERE:
        shelves.before[side, first] = i
    shelves.heads[side, shelf] = i
    if side == 0:
        shelves.edges[0] = max(shelves.edges[0], shelf)
    else:
        shelves.edges[1] = min(shelves.edges[1], shelf)


@inline
def put_on(shelves, i, account, tiers):
    """Put account `i` on its shelves: one for every side on which something may happen to it.

    An order in flight arrives wherever the price is then: it stands on the shelf that is always reached.
    """
    funding = shelves.funding[0]
    shelves.held[i, 0], shelves.held[i, 1], shelves.held[i, 2] = account.qty, account.entry, account.collateral
    low, high = triggers(account, funding, tiers)
    if account.wait < 0:
        low, high = ENDLESS, 0.0
    if account.qty > 0.0 or low > 0.0:
        link(shelves, i, 0, low - funding)
    if account.qty < 0.0 or high < ENDLESS:
        link(shelves, i, 1, high - funding)


@inline
def unlink(shelves, i, side):
    """Take account `i` off its shelf of one side."""
    after, before = shelves.after[side, i], shelves.before[side, i]
    if after != NOWHERE:
        shelves.before[side, after] = before
    if before != NOWHERE:
        shelves.after[side, before] = after
    else:
        shelves.heads[side, shelves.at[side, i]] = after
    shelves.at[side, i] = NOWHERE


@inline
def take_off(shelves, i):
    """Take account `i` off its shelves."""
    for side in range(2):
        if shelves.at[side, i] != NOWHERE:
            unlink(shelves, i, side)


@rule
def clear_shelves(shelves):
    """Empty all shelves."""
    for shelf in range(N_SHELVES):
        shelves.heads[0, shelf] = NOWHERE
        shelves.heads[1, shelf] = NOWHERE
    shelves.edges[0], shelves.edges[1] = NOWHERE, N_SHELVES


@rule
def fill_shelves(shelves, accounts, funding, tiers):
    """Put everybody on the shelves anew, at this cumulative funding."""
    clear_shelves(shelves)
    shelves.funding[0] = funding
    for i in range(accounts.size):
        shelves.at[0, i] = NOWHERE
        shelves.at[1, i] = NOWHERE
        if accounts[i].qty != 0.0:
            put_on(shelves, i, accounts[i], tiers)


@inline
def is_as_put(shelves, i, account):
    """Say whether account `i` is what it was when it was put on its shelves."""
    same_margin = shelves.held[i, 1] == account.entry and shelves.held[i, 2] == account.collateral
    return shelves.held[i, 0] == account.qty and (same_margin or account.qty == 0.0)


@rule
def put_anew(shelves, accounts, tiers):
    """Put whoever has changed on other shelves: a look at everybody, and work for those."""
    for i in range(accounts.size):
        if not is_as_put(shelves, i, accounts[i]):
            take_off(shelves, i)
            shelves.held[i, 0] = accounts[i].qty
            if accounts[i].qty != 0.0:
                put_on(shelves, i, accounts[i], tiers)


@inline
def drift(shelves, price, funding, tiers):
    """Return by how much thresholds may have moved since they were taken, for accounts liquidated at `price`."""
    rate = tiers.rate[tier_of(shelves.largest * price, tiers)] * tiers.at_mark
    return abs(funding - shelves.funding[0]) * rate / (1.0 - rate) + ROUNDING * price


@inline
def close_in(shelves):
    """Move the edges past empty shelves."""
    while shelves.edges[0] > NOWHERE and shelves.heads[0, shelves.edges[0]] == NOWHERE:
        shelves.edges[0] -= 1
    while shelves.edges[1] < N_SHELVES and shelves.heads[1, shelves.edges[1]] == NOWHERE:
        shelves.edges[1] += 1


@inline
def bounds(shelves, price, funding, tiers):
    """Return the marks between which nothing can happen to anybody; `price` is the mark."""
    low, high = 0.0, 1e300
    if shelves.edges[0] > NOWHERE:
        low = 1e300
        if shelves.edges[0] < N_SHELVES - 1:
            low = math.exp(shelves.foot + (shelves.edges[0] + 1) * WIDTH) + funding
            low += drift(shelves, max(low, price), funding, tiers)
    if shelves.edges[1] < N_SHELVES:
        high = 0.0
        if shelves.edges[1] > 0:
            high = math.exp(shelves.foot + shelves.edges[1] * WIDTH) + funding
            high -= drift(shelves, max(high, price), funding, tiers)
    return low, high
