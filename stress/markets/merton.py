"""Merton's jump diffusion: Brownian motion with Poisson jumps of normal log size."""

from stress.markets.base import Clock
from stress.markets.jump_diffusion import JumpDiffusion, jump_diffusion
from stress.markets.jumps import NormalJumps, adding, normal_size
from stress.markets.tilts import Drift, NormalJumpSizes, Tilts


class Merton(NormalJumps, JumpDiffusion, kind="merton"):
    """Merton (1976), Journal of Financial Economics 3, 125-144."""

    jumps_per_year: float = JumpDiffusion.model_fields["jumps_per_year"].default
    increments = staticmethod(jump_diffusion(adding(normal_size)))

    def tilts(self, clock: Clock) -> Tilts:
        """Return what may be drawn otherwise: the drift, and number and sizes of the jumps."""
        nominal = self.numbers(clock)
        return Tilts(Drift(nominal, clock.n_steps), NormalJumpSizes(nominal))
