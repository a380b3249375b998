"""Brownian motion with Poisson jumps, whatever their sizes: what Merton's and Kou's prices share."""

from typing import Any

from stress.markets.base import Clock
from stress.markets.drivers import Driver, with_jump
from stress.markets.gbm import Gbm, gbm_increments
from stress.markets.jumps import Jumps
from stress.rules import rule


def jump_diffusion(add_jumps: Any) -> Any:
    """Compose `increments`: normal log-returns, and the jumps that ``add_jumps`` adds."""

    @rule
    def increments(numbers, table, path, k0, k1, out):
        """Fill `out` with normal log-returns, then add the jumps."""
        gbm_increments(numbers, table, path, k0, k1, out)
        add_jumps(numbers, path, k0, k1, out)

    return increments


class JumpDiffusion(Jumps, Gbm):
    """Exact at every step; `vol_annual` is that of the diffusion, `drift_annual` that of the price with its jumps."""

    jumps_per_year: float = 50.0  # hourly BTC jumps a year, 39-69 (docs/method.md, section 11)

    def problems(self, clock: Clock) -> list[tuple[str, str]]:
        """Refuse more jumps than are drawn."""
        return self.jump_problems(clock)

    def numbers(self, clock: Clock) -> dict[str, float]:
        """Return the diffusion's numbers, with the drift that makes up for the jumps."""
        found = Gbm.numbers(self, clock)
        drift = found["drift"] + self.jump_drift() * clock.step_years
        return found | {"drift": drift} | self.jump_numbers(clock)

    def drivers(self, clock: Clock) -> tuple[Driver, ...]:
        """Return the noise, and the noise with one jump to either side."""
        (noise,), expected = super().drivers(clock), self.jump_numbers(clock)["expected_jumps"]
        sides = [(name, share * expected, size) for name, share, size in self.jump_sides() if share * expected > 0.0]
        return noise, *(with_jump(noise, *side) for side in sides)
