"""Market-making desks with accounts of their own: what they hold is limited, levered, and may be liquidated."""

import numpy as np
from pydantic import Field

from stress.agents.base import Cohort, Margin, Venue, build_accounts


class Desk(Cohort, kind="desk"):
    """`count` equal desks, half of them long and half short, each somewhere between nothing and its limit.

    `leverage` is a desk's inventory at the limit over its capital.  A share `hedged` of the inventory is hedged at
    another venue, where it ties up as much capital as here: a desk without net risk is twice as levered here, and
    its profit there does not arrive in time.  Inventories are uniform up to the limit; all numbers are illustrative.
    The pooled cohort `maker` still balances the book.
    """

    count: int = Field(default=20, ge=2, le=10_000)
    share: float = Field(default=0.1, gt=0, le=1)  # of each side, of what the whales leave
    leverage: float = Field(default=3.0, ge=1, le=50)
    hedged: float = Field(default=1.0, ge=0, le=1)
    holding_hours: float = Field(default=8.0, gt=0)
    margin: Margin = "cross"
    laws = True

    def shares(self) -> tuple[float, float]:
        """Return the requested shares of what the whales leave of the long and the short side."""
        return self.share, self.share

    @property
    def n_seats(self) -> int:
        """How many accounts are followed by others when they are gone: all."""
        return self.count

    @property
    def closes_after(self) -> float:
        """Mean hours after which a position is closed by choice."""
        return self.holding_hours

    @property
    def leverage_here(self) -> float:
        """Leverage of an account at the limit: the capital is divided between the inventory and its hedge."""
        return self.leverage * (1.0 + self.hedged)

    def problems(self, venue: Venue) -> list[tuple[str, str]]:
        """Refuse a leverage that the tier forbids at the limit, twice the mean inventory."""
        mean = self.share * max(venue.crowd_long, venue.crowd_short) / (self.count // 2)
        limit = float(venue.max_leverage(np.array([2.0 * mean]))[0])
        if self.leverage_here > limit:
            return [("leverage", f"{self.leverage_here:g} with the hedge is above the tier's maximum {limit:g}")]
        return []

    def draw(self, rng: np.random.Generator, venue: Venue) -> np.ndarray:
        """Draw how much of its limit every desk holds."""
        use = 1.0 - rng.random(self.count)
        is_long = np.arange(self.count) < self.count // 2
        crowd = np.where(is_long, venue.crowd_long, venue.crowd_short)
        total = np.where(is_long, use[is_long].sum(), use[~is_long].sum())
        side = np.where(is_long, venue.sign("long"), venue.sign("short"))
        notional = self.share * crowd * use / total
        leverage = np.minimum(self.leverage_here * use, venue.max_leverage(notional))
        entry = np.full(self.count, venue.price)
        return build_accounts(venue, side * notional / venue.price, entry, leverage, self.margin)
