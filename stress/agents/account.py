"""Accounts given by hand: quantity, entry and collateral, for worked examples and small books."""

from typing import Self

import numpy as np
from pydantic import Field

from stress.accounts import ACCOUNT, LEG, Portfolios, quantize
from stress.agents.base import Cohort, Margin, Venue, Venues
from stress.agents.restate import Restatement
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
    stop_usd: float | None = Field(default=None, gt=0)  # sell everything there, at a loss
    target_usd: float | None = Field(default=None, gt=0)  # sell everything there, with the profit
    add_at: float = Field(default=0.3, gt=0, le=0.5)  # share of the margin left at which the loss is made good
    spare_usd: float = Field(default=0.0, ge=0)  # money for that, worth so much today
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
        self._react(accounts, venue)
        return accounts[accounts["qty"] != 0.0]

    @property
    def reacts(self) -> bool:
        """Whether it has a stop, a target or money to add."""
        return bool(self.stop_usd or self.target_usd or self.spare_usd)

    def _react(self, accounts: np.ndarray, venue: Venue) -> None:
        for name, price in (("stop", self.stop_usd), ("target", self.target_usd)):
            accounts[name] = venue.contract.price(price) if price else 0.0
        accounts["spare"] = quantize(self.spare_usd / venue.money_usd, venue.cent)
        accounts["call"] = self.add_at

    def draw_portfolios(self, rng: np.random.Generator, venues: Venues) -> Portfolios:
        """Return the accounts with all their legs and coins."""
        first = Leg(symbol=self.symbol or venues.symbols[0], qty=self.qty, entry_usd=self.entry_usd)
        rows = [leg_row(leg, venues) for leg in (first, *self.legs)]
        legs = np.concatenate([row for row in rows if row["qty"][0] != 0.0])
        legs["cross"] = self.margin == "cross" or bool(self.legs)
        cash = quantize(self.collateral, venues.of[0].cent)
        coins = np.array([self.coins.get(asset, 0.0) for asset in venues.assets])
        return Portfolios.join([Portfolios(np.full(1, cash), coins[None, :], legs)] * self.count)

    def restated(self, change: Restatement) -> Self:
        """Return the account with the same size and entry, USD, and the same leverage under another contract."""
        row = np.zeros(1, ACCOUNT)
        row["qty"], row["entry"] = change.own.quantity(self.qty), change.own.price(self.entry_usd)
        row["collateral"], row["cross"] = self.collateral, self.margin == "cross"
        there = change.accounts(row)[0]
        qty = float(change.other.stated(there["qty"]))
        return self.model_copy(update={"qty": qty, **change.named("collateral", float(there["collateral"]))})

    def admitted(self, venue: Venue) -> Self:
        """Return the account with the initial margin of the venue's tier at least."""
        value, limit = self._value(venue), self._limit(venue)
        if self.collateral * limit >= value or self.coins or self.legs:
            return self
        return self.model_copy(update={self._key: value / limit})

    def problems(self, venue: Venue) -> list[tuple[str, str]]:
        """Refuse no position, and one opened above the tier's leverage (collateral below initial margin)."""
        qty = venue.contract.quantity(self.qty)
        if quantize(qty, venue.lot) == 0.0:
            return [("qty", f"{self.qty:g} is no position in lots of {abs(venue.contract.stated(venue.lot)):g}")]
        if self.coins or self.legs:
            return []  # what backs them is not this symbol's to know: the population checks them
        value, limit = self._value(venue), self._limit(venue)
        if value > limit * self.collateral * (1.0 + 1e-9):
            reached = value / self.collateral if self.collateral else float("inf")
            return [(self._key, f"leverage {reached:.4g} is above the tier's maximum {limit:g}")]
        return []

    @property
    def _key(self) -> str:
        """Which of the two keys gives the collateral."""
        return "collateral_coin" if self.collateral_usd is None else "collateral_usd"

    def _value(self, venue: Venue) -> float:
        """Return the position's value at entry, quote."""
        return abs(venue.contract.quantity(self.qty)) * venue.contract.price(self.entry_usd)

    def _limit(self, venue: Venue) -> float:
        """Return the highest leverage of the position's tier."""
        return float(venue.max_leverage(np.array([self._value(venue)]))[0])


def leg_row(leg: Leg, venues: Venues) -> np.ndarray:
    """Return one position on its symbol's grids: a row of `LEG`, shape (1,)."""
    row, at = np.zeros(1, LEG), venues.number(leg.symbol)
    row["qty"] = quantize(leg.qty, venues.of[at].lot)
    row["entry"] = quantize(leg.entry_usd, venues.of[at].tick)
    row["symbol"] = at
    return row
