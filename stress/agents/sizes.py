"""How unequal are the accounts of a crowd?  Laws of size, before capping and scaling (docs/method.md, section 8).

The figures are those of 19,337 accounts that were auto-deleveraged in October 2025 (the public data set
``ConejoCapital/HyperMultiAssetedADL``).  They were winners, a selected sample, and so there are three laws:
a reserve that holds under one of them only is not a reserve.  A venue that knows its accounts gives a sample or a list.
"""

import math

import numpy as np
from pydantic import Field, model_validator
from scipy.special import ndtr

from stress.agents.samples import MAX_POINTS, Positive, Sampled, log_linear, quantiles_of
from stress.registry import Part

P99 = 2.3263478740408408  # standard deviations


class SizeLaw(Part):
    """Family of size laws: ``draw(rng, n)`` returns `n` relative sizes, which the cohort caps and scales."""

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw relative sizes, positive, of no unit, shape (n,)."""
        raise TypeError(f"size law {self.kind!r} does not define its draw")

    def survival(self, size: np.ndarray) -> np.ndarray:
        """Return the share of accounts larger than each size, shape as given."""
        raise TypeError(f"size law {self.kind!r} does not define its survival")

    def amounts_usd(self, n: int) -> np.ndarray | None:
        """Return the sizes in USD, shape (n,), that are taken as they are; none if sizes are relative."""
        return None

    def problems(self, n: int) -> list[tuple[str, str]]:
        """Return (key, message) if `n` accounts of one side cannot have these sizes."""
        return []


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

    def survival(self, size: np.ndarray) -> np.ndarray:
        """Return that of the body, and from its edge on 1 % (edge / size)^index."""
        edge = math.exp(self.sigma * P99)
        tail = ndtr(-P99) * np.maximum(size / edge, 1.0) ** -self.tail_index
        return np.where(size > edge, tail, lognormal_survival(size, self.sigma))


class Lognormal(SizeLaw, kind="lognormal"):
    """Log-normal throughout, the fit of the same sample: wider in the middle, without the heavy tail."""

    sigma: float = Field(default=2.7, ge=0, le=4)  # of log notional (docs/method.md, section 11)

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw about a median of one."""
        return np.exp(self.sigma * rng.standard_normal(n))

    def survival(self, size: np.ndarray) -> np.ndarray:
        """Return 1 - Phi(log(size) / sigma)."""
        return lognormal_survival(size, self.sigma)


class Pareto(SizeLaw, kind="pareto"):
    """A power law from the smallest account up, P(size > x) = (smallest / x)^index: the same tail, a narrow body."""

    tail_index: float = Field(default=1.05, gt=0.5, le=10)  # docs/method.md, section 11

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw multiples of the smallest account."""
        return rng.random(n) ** (-1.0 / self.tail_index)

    def survival(self, size: np.ndarray) -> np.ndarray:
        """Return size^-index, and 1 below the smallest."""
        return np.maximum(size, 1.0) ** -self.tail_index


class Empirical(Sampled, SizeLaw, kind="empirical"):
    """A table of quantiles, log-uniform in between: typed, or of a `column` of a `file`."""

    probabilities: tuple[float, ...] = Field(min_length=2, max_length=MAX_POINTS)  # from 0 to 1, rising
    quantiles: tuple[Positive, ...]  # of size, in any unit

    @model_validator(mode="after")
    def _is_a_table(self) -> "Empirical":
        at, size = self.probabilities, self.quantiles
        if len(at) != len(size):
            raise ValueError(f"quantiles: {len(size)} values for {len(at)} probabilities")
        if at[0] != 0.0 or at[-1] != 1.0 or min(np.diff(at)) <= 0.0:
            raise ValueError("probabilities: should rise from 0 to 1")
        if min(np.diff(size)) < 0.0:
            raise ValueError("quantiles: should not fall")
        return self

    @classmethod
    def table_of(cls, sample: np.ndarray) -> dict[str, list[float]]:
        """Return the quantiles of a sample."""
        at, size = quantiles_of(sample)
        return {"probabilities": at, "quantiles": size}

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw by inversion."""
        return log_linear(rng.random(n), self.probabilities, self.quantiles)

    def survival(self, size: np.ndarray) -> np.ndarray:
        """Return one minus the table's probability."""
        return 1.0 - np.interp(np.log(size), np.log(self.quantiles), self.probabilities)


class Enumerated(SizeLaw):
    """What laws that list their sizes share: each side takes the list from the start, as often as it fits."""

    @property
    def listed(self) -> tuple[float, ...]:
        """The list."""
        raise TypeError(f"size law {self.kind!r} does not define its list")

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Return the list, repeated."""
        return np.resize(np.array(self.listed), n)

    def survival(self, size: np.ndarray) -> np.ndarray:
        """Return the share of the list that is larger."""
        return 1.0 - np.searchsorted(np.sort(self.listed), size, side="right") / len(self.listed)

    def amounts_usd(self, n: int) -> np.ndarray | None:
        """Return the sizes in USD, shape (n,), that are taken as they are; none if sizes are relative."""
        return None

    def problems(self, n: int) -> list[tuple[str, str]]:
        """Refuse a side that takes a part of the list only."""
        if n % len(self.listed) == 0:
            return []
        return [("count", f"{n} accounts of one side are not a multiple of the {len(self.listed)} sizes listed")]


class Listed(Enumerated, kind="list"):
    """Sizes one by one, relative to each other."""

    sizes: tuple[Positive, ...] = Field(min_length=1, max_length=100_000)

    @property
    def listed(self) -> tuple[float, ...]:
        """The list."""
        return self.sizes


class ListedUsd(Enumerated, kind="list_usd"):
    """Sizes one by one in USD, which nothing scales or caps: the cohort's shares say what they add up to."""

    sizes_usd: tuple[Positive, ...] = Field(min_length=1, max_length=100_000)

    @property
    def listed(self) -> tuple[float, ...]:
        """The list."""
        return self.sizes_usd

    def amounts_usd(self, n: int) -> np.ndarray:
        """Return the list, repeated."""
        return np.resize(np.array(self.listed), n)


def lognormal_survival(size: np.ndarray, sigma: float) -> np.ndarray:
    """Return the share above each size of a log-normal law of median one, shape as given."""
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.log(size) / sigma if sigma > 0.0 else np.where(size < 1.0, -np.inf, np.inf)
    return ndtr(-score)
