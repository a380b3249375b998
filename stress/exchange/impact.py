"""What does a forced order do to the price?  Impact laws on the parent flow.

A law maps a flow of Q base units, measured in normal liquidity, to the log-price displacement I(Q) >= 0, its
integral (the cost of building the flow up) and its inverse.  Signs, decay and depth are `settlement`'s.
"""

import math
from typing import Any, ClassVar

from pydantic import Field

from stress.registry import Part
from stress.rules import rule

BOUNDLESS = 1e300


class ImpactLaw(Part):
    """Family of impact laws I(Q) = scale (Q / size)^exponent."""

    impact: ClassVar[Any]  # rule (flow, law) -> log price
    cost: ClassVar[Any]  # rule (flow, law) -> integral of impact, log price x base
    flow_at: ClassVar[Any]  # rule (impact, law) -> flow, the inverse of impact

    def numbers(self, volume: float, depth: float, vol_daily: float = 0.03) -> tuple[float, float, float]:
        """Return (scale, size, exponent) from volume a day and depth within 1 %, base units, and daily volatility."""
        raise TypeError(f"impact law {self.kind!r} does not define its numbers")


@rule
def square_root_impact(flow, law):
    """Return scale sqrt(Q / V)."""
    return law.scale * math.sqrt(flow * law.per_size)


@rule
def square_root_cost(flow, law):
    """Return (2/3) Q I(Q)."""
    return square_root_impact(flow, law) * flow * (2.0 / 3.0)


@rule
def square_root_flow(impact, law):
    """Return V (I / scale)^2."""
    return law.size * (impact / law.scale) * (impact / law.scale)


@rule
def linear_impact(flow, law):
    """Return scale Q / V."""
    return law.scale * (flow * law.per_size)


@rule
def linear_cost(flow, law):
    """Return Q I(Q) / 2."""
    return linear_impact(flow, law) * flow * 0.5


@rule
def linear_flow(impact, law):
    """Return V I / scale; a market without impact takes any quantity at any price worse than the index."""
    if impact <= 0.0:
        return 0.0
    if law.scale == 0.0:
        return BOUNDLESS
    return law.size * (impact / law.scale)


@rule
def book_impact(flow, law):
    """Return 1 % (Q / depth)^exponent: how far a walk of the book must go."""
    if flow <= 0.0:
        return 0.0
    return law.scale * math.exp(law.exponent * math.log(flow * law.per_size))


@rule
def book_cost(flow, law):
    """Return Q I(Q) / (1 + exponent)."""
    return book_impact(flow, law) * flow / (1.0 + law.exponent)


@rule
def book_flow(impact, law):
    """Return depth (I / 1 %)^(1 / exponent)."""
    if impact <= 0.0:
        return 0.0
    return law.size * math.exp(math.log(impact / law.scale) / law.exponent)


class SquareRoot(ImpactLaw, kind="square_root"):
    """I = Y sigma_day sqrt(Q / V_day): the square-root law of market impact (docs/method.md, section 11)."""

    prefactor: float = Field(default=1.0, gt=0)  # Y, of order 1: sweep 0.5-1.5 (docs/method.md, section 11)
    vol_daily: float | None = Field(default=None, gt=0, lt=1)  # sigma_day of the law; absent: that of the liquidity
    impact = staticmethod(square_root_impact)
    cost = staticmethod(square_root_cost)
    flow_at = staticmethod(square_root_flow)

    def numbers(self, volume: float, depth: float, vol_daily: float = 0.03) -> tuple[float, float, float]:
        """Return (Y sigma, V, 1/2)."""
        return self.prefactor * (self.vol_daily or vol_daily), volume, 0.5


class Linear(ImpactLaw, kind="linear"):
    """I = k Q / V_day: linear (Kyle) impact, `log_price_per_daily_volume` for one day's volume."""

    log_price_per_daily_volume: float = Field(default=0.1, ge=0)  # illustrative; 0: no impact
    impact = staticmethod(linear_impact)
    cost = staticmethod(linear_cost)
    flow_at = staticmethod(linear_flow)

    def numbers(self, volume: float, depth: float, vol_daily: float = 0.03) -> tuple[float, float, float]:
        """Return (k, V, 1)."""
        return self.log_price_per_daily_volume, volume, 1.0


class Book(ImpactLaw, kind="book"):
    """Walk of a static book whose cumulative depth grows as u^shape (shape 1.16: docs/method.md, section 11)."""

    shape: float = Field(default=1.16, ge=0.2, le=5)
    impact = staticmethod(book_impact)
    cost = staticmethod(book_cost)
    flow_at = staticmethod(book_flow)

    def numbers(self, volume: float, depth: float, vol_daily: float = 0.03) -> tuple[float, float, float]:
        """Return (1 %, depth within 1 %, 1 / shape)."""
        return 0.01, depth, 1.0 / self.shape
