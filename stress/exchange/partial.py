"""How much of a position is closed at first?  Partial policies of docs/method.md, section 5.

A policy offers a quantity; the order executes; an account that is healthy again keeps the rest of its position.
If it is not, the venue takes over the rest (`final` policies) or the account waits for its next order.
"""

from typing import Any, ClassVar

from pydantic import Field

from stress.exchange.margin import maintenance_margin, tier_of
from stress.registry import Part
from stress.rules import rule


class Partial(Part):
    """Family of partial policies.

    `offer` returns the quantity of the next order, base units >= 0, before rounding up to lots.
    """

    offer: ClassVar[Any]  # rule (account, value, equity, maintenance, state, book) -> quantity
    whole: ClassVar[bool] = False  # every order is for the whole position
    final: ClassVar[bool] = False  # what an order leaves unhealthy is taken over
    fill_or_kill: ClassVar[bool] = False

    def as_numbers(self) -> dict[str, Any]:
        """Return the settings, and what follows an order."""
        flags = {"final": int(self.final), "fill_or_kill": int(self.fill_or_kill)}
        return {**super().as_numbers(), **flags}


class Repeated(Partial):
    """Policies that look again at an account that its order has not saved."""

    cooldown_seconds: float = Field(default=0.0, ge=0, le=86_400)  # between two orders for one account


@rule
def whole_position(account, value, equity, maintenance, state, book):
    """Close everything at once."""
    return abs(account.qty)


@rule
def down_to(cap, account, value):
    """Return what brings the notional down to `cap`."""
    return abs(account.qty) * (1.0 - cap / value)


@rule
def one_tier_down(account, value, equity, maintenance, state, book):
    """Close what exceeds the tier below; the whole position in the lowest tier."""
    k = tier_of(value, book.tiers)
    return down_to(book.tiers.cap[k - 1], account, value) if k > 0 else abs(account.qty)


@rule
def two_tiers_down(account, value, equity, maintenance, state, book):
    """Close what two tiers less allow, while equity covers the first tier's rate; else everything."""
    k = tier_of(value, book.tiers)
    if k < 2 or equity <= value * book.tiers.rate[0]:
        return abs(account.qty)
    return down_to(book.tiers.cap[k - 2], account, value)


@rule
def restoring_value(value, equity, rate, tiers):
    """Return the notional whose sale at the mark restores the margin, after a fee of `rate`; all if none does.

    In tier k the sale x must satisfy (v - x) m_k - c_k <= EQ - rate x, so a fee of m_k or more never helps.
    """
    k = tier_of(value, tiers)
    while k >= 0 and tiers.rate[k] > rate:
        sold = (value * tiers.rate[k] - tiers.deduction[k] - equity) / (tiers.rate[k] - rate)
        floor = tiers.cap[k - 1] if k > 0 else 0.0
        if value - sold >= floor:
            return min(value, max(0.0, sold))
        k -= 1
    return value


@rule
def fee_of_a_part(book):
    """Return what an order for a part of a position costs, a share of its notional."""
    return book.fee.part_rate + book.fee.other_rate


@rule
def just_enough(account, value, equity, maintenance, state, book):
    """Close what restores the margin after the liquidation fee (Binance's one large order)."""
    return abs(account.qty) * (restoring_value(value, equity, fee_of_a_part(book), book.tiers) / value)


@rule
def a_part_first(account, value, equity, maintenance, state, book):
    """Close a share of a large position at first, everything later (Hyperliquid)."""
    if value > book.partial.large_usd and account.wait == 0:
        return book.partial.portion * abs(account.qty)
    return abs(account.qty)


@rule
def slice_of(value, partial):
    """Return the notional of one order: a portion, no less than the minimum, no more than the cap or the position."""
    return min(value, max(partial.least_usd, partial.portion * value), partial.cap_usd)


@rule
def in_slices(account, value, equity, maintenance, state, book):
    """Close slice after slice, as many as a step has time for, until the margin is restored at the mark."""
    left, worth = value, equity
    for _ in range(max(1, int(book.step_seconds / book.partial.slice_seconds))):
        if left <= 0.0 or worth >= maintenance_margin(left, book.tiers):
            break
        sold = slice_of(left, book.partial)
        left -= sold
        worth -= fee_of_a_part(book) * sold
    return abs(account.qty) * (1.0 - left / value)


