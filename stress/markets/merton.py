"""Merton's jump diffusion: Brownian motion with Poisson jumps of normal log size."""

from stress.markets.jump_diffusion import JumpDiffusion, jump_diffusion
from stress.markets.jumps import NormalJumps, adding, normal_size


class Merton(NormalJumps, JumpDiffusion, kind="merton"):
    """Merton (1976), Journal of Financial Economics 3, 125-144."""

    jumps_per_year: float = JumpDiffusion.model_fields["jumps_per_year"].default
    increments = staticmethod(jump_diffusion(adding(normal_size)))
