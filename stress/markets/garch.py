"""GARCH and GJR-GARCH with Student-t noise on the clock that they were fitted on, with or without jumps."""

import math
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from pydantic import Field

from stress.markets.bars import drawn_start, spreading
from stress.markets.base import Clock
from stress.markets.jumps import NormalJumps, adding, normal_size
from stress.markets.starts import Starts
from stress.markets.student_t import FatTailed
from stress.markets.tails import COLUMNS, NORMAL, look_up, raise_below
from stress.randomness import MIXING, VOLATILITY, fill_uniforms, uniform_pair
from stress.rules import rule

CHAINS, MOST_BARS = 2_048, 12_100  # fewest and most of the simulation of the stationary law; bars: persistence 0.9995
DRAWS = 10_000_000  # of a bar, from which the law of a short memory has more chains
add_jumps = adding(normal_size)


@rule
def next_variance(numbers, variance, shock):
    """Return h' = omega + (alpha + gamma 1[e < 0]) e^2 + beta h, capped (Glosten, Jagannathan and Runkle 1993)."""
    weight = numbers.alpha + numbers.gamma if shock < 0.0 else numbers.alpha
    return min(numbers.omega + weight * shock * shock + numbers.beta * variance, numbers.largest)


def garch_walk(spread):
    """Return the walk over bars: the noise of a bar decides the variance of the next."""

    @rule
    def walk(numbers, table, path, k0, k1, fine):
        """Turn normals into what `spread` makes of them."""
        width = int(numbers.steps_per_bar)
        scales = np.empty(fine.size // width)
        fill_uniforms(scales, path, MIXING, k0, k1)
        variance = drawn_start(table[2], uniform_pair(0, path, VOLATILITY, k0, k1)[0])
        for j in range(scales.size):
            sd = math.sqrt(variance) * look_up(table, scales[j]) * numbers.root_of_steps
            shock = spread(fine, j * width, (j + 1) * width, sd, numbers.drift - 0.5 * sd * sd)
            variance = next_variance(numbers, variance, shock)

    return walk


walk_bars, garch_deviations = spreading(garch_walk)


@rule
def garch_increments(numbers, table, path, k0, k1, out):
    """Fill `out` with the log-returns of bars, then add jumps, which leave the variance as it is."""
    walk_bars(numbers, table, path, k0, k1, out)
    add_jumps(numbers, path, k0, k1, out)


class Recursion(Starts):
    """Coefficients of the variance; `vol_annual` is the square root of its stationary mean, but for the cap.

    The cap takes 11 % off the mean variance of the defaults, and five sixths of it at a persistence of 0.9995.
    """

    vol_annual: float = Field(default=0.7, gt=0, le=5)  # of hourly BTC returns, 0.72 (docs/method.md, section 11)
    alpha: float = Field(default=0.07, ge=0, lt=1)  # hourly BTC: 0.08 (docs/method.md, section 11)
    beta: float = Field(default=0.92, ge=0, lt=1)  # hourly BTC: 0.91 (docs/method.md, section 11)
    gamma: float = Field(default=0.0, ge=0, lt=1)  # extra weight of falls: 0.016, weak (docs/method.md, section 11)
    vol_largest_annual: float = Field(default=10.0, gt=0)  # cap of the variance; March 2020 had hours of 9

    def persistence(self) -> float:
        """Return alpha + beta + gamma / 2, how much of a deviation is left after a bar."""
        return self.alpha + self.beta + 0.5 * self.gamma

    def recursion_numbers(self, unit: float) -> dict[str, float]:
        """Return the coefficients for variances of bars of `unit` years."""
        mean = self.vol_annual * self.vol_annual * unit
        return {
            "omega": mean * (1.0 - self.persistence()),
            "alpha": self.alpha,
            "beta": self.beta,
            "gamma": self.gamma,
            "largest": self.vol_largest_annual * self.vol_largest_annual * unit,
        }

    def filtered(self, returns: np.ndarray, unit: float) -> np.ndarray:
        """Return the variance that was expected of each of these log-returns of bars of `unit` years, shape (n,)."""
        c, variance = SimpleNamespace(**self.recursion_numbers(unit)), self.vol_annual**2 * unit
        expected = []
        for shock in returns.tolist():
            expected.append(variance)
            variance = next_variance(c, variance, shock)
        return np.array(expected)

    def recursion_problems(self) -> list[tuple[str, str]]:
        """Refuse a variance without a stationary mean, and a cap below it."""
        found = []
        if self.persistence() >= 1.0:
            found.append(("alpha", f"alpha + beta + gamma / 2 = {self.persistence():.4g}, must be below 1"))
        if self.vol_largest_annual <= self.vol_annual:
            found.append(("vol_largest_annual", f"must be above vol_annual = {self.vol_annual:g}"))
        return found


class Garch(Recursion, NormalJumps, FatTailed, kind="garch"):
    """GARCH(1,1) or, with `gamma`, GJR: exact at the bar, Brownian within it (Bollerslev 1987)."""

    increments = staticmethod(garch_increments)
    deviations = staticmethod(garch_deviations)

    def problems(self, clock: Clock) -> list[tuple[str, str]]:
        """Refuse what has no stationary law and what does not fit the clock."""
        return FatTailed.problems(self, clock) + self.jump_problems(clock) + self.recursion_problems()

    def numbers(self, clock: Clock) -> dict[str, float]:
        """Return the coefficients per bar, and the jumps."""
        numbers = FatTailed.numbers(self, clock) | self.jump_numbers(clock) | self.recursion_numbers(self.bar_years)
        return numbers | {"drift": self.jump_drift() * self.bar_years / numbers["steps_per_bar"]}

    def table(self, clock: Clock) -> np.ndarray:
        """Return the scales of the noise and the variances to start from, shape (3, COLUMNS)."""
        return np.vstack([super().table(clock), self.start_row(COLUMNS, self.bar_years)])

    def stationary(self, at: np.ndarray) -> np.ndarray:
        """Return quantiles of the stationary variance, simulated: it has no closed form."""
        return np.quantile(simulated(self, partial(capped_t, self.tail_index, self.noise_largest)), at)


def capped_t(nu: float, cap: float, rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw unit Student-t noise whose scale is capped as in `scale_table`, shape (n,)."""
    if nu >= NORMAL:
        return rng.standard_normal(n)
    scales = raise_below(nu, cap) * np.sqrt((nu - 2.0) / rng.chisquare(nu, n))
    return rng.standard_normal(n) * np.minimum(scales, cap)


def simulated(recursion: Recursion, noise: Any) -> np.ndarray:
    """Return a year's variances of many independent chains after their start is forgotten, shape (n,).

    ``noise(rng, n)`` draws a bar's noise in units of its volatility.
    """
    c, rng = SimpleNamespace(**recursion.recursion_numbers(1.0)), np.random.default_rng(0)
    n_bars = min(MOST_BARS, 50 + round(6.0 / (1.0 - recursion.persistence())))
    chains = max(CHAINS, DRAWS // n_bars)
    variance = np.full(chains, recursion.vol_annual**2)
    kept = []
    for bar in range(n_bars):
        shock = np.sqrt(variance) * noise(rng, chains)
        weight = c.alpha + np.where(shock < 0.0, c.gamma, 0.0)
        variance = np.minimum(c.omega + weight * shock * shock + c.beta * variance, c.largest)
        if bar >= n_bars // 2 and bar % 8 == 0:
            kept.append(variance)
    return np.concatenate(kept)
