"""Accounts given by hand: quantity, entry and collateral, for worked examples and small books."""

import numpy as np
from pydantic import Field

from stress.accounts import ACCOUNT, LEG, Portfolios, quantize
from stress.agents.base import Cohort, Margin, Venue, Venues
from stress.registry import Settings


class Leg(Settings):
    """One more position on the same wallet."""

    symbol: str
    qty: float  # base units, long > 0
    entry_usd: float = Field(gt=0)


class Account(Cohort, kind="account"):
    """`count` identical accounts, as an exchange's help page would state them."""

    qty: float  # as the venue states it, long > 0: base units, or contracts
    entry_usd: float = Field(gt=0)
    collateral_usd: float | None = Field(default=None, ge=0)
    collateral_coin: float | None = Field(default=None, ge=0)
    count: int = Field(default=1, ge=1, le=5_000_000)
    margin: Margin = "isolated"
    legs: tuple[Leg, ...] = ()  # of a venue with several symbols
    coins: dict[str, float] = Field(default_factory=dict)  # units of other collateral, by asset
    money = "collateral"

    @property
    def collateral(self) -> float:
        """Posted margin, quote."""
        return self.amount("collateral")

    @property
    def n_seats(self) -> int:
        """How many accounts are followed by others when they are gone: all."""
        return self.count

    def draw(self, rng: np.random.Generator, venue: Venue) -> np.ndarray:
        """Return the accounts on the venue's grids."""
        accounts = np.zeros(self.count, dtype=ACCOUNT)
        accounts["qty"] = quantize(venue.contract.quantity(self.qty), venue.lot)
        accounts["entry"] = quantize(venue.contract.price(self.entry_usd), venue.tick)
        accounts["collateral"] = quantize(self.collateral, venue.cent)
        accounts["cross"] = self.margin == "cross"
        return accounts[accounts["qty"] != 0.0]

    def draw_portfolios(self, rng: np.random.Generator, venues: Venues) -> Portfolios:
        """Return the accounts with all their legs and coins."""
        first = Leg(symbol=self.symbol or venues.symbols[0], qty=self.qty, entry_usd=self.entry_usd)
        rows = [leg_row(leg, venues) for leg in (first, *self.legs)]
        legs = np.concatenate([row for row in rows if row["qty"][0] != 0.0])
        legs["cross"] = self.margin == "cross" or bool(self.legs)
        cash = quantize(self.collateral, venues.of[0].cent)
        coins = np.array([self.coins.get(asset, 0.0) for asset in venues.assets])
        return Portfolios.join([Portfolios(np.full(1, cash), coins[None, :], legs)] * self.count)

    def problems(self, venue: Venue) -> list[tuple[str, str]]:
        """Refuse no position, and one opened above the tier's leverage (collateral below initial margin)."""
        qty = venue.contract.quantity(self.qty)
        if quantize(qty, venue.lot) == 0.0:
            return [("qty", f"{self.qty:g} is no position in lots of {abs(venue.contract.stated(venue.lot)):g}")]
        if self.coins or self.legs:
            return []  # what backs them is not this symbol's to know: the population checks them
        value = abs(qty) * venue.contract.price(self.entry_usd)
        limit = float(venue.max_leverage(np.array([value]))[0])
        if value > limit * self.collateral * (1.0 + 1e-9):
            reached = value / self.collateral if self.collateral else float("inf")
            key = "collateral_coin" if self.collateral_usd is None else "collateral_usd"
            return [(key, f"leverage {reached:.4g} is above the tier's maximum {limit:g}")]
        return []


def leg_row(leg: Leg, venues: Venues) -> np.ndarray:
    """Return one position on its symbol's grids: a row of `LEG`, shape (1,)."""
    row, at = np.zeros(1, LEG), venues.number(leg.symbol)
    row["qty"] = quantize(leg.qty, venues.of[at].lot)
    row["entry"] = quantize(leg.entry_usd, venues.of[at].tick)
    row["symbol"] = at
    return row
