"""Who comes after an account that closes, is liquidated or leaves?  Table ``[renewal]`` (docs/method.md, section 15).

Every account of the start is a *seat*: a quantity, a side and a leverage.  Its holder closes after a random time
and is followed at once, at the mark, by a newcomer who posts fresh margin at the seat's leverage.  A seat that a
liquidation has emptied is taken again after a random time.  So the book re-levers as the price moves, and ages
with it, which is what 30 or 365 days need.
"""

from pydantic import Field

from stress.registry import Settings


class Renewal(Settings):
    """Table ``[renewal]``: how fast the book turns over; absent: nobody joins and nobody closes.

    A cohort's `holding_hours` is the mean time after which a position is closed by choice, half of the time in
    profit.  `pace` divides all of them.
    """

    pace: float = Field(default=1.0, gt=0, le=100)
    holding_hours: float = Field(default=362.0, gt=0)  # of cohorts that state none: 0.276 % an hour (method.md, 15)
    losers_exit: float = Field(default=0.67, gt=0, le=1)  # rate of losers over that of winners (method.md, 15)
    reentry_hours: float = Field(default=24.0, gt=0)  # mean time until an emptied seat is taken again, illustrative
    leave_after_adl: float = Field(default=0.2, ge=0, le=1)  # share that leaves for good, illustrative

    def closings_per_hour(self, holding_hours: float | None) -> tuple[float, float]:
        """Return the rates at which winners and losers close; `holding_hours` is their cohort's own, or None."""
        mean = self.pace / (self.holding_hours if holding_hours is None else holding_hours)
        winners = 2.0 * mean / (1.0 + self.losers_exit)
        return winners, winners * self.losers_exit
