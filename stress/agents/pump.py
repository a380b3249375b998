"""Self-dealing pump in a thin market: give up one leg to the venue, then push the price against it.

Hyperliquid, JELLY, 26 March 2025: about USD 4 m short and as much long; the margin of the short was withdrawn, so that
the venue's vault took it over, and the price was driven to four or five times its level within an hour.  YFI in
2023 and Mango in 2022 are relatives (docs/agents.md).
"""

from typing import Literal

import numpy as np
from pydantic import Field

from stress.agents.attacker import Attacker
from stress.agents.base import Venue


class Pump(Attacker, kind="pump"):
    """An attacker with a leg to give up, on `side`, and a leg to keep, on the other.

    In the act the first leg's margin above maintenance is withdrawn, so that it is liquidated at the mark; from the
    same moment on the price moves against whoever has taken it over.
    """

    side: Literal["long", "short"] = "short"
    kept_share: float = Field(default=0.0, ge=0, le=1)  # of the other side's open interest: the leg that is kept
    move: float = Field(default=3.0, gt=-1, le=100)  # JELLY: four to five times
    rise_minutes: float = Field(default=30.0, ge=0, le=10_000)  # JELLY: less than an hour
    hold_minutes: float = Field(default=30.0, ge=0, le=10_000)  # illustrative
    fade_minutes: float = Field(default=240.0, ge=0, le=100_000)  # illustrative

    def shares(self) -> tuple[float, float]:
        """Return the requested shares of the whole long and short side."""
        return (self.share, self.kept_share) if self.side == "long" else (self.kept_share, self.share)

    @property
    def n_seats(self) -> int:
        """How many accounts there are: those of both legs."""
        return self.accounts * (2 if self.kept_share > 0.0 else 1)

    def draw(self, rng: np.random.Generator, venue: Venue) -> np.ndarray:
        """Return the accounts, those that are given up first."""
        other = "long" if self.side == "short" else "short"
        legs = [self._position(venue, self.side, self.share), self._position(venue, other, self.kept_share)]
        return np.concatenate(legs)