@rule
def shortage_size(shortage, price, margin_ratio, keeper_fee, fund_fee):
    """Return the quantity that makes up a shortage of margin: S / (P (mr - fee_L) - P fee_IF); 1e300: all of it."""
    per_unit = price * (margin_ratio - keeper_fee) - price * fund_fee
    return shortage / per_unit if margin_ratio > keeper_fee and per_unit > 0.0 else 1e300


@rule
def fund_fee_rate(shortage, value, margin_ratio, keeper_fee, largest):
    """Return the fund's fee: at most 95 % of what margin, keeper and shortage leave."""
    return min(largest, 0.95 * max(0.0, margin_ratio - keeper_fee - shortage / value))


@rule
def margin_shortage(account, value, equity, maintenance, state, book):
    """Close what restores the margin and a buffer, fees included (Drift); a small shortage closes everything."""
    ratio = maintenance / value + book.partial.buffer
    shortage = ratio * value - equity
    if shortage < book.partial.small_usd:
        return abs(account.qty)
    keeper = book.fee.other_rate + book.disposal.keeper_fee  # whichever of the two pays the keeper
    fee = fund_fee_rate(shortage, value, ratio, keeper, book.fee.part_rate)
    return min(abs(account.qty), shortage_size(shortage, state.mark, ratio, keeper, fee))


class Full(Partial, kind="full"):
    """The whole position at once (simple exchanges, GMX)."""

    whole = final = True
    offer = staticmethod(whole_position)


class StepDown(Partial, kind="step_down"):
    """Fill-or-kill down to the tier below; an account that this does not save is taken over (BitMEX, Bybit)."""

    final = fill_or_kill = True
    offer = staticmethod(one_tier_down)


class SmartIoc(Partial, kind="smart_ioc"):
    """One immediate-or-cancel order that just restores the margin; what it does not save is taken over (Binance)."""

    final = True
    offer = staticmethod(just_enough)


class TwoTiers(Repeated, kind="two_tiers"):
    """Two tiers down and another look after a minute, down to the first tier's requirement (OKX)."""

    cooldown_seconds: float = Field(default=60.0, ge=0, le=86_400)  # "about 1 minute" in an older help page
    offer = staticmethod(two_tiers_down)


class PortionThenRest(Repeated, kind="pct_cooldown"):
    """A fifth of a position above USD 100,000 first, the rest after a cooldown (Hyperliquid)."""

    portion: float = Field(default=0.2, gt=0, le=1)
    large_usd: float = Field(default=100_000.0, ge=0)
    cooldown_seconds: float = Field(default=30.0, ge=0, le=86_400)
    offer = staticmethod(a_part_first)


class BlockLimits(Repeated, kind="block_limits"):
    """A tenth of the position per block, between USD 1,000 and 100,000 (dYdX v4 mainnet genesis)."""

    portion: float = Field(default=0.1, gt=0, le=1)
    least_usd: float = Field(default=1_000.0, ge=0)
    cap_usd: float = Field(default=100_000.0, gt=0)
    slice_seconds: float = Field(default=1.0, gt=0, le=86_400)  # time of a block, about a second
    offer = staticmethod(in_slices)


class MarginShortage(Repeated, kind="margin_shortage"):
    """What restores the margin plus a buffer of 2 %; a shortage below USD 50 closes everything (Drift)."""

    buffer: float = Field(default=0.02, ge=0, le=1)
    small_usd: float = Field(default=50.0, ge=0)
    offer = staticmethod(margin_shortage)


class VolumeLimited(Repeated, kind="volume_limited"):
    """A tenth of the position every six seconds, at most 0.0001 of daily volume (FTX, historic)."""

    portion: float = Field(default=0.1, gt=0, le=1)
    cap_usd: float = Field(default=1.0e6, gt=0)  # 0.0001 of a daily volume of USD 10 bn, illustrative
    slice_seconds: float = Field(default=6.0, gt=0, le=86_400)
    offer = staticmethod(in_slices)
