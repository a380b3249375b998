"""The headline reserve: the worse of the scenario's own regime and its mix with a stressed one."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from stress.summary.model_risk import ModelRisk, Variant

__all__ = ["STRESSED_WEIGHT", "Headline", "headline"]

#: Weight of the stressed period.  The idea is that of the 25 % which EU rules give to stressed observations against
#: procyclical margins (Delegated Regulation (EU) 153/2013, Art. 28(1)(b)); for a fund it is an analogy.
STRESSED_WEIGHT = 0.25

_AXIS, _STRESSED = "regime", "stressed"


@dataclass(frozen=True)
class Headline:
    """Net reserve at one level over the horizon, in quote currency.

    Parameters
    ----------
    level : float
        Of the table of model risk.
    base, stressed : float
        Reserve of the scenario itself, taken to be through the cycle, by all paths of the run; that of its stressed
        regime, by the paths of the table.
    weighted : float
        75 % of base and 25 % of stressed.
    stressed_low, stressed_high : float or None
        Interval of the stressed reserve.
    stressed_ratio : float or None
        Stressed reserve over that of the scenario on the same paths.
    """

    level: float
    base: float
    stressed: float
    weighted: float
    stressed_low: float | None
    stressed_high: float | None
    stressed_ratio: float | None

    @property
    def value(self) -> float:
        """The worse of base and weighted."""
        return max(self.base, self.weighted)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields and the value, JSON-ready."""
        return {**asdict(self), "value": self.value}


def headline(risk: ModelRisk | None, own: Callable[[float], float | None]) -> Headline | None:
    """Return the headline; None without a variant "stressed" of the axis "regime", or when a reserve is refused.

    Parameters
    ----------
    risk : ModelRisk or None
    own : callable
        From a level to the net reserve of the run itself, whose paths are more than those of the table; None where
        it is refused.
    """
    stressed = next((v for v in risk.variants if (v.axis, v.name) == (_AXIS, _STRESSED)), None) if risk else None
    if risk is None or stressed is None:
        return None
    return _weighted(risk, stressed, own(risk.level))


def _weighted(risk: ModelRisk, stressed: Variant, base: float | None) -> Headline | None:
    if base is None or stressed.reserve is None:
        return None
    mixed = (1 - STRESSED_WEIGHT) * base + STRESSED_WEIGHT * stressed.reserve
    return Headline(risk.level, base, stressed.reserve, mixed, stressed.low, stressed.high, stressed.ratio)
