"""How unequal are the accounts of a crowd?  Laws of size, before capping and scaling (docs/method.md, section 8).

The figures are those of 19,337 accounts that were auto-deleveraged in October 2025 (the public data set
``ConejoCapital/HyperMultiAssetedADL``).  They were winners, a selected sample, and so there are three laws:
a reserve that holds under one of them only is not a reserve.
"""

import math

import numpy as np
from pydantic import Field

from stress.registry import Part

P99 = 2.3263478740408408  # standard deviations


class SizeLaw(Part):
    """Family of size laws: ``draw(rng, n)`` returns `n` relative sizes, which the cohort caps and scales."""

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw relative sizes, positive, of no unit, shape (n,)."""
        raise TypeError(f"size law {self.kind!r} does not define its draw")


class LognormalPareto(SizeLaw, kind="lognormal_pareto"):
    """Log-normal body; above its 99th percentile a Pareto tail, whose top 1 % hold what those of the sample hold."""

    sigma: float = Field(default=2.0, ge=0, le=4)  # of log notional, illustrative: below the 2.7 of the whole sample
    tail_index: float = Field(default=1.05, gt=0.5, le=10)  # docs/method.md, section 11

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw the body, and a tail for those beyond its edge."""
        body = np.exp(self.sigma * rng.standard_normal(n))
        edge = math.exp(self.sigma * P99)
        tail = edge * rng.random(n) ** (-1.0 / self.tail_index)
        return np.where(body > edge, tail, body)


class Lognormal(SizeLaw, kind="lognormal"):
    """Log-normal throughout, the fit of the same sample: wider in the middle, without the heavy tail."""

    sigma: float = Field(default=2.7, ge=0, le=4)  # of log notional (docs/method.md, section 11)

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw about a median of one."""
        return np.exp(self.sigma * rng.standard_normal(n))


class Pareto(SizeLaw, kind="pareto"):
    """A power law from the smallest account up, P(size > x) = (smallest / x)^index: the same tail, a narrow body."""

    tail_index: float = Field(default=1.05, gt=0.5, le=10)  # docs/method.md, section 11

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw multiples of the smallest account."""
        return rng.random(n) ** (-1.0 / self.tail_index)
