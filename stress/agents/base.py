"""What every agent type declares: its share of the book and how its accounts are drawn."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from stress.accounts import ACCOUNT, quantize
from stress.registry import Part


@dataclass(frozen=True)
class Venue:
    """What a draw needs to know of the venue: price, size, grids and the tier table."""

    price: float
    open_interest: float  # quote, one side
    crowd_long: float  # quote: what the explicit accounts leave of the long side
    crowd_short: float  # quote: what they leave of the short side
    lot: float
    tick: float
    cent: float
    tiers: Any  # exchange.margin.TierTable: cap, rate, deduction, max_leverage

    def max_leverage(self, notional: np.ndarray) -> np.ndarray:
        """Return the tier's leverage limit for each notional, shape as given."""
        count = self.tiers.count
        row = np.searchsorted(np.array(self.tiers.cap[: count - 1]), notional, side="left")
        return np.array(self.tiers.max_leverage[:count])[row]

    def maintenance_rate(self, notional: np.ndarray) -> np.ndarray:
        """Return the effective maintenance margin rate MM(n)/n for each notional, shape as given."""
        count = self.tiers.count
        row = np.searchsorted(np.array(self.tiers.cap[: count - 1]), notional, side="left")
        rate = np.array(self.tiers.rate[:count])[row]
        return rate - np.array(self.tiers.deduction[:count])[row] / notional


class Cohort(Part):
    """Family of agent types; one ``[[population]]`` table each.

    ``draw(rng, venue)`` returns accounts (structured array of `stress.accounts.ACCOUNT`); `laws` says whether
    it used any randomness, and a book without laws is one population.  Shares of an `explicit` cohort are of the
    whole side; those of the others are of what the explicit ones leave, so that concentration can be varied alone.
    """

    name: str = Field(min_length=1)
    laws: ClassVar[bool] = False
    explicit: ClassVar[bool] = False
    is_maker: ClassVar[bool] = False

    @property
    def maker_collateral(self) -> float:
        """What the cohort adds to the makers' margin, quote."""
        return 0.0

    @property
    def makers_deleverage(self) -> bool:
        """Whether the ADL queue may close the makers."""
        return False

    def draw(self, rng: np.random.Generator, venue: Venue) -> np.ndarray:
        """Return this cohort's accounts; makers, whose position follows from the others, have none."""
        return np.empty(0, dtype=ACCOUNT)

    def shares(self) -> tuple[float, float]:
        """Return the requested shares of the long and the short side: of all, if `explicit`, or of what is left."""
        return 0.0, 0.0

    def requested(self, venue: Venue) -> tuple[float, float]:
        """Return the requested long and short open interest, quote."""
        long_share, short_share = self.shares()
        if self.explicit:
            return long_share * venue.open_interest, short_share * venue.open_interest
        return long_share * venue.crowd_long, short_share * venue.crowd_short

    def problems(self, venue: Venue) -> list[tuple[str, str]]:
        """Return (key, message) for settings that this venue's rulebook forbids."""
        return []


Margin = Literal["isolated", "cross"]


def build_accounts(venue: Venue, qty, entry, leverage, margin: Margin) -> np.ndarray:
    """Return quantised accounts from signed quantity, entry and leverage.

    Isolated margin was posted at entry, |q| E / L; a cross account's equity gives its leverage now.

    Parameters
    ----------
    venue : Venue
    qty, entry, leverage : array_like, shape (n,)
        Base units (long > 0), quote per base, 1.
    margin : {"isolated", "cross"}

    Returns
    -------
    structured array, shape (n,)
    """
    accounts = np.zeros(np.size(qty), dtype=ACCOUNT)
    accounts["qty"] = quantize(qty, venue.lot)
    accounts["entry"] = quantize(entry, venue.tick)
    size, price = np.abs(accounts["qty"]), accounts["entry"]
    if margin == "isolated":
        collateral = size * price / leverage
    else:
        collateral = size * venue.price / leverage - accounts["qty"] * (venue.price - price)
    accounts["collateral"] = quantize(collateral, venue.cent)
    accounts["cross"] = margin == "cross"
    return accounts[accounts["qty"] != 0.0]
