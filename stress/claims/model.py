"""A fund with claims: the tables of a claims file, validated."""

import hashlib
import json
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import Field, ValidationError, field_validator, model_validator
from scipy.integrate import quad

from stress import toml
from stress.claims.base import Frequency, Severity
from stress.registry import Settings
from stress.summary import brownian_ruin, lundberg_exponent, ruin_bracket
from stress.toml import ScenarioError

__all__ = ["ClaimsModel"]

HOURS = 8760.0
LOGS = 25.0  # below its median no claim needs a finer look


class Income(Settings):
    """What comes in between claims: a steady premium, and noise, a Brownian motion of `noise_usd` in a year."""

    premium_usd_per_year: float = Field(default=0.0, ge=0)
    noise_usd: float = Field(default=0.0, ge=0)  # standard deviation after a year


class Fund(Settings):
    """The fund at the start."""

    initial_usd: float = Field(default=0.0, ge=0)


class Run(Settings):
    """How it is simulated."""

    name: str = "claims"
    n_paths: int = Field(default=100_000, ge=1, le=10_000_000)
    seed: int = Field(default=7, ge=0)
    horizon_hours: float = Field(default=HOURS, gt=0, le=100 * HOURS)


class Reserve(Settings):
    """Which reserves are asked for."""

    levels: tuple[float, ...] = Field(default=(0.99, 0.995, 0.999), min_length=1)
    confidence: float = Field(default=0.95, gt=0, lt=1)

    @field_validator("levels")
    @classmethod
    def _inside(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        for level in levels:
            if not 0.0 < level < 1.0:
                raise ValueError(f"level {level:g} is outside (0, 1)")
        return tuple(sorted(set(levels)))


class ClaimsModel(Settings):
    """Premium in, claims out: ``fund(t) = initial + premium t + noise W(t) - sum of the claims until t``.

    Parameters
    ----------
    frequency, severity : Frequency, Severity
        When claims come and how large they are.
    limit_usd : float, optional
        Largest amount that one claim can cost; what lies beyond is cut off.
    income, fund, run, reserve
        Tables of the file.
    """

    frequency: Frequency
    severity: Severity
    limit_usd: float | None = Field(default=None, gt=0)
    income: Income = Income()
    fund: Fund = Fund()
    run: Run = Run()
    reserve: Reserve = Reserve()

    @model_validator(mode="after")
    def _has_a_mean(self) -> Self:
        if not np.isfinite(self.mean_claim):
            raise ValueError(f"severity: {self.severity.kind} with these numbers has no mean; set limit_usd")
        return self

    @classmethod
    def load(cls, path: Path, overrides: dict[str, Any] | None = None) -> Self:
        """Read a claims file; a ScenarioError names file, key, value and what is allowed."""
        return cls.from_tables(toml.read(path), source=str(path), overrides=overrides)

    @classmethod
    def from_tables(
        cls, tables: dict[str, Any], *, source: str = "claims", overrides: dict[str, Any] | None = None
    ) -> Self:
        """Validate nested tables, as read from TOML; `source` is named in errors."""
        tables = toml.override(tables, overrides or {}, source)
        try:
            return cls.model_validate(tables)
        except ValidationError as error:
            raise ScenarioError(toml.explain(error, source, cls, tables)) from None

    def tables(self) -> dict[str, Any]:
        """Return nested plain values, as a file has them."""
        return self.model_dump(mode="json", exclude_none=True, serialize_as_any=True)

    @property
    def sha256(self) -> str:
        """Hash of the tables (canonical JSON)."""
        return hashlib.sha256(json.dumps(self.tables(), sort_keys=True).encode()).hexdigest()

    @property
    def years(self) -> float:
        """The horizon."""
        return self.run.horizon_hours / HOURS

    @property
    def mean_claim(self) -> float:
        """Mean cost of a claim: ``integral of P(claim > x)`` up to the limit."""
        if self.limit_usd is None:
            return self.severity.mean
        law, logs = self.severity.frozen(), np.log(self.limit_usd)
        start = min(logs, np.log(float(law.median()))) - LOGS
        above = quad(lambda y: float(law.sf(np.exp(y)) * np.exp(y)), start, logs, limit=400)[0]
        return float(np.exp(start) + above)

    @property
    def expected_claims(self) -> float:
        """Mean cost of claims in a year."""
        return self.frequency.mean_rate * self.mean_claim

    def survival(self, x: np.ndarray) -> np.ndarray:
        """Return the probability that a claim costs more than `x`, shape as given."""
        beyond = self.severity.frozen().sf(x)
        return beyond if self.limit_usd is None else np.where(x < self.limit_usd, beyond, 0.0)

    def amounts(self, marks: np.ndarray) -> np.ndarray:
        """Return what claims cost whose chance to be exceeded is `marks`, shape as given."""
        return np.minimum(self.severity.frozen().isf(marks), self.limit_usd or np.inf)

    def exact_ruin(self, fund: float) -> tuple[float, float] | None:
        """Return bounds of the ruin probability of a fund over the horizon; None where no formula is known.

        Poisson claims without noise: a lower and an upper bound by lattice.  Noise without claims: one number, twice.
        """
        premium, noise = self.income.premium_usd_per_year, self.income.noise_usd
        if self.frequency.mean_rate == 0.0 and noise > 0.0:
            return (brownian_ruin(fund, premium=premium, sd=noise, years=self.years),) * 2
        if not self.frequency.memoryless or noise > 0.0:
            return None
        rate = self.frequency.mean_rate
        return ruin_bracket(fund, self.survival, rate=rate, premium=premium, years=self.years)

    def lundberg(self) -> float | None:
        """Return R of ``P(ruin ever) <= exp(-R fund)``; None where there is none."""
        if not self.frequency.memoryless:
            return None
        income = {"premium": self.income.premium_usd_per_year, "noise": self.income.noise_usd}
        return lundberg_exponent(self.survival, rate=self.frequency.mean_rate, mean_claim=self.mean_claim, **income)
