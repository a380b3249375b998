"""How does a liquidation order execute?  Its limit, how much of it fills now, and at what price.

What does not fill is taken over as inventory, or waits (``exchange.remainder``).  Docs/method.md, section 5.
"""

import math
from typing import Any, ClassVar

from pydantic import Field

from stress.accounts import equity, notional
from stress.exchange.margin import required_margin
from stress.registry import Part
from stress.rules import rule


@rule
def within_volume(quantity, volume_room, limit_room):
    """Execute at most what is left of the step's share of volume."""
    return min(quantity, volume_room)


@rule
def within_limit(quantity, volume_room, limit_room):
    """Execute what the book offers up to the limit price."""
    return min(quantity, limit_room)


@rule
def everything(quantity, volume_room, limit_room):
    """Execute the whole batch at once."""
    return quantity


@rule
def at_bankruptcy(account, state, book):
    """Return qE - W: the limit is the bankruptcy price."""
    return account.qty * account.entry - account.collateral


@rule
def leaving_margin(account, state, book):
    """Return the value at which a share of the maintenance margin is left as equity (Cube)."""
    margin = required_margin(account.qty, account.entry, state.mark, book.tiers)
    return on_grid(at_bankruptcy(account, state, book) + book.disposal.margin_kept * margin, book)


@rule
def at_keepers_price(account, state, book):
    """Return the value at oracle x (1 - side x keeper's fee) (Drift)."""
    price = state.mark * (1.0 - math.copysign(book.disposal.keeper_fee, account.qty))
    return on_grid(account.qty * (price - state.funding), book)


@rule
def fillable_price(account, state, book):
    """Return dYdX's oracle x (1 - side ABR SMMR MM/n): the worse the margin, the further from the oracle."""
    value = notional(account.qty, state.mark)
    margin = required_margin(account.qty, account.entry, state.mark, book.tiers)
    worth = equity(account.qty, account.entry, account.collateral, state.mark, state.funding)
    ratio = min(1.0, max(0.0, book.disposal.bankruptcy_adjustment * (1.0 - worth / margin)))
    return state.mark * (1.0 - math.copysign(ratio * book.disposal.spread_to_margin * margin / value, account.qty))


@rule
def at_fillable_price(account, state, book):
    """Return the value at the fillable price."""
    return on_grid(account.qty * (fillable_price(account, state, book) - state.funding), book)


@rule
def on_grid(value, book):
    """Round to the grid of collateral, so that sums do not depend on their order."""
    return math.floor(value / book.cent + 0.5) * book.cent


@rule
def as_walked(walked, limit, state, book, side):
    """Fill at the mean price of the walk through the book."""
    return walked


@rule
def as_limited(walked, limit, state, book, side):
    """Fill at the limit: whoever takes the position keeps the difference."""
    return limit


@rule
def near_oracle(walked, limit, state, book, side):
    """Fill at the walk, no further from the oracle than the cap (GMX); `side` is that of the order."""
    return state.mark * (1.0 + side * min(side * (walked / state.mark - 1.0), book.disposal.impact_cap))


class Disposal(Part):
    """Family of disposal rules.

    `participation` caps the trading of one step (executions and unwinding of inventory) at a share of the
    market's contemporaneous volume.
    """

    executable: ClassVar[Any]  # rule (quantity, volume_room, limit_room) -> quantity executed now
    limit_value: ClassVar[Any] = staticmethod(at_bankruptcy)  # rule (account, state, book) -> qty x (limit - funding)
    fill: ClassVar[Any] = staticmethod(as_walked)  # rule (walked, limit, state, book, side of order) -> price
    uses_limit: ClassVar[bool] = False
    own_limit: ClassVar[bool] = False  # another limit than the bankruptcy price, or another price than the walk
    participation: float | None = Field(default=None, gt=0, le=1)

    def as_numbers(self) -> dict[str, Any]:
        """Return the settings, and whether the order has a limit."""
        return {**super().as_numbers(), "uses_limit": int(self.uses_limit)}


class Participation(Disposal, kind="participation"):
    """Sell at most a share of contemporaneous volume; the square root holds to about 20 % (method.md 11)."""

    participation: float = Field(default=0.10, gt=0, le=1)
    executable = staticmethod(within_volume)


class LimitAtBankruptcy(Disposal, kind="limit_at_bankruptcy"):
    """Immediate-or-cancel at the batch's mean bankruptcy price; the fund unwinds the rest within volume."""

    participation: float = Field(default=0.10, gt=0, le=1)
    uses_limit = True
    executable = staticmethod(within_limit)


class Immediate(Disposal, kind="immediate"):
    """Sell everything at once, whatever it costs."""

    executable = staticmethod(everything)


class FillablePrice(Disposal, kind="fillable_price"):
    """Immediate-or-cancel at dYdX's fillable price, which may lie below bankruptcy: the fund pays the gap.

    The bankruptcy adjustment 1 and the spread-to-maintenance ratio 1.5 are those of the mainnet genesis.
    """

    participation: float = Field(default=0.10, gt=0, le=1)
    bankruptcy_adjustment: float = Field(default=1.0, ge=0, le=100)
    spread_to_margin: float = Field(default=1.5, ge=0, le=10)
    uses_limit = own_limit = True
    executable = staticmethod(within_limit)
    limit_value = staticmethod(at_fillable_price)


class KeeperTransfer(Disposal, kind="keeper_transfer"):
    """Keepers take the position at a discount to the oracle, as far as they could sell it there (Drift)."""

    participation: float = Field(default=0.10, gt=0, le=1)
    keeper_fee: float = Field(default=0.01, ge=0, le=0.5)  # of the protocol's own tests
    uses_limit = own_limit = True
    executable = staticmethod(within_limit)
    limit_value = staticmethod(at_keepers_price)
    fill = staticmethod(as_limited)


class OracleClose(Disposal, kind="oracle_close"):
    """Everything closes against the pool at the oracle price, with a price impact up to a cap (GMX)."""

    impact_cap: float = Field(default=0.005, ge=0, le=1)  # illustrative
    own_limit = True
    executable = staticmethod(everything)
    fill = staticmethod(near_oracle)


class MarginFloorLimit(Disposal, kind="mm_floor_limit"):
    """A limit that leaves `margin_kept` of the maintenance margin as equity (Cube: 70 %)."""

    participation: float = Field(default=0.10, gt=0, le=1)
    margin_kept: float = Field(default=0.7, ge=0, le=1)
    uses_limit = own_limit = True
    executable = staticmethod(within_limit)
    limit_value = staticmethod(leaving_margin)
