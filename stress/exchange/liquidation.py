"""Who keeps what a liquidation leaves?  Fee models A to G of docs/method.md, section 5."""

from typing import Any, ClassVar

from pydantic import Field

from stress.exchange.margin import maintenance_margin, margin_value
from stress.exchange.partial import fund_fee_rate
from stress.registry import Part
from stress.rules import rule


@rule
def part_is_free(gain, traded_notional, account, state, book):
    """Return zero: the account keeps its margin until it is closed."""
    return 0.0, 0.0


@rule
def no_bonus(traded_notional, book):
    """Return zero: below bankruptcy nobody receives anything."""
    return 0.0


class FeeModel(Part):
    """Family of fee models: how the gain of a fill above bankruptcy is split.

    What neither the fund nor others (keepers, the venue, backstop providers) receive is the trader's.  ``split`` is
    for an account that is closed, ``split_part`` for one that sells a part of its position and goes on.
    """

    split: ClassVar[Any]  # rule (gain >= 0, traded_notional, book) -> (to the fund, to others), quote
    split_part: ClassVar[Any] = staticmethod(part_is_free)  # the same, (gain, traded_notional, account, state, book)
    bonus: ClassVar[Any] = staticmethod(no_bonus)  # rule (traded_notional, book) -> to others where gain < 0
    common_share: ClassVar[Any]  # rule (largest gain / notional, fee) -> the fund's share of gain, or -1 if it varies
    charges_parts: ClassVar[bool] = False  # an order for a part of a position pays the fee, too
    pays_keeper: ClassVar[bool] = False  # `other_rate` is a keeper's

    def as_numbers(self) -> dict[str, Any]:
        """Return the settings, and the fund's fee of an order for a part."""
        numbers = super().as_numbers()
        return {**numbers, "part_rate": numbers["rate"] if self.charges_parts else 0.0}


@rule
def confiscated(gain, traded_notional, book):
    """Return all of the gain: the fund keeps the unused maintenance margin (model A)."""
    return gain, 0.0


@rule
def capped_fee(gain, traded_notional, book):
    """Return the liquidation fee, at most what is left (model B): min(rate q X, G)."""
    return min(book.fee.rate * traded_notional, gain), 0.0


@rule
def nothing(gain, traded_notional, book):
    """Return zero: the trader keeps the residual (model C)."""
    return 0.0, 0.0


@rule
def after_others(gain, traded_notional, book):
    """Return the fund's fee from what the other's fee leaves, and the other's, each at most what is left (D, E)."""
    others = min(book.fee.other_rate * traded_notional, gain)
    return min(book.fee.rate * traded_notional, gain - others), others


@rule
def capped_part(gain, traded_notional, account, state, book):
    """Return the liquidation fee of the part, at most its share of what is left (B, F)."""
    return capped_fee(gain, traded_notional, book)


@rule
def part_after_others(gain, traded_notional, account, state, book):
    """Return fund's and other's fee of the part, each at most its share of what is left (E)."""
    return after_others(gain, traded_notional, book)


@rule
def fees_of_a_shortage(gain, traded_notional, account, state, book):
    """Return the fees for which the order was sized: the fund's is what margin, keeper and shortage leave (D)."""
    value = margin_value(account.qty, account.entry, state.mark, book.tiers)
    worth = account.collateral + account.qty * (state.mark - account.entry - state.funding)
    ratio = maintenance_margin(value, book.tiers) / value + book.partial.buffer
    keeper = book.fee.other_rate + book.disposal.keeper_fee
    rate = fund_fee_rate(ratio * value - worth, value, ratio, keeper, book.fee.rate)
    others = min(book.fee.other_rate * traded_notional, gain)
    return min(rate * traded_notional, gain - others), others


@rule
def providers_bonus(traded_notional, book):
    """Return what backstop providers get: a share of the maintenance margin (model G)."""
    return book.fee.rate * maintenance_margin(traded_notional, book.tiers)


