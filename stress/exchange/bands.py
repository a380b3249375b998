"""At which price may a liquidation not fill any more?  Bands and limits of venues (docs/method.md, section 3).

Fills outside the band do not happen; what is left waits, at the fund's risk.
"""

from typing import Any, ClassVar

from pydantic import Field

from stress.registry import Part
from stress.rules import rule

NO_CEILING = 1e300  # a price that nothing reaches


@rule
def open_band(band, index, premium, side):
    """Return a price that no fill is worse than: there is no band."""
    return NO_CEILING if side > 0.0 else 0.0


@rule
def two_sided_band(band, index, premium, side):
    """Return OKX's limit: the inner band moves with the average premium, inside the outer one and never past the index.

    ``buy = min(max(I, I (1 + Y) + premium), I (1 + Z))`` and ``sell = max(min(I, I (1 - Y) + premium), I (1 - Z))``.
    """
    if side > 0.0:
        return min(max(index, index * (1.0 + band.inner) + premium), index * (1.0 + band.outer))
    return max(min(index, index * (1.0 - band.inner) + premium), index * (1.0 - band.outer))


@rule
def fixed_band(band, index, premium, side):
    """Return a fixed percentage from the index: ``I (1 + side x outer)``."""
    return index * (1.0 + side * band.outer)


@rule
def market_take_band(band, index, premium, side):
    """Return a percentage from the venue's own level, index and premium: ``(I + premium)(1 + side x outer)``."""
    return (index + premium) * (1.0 + side * band.outer)


class Band(Part):
    """Family of price bands.

    ``worst_price`` is a rule ``(band, index, premium, side)``: the worst price at which the engine may buy
    (side +1, closing shorts) or sell (side -1), quote per base; `premium` is the average of (own price - index),
    `band` has the numbers ``inner`` and ``outer``.
    """

    worst_price: ClassVar[Any]


class NoBand(Band, kind="none"):
    """Fills at any price."""

    worst_price = staticmethod(open_band)


class TwoSided(Band, kind="two_sided"):
    """OKX: inner band Y about the index plus its average premium, outer band Z about the index.

    The defaults are the 2 % and 5 % of BTC and ETH in the venue's help page; since adjusted, and partly undisclosed.
    """

    inner: float = Field(default=0.02, ge=0, lt=1)
    outer: float = Field(default=0.05, gt=0, lt=1)
    worst_price = staticmethod(two_sided_band)


class FixedBand(Band, kind="fixed"):
    """A fixed percentage about the index; the default is the 5 % of Bybit's old rule."""

    outer: float = Field(default=0.05, gt=0, lt=1)
    worst_price = staticmethod(fixed_band)


class MarketTake(Band, kind="market_take"):
    """Binance's bound of market orders about the venue's own price; 5 % is a sample of ``marketTakeBound`` for BTC."""

    outer: float = Field(default=0.05, gt=0, lt=1)
    worst_price = staticmethod(market_take_band)
