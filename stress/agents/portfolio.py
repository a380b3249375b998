"""Traders with positions in several symbols on one wallet, drawn from the trader's laws."""

from collections.abc import Iterator

import numpy as np
from pydantic import Field, field_validator

from stress.accounts import LEG, Portfolios, quantize
from stress.agents.base import Margin, Venue, Venues
from stress.agents.trader import HOURS_PER_YEAR, Trader, scale_to


class Portfolio(Trader, kind="portfolio"):
    """A cohort of cross-margin accounts; its shares are of every symbol.

    An account holds 1, 2, 3, ... symbols with the chances `n_symbols`, larger markets first in chance and size; a
    further leg is against the first one with chance `hedged_share`.  Leverage is gross notional over equity today.
    At a venue with one symbol it is a trader.
    """

    margin: Margin = "cross"
    n_symbols: tuple[float, ...] = Field(default=(0.5, 0.3, 0.2), min_length=1)  # illustrative
    hedged_share: float = Field(default=0.3, ge=0, le=1)  # illustrative

    @field_validator("n_symbols")
    @classmethod
    def _chances(cls, chances: tuple[float, ...]) -> tuple[float, ...]:
        if min(chances) < 0.0 or abs(sum(chances) - 1.0) > 1e-9:
            raise ValueError(f"chances {list(chances)} should be 0 or more and add up to 1")
        return chances

    def _size_problems(self, venue: Venue) -> Iterator[tuple[str, str]]:
        """Yield what keeps the accounts from their share; amounts are not divided among symbols."""
        if self.size.amounts_usd(1) is not None:
            yield "size", f"{self.size.kind!r} is for accounts of one symbol"
        yield from super()._size_problems(venue)

    def trades(self, symbol: str, first: str) -> bool:
        """Say yes: the cohort's shares are of every symbol."""
        return self.symbol is None or self.symbol == symbol

    def draw_portfolios(self, rng: np.random.Generator, venues: Venues) -> Portfolios:
        """Draw the cohort; a single symbol is the trader's draw."""
        if self.symbol is not None or len(venues.of) == 1:
            return super().draw_portfolios(rng, venues)
        notional = self._signed_notionals(rng, venues)
        gross = np.abs(notional).sum(axis=1)
        limit = gross / self._initial_margins(np.abs(notional), venues)
        leverage = self._leverage(rng, gross, limit, notional.sum(axis=1) > 0.0)
        return self._accounts(rng, venues, notional, gross / leverage)

    def _signed_notionals(self, rng, venues: Venues) -> np.ndarray:
        """Draw what every account holds of every symbol, scaled to the shares of each side, shape (n, n_symbols)."""
        weight = np.array([venue.open_interest for venue in venues.of])
        notional = self.size.draw(rng, self.count)[:, None] * self._held(rng, weight) * self._directions(rng, weight)
        for s, venue in enumerate(venues.of):
            sides = (1.0, self.long_share, venue.crowd_long), (-1.0, self.short_share, venue.crowd_short)
            for sign, share, crowd in sides:
                mine = sign * notional[:, s] > 0.0
                if mine.any():
                    size = scale_to(np.abs(notional[mine, s]), share * crowd, self.largest_share * crowd)
                    notional[mine, s] = sign * size
        return notional[np.abs(notional).sum(axis=1) > 0.0]

    def _held(self, rng, weight: np.ndarray) -> np.ndarray:
        """Draw which symbols are held, with the symbol's weight or zero, shape (n, n_symbols)."""
        chances = np.array(self.n_symbols[: weight.size])
        n_held = 1 + rng.choice(chances.size, size=self.count, p=chances / chances.sum())
        # The k smallest of exponentials with these rates are k symbols drawn without replacement by weight.
        order = np.argsort(rng.standard_exponential((self.count, weight.size)) / weight, axis=1)
        rank = np.argsort(order, axis=1)
        return np.where(rank < n_held[:, None], weight, 0.0)

    def _directions(self, rng, weight: np.ndarray) -> np.ndarray:
        """Draw the side of every leg: the account's own, or against it in a hedge, shape (n, n_symbols)."""
        long_chance = self.long_share / (self.long_share + self.short_share)
        side = np.where(rng.random(self.count) < long_chance, 1.0, -1.0)
        hedged = rng.random((self.count, weight.size - 1)) < self.hedged_share
        return side[:, None] * np.column_stack([np.ones(self.count), np.where(hedged, -1.0, 1.0)])

    def _initial_margins(self, notional: np.ndarray, venues: Venues) -> np.ndarray:
        """Return the sum over symbols of notional over the tier's leverage, quote, shape (n,)."""
        parts = [notional[:, s] / venue.max_leverage(notional[:, s]) for s, venue in enumerate(venues.of)]
        return np.sum(parts, axis=0)

    def _accounts(self, rng, venues: Venues, notional: np.ndarray, equity: np.ndarray) -> Portfolios:
        """Put positions on their grids; the wallet is what makes each account's equity today."""
        account, symbol = np.nonzero(notional)
        legs = np.zeros(account.size, LEG)
        legs["account"], legs["symbol"], legs["cross"] = account, symbol, 1
        age = self.holding_hours * self.age.draw(rng, account.size)
        since = self.entry_vol_annual * np.sqrt(age / HOURS_PER_YEAR) * rng.standard_normal(account.size)
        profit = np.zeros(account.size)
        for s, venue in enumerate(venues.of):
            at = symbol == s
            legs["qty"][at] = quantize(notional[account[at], s] / venue.price, venue.lot)
            legs["entry"][at] = quantize(venue.price * np.exp(-since[at]), venue.tick)
            profit[at] = legs["qty"][at] * (venue.price - legs["entry"][at])
        held = legs["qty"] != 0.0
        coins = equity[:, None] * np.array(venues.asset_shares) / np.array(venues.asset_prices)
        cash = equity - coins @ np.array(venues.asset_prices) - np.bincount(account, profit, equity.size)
        drawn = Portfolios(quantize(cash, venues.of[0].cent), coins, legs[held])
        return drawn.without(np.setdiff1d(np.arange(equity.size), account[held]))
