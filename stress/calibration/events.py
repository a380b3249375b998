"""Fit of jumps that excite jumps: which bars hold one, then the likelihood of their times."""

import math

import numpy as np

from stress.calibration.fit import POSITIVE, SHARE, Fit, by_likelihood, fits
from stress.calibration.independent import unit
from stress.candles import Candles

THRESHOLD = 5.0  # robust standard deviations from which a bar counts as a jump
FEWEST = 20  # jumps
NORMAL = 0.6744897501960817  # median of |z|


@fits("hawkes")
def fit_hawkes(candles: Candles) -> Fit:
    """Fit in two stages: jumps are bars beyond five robust standard deviations, the rest is Brownian.

    The likelihood is that of the jumps' times alone (Ogata 1978), so the fit has no AIC beside the others.
    """
    r, dt = candles.returns, unit(candles)
    sd = float(np.median(np.abs(r))) / NORMAL
    jumps = np.abs(r) > THRESHOLD * sd
    if jumps.sum() < FEWEST:
        market = {"kind": "hawkes", "vol_annual": float(r.std()) / math.sqrt(dt), "jumps_per_year": 0.0}
        return Fit("hawkes", market, flags=(f"only {int(jumps.sum())} jumps: not fitted",))
    times, n = np.flatnonzero(jumps) + 0.5, r.size
    rate = times.size / n

    def log_likelihood(p):
        """Return the log-likelihood of some parameters."""
        return hawkes_log_likelihood(times, float(n), rate * (1.0 - p["branching"]), p["branching"], p["memory"])

    start = {"branching": (0.0, SHARE), "memory": (math.log(6.0), POSITIVE)}
    found, errors, _, flags = by_likelihood(log_likelihood, start)
    hours = candles.seconds / 3600.0
    up, down = r[jumps & (r > 0.0)], -r[jumps & (r < 0.0)]
    market = {
        "kind": "hawkes",
        "vol_annual": math.sqrt(np.mean(r[~jumps] ** 2) / dt),
        "jumps_per_year": rate / dt,
        "jump_up": mean_size(up),
        "jump_down": mean_size(down),
        "jump_down_share": float(down.size / times.size),
        "branching": min(found["branching"], 0.985),
        "memory_hours": found["memory"] * hours,
    }
    spread = {"branching": errors["branching"], "memory_hours": errors["memory"] * hours} if errors else {}
    return Fit("hawkes", market, spread, None, 7, (*flags, "in two stages: no likelihood of the returns"))


def mean_size(sizes: np.ndarray) -> float:
    """Return the mean of exponential sizes with the mean square of these: then the variance is the sample's.

    Their own mean would give it too much, because none of them is small: an exponential has twice its squared mean.
    """
    return math.sqrt(0.5 * np.mean(sizes**2)) if sizes.size else 0.01


def hawkes_log_likelihood(times: np.ndarray, end: float, base: float, branching: float, memory: float) -> float:
    """Return the log-likelihood of event times under base + branching / memory x sum of exp(-age / memory)."""
    excess, value, before = 0.0, -base * end, times[0]
    for time in times.tolist():
        excess *= math.exp(-(time - before) / memory)
        value += math.log(base + branching / memory * excess)
        excess, before = excess + 1.0, time
    return value - branching * float(-np.expm1(-(end - times) / memory).sum())
