"""Heston's stochastic variance, in the quadratic-exponential scheme on a clock of its own."""

import math

import numpy as np
from pydantic import Field

from stress.markets.bars import OnBars, drawn_start, spreading
from stress.markets.base import Clock
from stress.markets.starts import Starts
from stress.randomness import MIXING, VOLATILITY, sine_cosine, uniform_pair
from stress.rules import rule

CELLS = 1_024  # equally likely variances to start from
SWITCH = 1.5  # psi at which the scheme changes its branch (Andersen 2008, section 3.2.3)


@rule
def next_heston(numbers, variance, u, v):
    """Return (v', ln E exp(a v')) after one bar; mean and variance of v' are exact (Andersen 2008).

    The second is what makes the price a martingale (his section 4.2), with a = ``numbers.exponent``.
    """
    mean = numbers.theta + (variance - numbers.theta) * numbers.decay
    psi = (variance * numbers.spread_now + numbers.spread_mean) / (mean * mean)
    a = numbers.exponent
    if psi <= SWITCH:
        b2 = 2.0 / psi - 1.0 + math.sqrt(2.0 / psi) * math.sqrt(2.0 / psi - 1.0)
        size = mean / (1.0 + b2)
        root = math.sqrt(b2) + math.sqrt(-2.0 * math.log(u)) * sine_cosine(v)[0]
        return size * root * root, a * b2 * size / (1.0 - 2.0 * a * size) - 0.5 * math.log(1.0 - 2.0 * a * size)
    zero = (psi - 1.0) / (psi + 1.0)
    rate = (1.0 - zero) / mean
    following = 0.0 if u <= zero else math.log((1.0 - zero) / (1.0 - u)) / rate
    return following, math.log(zero + rate * (1.0 - zero) / (rate - a))


def heston_walk(spread):
    """Return the walk over bars: a bar has the mean of the variances at its ends."""

    @rule
    def walk(numbers, table, path, k0, k1, fine):
        """Turn normals into what `spread` makes of them."""
        width = int(numbers.steps_per_bar)
        variance = drawn_start(table[0], uniform_pair(0, path, MIXING, k0, k1)[0])
        for j in range(fine.size // width):
            u, v = uniform_pair(j, path, VOLATILITY, k0, k1)
            following, log_mean = next_heston(numbers, variance, u, v)
            pooled = 0.5 * numbers.own * (variance + following)
            drift = numbers.after * following - log_mean - 0.5 * numbers.own * 0.5 * variance
            sd = math.sqrt(pooled) * numbers.root_of_steps
            spread(fine, j * width, (j + 1) * width, sd, drift / width + numbers.drift)
            variance = following

    return walk


heston_increments, heston_deviations = spreading(heston_walk)


class Heston(Starts, OnBars, kind="heston"):
    """dv = kappa (theta - v) dt + xi sqrt(v) dW, theta = `vol_annual`^2; quadratic-exponential scheme.

    Mean and variance of v are exact at every bar, its law nearly so, the price is a martingale (Andersen 2008,
    Journal of Computational Finance 11(3)).  Between bars the variance stands still.
    """

    vol_annual: float = Field(default=0.7, gt=0, le=5)  # of hourly BTC returns, 0.72 (docs/method.md, section 11)
    reversion_per_year: float = Field(default=60.0, gt=0, le=10_000)  # kappa; illustrative
    vol_of_vol: float = Field(default=7.0, gt=0, le=500)  # xi, per root of a year; illustrative
    correlation: float = Field(default=-0.05, ge=-0.95, le=0.95)  # of price and variance: weak in BTC
    increments = staticmethod(heston_increments)
    deviations = staticmethod(heston_deviations)

    def numbers(self, clock: Clock) -> dict[str, float]:
        """Return the coefficients of one bar."""
        unit, kappa, xi, rho = self.bar_years, self.reversion_per_year, self.vol_of_vol, self.correlation
        theta, decay = self.vol_annual**2, math.exp(-kappa * unit)
        after = 0.5 * unit * (kappa * rho / xi - 0.5) + rho / xi
        own = unit * (1.0 - rho * rho)
        return super().numbers(clock) | {
            "theta": theta,
            "decay": decay,
            "spread_now": xi * xi * decay * -math.expm1(-kappa * unit) / kappa,
            "spread_mean": 0.5 * theta * xi * xi * math.expm1(-kappa * unit) ** 2 / kappa,
            "after": after,
            "own": own,
            "exponent": after + 0.25 * own,
            "drift": 0.0,
        }

    def table(self, clock: Clock) -> np.ndarray:
        """Return the variances to start from, shape (1, CELLS)."""
        return self.start_row(CELLS, 1.0)[None, :]

    def stationary(self, at: np.ndarray) -> np.ndarray:
        """Return quantiles of the gamma law with shape 2 kappa theta / xi^2 (Cox, Ingersoll and Ross 1985)."""
        from scipy.special import gammaincinv

        ratio = 2.0 * self.reversion_per_year / self.vol_of_vol**2
        return gammaincinv(ratio * self.vol_annual**2, at) / ratio
