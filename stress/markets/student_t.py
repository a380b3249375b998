"""Independent Student-t returns on a clock of their own."""

import math

import numpy as np
from pydantic import Field

from stress.markets.bars import OnBars, spreading
from stress.markets.base import Clock
from stress.markets.tails import look_up, scale_table
from stress.randomness import MIXING, fill_uniforms
from stress.rules import rule


def student_walk(spread):
    """Return the walk over bars: every bar has a scale of its own."""

    @rule
    def walk(numbers, table, path, k0, k1, fine):
        """Turn normals into what `spread` makes of them."""
        width = int(numbers.steps_per_bar)
        scales = np.empty(fine.size // width)
        fill_uniforms(scales, path, MIXING, k0, k1)
        for j in range(scales.size):
            sd = numbers.sd * look_up(table, scales[j])
            spread(fine, j * width, (j + 1) * width, sd, -0.5 * sd * sd)

    return walk


student_increments, student_deviations = spreading(student_walk)


class FatTailed(OnBars):
    """Noise that is Student-t on every bar."""

    tail_index: float = Field(default=3.2, gt=2, le=200)  # Student-t degrees of freedom (docs/method.md, section 11)
    noise_largest: float = Field(default=12.0, gt=1)  # cap of a bar's volatility over what was expected, illustrative

    def table(self, clock: Clock) -> np.ndarray:
        """Return the scales by probability, shape (2, COLUMNS)."""
        return scale_table(self.tail_index, self.noise_largest)


class StudentT(FatTailed, kind="student_t"):
    """Student-t returns on bars; exact at the bar, Brownian within it.  `vol_annual` is their root mean square."""

    vol_annual: float = Field(ge=0, le=10)
    increments = staticmethod(student_increments)
    deviations = staticmethod(student_deviations)

    def numbers(self, clock: Clock) -> dict[str, float]:
        """Return the standard deviation of a working step."""
        numbers = super().numbers(clock)
        return numbers | {"sd": self.vol_annual * math.sqrt(self.bar_years) * numbers["root_of_steps"]}
