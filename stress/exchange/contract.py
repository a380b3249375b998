"""What does a contract promise?  Linear, inverse and quanto contracts, seen from the money in which they settle.

The rules know one contract: equity ``W + q (M - E)``, notional ``|q| M``.  It is every contract in its own
*coordinates* (docs/method.md, section 2).  N inverse contracts of 1 USD are -N units of USD at the price 1/P, in
coin: a long of the coin is short of dollars.  A contract is therefore a translation from words (USD prices, sizes
as the venue states them) to coordinates and back; no engine and no rule asks which one it is.
"""

from typing import Any, ClassVar

from pydantic import Field

from stress.registry import Part

USD = "USD"


class Contract(Part):
    """Family of contracts.

    A price in coordinates is money per unit of quantity; `side` is the sign there of a position that gains when the
    USD price rises, and of a log move of that price.  Amounts of money are in the settlement currency.
    """

    side: ClassVar[float] = 1.0
    in_coin: ClassVar[bool] = False
    on_coin: ClassVar[bool] = True  # its price is that of the coin, not of another one
    default_lot: ClassVar[float] = 0.001  # in the units of `quantity`
    default_tick: ClassVar[float] = 0.1  # USD
    default_cent: ClassVar[float] = 0.01  # money

    def unit(self, coin: str) -> str:
        """Return the name of the money."""
        return coin if self.in_coin else USD

    def price(self, usd: Any) -> Any:
        """Return a USD price in coordinates."""
        return usd

    def usd_price(self, price: Any) -> Any:
        """Return a price in coordinates in USD."""
        return price

    def tick(self, tick: float, usd: float) -> float:
        """Return the grid of prices in coordinates that a tick makes near the price `usd`."""
        return tick

    def quantity(self, qty: Any) -> Any:
        """Return a signed size as the venue states it (long > 0) in coordinates."""
        return qty

    def stated(self, qty: Any) -> Any:
        """Return a quantity in coordinates as the venue states it (long > 0)."""
        return qty

    def money_usd(self, usd: float) -> float:
        """Return the USD value of one unit of money while the contract's price is `usd`."""
        return 1.0

    def move(self, relative: float) -> float:
        """Return the relative move in coordinates of a relative move of the USD price."""
        return relative

    def exposure(self, beta: float) -> float:
        """Return how an asset's worth in money moves with the price in coordinates, both relative to the start.

        The asset's USD price moves by `beta` times the relative move of the coin.
        """
        return beta


class Linear(Contract, kind="linear"):
    """Profit in USD: q (P - E)."""


class Inverse(Contract, kind="inverse"):
    """Contracts of 1 USD, margined and settled in the coin: profit N (1/E - 1/P) (BitMEX XBTUSD, Bybit inverse)."""

    side = -1.0
    in_coin = True
    default_lot = 1.0
    default_tick = 0.5  # of XBTUSD
    default_cent = 1e-8  # one satoshi

    def price(self, usd: Any) -> Any:
        """Return coin per USD."""
        return 1.0 / usd

    def usd_price(self, price: Any) -> Any:
        """Return USD per coin."""
        return 1.0 / price

    def tick(self, tick: float, usd: float) -> float:
        """Return the change of 1/P that a tick makes."""
        return tick / (usd * usd)

    def quantity(self, qty: Any) -> Any:
        """Return minus the contracts: a long of the coin owes dollars."""
        return -qty

    def stated(self, qty: Any) -> Any:
        """Return the contracts."""
        return -qty

    def money_usd(self, usd: float) -> float:
        """Return the price of the coin."""
        return usd

    def move(self, relative: float) -> float:
        """Return the relative move of 1/P: the convexity of the contract."""
        return 1.0 / (1.0 + relative) - 1.0

    def exposure(self, beta: float) -> float:
        """Return 1 - beta: dollars rise against the coin that falls, the coin itself is the money.

        (1 + beta (P/P0 - 1)) P0/P = beta + (1 - beta) P0/P.
        """
        return 1.0 - beta


class Quanto(Contract, kind="quanto"):
    """Profit in another coin at a fixed rate: multiplier x q (P - E) (BitMEX ETHUSD)."""

    in_coin = True
    on_coin = False
    default_lot = 1.0
    default_tick = 0.05  # of ETHUSD
    default_cent = 1e-8
    multiplier: float = Field(gt=0)  # coin per USD of price move and contract
    settlement_price_usd: float = Field(gt=0)  # of the coin in which it settles, at the start

    def quantity(self, qty: Any) -> Any:
        """Return coin per USD of price move."""
        return self.multiplier * qty

    def stated(self, qty: Any) -> Any:
        """Return the contracts."""
        return qty / self.multiplier

    def money_usd(self, usd: float) -> float:
        """Return the price of the settlement coin at the start."""
        return self.settlement_price_usd
