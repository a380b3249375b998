"""What every law of when claims come, and of how large they are, declares."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field

from stress.registry import NUMBERS, Part
from stress.rules import rule

__all__ = ["Arrivals", "Fitted", "Frequency", "Severity", "fitted"]

LEAST = 1e-300


@dataclass(frozen=True, eq=False)
class Arrivals:
    """When claims came within a window that was watched throughout.

    Parameters
    ----------
    times : ndarray, shape (n,)
        Years since the start of the window, ascending, above 0.
    years : float
        Length of the window, at least the last time.
    after_claim : bool
        Whether the window begins with a claim, which is not counted.
    """

    times: np.ndarray
    years: float
    after_claim: bool = False

    @property
    def waits(self) -> np.ndarray:
        """Years from one claim, or from the start of the window, to the next, shape (n,)."""
        return np.diff(self.times, prepend=0.0)

    @property
    def quiet(self) -> float:
        """Years from the last claim to the end of the window."""
        return self.years - (float(self.times[-1]) if self.times.size else 0.0)


@rule
def calm(numbers, excess, wait):
    """Return no excess: a claim does not change the rate of the next ones."""
    return 0.0


class Frequency(Part):
    """Family of laws of when claims come.

    ``waiting`` is a rule ``(numbers, excess, u, v)`` with the years to the next claim, u and v being uniform;
    ``excited`` is a rule ``(numbers, excess, wait)`` with the excess of the rate right after it.
    """

    waiting: ClassVar[Any]
    excited: ClassVar[Any] = staticmethod(calm)
    memoryless: ClassVar[bool] = False  # a Poisson process, for which exact formulas exist

    def numbers(self) -> dict[str, float]:
        """Return the record of the rules."""
        raise TypeError(f"frequency {self.kind!r} does not define its numbers")

    @property
    def mean_rate(self) -> float:
        """Claims a year in the long run."""
        raise TypeError(f"frequency {self.kind!r} does not define its mean rate")

    @property
    def lead_years(self) -> float:
        """How long before the horizon begins the process starts, so that it is then in its long run."""
        return 0.0

    @classmethod
    def fitted(cls, arrivals: Arrivals) -> tuple[Self, float]:
        """Return the law of maximum likelihood and its log-likelihood."""
        raise TypeError(f"frequency {cls.__name__} does not define its fit")


class Severity(Part):
    """Family of laws of how large a claim is: a law of `scipy.stats` on the positive numbers, times a scale."""

    scale_usd: float = Field(default=1.0, gt=0)
    law: ClassVar[Any]

    def frozen(self) -> Any:
        """Return the law with its numbers, in quote currency."""
        names = [name for name in type(self).model_fields if name not in Severity.model_fields]
        return self.law(*(getattr(self, name) for name in names), scale=self.scale_usd)

    @property
    def mean(self) -> float:
        """Mean claim; infinite where there is none."""
        return float(self.frozen().mean())

    @classmethod
    def fitted(cls, losses: np.ndarray) -> tuple[Self, float]:
        """Return the law of maximum likelihood and its log-likelihood; a ValueError where there is none."""
        names = [name for name in cls.model_fields if name not in Severity.model_fields]
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            *shapes, _, scale = cls.law.fit(losses, floc=0.0)
            numbers = dict(zip([*names, "scale_usd"], map(float, (*shapes, scale)), strict=True))
            found = cls.model_validate(numbers)
            return found, float(found.frozen().logpdf(losses).sum())


@dataclass(frozen=True)
class Fitted:
    """One law, fitted by maximum likelihood; `aic` is the criterion of Akaike (1974), less is better."""

    part: Any
    log_likelihood: float
    aic: float


def fitted(family: type[Any], data: Any) -> list[Fitted]:
    """Fit every member of a family, the best first; a member without a fit to these data is left out."""
    rows = []
    for kind in sorted(family.family):
        try:
            part, likelihood = family.family[kind].fitted(data)
        except (TypeError, ValueError, RuntimeError):  # of scipy's optimizers, or numbers outside the law's range
            continue
        if math.isfinite(likelihood):
            rows.append(Fitted(part, likelihood, 2.0 * (n_numbers(part) - likelihood)))
    return sorted(rows, key=lambda row: row.aic)


def n_numbers(part: Part) -> int:
    """Return how many numbers a law has."""
    return sum(field.annotation in NUMBERS for field in type(part).model_fields.values())


def maximize(likelihood: Any, starts: Sequence[Sequence[float]]) -> tuple[np.ndarray, float]:
    """Return where a log-likelihood of unbounded numbers is largest, from several starts, and its value there.

    Nelder and Mead (1965): needs no derivatives, which likelihoods of point processes make awkward.
    """
    from scipy.optimize import minimize

    options = {"xatol": 1e-6, "fatol": 1e-8, "maxiter": 2_000}
    runs = [minimize(lambda x: -likelihood(x), start, method="Nelder-Mead", options=options) for start in starts]
    best = min(runs, key=lambda found: found.fun)
    return best.x, -float(best.fun)
