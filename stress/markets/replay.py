"""The price that was: bars of a file in their order, with random noise inside them."""

import numpy as np

from stress.markets.bars import spreading
from stress.markets.base import Clock
from stress.markets.bridge import given_bar, note_bar
from stress.markets.prices import OnPrices, rows_of
from stress.rules import rule


def replay_walk(give):
    """Return the walk over bars: each touches its low and high and ends at its close."""

    @rule
    def walk(numbers, table, path, k0, k1, fine):
        """Turn normals into what `give` makes of them."""
        width, n = int(numbers.steps_per_bar), table.shape[1]
        for j in range(fine.size // width):
            first, last = j * width, (j + 1) * width
            if j >= n:
                fine[first:last] = 0.0
                continue
            give(fine, first, last, table, j, 1.0, 0.0)

    return walk


replay_increments, replay_deviations = spreading(replay_walk, given_bar, note_bar)


class Replay(OnPrices, kind="replay"):
    """Every path has the bars of the file; random is when within a bar the price is at its low and at its high.

    `price_usd` is the price at the start; the bars move it by as much as they moved the file's price.
    """

    is_given = True
    increments = staticmethod(replay_increments)
    deviations = staticmethod(replay_deviations)

    def problems(self, clock: Clock) -> list[tuple[str, str]]:
        """Refuse a file that is shorter than the horizon."""
        held, needed = self.steps_held(), clock.n_steps * clock.step_seconds
        if held >= needed:
            return super().problems(clock)
        return [("file", f"{self.file}: covers {held / 3600.0:g} h, run.horizon_hours is {needed / 3600.0:g}")]

    def steps_held(self) -> float:
        """Return how many seconds the bars cover, gaps included."""
        candles = self.candles
        return float(candles.time[-1] - candles.time[0] + candles.seconds)

    def table(self, clock: Clock) -> np.ndarray:
        """Return close, low and high over where the bar starts, and its noise; logs, shape (4, n_bars).

        A bar starts at the close before it; where bars are missing the price waits and the next one moves it.
        """
        candles = self.candles
        slots = (candles.time - candles.time[0]) // candles.seconds
        rows = np.zeros((4, int(slots[-1]) + 1))
        rows[:, slots] = rows_of(candles, candles.open[0])
        return rows
