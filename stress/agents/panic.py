"""Panic and momentum sellers: whoever sells outside the venue because the price has just fallen.

They hold nothing here: what they do to this venue is what they do to its index.  They answer to the market's own move
only, so that all engines see the same; what they set off themselves does not bring more of them.
"""

import math

from pydantic import Field

from stress.agents.base import Cohort
from stress.agents.push import Push


class Panic(Cohort, kind="panic"):
    """Sellers who come once a path, after the first move of `after_move` within `window_minutes`.

    They sell `flow_usd` over `minutes`, and the index moves by what the venue's impact law gives for it; a share
    `kept` of that stays, the rest fades.  After a rise they buy.  A market that was fitted to history holds the
    panics of history already: take them with a market that was not.
    """

    after_move: float = Field(default=-0.10, gt=-1, le=10)  # illustrative
    window_minutes: float = Field(default=60.0, gt=0, le=10_000)
    flow_usd: float = Field(default=100.0e6, gt=0)  # illustrative
    minutes: float = Field(default=60.0, ge=0, le=10_000)  # illustrative
    fade_minutes: float = Field(default=240.0, ge=0, le=100_000)  # illustrative
    kept: float = Field(default=0.0, ge=0, le=1)  # uninformed flow decays almost fully (Donier and Bonart 2015)

    @property
    def push(self) -> Push:
        """What they do to the index."""
        return Push(
            move=math.copysign(math.inf, self.after_move),
            rise_minutes=self.minutes,
            fade_minutes=self.fade_minutes,
            kept=self.kept,
            flow_usd=self.flow_usd,
            after_move=math.log1p(self.after_move),
            window_minutes=self.window_minutes,
        )
