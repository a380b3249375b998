"""Hedgers and basis traders: short here against coins that they hold, at low leverage."""

from dataclasses import replace

import numpy as np
from pydantic import Field

from stress.agents.base import Cohort, Margin, Venue, build_accounts


class Hedger(Cohort, kind="hedger"):
    """`count` equal shorts against coins.

    The coins lie outside, where they back nothing here, or are posted: `coin_share` of the collateral then rises
    with what the short loses, and the hedge cannot be squeezed out of its market.  Shorts hold more hedgers than
    longs (Soska et al. 2021); the amounts are illustrative.
    """

    count: int = Field(default=100, ge=1, le=1_000_000)
    short_share: float = Field(default=0.1, gt=0, le=1)  # of what the whales leave
    leverage: float = Field(default=2.0, ge=1, le=5)  # of the whole position against its margin, illustrative
    coin_share: float = Field(default=0.0, ge=0, le=1)  # of the collateral; exchange.collateral_in_coin if that is more
    entry_sd: float = Field(default=0.1, ge=0, le=0.2)  # of log(entry / price), illustrative
    holding_hours: float = Field(default=720.0, gt=0)  # illustrative: a month of carry
    margin: Margin = "cross"
    laws = True

    def shares(self) -> tuple[float, float]:
        """Return the requested shares of what the whales leave of the long and the short side."""
        return 0.0, self.short_share

    @property
    def n_seats(self) -> int:
        """How many accounts are followed by others when they are gone: all."""
        return self.count

    @property
    def closes_after(self) -> float:
        """Mean hours after which a position is closed by choice."""
        return self.holding_hours

    def problems(self, venue: Venue) -> list[tuple[str, str]]:
        """Refuse coins as a choice where all collateral is the coin."""
        if self.coin_share > 0.0 and venue.contract.in_coin:
            return [("coin_share", f"must be 0: all collateral of this contract is {venue.unit}")]
        return []

    def draw(self, rng: np.random.Generator, venue: Venue) -> np.ndarray:
        """Draw the entries."""
        size = self.short_share * venue.crowd_short / venue.price / self.count
        qty = np.full(self.count, venue.sign("short") * size)
        entry = venue.price * np.exp(self.entry_sd * np.clip(rng.standard_normal(self.count), -3.0, 3.0))
        in_coin = replace(venue, collateral_in_coin=max(venue.collateral_in_coin, self.coin_share))
        return build_accounts(in_coin, qty, entry, self.leverage, self.margin)
