"""Claims with a memory of the last one only: a renewal process with Weibull waiting times."""

import math
from typing import Self

import numpy as np
from pydantic import Field
from scipy.special import gamma

from stress.claims.base import LEAST, Arrivals, Frequency, maximize
from stress.rules import rule

LEAD = 50.0  # mean waiting times before the horizon


@rule
def weibull_waiting(numbers, excess, u, v):
    """Return a Weibull waiting time."""
    return numbers.scale * math.exp(math.log(-math.log(u)) * numbers.power)


class Renewal(Frequency, kind="renewal"):
    """Weibull waiting times of mean 1 / `rate_per_year`: `shape` below 1 bunches claims, above 1 spaces them."""

    rate_per_year: float = Field(default=10.0, gt=0)
    shape: float = Field(default=1.0, ge=0.1, le=20)
    waiting = staticmethod(weibull_waiting)

    def numbers(self) -> dict[str, float]:
        """Return the scale, in years, and the inverse of the shape."""
        power = 1.0 / self.shape
        return {"scale": 1.0 / (self.rate_per_year * float(gamma(1.0 + power))), "power": power}

    @property
    def mean_rate(self) -> float:
        """Claims a year."""
        return self.rate_per_year

    @property
    def lead_years(self) -> float:
        """Fifty mean waiting times: where in a waiting time the horizon begins is then random."""
        return LEAD / self.rate_per_year

    @classmethod
    def fitted(cls, arrivals: Arrivals) -> tuple[Self, float]:
        """Return the law of maximum likelihood; see `log_likelihood`."""
        rate = math.log(arrivals.times.size / arrivals.years)
        found, best = maximize(lambda x: log_likelihood(arrivals, *np.exp(x)), [(rate, 0.0), (rate, -0.7)])
        return cls(rate_per_year=math.exp(found[0]), shape=math.exp(found[1])), best


def log_likelihood(arrivals: Arrivals, rate: float, shape: float) -> float:
    """Return the log-likelihood of a stationary renewal process of Weibull waiting times.

    A window that begins with a claim has whole waiting times and one that is cut off at the end; else the first is
    what is left of one, of density ``rate x P(wait > t)`` (Cox 1962, Renewal Theory, chapter 5).
    """
    scale = 1.0 / (rate * float(gamma(1.0 + 1.0 / shape)))
    x = np.maximum(arrivals.waits / scale, LEAST)
    whole = x if arrivals.after_claim else x[1:]
    density = math.log(shape / scale) + (shape - 1.0) * np.log(whole) - whole**shape
    first = 0.0 if arrivals.after_claim else math.log(rate) - float(x[0] ** shape)
    return float(density.sum()) + first - (arrivals.quiet / scale) ** shape
