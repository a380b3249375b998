"""The price that was: bars of a file in their order, with random noise inside them."""

import numpy as np

from stress.markets.bars import on_bars
from stress.markets.base import Clock
from stress.markets.bridge import pin_bar, touch
from stress.markets.prices import OnPrices, bridge_spread
from stress.rules import rule


@rule
def replay_walk(numbers, table, path, k0, k1, fine):
    """Turn normals into the file's bars: each touches its low and high and ends at its close."""
    width, n = int(numbers.steps_per_bar), table.shape[1]
    for j in range(fine.size // width):
        first, last = j * width, (j + 1) * width
        if j >= n:
            fine[first:last] = 0.0
            continue
        pin_bar(fine, first, last, table[3, j], table[0, j])
        if width >= 4:
            touch(fine, first, last, table[1, j], table[2, j])


class Replay(OnPrices, kind="replay"):
    """Every path has the bars of the file; random is when within a bar the price is at its low and at its high.

    `price_usd` is the price at the start; the bars move it by as much as they moved the file's price.
    """

    is_given = True
    increments = staticmethod(on_bars(replay_walk))

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
        start = np.concatenate([candles.open[:1], candles.close[:-1]])
        rows = np.zeros((4, int(slots[-1]) + 1))
        low, high = np.minimum(candles.low, start), np.maximum(candles.high, start)
        rows[:, slots] = (
            np.log(candles.close / start),
            np.log(low / start),
            np.log(high / start),
            bridge_spread(candles),
        )
        return rows
