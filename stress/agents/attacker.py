"""What attackers have in common: a position, and a push of the price at a time of their choice.

The price is pushed outside the venue, where its index is made; nobody in the venue is on the other side of it.  Depth
leaves with the size of the move, as after any other (docs/method.md, section 11).
"""

import math
from typing import ClassVar

from pydantic import Field

from stress.agents.holder import Holder
from stress.agents.push import Push


class Attacker(Holder):
    """A holder who pushes the index, `attacks_per_year` on average, at random times.

    `move` is relative, the largest one.  With a `budget_usd` the push goes no further than the venue's impact law
    takes so much money; without one the cost is reported and limits nothing.
    """

    attacks_per_year: float = Field(default=1.0, ge=0, le=100_000)  # illustrative; two at one venue in 2025
    move: float = Field(gt=-1, le=100)
    rise_minutes: float = Field(ge=0, le=10_000)
    hold_minutes: float = Field(ge=0, le=10_000)
    fade_minutes: float = Field(ge=0, le=100_000)
    kept: float = Field(default=0.0, ge=0, le=1)
    budget_usd: float | None = Field(default=None, gt=0)
    leaves: ClassVar[bool] = True  # whether the position is given up in the act

    @property
    def act_rate(self) -> float:
        """How often it attacks, a year."""
        return self.attacks_per_year

    @property
    def n_leavers(self) -> int:
        """How many accounts withdraw their margin in the act."""
        return self.accounts if self.leaves and self.attacks_per_year > 0.0 else 0

    @property
    def push(self) -> Push:
        """What it does to the index."""
        return Push(
            move=math.log1p(self.move),
            rise_minutes=self.rise_minutes,
            hold_minutes=self.hold_minutes,
            fade_minutes=self.fade_minutes,
            kept=self.kept,
            flow_usd=self.budget_usd,
        )
