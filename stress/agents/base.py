"""What every agent type declares: its share of the book and how its accounts are drawn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from stress.accounts import ACCOUNT, Portfolios, grid, quantize
from stress.agents.push import Push
from stress.agents.restate import Restatement
from stress.registry import Part

COVERED = 0.9  # of a short: with more coins than that it would turn into a long, so they count as cash


@dataclass(frozen=True)
class Venue:
    """What a draw needs to know of the venue: price, size, grids and the tier table.

    All in the coordinates of its contract: quote is the money in which it settles (`exchange.contract`).
    """

    price: float
    open_interest: float  # quote, one side
    crowd_long: float  # quote: what the explicit accounts leave of the long side
    crowd_short: float  # quote: what they leave of the short side
    lot: float
    tick: float
    cent: float
    tiers: Any  # exchange.margin.TierTable: cap, rate, deduction, max_leverage
    contract: Any  # exchange.contract.Contract: side, price, quantity
    money_usd: float = 1.0  # of one unit of quote, today
    unit: str = "USD"  # name of the money
    collateral_in_coin: float = 0.0  # share of drawn accounts' collateral that falls with the index

    def sign(self, side: str) -> float:
        """Return the sign of a long or a short in coordinates."""
        return self.contract.side if side == "long" else -self.contract.side

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


@dataclass(frozen=True)
class Venues:
    """What a draw of portfolios needs to know: one venue a symbol, and what may be posted besides cash."""

    symbols: tuple[str, ...]
    of: tuple[Venue, ...]
    assets: tuple[str, ...] = ()
    asset_prices: tuple[float, ...] = ()  # quote, at the start
    asset_shares: tuple[float, ...] = ()  # of the equity of drawn portfolios

    def number(self, symbol: str | None) -> int:
        """Return the place of a symbol; none means the first."""
        return 0 if symbol is None else self.symbols.index(symbol)


class Cohort(Part):
    """Family of agent types; one ``[[population]]`` table each.

    ``draw(rng, venue)`` returns accounts (structured array of `stress.accounts.ACCOUNT`); `laws` says whether
    it used any randomness, and a book without laws is one population.  Shares of an `explicit` cohort are of the
    whole side; those of the others are of what the explicit ones leave, so that concentration can be varied alone.
    No other venue has explicit accounts like them.
    """

    name: str = Field(min_length=1)
    symbol: str | None = None  # of a venue with several: which one is traded; absent: the first
    money: ClassVar[str] = ""  # an amount that has two keys, `<money>_usd` and `<money>_coin`
    laws: ClassVar[bool] = False
    explicit: ClassVar[bool] = False
    is_maker: ClassVar[bool] = False

    @property
    def maker_collateral(self) -> float:
        """What the cohort adds to the makers' margin, quote."""
        return 0.0

    @property
    def maker_limit_usd(self) -> float:
        """What the cohort adds to the inventory that makers hold before they stop quoting, USD."""
        return 0.0

    @property
    def makers_deleverage(self) -> bool:
        """Whether the ADL queue may close the makers."""
        return False

    @property
    def act_rate(self) -> float:
        """How often it acts on its own account, a year: leaves, pushes the price, or both."""
        return 0.0

    @property
    def n_leavers(self) -> int:
        """How many accounts, its first ones, withdraw their margin in the act and so let themselves be liquidated."""
        return 0

    @property
    def leaves_after_minutes(self) -> float:
        """How long after the beginning of the act they do so."""
        return 0.0

    @property
    def push(self) -> Push | None:
        """What the cohort does to the index when it acts; None if nothing."""
        return None

    @property
    def n_seats(self) -> int:
        """How many accounts are followed by others when they are gone (`agents.renewal`)."""
        return 0

    @property
    def reacts(self) -> bool:
        """Whether its accounts have stops, targets or money to add (`agents.reactions`)."""
        return False

    @property
    def closes_after(self) -> float | None:
        """Mean hours after which a position is closed by choice; None for what ``[renewal]`` says of all."""
        return None

    def draw(self, rng: np.random.Generator, venue: Venue) -> np.ndarray:
        """Return this cohort's accounts; makers, whose position follows from the others, have none."""
        return np.empty(0, dtype=ACCOUNT)

    def trades(self, symbol: str, first: str) -> bool:
        """Say whether the cohort's shares are of `symbol`, where `first` is what is traded by default."""
        return symbol == (self.symbol or first)

    def draw_portfolios(self, rng: np.random.Generator, venues: Venues) -> Portfolios:
        """Return this cohort's accounts at a venue with several symbols: those of `draw`, one leg each."""
        at = venues.number(self.symbol)
        return Portfolios.of_single(self.draw(rng, venues.of[at]), at, len(venues.assets))

    def shares(self) -> tuple[float, float]:
        """Return the requested shares of the long and the short side: of all, if `explicit`, or of what is left."""
        return 0.0, 0.0

    def requested(self, venue: Venue) -> tuple[float, float]:
        """Return the requested long and short open interest, quote."""
        long_share, short_share = self.shares()
        if self.explicit:
            return long_share * venue.open_interest, short_share * venue.open_interest
        return long_share * venue.crowd_long, short_share * venue.crowd_short

    def admitted(self, venue: Venue) -> Self:
        """Return the cohort as another venue admits it: what its tiers forbid is lowered to what they allow."""
        return self

    def restated(self, change: Restatement) -> Self:
        """Return the cohort under another contract: amounts in its money, all else is shares and leverage."""
        if not self.money:
            return self
        return self.model_copy(update=change.named(self.money, self.amount(self.money) * change.rate))

    def symbol_problems(self, known: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield (key, message) for symbols in its own data that are not among the venue's (none: it has one)."""
        yield from ()

    def problems(self, venue: Venue) -> list[tuple[str, str]]:
        """Return (key, message) for settings that this venue's rulebook forbids."""
        return []


Margin = Literal["isolated", "cross"]


def build_accounts(venue: Venue, qty, entry, leverage, margin: Margin) -> np.ndarray:
    """Return quantised accounts from signed quantity, entry and leverage, in the contract's coordinates.

    Isolated margin was posted at entry, ``|q| E / L``; a cross account's equity gives its leverage now.  The venue's
    `collateral_in_coin` is turned into coins by `hold_coins`.

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
    accounts = accounts[accounts["qty"] != 0.0]
    return hold_coins(venue, accounts) if venue.collateral_in_coin > 0.0 else accounts


def coin_collateral(venue: Venue, collateral: np.ndarray) -> np.ndarray:
    """Return the coins that are held as collateral today, base units, shape as given; a debt holds none."""
    return venue.collateral_in_coin * np.maximum(collateral, 0.0) / venue.price


def hold_coins(venue: Venue, accounts: np.ndarray) -> np.ndarray:
    """Return the linear accounts whose equity is that of accounts with a share of their collateral in coins.

    With w = s W / S0 coins, equity W (1 - s) + w S + q (S - E) is at every price S that of quantity q + w, entry
    (q E + w S0)/(q + w) and collateral W.  What is approximate is all that looks at the position alone: margin,
    funding and the fee are on the net exposure q + w, the coins are sold with the position, the makers' net
    position and open interest shift by them, and profit, by which winners are ranked, includes theirs.

    Parameters
    ----------
    venue : Venue
    accounts : structured array, shape (n,)
        On the venue's grids, without coins.

    Returns
    -------
    structured array, shape (n,)
        On the grids; coins are whole lots, and equity is exact to half a cent.  A short keeps its side: coins
        count up to 90 % of its position, at the lower of entry and price.
    """
    qty, entry, collateral = accounts["qty"], accounts["entry"], accounts["collateral"]
    lot, limit = grid(venue.lot), -COVERED * qty * np.minimum(entry / venue.price, 1.0)
    coins = quantize(coin_collateral(venue, collateral), venue.lot)
    coins = np.where(qty > 0.0, coins, np.minimum(coins, np.floor(limit / lot) * lot))
    linear = accounts.copy()
    linear["qty"] = qty + coins
    linear["entry"] = quantize((qty * entry + coins * venue.price) / linear["qty"], venue.tick)
    rounded = linear["qty"] * linear["entry"] - (qty * entry + coins * venue.price)  # paid back as margin
    linear["collateral"] = quantize(collateral + rounded, venue.cent)
    return linear