@rule
def beyond_bonus(gain, traded_notional, book):
    """Return what is left of the margin beyond the provider's bonus; negative: the fund adds to it (model G)."""
    bonus = providers_bonus(traded_notional, book)
    return gain - bonus, bonus


@rule
def all_of_it(largest, fee):
    """Return one: every gain goes to the fund."""
    return 1.0


@rule
def all_below_cap(largest, fee):
    """Return one while no gain reaches the cap, else -1."""
    return 1.0 if largest <= fee.rate else -1.0


@rule
def none_of_it(largest, fee):
    """Return zero: no gain goes to the fund."""
    return 0.0


@rule
def not_common(largest, fee):
    """Return -1: the fund's share differs from account to account."""
    return -1.0


class Confiscate(FeeModel, kind="confiscate"):
    """Model A (BitMEX, Bybit): the fund receives all that an account has left when it is closed.

    An order that steps a position down costs its slippage and nothing else.
    """

    split = staticmethod(confiscated)
    common_share = staticmethod(all_of_it)


class CappedFee(FeeModel, kind="capped_fee"):
    """Model B (Binance, dYdX): the fund receives a fee of `rate` of the traded notional, capped by the gain.

    The default rate is Binance's BTCUSDT `liquidationFee` sample of 1.25 % (docs/method.md, section 11).
    """

    rate: float = Field(default=0.0125, ge=0, le=1)
    charges_parts = True
    split = staticmethod(capped_fee)
    split_part = staticmethod(capped_part)
    common_share = staticmethod(all_below_cap)


class KeepResidual(FeeModel, kind="keep_residual"):
    """Model C (Hyperliquid stage 1): the fund receives nothing."""

    split = staticmethod(nothing)
    common_share = staticmethod(none_of_it)


class KeeperSplit(FeeModel, kind="keeper_split"):
    """Model D (Drift): the keeper's fee comes first, then the fund's, then the trader's rest.

    Defaults are the 1 % and 1 % of the protocol's own tests; live markets set their own.  `other_rate` must be 0 where
    keepers are paid by the price at which they take over (``keeper_transfer``).
    """

    rate: float = Field(default=0.01, ge=0, le=1)  # of a part: at most what margin, keeper and shortage leave
    other_rate: float = Field(default=0.01, ge=0, le=1)  # the keeper's
    charges_parts = pays_keeper = True
    split = staticmethod(after_others)
    split_part = staticmethod(fees_of_a_shortage)
    common_share = staticmethod(not_common)


class FixedFee(FeeModel, kind="fixed_fee"):
    """Model E (BIT.com, Deribit): a fee of `rate` to the fund beside the taker fee, whatever is left.

    Defaults: 0.5 % in all, of which 0.45 % goes to the fund (a venue's help page).
    """

    rate: float = Field(default=0.0045, ge=0, le=1)
    other_rate: float = Field(default=0.0005, ge=0, le=1)  # the venue's taker fee
    charges_parts = True
    split = staticmethod(after_others)
    split_part = staticmethod(part_after_others)
    common_share = staticmethod(not_common)


class LpPool(FeeModel, kind="lp_pool"):
    """Model F (GMX): a liquidation fee to the pool of liquidity providers, who stand where the fund would.

    The fee is no part of the test for liquidation.  Default: 0.20 % of standard markets (0.30 and 0.45 % of others).
    """

    rate: float = Field(default=0.002, ge=0, le=1)
    charges_parts = True
    split = staticmethod(capped_fee)
    split_part = staticmethod(capped_part)
    common_share = staticmethod(all_below_cap)


class BlpBonus(FeeModel, kind="blp_bonus"):
    """Model G (Flipster): backstop providers are left `rate` of the maintenance margin, by the fund if need be.

    Below bankruptcy the fund pays the bonus beside the shortfall, while it can, before the waterfall; limits of
    the fund do not count it.  Providers take over whole accounts: an order for a part costs its slippage.
    """

    rate: float = Field(default=0.5, ge=0, le=1)
    split = staticmethod(beyond_bonus)
    bonus = staticmethod(providers_bonus)
    common_share = staticmethod(not_common)
