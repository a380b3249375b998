"""What is true of any exchange's account: its fields and their arithmetic.

A position of signed quantity `qty` (long > 0) was entered at `entry`, with margin `collateral`.  `funding` is
the cumulative funding per unit that a long has paid since the start of the path; it shifts every entry alike.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from stress.rules import rule

ACCOUNT = np.dtype(
    [
        ("qty", np.float64),  # position, base units, long > 0
        ("entry", np.float64),  # average entry price, quote per base
        ("collateral", np.float64),  # posted margin, quote
        ("cohort", np.int64),  # row of the scenario's population table
        ("cross", np.int64),  # 1: the whole wallet backs the position; 0: isolated margin
        ("wait", np.int64),  # until when no order is sent for it (see `exchange.orders`)
        ("stop", np.float64),  # level at which the holder sells at a loss, quote per base; 0: none (`agents.reactions`)
        ("target", np.float64),  # level at which the holder takes the profit; 0: none
        ("call", np.float64),  # share of the margin left at which the holder adds more
        ("spare", np.float64),  # money that the holder would add, quote
    ]
)

# A position of an account that may hold several, on one wallet.  Every rule that reads an ACCOUNT reads a LEG: its
# `collateral` is what backs this position alone, which is known only when somebody asks (exchange/portfolio.py).
LEG = np.dtype([*ACCOUNT.descr, ("symbol", np.int64), ("account", np.int64)])

# Sums of quantised quantities are exact, whatever their order, while they stay below this many grid units.
EXACT_UNITS = 2.0**53


@rule
def notional(qty, mark):
    """Return the value of a position, quote >= 0."""
    return abs(qty) * mark


@rule
def unrealized_pnl(qty, entry, mark, funding):
    """Return the profit of a position at `mark`, after funding paid, quote."""
    return qty * (mark - entry - funding)


@rule
def equity(qty, entry, collateral, mark, funding):
    """Return collateral plus unrealised profit, quote (docs/method.md, section 2)."""
    return collateral + unrealized_pnl(qty, entry, mark, funding)


@rule
def bankruptcy_price(qty, entry, collateral, funding):
    """Return the price at which equity is zero, quote per base: P_b = E - W/q (docs/method.md, section 2)."""
    return entry + funding - collateral / qty


# What the holder does, decided by the *level*, the mark net of funding: what a position has lost or won, funding
# included, depends on it alone.  So every reaction is a price that does not move, a rung like the one that liquidates.


@rule
def wants_out(account, level):
    """Say whether a stop or a target of the holder is reached; 0 stands for none."""
    if account.qty > 0.0:
        return (account.stop > 0.0 and level <= account.stop) or (account.target > 0.0 and level >= account.target)
    return (account.stop > 0.0 and level >= account.stop) or (account.target > 0.0 and level <= account.target)


@rule
def level_of_call(account):
    """Return the level at which a holder who has money left adds margin: the loss is (1 - call) W."""
    return account.entry - (1.0 - account.call) * account.collateral / account.qty


@rule
def wants_margin(account, level):
    """Say whether a holder adds margin: a share `call` of it is left, and there is money to add."""
    if account.spare <= 0.0 or account.call <= 0.0:
        return False
    called = level_of_call(account)
    return level <= called if account.qty > 0.0 else level >= called


@rule
def quiet_range(account):
    """Return the levels between which a holder does nothing; open ends where there is no reaction."""
    low, high = 0.0, 1e300
    adds = account.spare > 0.0 and account.call > 0.0
    if account.qty > 0.0:
        low = max(account.stop, level_of_call(account) if adds else 0.0)
        high = account.target if account.target > 0.0 else high
    else:
        low = account.target
        high = account.stop if account.stop > 0.0 else high
        high = min(high, level_of_call(account)) if adds else high
    return low, high


@rule
def lots_up(quantity, lot):
    """Round up to whole lots."""
    return math.ceil(quantity / lot) * lot


@rule
def lots_down(quantity, lot):
    """Round down to whole lots."""
    return math.floor(quantity / lot) * lot


def grid(step: float) -> float:
    """Return the largest power of two not above `step`.

    Numbers on a dyadic grid are exact floats, and so are their sums and products below 2**53 units: the
    reason that engines which sum in different orders agree to the last account.
    """
    return float(2.0 ** np.floor(np.log2(step)))


def quantize(values: ArrayLike, step: float) -> np.ndarray:
    """Round to the dyadic grid of `step` (see `grid`)."""
    unit = grid(step)
    return np.round(np.asarray(values, dtype=np.float64) / unit) * unit


@dataclass(frozen=True, eq=False)
class Portfolios:
    """Accounts that hold positions in several symbols on one wallet.

    Parameters
    ----------
    wallet : ndarray, shape (n,)
        Cash, quote; negative for a debt against coins.
    coins : ndarray, shape (n, n_assets)
        Balances of the other collateral, units of each asset.
    legs : structured array of `LEG`, shape (m,)
        Sorted by account; an account has at most one leg a symbol.
    """

    wallet: np.ndarray
    coins: np.ndarray
    legs: np.ndarray

    @classmethod
    def of_single(cls, accounts: np.ndarray, symbol: int, n_assets: int) -> Self:
        """Return accounts of one position each (rows of `ACCOUNT`) as portfolios of one leg."""
        legs = np.zeros(accounts.size, LEG)
        for name in ACCOUNT.names or ():
            legs[name] = accounts[name]
        legs["symbol"], legs["account"] = symbol, np.arange(accounts.size)
        return cls(accounts["collateral"].copy(), np.zeros((accounts.size, n_assets)), legs)

    @classmethod
    def join(cls, parts: Sequence["Portfolios"]) -> Self:
        """Put several groups of accounts behind each other."""
        before = np.cumsum([0, *(part.wallet.size for part in parts)])
        legs = np.concatenate([part.legs for part in parts])
        legs["account"] += np.repeat(before[:-1], [part.legs.size for part in parts])
        wallet, coins = (np.concatenate([getattr(part, name) for part in parts]) for name in ("wallet", "coins"))
        return cls(wallet, coins, legs)

    def without(self, dead: np.ndarray) -> Self:
        """Return the accounts that are not in `dead` (numbers of accounts)."""
        kept = np.setdiff1d(np.arange(self.wallet.size), dead)
        legs = self.legs[np.isin(self.legs["account"], kept)]
        legs["account"] = np.searchsorted(kept, legs["account"])
        return type(self)(self.wallet[kept], self.coins[kept], legs)

    @cached_property
    def starts(self) -> np.ndarray:
        """Row of each account's first leg, and the number of legs at the end, shape (n + 1,)."""
        return np.searchsorted(self.legs["account"], np.arange(self.wallet.size + 1)).astype(np.int64)
