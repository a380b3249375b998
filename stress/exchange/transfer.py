"""At which price does a counterparty take over a bankrupt position?

The liquidated account is always closed at its bankruptcy price.  At any other price somebody bears the
difference: the fund as far as it can, the rest stays with the case (docs/method.md, section 6).
"""

from typing import Any, ClassVar

from stress.registry import Part
from stress.rules import rule

NEAR = 0.05  # of the mark (Bybit, as secondary sources report it)


class TransferPrice(Part):
    """Family of transfer prices: ``price`` is a rule ``(bankruptcy, mark, previous_mark, index) -> price``.

    `looks_back` says whether it reads the mark of the step before, so that no step may be skipped.
    """

    price: ClassVar[Any]
    looks_back: ClassVar[bool] = False


@rule
def at_bankruptcy(bankruptcy, mark, previous_mark, index):
    """Return the bankruptcy price."""
    return bankruptcy


@rule
def at_mark(bankruptcy, mark, previous_mark, index):
    """Return the mark of now."""
    return mark


@rule
def at_previous_mark(bankruptcy, mark, previous_mark, index):
    """Return the mark at the end of the step before."""
    return previous_mark


@rule
def blended(bankruptcy, mark, previous_mark, index):
    """Return two thirds of the bankruptcy price plus one third of the mark."""
    return (2.0 * bankruptcy + mark) / 3.0


@rule
def at_index(bankruptcy, mark, previous_mark, index):
    """Return the index."""
    return index


@rule
def at_bankruptcy_near_mark(bankruptcy, mark, previous_mark, index):
    """Return the bankruptcy price, or the mark if the two are more than 5 % of the mark apart."""
    return bankruptcy if abs(bankruptcy - mark) <= NEAR * mark else mark


class AtBankruptcy(TransferPrice, kind="bankruptcy"):
    """The bankruptcy price: nothing is left to pay (BitMEX, Binance, Bybit, dYdX)."""

    price = staticmethod(at_bankruptcy)


class AtBankruptcyNearMark(TransferPrice, kind="bankruptcy_near_mark"):
    """The bankruptcy price while it is within 5 % of the mark, else the mark (Bybit; secondary and unverified)."""

    price = staticmethod(at_bankruptcy_near_mark)


class AtMark(TransferPrice, kind="mark"):
    """The mark (OKX's help page, as mirrored): winners keep their profit, the fund bears the rest."""

    price = staticmethod(at_mark)


class AtPreviousMark(TransferPrice, kind="previous_mark"):
    """The mark of the update before (Hyperliquid's page on auto-deleveraging)."""

    price = staticmethod(at_previous_mark)
    looks_back = True


class Blend(TransferPrice, kind="blend"):
    """Two thirds bankruptcy price, one third mark (FTX's help page on backstop liquidity)."""

    price = staticmethod(blended)


class Oracle(TransferPrice, kind="oracle"):
    """The index (GMX, and dYdX in final settlement)."""

    price = staticmethod(at_index)
