"""Two regimes of volatility, calm and wild, each with Student-t noise."""

import math

from pydantic import Field

from stress.markets.bars import spreading
from stress.markets.base import Clock
from stress.markets.student_t import FatTailed
from stress.markets.tails import look_up
from stress.randomness import MIXING, VOLATILITY, uniform_pair
from stress.rules import rule


@rule
def sojourn(numbers, wild, u):
    """Return for how many bars a regime lasts: exponential."""
    return -math.log(u) * (numbers.wild_bars if wild else numbers.calm_bars)


def regime_walk(spread):
    """Return the walk over bars: a bar has the time average of the variances of its regimes."""

    @rule
    def walk(numbers, table, path, k0, k1, fine):
        """Turn normals into what `spread` makes of them."""
        width, switches = int(numbers.steps_per_bar), 1
        which, lasting = uniform_pair(0, path, VOLATILITY, k0, k1)
        wild = which < numbers.start_wild
        left = sojourn(numbers, wild, lasting)
        for j in range(fine.size // width):
            now, variance = 0.0, 0.0
            while now < 1.0:
                part = min(left, 1.0 - now)
                variance += part * (numbers.wild if wild else numbers.calm)
                now, left = now + part, left - part
                if left <= 0.0:
                    wild = not wild
                    left = sojourn(numbers, wild, uniform_pair(switches, path, VOLATILITY, k0, k1)[0])
                    switches += 1
            sd = math.sqrt(variance) * look_up(table, uniform_pair(j, path, MIXING, k0, k1)[0])
            spread(fine, j * width, (j + 1) * width, sd, -0.5 * sd * sd)

    return walk


regime_increments, regime_deviations = spreading(regime_walk)


class Regime(FatTailed, kind="regime"):
    """A Markov chain in continuous time switches between two volatilities (Hamilton 1989); exact at the bar.

    `vol_calm_annual` and `vol_wild_annual` are root mean squares; `calm_hours` and `wild_hours` are mean durations.
    """

    vol_calm_annual: float = Field(default=0.45, ge=0, le=10)  # illustrative
    vol_wild_annual: float = Field(default=1.3, ge=0, le=20)  # illustrative
    calm_hours: float = Field(default=60.0, ge=0.001)  # illustrative
    wild_hours: float = Field(default=15.0, ge=0.001)  # illustrative
    start_wild: float | None = Field(default=None, ge=0, le=1)  # probability of wild now; absent: the stationary one
    increments = staticmethod(regime_increments)
    deviations = staticmethod(regime_deviations)

    def problems(self, clock: Clock) -> list[tuple[str, str]]:
        """Refuse a wild regime that is the calmer one."""
        swapped = [("vol_wild_annual", f"must not be below vol_calm_annual = {self.vol_calm_annual:g}")]
        return super().problems(clock) + (swapped if self.vol_wild_annual < self.vol_calm_annual else [])

    def numbers(self, clock: Clock) -> dict[str, float]:
        """Return both variances of a working step, and the durations in bars."""
        numbers, hours = super().numbers(clock), self.bar_seconds / 3600.0
        unit = self.bar_years / numbers["steps_per_bar"]
        share = self.wild_hours / (self.calm_hours + self.wild_hours)
        return numbers | {
            "calm": self.vol_calm_annual**2 * unit,
            "wild": self.vol_wild_annual**2 * unit,
            "calm_bars": self.calm_hours / hours,
            "wild_bars": self.wild_hours / hours,
            "start_wild": share if self.start_wild is None else self.start_wild,
        }
