"""One explicit large account, outside the laws: broad crashes rarely ruin a fund, concentration does."""

import math
from typing import Literal

import numpy as np
from pydantic import Field

from stress.agents.base import Cohort, Margin, Venue, build_accounts


class Whale(Cohort, kind="whale"):
    """An account given by its share of its side's open interest, side, leverage and entry.

    `entry_move` is log(price now / entry): positive for a long in profit.
    """

    share: float = Field(gt=0, le=1)
    side: Literal["long", "short"] = "long"
    leverage: float = Field(ge=1, le=200)
    entry_move: float = Field(default=0.0, ge=-1, le=1)
    margin: Margin = "isolated"

    explicit = True

    def shares(self) -> tuple[float, float]:
        """Return the requested shares of the whole long and short side."""
        return (self.share, 0.0) if self.side == "long" else (0.0, self.share)

    def problems(self, venue: Venue) -> list[tuple[str, str]]:
        """Refuse a leverage above the tier's maximum for this size."""
        limit = float(venue.max_leverage(np.array([self.share * venue.open_interest]))[0])
        if self.leverage > limit:
            size = self.share * venue.open_interest
            return [("leverage", f"{self.leverage:g} is above the tier's maximum {limit:g} at USD {size:,.0f}")]
        return []

    def draw(self, rng: np.random.Generator, venue: Venue) -> np.ndarray:
        """Return the one account."""
        sign = 1.0 if self.side == "long" else -1.0
        qty = sign * self.share * venue.open_interest / venue.price
        entry = venue.price * math.exp(-self.entry_move)
        return build_accounts(venue, np.array([qty]), np.array([entry]), self.leverage, self.margin)
