"""Claims that cause claims: a Hawkes process."""

import math
from typing import Self

import numpy as np
from pydantic import Field

from stress.claims.base import Arrivals, Frequency, maximize
from stress.markets.hawkes import waiting_time
from stress.rules import kernel, rule

LEAD = 12.0  # relaxation times before the horizon: what an empty start leaves behind is below 1e-5
MOST_BRANCHING = 0.98
LONGEST = 0.1  # of the window: a longer memory cannot be told from a rate that changes
HOURS = 8760.0
BRIEFEST = 0.1  # of the shortest waiting time: no memory is seen that is shorter


@rule
def more_excited(numbers, excess, wait):
    """Return the excess of the rate right after a claim."""
    return excess * math.exp(-numbers.decay * wait) + numbers.kick


class Hawkes(Frequency, kind="hawkes"):
    """Every claim raises the rate by `branching` / memory, which decays with `memory_hours`; exact.

    `rate_per_year` is that of the long run: (1 - `branching`) of it comes by itself (Hawkes 1971).
    """

    rate_per_year: float = Field(default=10.0, gt=0)
    branching: float = Field(default=0.5, ge=0, lt=0.99)  # claims that one claim causes; illustrative
    memory_hours: float = Field(default=24.0, gt=0)  # illustrative
    waiting = staticmethod(waiting_time)
    excited = staticmethod(more_excited)

    def numbers(self) -> dict[str, float]:
        """Return rates by year."""
        decay = HOURS / self.memory_hours
        base = (1.0 - self.branching) * self.rate_per_year
        return {"base": base, "decay": decay, "kick": self.branching * decay}

    @property
    def mean_rate(self) -> float:
        """Claims a year in the long run."""
        return self.rate_per_year

    @property
    def lead_years(self) -> float:
        """Twelve relaxation times, memory / (1 - branching)."""
        return LEAD * self.memory_hours / HOURS / (1.0 - self.branching)

    @classmethod
    def fitted(cls, arrivals: Arrivals) -> tuple[Self, float]:
        """Return the law of maximum likelihood; see `log_likelihood`."""
        rate, shortest = arrivals.times.size / arrivals.years, float(arrivals.waits.min())

        def numbers(x: np.ndarray) -> tuple[float, float, float]:
            """Return base, branching and decay within their bounds."""
            decay = min(max(math.exp(min(x[2], 50.0)), 1.0 / (LONGEST * arrivals.years)), 1.0 / (BRIEFEST * shortest))
            return math.exp(min(x[0], 50.0)), MOST_BRANCHING / (1.0 + math.exp(min(-x[1], 50.0))), decay

        starts = [(math.log(0.6 * rate), -0.4, math.log(rate * k)) for k in (0.3, 3.0, 30.0)]
        found, best = maximize(lambda x: log_likelihood(arrivals, *numbers(x)), starts)
        base, branching, decay = numbers(found)
        return cls(rate_per_year=base / (1.0 - branching), branching=branching, memory_hours=HOURS / decay), best


@kernel
def excesses(waits, decay, first, out):
    """Fill `out` (n,) with the sum of exp(-decay x age) over the claims before each; `first` is 1 after a claim."""
    carried = first
    for i in range(waits.size):
        carried *= math.exp(-decay * waits[i])
        out[i] = carried
        carried += 1.0


def log_likelihood(arrivals: Arrivals, base: float, branching: float, decay: float) -> float:
    """Return the log-likelihood of a Hawkes process that nothing before the window has excited.

    ``sum ln rate(t_i) - integral of the rate``, the sums over earlier claims by recursion (Ogata 1978).
    """
    before = np.empty(arrivals.times.size)
    excesses(arrivals.waits, decay, float(arrivals.after_claim), before)
    ages = arrivals.years - np.concatenate([[0.0] if arrivals.after_claim else [], arrivals.times])
    integral = base * arrivals.years - branching * float(np.expm1(-decay * ages).sum())
    return float(np.log(base + branching * decay * before).sum()) - integral
