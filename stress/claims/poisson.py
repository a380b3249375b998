"""Claims that know nothing of one another: a Poisson process."""

import math
from typing import Self

from pydantic import Field

from stress.claims.base import Arrivals, Frequency
from stress.rules import rule


@rule
def exponential_waiting(numbers, excess, u, v):
    """Return an exponential waiting time."""
    return -math.log(u) / numbers.rate if numbers.rate > 0.0 else math.inf


class Poisson(Frequency, kind="poisson"):
    """`rate_per_year` claims a year on average, whatever went before."""

    rate_per_year: float = Field(default=10.0, ge=0)
    waiting = staticmethod(exponential_waiting)
    memoryless = True

    def numbers(self) -> dict[str, float]:
        """Return the rate."""
        return {"rate": self.rate_per_year}

    @property
    def mean_rate(self) -> float:
        """Claims a year."""
        return self.rate_per_year

    @classmethod
    def fitted(cls, arrivals: Arrivals) -> tuple[Self, float]:
        """Return n / T and n ln(n / T) - n."""
        n = arrivals.times.size
        return cls(rate_per_year=n / arrivals.years), n * math.log(n / arrivals.years) - n
