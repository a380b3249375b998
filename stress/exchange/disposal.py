"""How much of a liquidated batch is executed now?  The rest is taken over as inventory."""

from typing import Any, ClassVar

from pydantic import Field

from stress.registry import Part
from stress.rules import rule


class Disposal(Part):
    """Family of disposal rules.

    `participation` caps the trading of one step (executions and unwinding of inventory) at a share of the
    market's contemporaneous volume.
    """

    executable: ClassVar[Any]  # rule (quantity, volume_room, limit_room) -> quantity executed now
    uses_limit: ClassVar[bool] = False
    participation: float | None = Field(default=None, gt=0, le=1)


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
