"""How holders react to the price: stop-loss, take-profit, more margin from a budget (docs/method.md, section 16).

What accounts carry are levels and money (`stress.accounts`); here is who carries them, and where they lie.
"""

import numpy as np
from pydantic import Field, model_validator

from stress.registry import Settings


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
