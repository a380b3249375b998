"""Pulled wall: a position is built behind orders that hold the price, and then the orders go.

Hyperliquid, POPCAT, 12 November 2025: USD 20-30 m long in 19 wallets at 5x behind a bid of some USD 20 m at 0.21; it
was pulled, the price fell to 0.13 within minutes, and the vault lost USD 4.9 m (docs/believable.md).
"""

from pydantic import Field

from stress.agents.attacker import Attacker


class Wall(Attacker, kind="wall"):
    """A holder whose own orders hold the price until they are pulled; the fall then liquidates the position.

    The level that was held is not one that the market would return to: the whole move stays.
    """

    move: float = Field(default=-0.38, gt=-1, le=100)  # POPCAT: 0.21 to 0.13
    rise_minutes: float = Field(default=20.0, ge=0, le=10_000)  # assumed for POPCAT, 5 to 60
    hold_minutes: float = Field(default=0.0, ge=0, le=10_000)
    fade_minutes: float = Field(default=0.0, ge=0, le=100_000)
    kept: float = Field(default=1.0, ge=0, le=1)
    leaves = False
