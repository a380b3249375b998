"""Who keeps what a liquidation leaves?  Fee models of docs/method.md, section 5."""

from typing import Any, ClassVar

from pydantic import Field

from stress.registry import Part
from stress.rules import rule


class FeeModel(Part):
    """Family of fee models: how the gain of a fill above bankruptcy is split between fund and trader."""

    fund_part: ClassVar[Any]  # rule (gain, traded_notional, fee_rate) -> quote >= 0 paid to the fund
    common_share: ClassVar[Any]  # rule (largest gain / notional, fee_rate) -> share of gain, or -1 if it varies
    rate: float = Field(default=0.0, ge=0, le=1)


@rule
def confiscated(gain, traded_notional, rate):
    """Return all of the gain: the fund keeps the unused maintenance margin (model A)."""
    return gain


@rule
def capped_fee(gain, traded_notional, rate):
    """Return the liquidation fee, at most what is left (model B): min(rate q X, G)."""
    return min(rate * traded_notional, gain)


@rule
def nothing(gain, traded_notional, rate):
    """Return zero: the trader keeps the residual (model C)."""
    return 0.0


@rule
def all_of_it(largest, rate):
    """Return one: every gain goes to the fund."""
    return 1.0


@rule
def all_below_cap(largest, rate):
    """Return one while no gain reaches the cap, else -1."""
    return 1.0 if largest <= rate else -1.0


@rule
def none_of_it(largest, rate):
    """Return zero: no gain goes to the fund."""
    return 0.0


class Confiscate(FeeModel, kind="confiscate"):
    """Model A (BitMEX, Bybit): the fund receives the whole gain."""

    fund_part = staticmethod(confiscated)
    common_share = staticmethod(all_of_it)


class CappedFee(FeeModel, kind="capped_fee"):
    """Model B (Binance, dYdX): the fund receives a fee of `rate` of the traded notional, capped by the gain.

    The default rate is Binance's BTCUSDT `liquidationFee` sample of 1.25 % (docs/method.md, section 11).
    """

    rate: float = Field(default=0.0125, ge=0, le=1)
    fund_part = staticmethod(capped_fee)
    common_share = staticmethod(all_below_cap)


class KeepResidual(FeeModel, kind="keep_residual"):
    """Model C (Hyperliquid stage 1): the fund receives nothing."""

    fund_part = staticmethod(nothing)
    common_share = staticmethod(none_of_it)
