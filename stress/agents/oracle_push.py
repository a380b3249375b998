"""Oracle push: drive the index for minutes, take the profit out at the top, and leave the position to the venue.

Mango, 11 October 2022: 483 m MNGO-PERP between two own accounts; the index rose from 0.038 to 0.91 within an hour on
a few million dollars of spot, and the profit was withdrawn against it (docs/agents.md).
"""

from pydantic import Field

from stress.agents.attacker import Attacker


class OraclePush(Attacker, kind="oracle_push"):
    """An attacker in whose favor the index is pushed; at the top it withdraws all that the mark says it has earned.

    What it leaves behind is at the edge of maintenance there, and the index falls back.
    """

    move: float = Field(default=4.0, gt=-1, le=100)  # illustrative; Mango: 24 times
    rise_minutes: float = Field(default=40.0, ge=0, le=10_000)  # Mango: less than an hour
    hold_minutes: float = Field(default=5.0, ge=0, le=10_000)  # illustrative
    fade_minutes: float = Field(default=60.0, ge=0, le=100_000)  # illustrative

    @property
    def leaves_after_minutes(self) -> float:
        """When it withdraws, after the push has begun: at the top."""
        return self.rise_minutes
