"""What whales and attackers have in common: one explicit holder, given by share, side and leverage."""

import math
from typing import Literal, Self

import numpy as np
from pydantic import Field

from stress.agents.base import Cohort, Margin, Venue, build_accounts


class Holder(Cohort):
    """One holder outside the laws, in one or several equal `accounts`, each of which meets its own margin tier.

    `entry_move` is log(price now / entry): positive for a long in profit.
    """

    share: float = Field(gt=0, le=1)  # of its side's open interest
    side: Literal["long", "short"] = "long"
    leverage: float = Field(ge=1, le=200)
    accounts: int = Field(default=1, ge=1, le=1_000)  # attackers of 2023 and 2025 used 19 to more than 100 wallets
    entry_move: float = Field(default=0.0, ge=-1, le=1)
    margin: Margin = "isolated"
    explicit = True

    def shares(self) -> tuple[float, float]:
        """Return the requested shares of the whole long and short side."""
        return (self.share, 0.0) if self.side == "long" else (0.0, self.share)

    @property
    def n_seats(self) -> int:
        """How many accounts are followed by others when they are gone: all."""
        return self.accounts

    @property
    def closes_after(self) -> float:
        """Never by choice: it leaves by letting itself be liquidated."""
        return math.inf

    def _limit(self, venue: Venue) -> tuple[float, float]:
        """Return the size of an account, quote, and the tier's maximum there."""
        size = max(self.shares()) * venue.open_interest / self.accounts
        return size, float(venue.max_leverage(np.array([size]))[0])

    def admitted(self, venue: Venue) -> Self:
        """Return the holder with at most the leverage of the tier that its size meets."""
        return self.model_copy(update={"leverage": min(self.leverage, self._limit(venue)[1])})

    def problems(self, venue: Venue) -> list[tuple[str, str]]:
        """Refuse a leverage above the tier's maximum for an account of this size."""
        size, limit = self._limit(venue)
        if self.leverage > limit:
            at = f"{venue.unit} {size:,.0f}"
            return [("leverage", f"{self.leverage:g} is above the tier's maximum {limit:g} at {at}")]
        return []

    def draw(self, rng: np.random.Generator, venue: Venue) -> np.ndarray:
        """Return the accounts."""
        return self._position(venue, self.side, self.share)

    def _position(self, venue: Venue, side: str, share: float) -> np.ndarray:
        """Return the accounts that hold a share of a side."""
        qty = np.full(self.accounts, venue.sign(side) * share * venue.open_interest / venue.price / self.accounts)
        entry = np.full(self.accounts, venue.price * math.exp(-venue.contract.side * self.entry_move))
        return build_accounts(venue, qty, entry, self.leverage, self.margin)
