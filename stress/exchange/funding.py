"""What do longs pay shorts?  Premiums, the formulas that venues make rates of, and their law (method.md 6 and 11)."""

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from stress.registry import Settings

__all__ = ["Funding", "margin_cap", "premium_index", "rate_of", "rising_average", "times_mmr"]

HOURS = 8.0  # formulas of all venues are written for eight hours


def premium_index(index: float, impact_bid: float, impact_ask: float) -> float:
    """Return one sample of the premium: (max(0, bid - I) - max(0, I - ask)) / I, of impact prices (Binance)."""
    return (max(0.0, impact_bid - index) - max(0.0, index - impact_ask)) / index


def rising_average(samples: ArrayLike) -> float:
    """Return the average with weights 1, 2, ..., n, the last sample heaviest: sum k P_k / sum k (Bybit)."""
    samples = np.asarray(samples, dtype=float)
    return float(np.average(samples, weights=np.arange(1, samples.size + 1)))


def rate_of(
    premium: ArrayLike, *, interest: float = 1e-4, damping: float = 5e-4, hours: float = HOURS, cap: float = math.inf
) -> np.ndarray:
    """Return the rate per interval of an average premium: P + clamp(i - P, -d, d), for `hours` of eight, capped.

    Parameters
    ----------
    premium : array_like
        Average premium.
    interest, damping : float
        i and d, per eight hours; with both 0 the rate is the premium (dYdX v4).
    hours : float
        Length of the interval: the rate of eight hours is divided by 8 / hours (Binance since September 2025,
        Hyperliquid's hour).
    cap : float
        Largest |rate| of an interval.
    """
    premium = np.asarray(premium, dtype=float)
    rate = (premium + np.clip(interest - premium, -damping, damping)) * (hours / HOURS)
    return np.clip(rate, -cap, cap)


def margin_cap(multiple: float, initial: float, maintenance: float) -> float:
    """Return dYdX v4's cap of the eight-hour rate: a multiple, 6 by default there, of the span between the margins."""
    return multiple * (initial - maintenance)


def times_mmr(multiple: float, maintenance: float) -> float:
    """Return a cap as a multiple of the maintenance margin rate (Binance; 0.75 and 1 have been published)."""
    return multiple * maintenance


class Funding(Settings):
    """Table ``[funding]``; rates are per interval, positive when longs pay.

    ``kind = "rate"`` is an AR(1) of the rate itself; ``"premium"`` an AR(1) of the average premium, of which the
    venue's formula (`rate_of`) makes the rate.  Defaults: BTCUSDT perpetual, May 2021 to April 2026 (docs/method.md,
    section 11); interest and damping are Binance's; the premium's law is illustrative.
    """

    kind: Literal["rate", "premium"] = "rate"
    interval_hours: float = Field(default=8.0, gt=0)
    mean_rate: float = Field(default=0.712e-4, ge=-0.05, le=0.05)
    sd_rate: float = Field(default=1.05e-4, ge=0, le=0.05)
    persistence: float = Field(default=0.75, ge=0, lt=1)  # from one interval to the next
    clamp: float = Field(default=30e-4, gt=0, le=0.05)  # 0.75 x the lowest maintenance rate, illustrative
    mean_premium: float = Field(default=0.0, ge=-0.05, le=0.05)
    sd_premium: float = Field(default=5e-4, ge=0, le=0.05)
    interest: float = Field(default=1e-4, ge=0, le=0.01)  # per eight hours
    damping: float = Field(default=5e-4, ge=0, le=0.01)  # per eight hours

    def rates(self, normals: np.ndarray) -> np.ndarray:
        """Return the rates of successive intervals from standard normals, same shape (..., n_intervals).

        Starts from the stationary law of the AR(1).
        """
        mean, sd = self._law()
        rates = np.empty_like(normals)
        innovation = sd * math.sqrt(1.0 - self.persistence * self.persistence)
        deviation = np.zeros(normals.shape[:-1])
        for j in range(normals.shape[-1]):
            scale = innovation if j else sd
            deviation = self.persistence * deviation + scale * normals[..., j]
            rates[..., j] = self._formula(mean + deviation)
        return rates

    def _law(self) -> tuple[float, float]:
        if self.kind == "rate":
            return self.mean_rate, self.sd_rate
        return self.mean_premium, self.sd_premium

    def _formula(self, value: np.ndarray) -> np.ndarray:
        if self.kind == "rate":
            return np.clip(value, -self.clamp, self.clamp)
        formula = {"interest": self.interest, "damping": self.damping, "hours": self.interval_hours}
        return rate_of(value, **formula, cap=self.clamp)

    def largest(self, deviations: float) -> float:
        """Return a bound of |rate| while the law stays within so many standard deviations."""
        mean, sd = self._law()
        reach = abs(mean) + deviations * sd
        if self.kind == "premium":
            reach = (reach + self.damping) * self.interval_hours / HOURS
        return min(self.clamp, reach)

    def paid_every(self, hours: float) -> "Funding":
        """Return the same funding at another interval: rates of a law scale with it, persistence is a power."""
        ratio = hours / self.interval_hours
        return self.model_copy(
            update={
                "interval_hours": hours,
                "mean_rate": self.mean_rate * ratio,
                "sd_rate": self.sd_rate * ratio,
                "persistence": self.persistence**ratio,
            }
        )
