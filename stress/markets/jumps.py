"""Jumps that come as a Poisson process: what Merton's, Kou's and Bates's prices and GARCH with jumps share."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from pydantic import Field
from scipy.special import log_ndtr

from stress.markets.base import Clock
from stress.randomness import JUMPS, sine_cosine, uniform_pair
from stress.registry import Settings
from stress.rules import rule

MAX_JUMPS = 1_000  # of one path
MOST_EXPECTED = 500.0  # jumps of one path: never is a path asked for MAX_JUMPS

Side = tuple[str, float, Callable[[np.ndarray], np.ndarray]]


@rule
def poisson_count(u, mean):
    """Return the number of events at probability `u`, by inversion."""
    n, weight = 0, math.exp(-mean)
    total = weight
    while u > total and n < MAX_JUMPS:
        n += 1
        weight *= mean / n
        total += weight
    return n


@rule
def normal_size(numbers, u, v):
    """Return a normal log size (Merton 1976)."""
    return numbers.jump_mean + numbers.jump_sd * math.sqrt(-2.0 * math.log(u)) * sine_cosine(v)[0]


@rule
def double_exponential_size(numbers, u, v):
    """Return a log size that is exponential on either side (Kou 2002)."""
    return numbers.jump_up * math.log(u) * -1.0 if v >= numbers.jump_down_share else numbers.jump_down * math.log(u)


def adding(size: Any) -> Any:
    """Compose the rule that adds Poisson jumps of ``size(numbers, u, v)`` at random times to a path's log-returns."""

    @rule
    def add(numbers, path, k0, k1, out):
        """Add the jumps; when one comes does not depend on the step."""
        u, _ = uniform_pair(0, path, JUMPS, k0, k1)
        for j in range(poisson_count(u, numbers.expected_jumps)):
            when, _ = uniform_pair(2 * j + 1, path, JUMPS, k0, k1)
            a, b = uniform_pair(2 * j + 2, path, JUMPS, k0, k1)
            out[int(when * out.size)] += size(numbers, a, b)

    return add


class Jumps(Settings):
    """How often a price jumps; the sizes are a subclass's."""

    jumps_per_year: float = Field(default=0.0, ge=0, le=100_000)

    def mean_jump(self) -> float:
        """Return E exp(size) - 1."""
        raise TypeError(f"{type(self).__name__} does not define its mean jump")

    def jump_sides(self) -> Iterator[Side]:
        """Yield name, share of the jumps, and the log size by a standard normal, of jumps that are told apart."""
        raise TypeError(f"{type(self).__name__} does not define the sides of its jumps")

    def jump_drift(self) -> float:
        """Return the log drift per year that makes up for the jumps on average: -rate x E (exp(size) - 1)."""
        return -self.jumps_per_year * self.mean_jump()

    def jump_numbers(self, clock: Clock) -> dict[str, float]:
        """Return what the rules need."""
        return {"expected_jumps": self.jumps_per_year * clock.step_years * clock.n_steps}

    def jump_problems(self, clock: Clock) -> list[tuple[str, str]]:
        """Refuse more jumps than a path is drawn with."""
        expected = self.jumps_per_year * clock.step_years * clock.n_steps
        if expected <= MOST_EXPECTED:
            return []
        return [("jumps_per_year", f"makes {expected:,.0f} jumps a path, above {MOST_EXPECTED:g}")]


class NormalJumps(Jumps):
    """Jumps of normal log size."""

    jump_mean: float = Field(default=-0.005, ge=-0.5, le=0.5)  # log; illustrative
    jump_sd: float = Field(default=0.03, ge=0, le=0.5)  # log; mean |jump| of 2.7-4.2 % (docs/method.md, section 11)

    def mean_jump(self) -> float:
        """Return E exp(size) - 1 = exp(mu + delta^2 / 2) - 1."""
        return math.expm1(self.jump_mean + 0.5 * self.jump_sd * self.jump_sd)

    def jump_sides(self) -> Iterator[Side]:
        """Yield one side: a normal size goes either way."""
        yield "jump", 1.0, lambda normal: self.jump_mean + self.jump_sd * normal

    def jump_numbers(self, clock: Clock) -> dict[str, float]:
        """Return rate, mean and spread."""
        return super().jump_numbers(clock) | {"jump_mean": self.jump_mean, "jump_sd": self.jump_sd}


class DoubleExponentialJumps(Jumps):
    """Jumps whose log size is exponential on either side."""

    jump_up: float = Field(default=0.025, gt=0, lt=0.5)  # mean log size upward; illustrative
    jump_down: float = Field(default=0.03, gt=0, lt=0.5)  # mean log size downward; illustrative
    jump_down_share: float = Field(default=0.55, ge=0, le=1)  # 52-63 % of BTC jumps (docs/method.md, section 11)

    def mean_jump(self) -> float:
        """Return E exp(size) - 1 = (1 - q) / (1 - m_up) + q / (1 + m_down) - 1."""
        up, down = 1.0 / (1.0 - self.jump_up), 1.0 / (1.0 + self.jump_down)
        return (1.0 - self.jump_down_share) * up + self.jump_down_share * down - 1.0

    def jump_sides(self) -> Iterator[Side]:
        """Yield falls and rises; an exponential size is exceeded with the probability of its normal."""
        yield "jump, fall", self.jump_down_share, lambda normal: self.jump_down * log_ndtr(-normal)
        yield "jump, rise", 1.0 - self.jump_down_share, lambda normal: -self.jump_up * log_ndtr(-normal)

    def jump_numbers(self, clock: Clock) -> dict[str, float]:
        """Return rate, means and the share that goes down."""
        names = ("jump_up", "jump_down", "jump_down_share")
        return super().jump_numbers(clock) | {name: getattr(self, name) for name in names}
