"""How holders react to the price: stop-loss, take-profit, more margin from a budget (docs/method.md, section 16).

All are decided by the *level*, the mark net of funding: what a position has lost or won, funding included, depends on
it alone.  So every reaction is a price that does not move, a rung like the one that liquidates.
"""

import numpy as np
from pydantic import Field, model_validator

from stress.registry import Settings
from stress.rules import rule


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


class Order(Settings):
    """An order that `share` of the holders leave; how far away is uniform between two shares of the margin."""

    share: float = Field(gt=0, le=1)
    least: float = Field(gt=0)
    most: float = Field(gt=0)

    @model_validator(mode="after")
    def _ordered(self):
        if self.least > self.most:
            raise ValueError(f"least: {self.least:g} is above most, {self.most:g}")
        return self

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw how far the level is, in shares of the margin, shape (n,); NaN for those who leave none."""
        far = rng.uniform(self.least, self.most, n)
        return np.where(rng.random(n) < self.share, far, np.nan)


class StopLoss(Order):
    """Sell everything when a share of the margin is lost; values are illustrative."""

    least: float = Field(default=0.2, gt=0, le=1)
    most: float = Field(default=0.8, gt=0, le=1)


class TakeProfit(Order):
    """Sell everything when a multiple of the margin is won; values are illustrative."""

    least: float = Field(default=0.5, gt=0, le=100)
    most: float = Field(default=2.0, gt=0, le=100)


class TopUp(Settings):
    """Make good the loss when `at` of the margin is left, from a budget of `budget` times the margin; illustrative."""

    share: float = Field(gt=0, le=1)  # of the holders who would
    at: float = Field(default=0.3, gt=0, le=0.5)
    budget: float = Field(default=1.0, gt=0, le=100)


def place_orders(accounts: np.ndarray, price: float, stop: np.ndarray, target: np.ndarray) -> None:
    """Set stops and targets, in place, from how far they are in shares of the margin; NaN for none.

    A level that today's price has passed was set later, and lies as far from today's price.

    Parameters
    ----------
    accounts : structured array of `stress.accounts.ACCOUNT`, shape (n,)
    price : float
        Today's, in the contract's coordinates.
    stop, target : ndarray, shape (n,)
        Loss and profit over margin.
    """
    per_margin = accounts["collateral"] / accounts["qty"]
    long = accounts["qty"] > 0.0
    for name, far in (("stop", -stop), ("target", target)):
        level = accounts["entry"] + far * per_margin
        passed = (level >= price) == (long if name == "stop" else ~long)
        level = np.where(passed, price + far * per_margin, level)
        accounts[name] = np.where(np.isnan(level) | (level <= 0.0), 0.0, level)
