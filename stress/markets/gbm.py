"""Geometric Brownian motion: the textbook price, for oracles and comparison."""

import math

from pydantic import Field

from stress.markets.base import Clock, Market
from stress.markets.drivers import Driver, noise_driver
from stress.markets.tilts import Drift, Tilts
from stress.randomness import NOISE, fill_normals
from stress.rules import rule


@rule
def gbm_increments(numbers, table, path, k0, k1, out):
    """Fill `out` with independent normal log-returns."""
    fill_normals(out, path, NOISE, k0, k1)
    for t in range(out.size):
        out[t] = numbers.drift + numbers.sd * out[t]


@rule
def gbm_deviations(numbers, table, path, k0, k1, out):
    """Fill `out` with the standard deviation of a step's noise."""
    out[:] = numbers.sd


class Gbm(Market, kind="gbm"):
    """Log-returns N((mu - sigma^2/2) dt, sigma^2 dt); with mu = 0 the price is a martingale."""

    vol_annual: float = Field(ge=0, le=10)
    drift_annual: float = Field(default=0.0, ge=-10, le=10)  # of the price
    increments = staticmethod(gbm_increments)
    deviations = staticmethod(gbm_deviations)

    def numbers(self, clock: Clock) -> dict[str, float]:
        """Return log drift and standard deviation of one step."""
        variance = self.vol_annual * self.vol_annual * clock.step_years
        return {"drift": self.drift_annual * clock.step_years - 0.5 * variance, "sd": math.sqrt(variance)}

    def tilts(self, clock: Clock) -> Tilts:
        """Return what may be drawn otherwise: the drift."""
        return Tilts(Drift(self.numbers(clock), clock.n_steps))

    def drivers(self, clock: Clock) -> tuple[Driver, ...]:
        """Return the noise."""
        nominal = self.numbers(clock)
        return (noise_driver(nominal["drift"], nominal["sd"], clock.n_steps, clock.step_seconds),)
