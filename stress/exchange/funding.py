"""What do longs pay shorts?  Funding rates as AR(1) with a clamp (docs/method.md, section 11)."""

import math

import numpy as np
from pydantic import Field

from stress.registry import Settings


class Funding(Settings):
    """Table ``[funding]``; rates are per interval, positive when longs pay.

    Defaults: BTCUSDT perpetual, May 2021 to April 2026 (docs/method.md, section 11).
    """

    interval_hours: float = Field(default=8.0, gt=0)
    mean_rate: float = Field(default=0.712e-4, ge=-0.05, le=0.05)
    sd_rate: float = Field(default=1.05e-4, ge=0, le=0.05)
    persistence: float = Field(default=0.75, ge=0, lt=1)
    clamp: float = Field(default=30e-4, gt=0, le=0.05)  # 0.75 x the lowest maintenance rate, illustrative

    def rates(self, normals: np.ndarray) -> np.ndarray:
        """Return the rates of successive intervals from standard normals, same shape (..., n_intervals).

        Starts from the stationary law of the AR(1).
        """
        rates = np.empty_like(normals)
        innovation = self.sd_rate * math.sqrt(1.0 - self.persistence * self.persistence)
        deviation = np.zeros(normals.shape[:-1])
        for j in range(normals.shape[-1]):
            scale = innovation if j else self.sd_rate
            deviation = self.persistence * deviation + scale * normals[..., j]
            rates[..., j] = np.clip(self.mean_rate + deviation, -self.clamp, self.clamp)
        return rates
