"""What the run says of a whole year: the horizon itself, or the horizon repeated with a new book each time.

Without renewal nobody opens or leaves within the horizon, so that all of it is marked "no renewal: indicative".
"""

from dataclasses import dataclass
from typing import Any

from stress.outcomes import Facts, Outcomes
from stress.summary.clusters import Clusters
from stress.summary.intervals import HOURS_PER_YEAR, Estimate, annual_rate, within_year
from stress.summary.means import estimate_mean
from stress.summary.reserves import ReserveEstimate, estimate_reserves, horizon_level

__all__ = ["ANNUAL_LEVEL", "YEARS_OF_DATA", "Year", "basis", "beyond_the_data", "chance_in_year", "estimate_year"]

#: Level of the reserve over a year, that of Solvency II's capital requirement (Directive 2009/138/EC, Art. 101(3)).
ANNUAL_LEVEL = 0.995

#: Hourly BTC bars from August 2017 to March 2026, to which the shipped laws of the price are compared.
YEARS_OF_DATA = 8.6


@dataclass(frozen=True)
class Year:
    """What a year asks for: of renewal, or of independent horizons.

    Parameters
    ----------
    level : float
        Level over the year.
    net, gross : ReserveEstimate
        Reserves, their ``level`` being that over the horizon.
    deleveraged_notional : Estimate
        Mean notional of winners closed by auto-deleveraging in a year, in quote currency.
    renewal : bool
        Whether accounts who go are followed by others.
    """

    level: float
    net: ReserveEstimate
    gross: ReserveEstimate
    deleveraged_notional: Estimate
    renewal: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values; a reserve's ``level`` is the annual one."""
        rows = [{**row.to_dict(), "level": self.level, "horizon_level": row.level} for row in (self.net, self.gross)]
        return {"renewal": self.renewal, "reserve": rows, "deleveraged_notional": self.deleveraged_notional.to_dict()}


def estimate_year(outcomes: Outcomes, clusters: Clusters, confidence: float) -> Year:
    """Estimate what a year asks for from the outcomes of a run."""
    hours = outcomes.facts.horizon_hours
    net, gross = estimate_reserves(outcomes, [horizon_level(ANNUAL_LEVEL, hours)], clusters, confidence)
    closed = outcomes.deleveraged_notional * (HOURS_PER_YEAR / hours)
    return Year(ANNUAL_LEVEL, net, gross, estimate_mean(closed, clusters, confidence), outcomes.facts.renewal)


def basis(facts: Facts) -> str:
    """Say what a figure of a year rests on."""
    if not facts.renewal:
        return "no renewal: indicative"
    return "simulated" if facts.horizon_hours >= HOURS_PER_YEAR else "such horizons"


def chance_in_year(p: Estimate) -> Estimate:
    """Return the probability in a year of an event whose probability over the horizon is `p`, with its interval."""
    low, high = (None if edge is None else within_year(rate) for edge, rate in _edges(p))
    return Estimate(within_year(p.annual), low, high, p.confidence, p.method)


def beyond_the_data(p: float, horizon_hours: float) -> bool:
    """Tell whether a probability over the horizon is so small that only the model vouches for it.

    That is an event rarer than once in 100 times the years of data (a rate below ``1 / (100 x 8.6)`` a year, or
    once in 860 years).  The rule is about a frequency, so that it does not depend on the horizon; an event that
    cannot happen claims nothing.
    """
    rate = annual_rate(p, horizon_hours)
    return rate is not None and 0 < rate < 1 / (100 * YEARS_OF_DATA)


def _edges(p: Estimate) -> tuple[tuple[float | None, float | None], ...]:
    return (p.low, p.annual_low), (p.high, p.annual_high)
