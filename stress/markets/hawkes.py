"""Jumps that excite jumps: Brownian motion with a Hawkes process of double-exponential jumps."""

import math

from pydantic import Field

from stress.markets.base import Clock
from stress.markets.gbm import gbm_increments
from stress.markets.jump_diffusion import JumpDiffusion
from stress.markets.jumps import MAX_JUMPS, DoubleExponentialJumps, double_exponential_size
from stress.randomness import JUMPS, uniform_pair
from stress.rules import rule


@rule
def waiting_time(numbers, excess, u, v):
    """Return the time, in steps, to the next event while base + excess exp(-decay t) is the rate; exact.

    The first of two independent clocks: one of the base, one of the excess, which may never ring (Dassios and Zhao
    2013, Electronic Communications in Probability 18).
    """
    base = -math.log(u) / numbers.base if numbers.base > 0.0 else math.inf
    if excess <= 0.0:
        return base
    rung = 1.0 + numbers.decay * math.log(v) / excess
    return min(base, -math.log(rung) / numbers.decay) if rung > 0.0 else base


@rule
def hawkes_increments(numbers, table, path, k0, k1, out):
    """Fill `out` with normal log-returns, add the jumps, and take off what they add on average at their rate."""
    gbm_increments(numbers, table, path, k0, k1, out)
    u, v = uniform_pair(0, path, JUMPS, k0, k1)
    time, excess, events = 0.0, numbers.start_excess, 0
    next_event = waiting_time(numbers, excess, u, v)
    for t in range(out.size):
        integral = numbers.base
        while next_event < t + 1.0 and events < MAX_JUMPS:
            before = excess
            excess *= math.exp(-numbers.decay * (next_event - time))
            integral += (before - excess) / numbers.decay
            excess += numbers.kick
            a, b = uniform_pair(2 * events + 1, path, JUMPS, k0, k1)
            out[t] += double_exponential_size(numbers, a, b)
            events += 1
            time = next_event
            u, v = uniform_pair(2 * events, path, JUMPS, k0, k1)
            next_event += waiting_time(numbers, excess, u, v)
        before = excess
        excess *= math.exp(-numbers.decay * (t + 1.0 - time))
        integral += (before - excess) / numbers.decay
        time = t + 1.0
        out[t] -= numbers.mean_jump * integral


class Hawkes(DoubleExponentialJumps, JumpDiffusion, kind="hawkes"):
    """Every jump raises the rate of jumps by `branching` / `memory_hours`, which decays with that memory; exact.

    `jumps_per_year` is the stationary rate: the base is (1 - `branching`) of it (Hawkes 1971).
    """

    jumps_per_year: float = JumpDiffusion.model_fields["jumps_per_year"].default
    branching: float = Field(default=0.5, ge=0, lt=0.99)  # jumps that one jump causes; illustrative
    memory_hours: float = Field(default=3.0, gt=0)  # illustrative
    start_rate: float | None = Field(default=None, ge=0)  # of the stationary rate above the base; absent: its mean
    increments = staticmethod(hawkes_increments)

    def numbers(self, clock: Clock) -> dict[str, float]:
        """Return the diffusion without jump drift, which moves with the rate, and the rates per step."""
        numbers, rate = super().numbers(clock), self.jumps_per_year * clock.step_years
        decay = clock.step_seconds / (self.memory_hours * 3600.0)
        share = self.branching if self.start_rate is None else self.start_rate
        return numbers | {
            "drift": numbers["drift"] - self.jump_drift() * clock.step_years,
            "base": (1.0 - self.branching) * rate,
            "decay": decay,
            "kick": self.branching * decay,
            "start_excess": share * rate,
            "mean_jump": self.mean_jump(),
        }

    def drivers(self, clock: Clock) -> tuple[()]:
        """Return nothing: one jump is not the likeliest way where jumps come in clusters."""
        return ()
