"""How much the answer moves when the model does: variants of a scenario, and draws of its parameters.

What runs them lives above; here is what they found, in the form that the first screen and ``summary.json`` show.
"""

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["QUOTABLE", "Driver", "ModelRisk", "ParameterInterval", "Spread", "Variant"]

QUOTABLE = 200  # draws from which each end of a central 95 % interval rests on five of them


@dataclass(frozen=True)
class Variant:
    """One named change of the scenario, run on the same random numbers.

    Parameters
    ----------
    axis, name : str
        What is varied, and which of its values this is.
    ruin : float
        ``P(drawdown > fund)`` over the horizon.
    reserve, low, high : float or None
        Net reserve at the level of the table with its interval, quote; None when refused.
    ratio : float or None
        Reserve over that of the scenario itself on the same paths; None when either is refused or zero.
    """

    axis: str
    name: str
    ruin: float
    reserve: float | None
    low: float | None
    high: float | None
    ratio: float | None


@dataclass(frozen=True)
class ModelRisk:
    """The axes of model risk at one level.

    Parameters
    ----------
    level : float
        Of the net reserve over the horizon.
    horizon_hours : float
    n_paths : int
        Of every variant.
    base : Variant
        The scenario itself on these paths.
    variants : tuple of Variant
        In the order of the scenario's ``[[overlay]]`` tables.
    """

    level: float
    horizon_hours: float
    n_paths: int
    base: Variant
    variants: tuple[Variant, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain, JSON-ready values."""
        return asdict(self)


@dataclass(frozen=True)
class Spread:
    """A quantity over draws of the parameters: median and central interval."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Driver:
    """A parameter, the range that it was drawn from, and its rank correlation with the reserve."""

    name: str
    low: float
    high: float
    rank_correlation: float


@dataclass(frozen=True)
class ParameterInterval:
    """What the answer would be for other parameters that the sources allow.

    Parameters
    ----------
    config_sha256 : str
        Of the scenario whose parameters were drawn.
    n_draws, n_paths : int
        Draws, and paths of each.
    confidence : float
        Share of the draws inside each interval.
    ruin : Spread
        ``P(drawdown > fund)`` over the horizon.
    ruin_annual : Spread
        The rate a year that it is equivalent to.
    reserves : tuple of (float, Spread)
        Net reserve by level, quote.
    error_share : float
        Monte Carlo standard deviation of one draw's reserve over the spread between draws, at the worst level.
    drivers : tuple of Driver
        Strongest first.
    """

    config_sha256: str
    n_draws: int
    n_paths: int
    confidence: float
    ruin: Spread
    ruin_annual: Spread
    reserves: tuple[tuple[float, Spread], ...]
    error_share: float
    drivers: tuple[Driver, ...]

    def reserve(self, level: float) -> Spread | None:
        """Return the spread of a level's reserve; None when it was not asked for."""
        return dict(self.reserves).get(level)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain, JSON-ready values."""
        return asdict(self)
