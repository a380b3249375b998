"""Kou's jump diffusion: Brownian motion with Poisson jumps whose log sizes are exponential on either side."""

from stress.markets.jump_diffusion import JumpDiffusion, jump_diffusion
from stress.markets.jumps import DoubleExponentialJumps, adding, double_exponential_size


class Kou(DoubleExponentialJumps, JumpDiffusion, kind="kou"):
    """Kou (2002), Management Science 48, 1086-1101."""

    jumps_per_year: float = JumpDiffusion.model_fields["jumps_per_year"].default
    increments = staticmethod(jump_diffusion(adding(double_exponential_size)))
