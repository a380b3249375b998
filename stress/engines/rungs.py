"""The population as a ladder: accounts sorted once by the price that liquidates them.

With continuous tiers the maintenance margin is convex in notional, so an account is liquidated on the line of
one tier, its rung: M (1 - m) - F < key for a long.  One sorted list per side and tier; funding F moves all keys
of a list together.  An account whose tier could change within the reach of funding, or whose threshold lies
next to a tier's edge, is kept aside and tested directly; so are those that may withdraw their margin.
"""

from typing import NamedTuple

import numpy as np

from stress.engines.population import Population
from stress.exchange.margin import TierTable, line_of, liquidation_prices, tier_at_entry, tier_prices
from stress.exchange.state import MAX_COHORTS

LIST = np.dtype([("start", "i8"), ("stop", "i8"), ("side", "f8"), ("factor", "f8")])
NEAR = 1e-9  # relative distance from a tier's edge within which the tier is in doubt
IN_DOUBT, LEAVER = -1, -2  # instead of a tier
SPAN = 64  # rows per entry of the bounds on bankruptcy prices


class Rungs(NamedTuple):
    """Sorted lists, one after the other, and the accounts kept aside."""

    lists: np.ndarray  # (n_lists,) longs first
    rows: np.ndarray  # (n,) accounts in list order
    ids: np.ndarray  # (n,) their row in the population
    keys: np.ndarray  # (n + 1,) liquidation keys
    cum_qty: np.ndarray  # (n + 1, n_cohorts) prefix sums of qty by cohort
    cum_value: np.ndarray  # (n + 1, n_cohorts) prefix sums of qE - W by cohort
    cum_cost: np.ndarray  # (n + 1,) prefix sums of qE
    lowest: np.ndarray  # (n_spans,) bounds of the bankruptcy price E - W/q over SPAN rows
    highest: np.ndarray
    aside_sides: np.ndarray  # (2,) of LIST: where the longs and the shorts kept aside are
    aside: np.ndarray  # (m,) accounts tested directly, in the order of the price below
    aside_ids: np.ndarray  # (m,)
    aside_prices: np.ndarray  # (m,) price at which each may first be liquidated, whatever the funding
    leavers: np.ndarray  # (k,) accounts that may withdraw their margin; no position where a slot is empty
    leaver_ids: np.ndarray  # (k,)
    leaver_prices: np.ndarray  # (k,) price at which each may first be liquidated while its margin is in place
    funding_reach: float  # |F| up to which all this holds


def binding_tiers(accounts: np.ndarray, tiers: TierTable, reach: float) -> np.ndarray:
    """Return the tier on whose line each account is liquidated, shape (n,), or IN_DOUBT.

    The line of tier k decides if its root lies inside tier k, because equity minus maintenance margin has one
    root.  It must stay inside, and off the edges, for all funding in [-reach, reach].  A tier that the value at
    entry decides is never in doubt.
    """
    if tiers.at_entry:
        return tier_at_entry(accounts, tiers)
    found = np.full(accounts.size, IN_DOUBT)
    waiting = np.arange(accounts.size)
    for k in range(tiers.count):
        floor = tiers.cap[k - 1] * (1.0 + NEAR) if k else -np.inf
        cap = tiers.cap[k] * (1.0 - NEAR) if k < tiers.count - 1 else np.inf
        inside = np.ones(waiting.size, dtype=bool)
        for funding in (-reach, 0.0, reach):
            value = np.abs(accounts["qty"][waiting]) * tier_prices(accounts[waiting], tiers, k, funding)
            inside &= (value > floor) & (value < cap)
        found[waiting[inside]] = k
        waiting = waiting[~inside]
    return found


def first_prices(accounts: np.ndarray, tiers: TierTable, reach: float) -> np.ndarray:
    """Return the price at which each account may first be liquidated for funding in [-reach, reach], shape (n,)."""
    both = [liquidation_prices(accounts, tiers, funding) for funding in (-reach, reach)]
    highest, lowest = np.maximum(*both).max(axis=1), np.minimum(*both).min(axis=1)
    return np.where(accounts["qty"] > 0, highest, lowest)


def build_rungs(population: Population, tiers: TierTable, reach: float) -> Rungs:
    """Sort a population into lists.

    Parameters
    ----------
    population : Population
    tiers : TierTable
        Continuous, or with the margin on the value at entry.
    reach : float
        Largest |cumulative funding| per unit that the lists must hold for, quote per base.
    """
    accounts = population.accounts
    tier = binding_tiers(accounts, tiers, reach)
    tier[population.leavers] = LEAVER
    key, _ = line_of(accounts, tiers, tier)
    long = accounts["qty"] > 0
    groups = np.where(long, tier, tiers.count + tier)
    chosen = np.flatnonzero(tier >= 0)
    order = chosen[np.lexsort((chosen, np.where(long, -key, key)[chosen], groups[chosen]))]
    aside = np.flatnonzero(tier == IN_DOUBT)
    leavers = accounts[population.leavers]
    price = first_prices(accounts[aside], tiers, reach)
    by_price = np.lexsort((aside, np.where(long[aside], -price, price), ~long[aside]))
    aside, price = aside[by_price], price[by_price]
    rows = accounts[order]
    return Rungs(
        _lists(groups[order], tiers),
        rows,
        order.astype(np.int64),
        np.append(key[order], 0.0),
        _by_cohort(rows, rows["qty"]),
        _by_cohort(rows, rows["qty"] * rows["entry"] - rows["collateral"]),
        np.append(0.0, np.cumsum(rows["qty"] * rows["entry"])),
        *_bounds(rows),
        _sides(long[aside]),
        accounts[aside],
        aside.astype(np.int64),
        price,
        leavers,
        population.leavers,
        first_prices(leavers, tiers, reach),
        reach,
    )


def _by_cohort(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return prefix sums by cohort, shape (n + 1, n_cohorts); exact, since the values lie on a dyadic grid."""
    cohort = np.minimum(rows["cohort"], MAX_COHORTS - 1)
    sums = np.zeros((rows.size + 1, int(cohort.max(initial=0)) + 1))
    sums[np.arange(rows.size) + 1, cohort] = values
    return np.cumsum(sums, axis=0, out=sums)


def _bounds(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and highest bankruptcy price of every SPAN rows."""
    starts = np.arange(0, max(rows.size, 1), SPAN)
    price = rows["entry"] - rows["collateral"] / rows["qty"] if rows.size else np.zeros(1)
    return np.minimum.reduceat(price, starts), np.maximum.reduceat(price, starts)


def _sides(long: np.ndarray) -> np.ndarray:
    sides = np.zeros(2, dtype=LIST)
    n_long = int(long.sum())
    sides["stop"] = n_long, long.size
    sides["start"] = 0, n_long
    sides["side"] = 1.0, -1.0
    return sides


def _lists(groups: np.ndarray, tiers: TierTable) -> np.ndarray:
    present, start = np.unique(groups, return_index=True)
    lists = np.zeros(present.size, dtype=LIST)
    lists["start"] = start
    lists["stop"] = np.append(start[1:], groups.size)
    lists["side"] = np.where(present < tiers.count, 1.0, -1.0)
    lists["factor"] = 1.0 - lists["side"] * (np.array(tiers.rate)[present % tiers.count] * tiers.at_mark)
    return lists
