"""Accounts on shelves by the price that liquidates them: the ladder for a book that people join and leave.

A shelf holds the accounts whose threshold lies in a narrow band of prices, as a linked list, so that an account is
put on it or taken off it at the same cost whatever the number of accounts.  Thresholds are kept net of funding, for
which that of an account with maintenance rate m moves by no more than m/(1 - m) of it; whoever looks, looks that
much further and tests the accounts that it finds.
"""

import math
from typing import NamedTuple

import numpy as np

from stress.exchange.margin import liquidation_price, tier_of
from stress.rules import inline

WIDTH = 1e-3  # of a shelf, in log price
BELOW, ABOVE = 4.0, 3.0  # reach of the shelves about the price of the start, in log; what lies beyond is on the last
N_SHELVES = math.ceil((BELOW + ABOVE) / WIDTH)
ROUNDING = 1e-12
NOWHERE = -1


class Shelves(NamedTuple):
    """Longs in row 0, shorts in row 1; n accounts."""

    heads: np.ndarray  # (2, N_SHELVES) first account of each shelf, or NOWHERE
    after: np.ndarray  # (n,) the next account of the same shelf, or NOWHERE
    before: np.ndarray  # (n,) the one before it, or NOWHERE
    at: np.ndarray  # (n,) the shelf, or NOWHERE
    edges: np.ndarray  # (2,) no long is above the first shelf, no short below the second
    funding: np.ndarray  # (1,) cumulative funding at which thresholds were taken
    foot: float  # log price of the lowest shelf
    largest: float  # quantity of the largest account, base units


def shelves_of(accounts: np.ndarray, price: float) -> Shelves:
    """Allocate empty shelves for a population."""
    after, before, at = (np.full(accounts.size, NOWHERE) for _ in range(3))
    heads, edges = np.full((2, N_SHELVES), NOWHERE), np.array([NOWHERE, N_SHELVES])
    largest = float(np.abs(accounts["qty"]).max(initial=0.0))
    return Shelves(heads, after, before, at, edges, np.zeros(1), math.log(price) - BELOW, largest)


@inline
def shelf_of(shelves, level):
    """Return the shelf of a price net of funding."""
    if level <= 0.0:
        return 0
    place = math.floor((math.log(level) - shelves.foot) / WIDTH)
    return min(max(place, 0), N_SHELVES - 1)


@inline
def put_on(shelves, i, account, tiers):
    """Put account `i` on its shelf; return its threshold net of funding, as of the shelves' funding."""
    funding = shelves.funding[0]
    level = liquidation_price(account.qty, account.entry, account.collateral, funding, tiers) - funding
    side, shelf = 0 if account.qty > 0.0 else 1, shelf_of(shelves, level)
    first = shelves.heads[side, shelf]
    shelves.after[i], shelves.before[i], shelves.at[i] = first, NOWHERE, shelf
    if first != NOWHERE:
        shelves.before[first] = i
    shelves.heads[side, shelf] = i
    if side == 0:
        shelves.edges[0] = max(shelves.edges[0], shelf)
    else:
        shelves.edges[1] = min(shelves.edges[1], shelf)
    return level


@inline
def take_off(shelves, i, side):
    """Take account `i` off its shelf."""
    after, before = shelves.after[i], shelves.before[i]
    if after != NOWHERE:
        shelves.before[after] = before
    if before != NOWHERE:
        shelves.after[before] = after
    else:
        shelves.heads[side, shelves.at[i]] = after
    shelves.at[i] = NOWHERE


@inline
def clear_shelves(shelves):
    """Empty all shelves."""
    for shelf in range(N_SHELVES):
        shelves.heads[0, shelf] = NOWHERE
        shelves.heads[1, shelf] = NOWHERE
    shelves.edges[0], shelves.edges[1] = NOWHERE, N_SHELVES


@inline
def fill_shelves(shelves, accounts, funding, tiers):
    """Put everybody on the shelves anew, at this cumulative funding."""
    clear_shelves(shelves)
    shelves.funding[0] = funding
    for i in range(accounts.size):
        shelves.at[i] = NOWHERE
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
    """Return the marks between which nobody can be liquidated; `price` is the mark."""
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
