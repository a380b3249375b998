"""How somebody moves the price on purpose, or in panic: a log move that rises, holds and fades."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Push:
    """One act on the index of one symbol, which comes on top of what the market does.

    Parameters
    ----------
    move : float
        Largest log move, signed.
    rise_minutes, hold_minutes, fade_minutes : float
        How long the move grows, stays, and falls back, linearly in the log price.
    kept : float
        Share of the move that stays for good.
    flow_usd : float or None
        Money behind it: the move is at most what the venue's impact law gives for that flow; None for no limit.
    after_move : float or None
        Log move of the index within `window_minutes` that sets it off, signed; None if its cohort acts at random.
    window_minutes : float
    """

    move: float
    rise_minutes: float
    hold_minutes: float = 0.0
    fade_minutes: float = 0.0
    kept: float = 0.0
    flow_usd: float | None = None
    after_move: float | None = None
    window_minutes: float = 60.0

    @property
    def minutes(self) -> float:
        """How long it takes until nothing changes any more."""
        return self.rise_minutes + self.hold_minutes + self.fade_minutes

    def share_at(self, minutes: np.ndarray) -> np.ndarray:
        """Return the share of the move that is in the price so many minutes after the start, shape as given."""
        top = self.rise_minutes + self.hold_minutes
        risen = np.clip(minutes / self.rise_minutes, 0.0, 1.0) if self.rise_minutes > 0.0 else np.ones_like(minutes)
        faded = np.clip((minutes - top) / self.fade_minutes, 0.0, 1.0) if self.fade_minutes > 0.0 else minutes >= top
        return np.where(minutes <= top, risen, 1.0 - (1.0 - self.kept) * faded)

    def limited(self, reach: float) -> float:
        """Return the log move, signed, of which no more than `reach` can be paid for."""
        return math.copysign(min(abs(self.move), reach), self.move)
