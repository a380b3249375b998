"""How levered are the accounts of a crowd?  Laws of leverage, before any cap (docs/method.md, section 8).

A law is a rising function of a standard normal score, so that any of them can depend on size and side
(`agents.copulas`).  It is a law of accounts, and of open interest too as far as leverage does not depend on size.
"""

import math
from itertools import pairwise
from typing import Self

import numpy as np
from pydantic import Field, model_validator
from scipy.special import betaincinv, hyp1f1, ndtr

from stress.agents.recorded import load
from stress.agents.samples import MAX_POINTS, Positive, Sampled, Weight, log_linear, quantiles_of
from stress.registry import Part


class LeverageLaw(Part):
    """Family of leverage laws: ``quantile(score)`` is the leverage of the account with this standard normal score."""

    factor: float = Field(default=1.0, gt=0, le=1_000)  # of every leverage: one number to vary, whatever the law

    def quantile(self, score: np.ndarray) -> np.ndarray:
        """Return leverage without the factor, rising in the score, shape as given."""
        raise TypeError(f"leverage law {self.kind!r} does not define its quantile")

    def average(self) -> float:
        """Return the mean of the law without the factor."""
        raise TypeError(f"leverage law {self.kind!r} does not define its average")

    def of(self, score: np.ndarray) -> np.ndarray:
        """Return the leverage of accounts with these scores, shape as given."""
        return self.factor * self.quantile(score)

    @property
    def mean(self) -> float:
        """Mean leverage before any cap."""
        return self.factor * self.average()

    @property
    def middle(self) -> float:
        """Median leverage before any cap."""
        return float(self.of(np.zeros(1))[0])


class Lognormal(LeverageLaw, kind="lognormal"):
    """Log-normal about its median."""

    median: float = Field(default=8.3, ge=1, le=200)  # of isolated positions (docs/method.md, section 11)
    sigma: float = Field(default=0.6, ge=0, le=3)  # of log leverage, illustrative

    def quantile(self, score: np.ndarray) -> np.ndarray:
        """Return median exp(sigma z)."""
        return self.median * np.exp(self.sigma * score)

    def average(self) -> float:
        """Return median exp(sigma^2 / 2)."""
        return self.median * math.exp(0.5 * self.sigma * self.sigma)


class BetaLog(LeverageLaw, kind="beta_log"):
    """Log leverage between two ends follows a beta law: bounded, skewed either way, with two humps if a, b < 1."""

    low: float = Field(default=1.0, ge=1, le=200)
    high: float = Field(default=125.0, ge=1, le=200)
    a: float = Field(default=2.0, gt=0, le=1_000)  # illustrative, as is b: median 4.6x, nine tenths below 17x
    b: float = Field(default=4.0, gt=0, le=1_000)

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low: {self.low:g} is not below high {self.high:g}")
        return self

    def quantile(self, score: np.ndarray) -> np.ndarray:
        """Return low (high / low)^B, where B is the beta quantile of the score's probability."""
        return self.low * np.exp(math.log(self.high / self.low) * betaincinv(self.a, self.b, ndtr(score)))

    def average(self) -> float:
        """Return low 1F1(a; a + b; log(high / low)): the beta law's moment generating function."""
        return self.low * float(hyp1f1(self.a, self.a + self.b, math.log(self.high / self.low)))


class Popular(LeverageLaw, kind="popular"):
    """A mixture of the leverages that order forms offer, each with a weight (illustrative: no venue publishes them)."""

    leverages: tuple[Positive, ...] = Field(
        default=(1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 25.0, 50.0, 75.0, 100.0, 125.0), min_length=1, max_length=MAX_POINTS
    )
    weights: tuple[Weight, ...] = (5.0, 8.0, 10.0, 17.0, 22.0, 16.0, 6.0, 8.0, 3.0, 4.0, 1.0)

    @model_validator(mode="after")
    def _one_weight_each(self) -> Self:
        for key, message in weight_problems(self.weights, len(self.leverages), "leverages"):
            raise ValueError(f"{key}: {message}")
        check_rises("leverages", self.leverages)
        return self

    def quantile(self, score: np.ndarray) -> np.ndarray:
        """Return the leverage in whose share the score's probability falls."""
        below = np.cumsum(self.weights)
        return np.array(self.leverages)[np.searchsorted(below[:-1] / below[-1], ndtr(score), side="right")]

    def average(self) -> float:
        """Return the weighted mean."""
        return float(np.average(self.leverages, weights=self.weights))


class Histogram(Sampled, LeverageLaw, kind="histogram"):
    """Shares between edges, log-uniform inside each bin; two equal edges hold a share at one leverage.

    Either `edges` and `weights`, or `file` and `column` of a sample of leverages.
    """

    edges: tuple[Positive, ...] = Field(min_length=2, max_length=MAX_POINTS)
    weights: tuple[Weight, ...]

    @model_validator(mode="after")
    def _one_weight_a_bin(self) -> Self:
        for key, message in weight_problems(self.weights, len(self.edges) - 1, "bins between the edges"):
            raise ValueError(f"{key}: {message}")
        check_rises("edges", self.edges)
        return self

    @classmethod
    def table_of(cls, sample: np.ndarray) -> dict[str, list[float]]:
        """Return edges at the quantiles of a sample, with what lies between them."""
        at, edges = quantiles_of(sample)
        return {"edges": edges, "weights": np.diff(at).tolist()}

    def quantile(self, score: np.ndarray) -> np.ndarray:
        """Return leverage linear in its logarithm between the edges."""
        below = np.cumsum((0.0, *self.weights))
        return log_linear(ndtr(score), below / below[-1], self.edges)

    def average(self) -> float:
        """Return the weighted mean over bins; of a log-uniform law it is (b - a) / log(b / a)."""
        means = [a if a == b else (b - a) / math.log(b / a) for a, b in pairwise(self.edges)]
        return float(np.average(means, weights=self.weights))


class OfVenue(LeverageLaw, kind="venue"):
    """What is known of a venue's leverage, as a dated data file: shares of open interest (`agents/venues`)."""

    venue: str

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        load(self.venue)
        return self

    def histogram(self) -> Histogram:
        """Return the venue's shares as a histogram."""
        return Histogram.model_validate(load(self.venue)["law"])

    def quantile(self, score: np.ndarray) -> np.ndarray:
        """Return the leverage of the venue's histogram."""
        return self.histogram().quantile(score)

    def average(self) -> float:
        """Return the mean of the venue's histogram."""
        return self.histogram().average()


def weight_problems(weights: tuple[float, ...], count: int, what: str) -> list[tuple[str, str]]:
    """Return (key, message) if weights are not one for each of `count` things, or weigh nothing."""
    if len(weights) != count:
        return [("weights", f"{len(weights)} weights for {count} {what}")]
    return [] if sum(weights) > 0.0 else [("weights", "add up to 0")]


def check_rises(key: str, values: tuple[float, ...]) -> None:
    """Refuse values that fall."""
    for below, above in pairwise(values):
        if above < below:
            raise ValueError(f"{key}: {above:g} follows {below:g}: should not fall")
