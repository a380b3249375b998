"""How old are positions?  Laws of age about a mean of one, before survivors are picked (docs/method.md, section 8)."""

import numpy as np
from pydantic import Field

from stress.registry import Part


class AgeLaw(Part):
    """Family of laws of age: ``draw(rng, n)`` returns `n` ages over their mean."""

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw ages, 0 or more, of mean one, shape (n,)."""
        raise TypeError(f"law of age {self.kind!r} does not define its draw")


class Exponential(AgeLaw, kind="exponential"):
    """Positions that are closed at a constant rate: neither young nor old ones leave more often."""

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw from the standard exponential law."""
        return rng.standard_exponential(n)


class LognormalAge(AgeLaw, kind="lognormal"):
    """Many young positions and a few very old ones: exp(sigma z - sigma^2 / 2)."""

    sigma: float = Field(default=1.5, ge=0, le=5)  # of log age, illustrative

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw about a median of exp(-sigma^2 / 2)."""
        return np.exp(self.sigma * (rng.standard_normal(n) - 0.5 * self.sigma))
