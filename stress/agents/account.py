"""Accounts given by hand: quantity, entry and collateral, for worked examples and small books."""

import numpy as np
from pydantic import Field

from stress.accounts import ACCOUNT, quantize
from stress.agents.base import Cohort, Margin, Venue


class Account(Cohort, kind="account"):
    """`count` identical accounts, as an exchange's help page would state them."""

    qty: float  # base units, long > 0
    entry_usd: float = Field(gt=0)
    collateral_usd: float = Field(ge=0)
    count: int = Field(default=1, ge=1, le=5_000_000)
    margin: Margin = "isolated"

    def draw(self, rng: np.random.Generator, venue: Venue) -> np.ndarray:
        """Return the accounts on the venue's grids."""
        accounts = np.zeros(self.count, dtype=ACCOUNT)
        accounts["qty"] = quantize(self.qty, venue.lot)
        accounts["entry"] = quantize(self.entry_usd, venue.tick)
        accounts["collateral"] = quantize(self.collateral_usd, venue.cent)
        accounts["cross"] = self.margin == "cross"
        return accounts[accounts["qty"] != 0.0]

    def problems(self, venue: Venue) -> list[tuple[str, str]]:
        """Refuse no position, and one opened above the tier's leverage (collateral below initial margin)."""
        if quantize(self.qty, venue.lot) == 0.0:
            return [("qty", f"{self.qty:g} is no position in lots of {venue.lot:g}")]
        value = abs(self.qty) * self.entry_usd
        limit = float(venue.max_leverage(np.array([value]))[0])
        if value > limit * self.collateral_usd * (1.0 + 1e-9):
            reached = value / self.collateral_usd if self.collateral_usd else float("inf")
            return [("collateral_usd", f"leverage {reached:.4g} is above the tier's maximum {limit:g}")]
        return []
