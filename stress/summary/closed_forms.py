"""What theory says: closed forms of one leveraged account under geometric Brownian motion.

They are yardsticks for a simulator, whose accounts are watched at steps and whose funds pay for gaps.  Times are
in years, volatilities per square root of a year; the price is a martingale unless `drift` is given.
"""

import math

from scipy.special import ndtr

__all__ = [
    "BETA",
    "bgk_barrier_shift",
    "bridge_crossing_probability",
    "gap_bad_debt",
    "liquidation_probability",
]

#: ``-zeta(1/2) / sqrt(2 pi)``: how far a Gaussian walk overshoots a barrier on average, in sd of a step.
BETA = 1.4603545088095868 / math.sqrt(2.0 * math.pi)


def liquidation_probability(
    price: float, liquidation_price: float, *, vol_annual: float, years: float, drift: float | None = None
) -> float:
    """Return the probability that a price that is watched all the time touches a liquidation price.

    With ``a = ln(liquidation_price / price) < 0`` and log drift ``nu``,
    ``P = Phi((a - nu T) / (sigma sqrt T)) + exp(2 nu a / sigma^2) Phi((a + nu T) / (sigma sqrt T))``; for a short,
    whose liquidation price is above, ``a`` and ``nu`` change their signs.

    Parameters
    ----------
    price, liquidation_price : float
        In quote currency, above 0.
    vol_annual, years : float
        Volatility of log-returns and horizon, above 0.
    drift : float, optional
        Of the log price, per year; ``-vol_annual^2 / 2``, a martingale, by default.

    Returns
    -------
    float

    References
    ----------
    Reflection principle with drift: Harrison (1985); Karatzas and Shreve (1991), section 3.5.C.
    """
    nu = -0.5 * vol_annual * vol_annual if drift is None else drift
    a = math.log(liquidation_price / price)
    if a > 0.0:
        a, nu = -a, -nu
    spread = vol_annual * math.sqrt(years)
    mirrored = math.exp(2.0 * nu * a / (vol_annual * vol_annual)) * ndtr((a + nu * years) / spread)
    return float(min(1.0, ndtr((a - nu * years) / spread) + mirrored))


def bgk_barrier_shift(price: float, barrier: float, *, vol_annual: float, years: float, n_checks: int) -> float:
    """Return the barrier that, watched all the time, is touched about as often as `barrier` at `n_checks` checks.

    It lies farther away by ``exp(BETA sigma sqrt(T / m))``.  An approximation: 1.1 % off at 24 checks of a day,
    0.02 % at 1,440 (oracle D03).

    Parameters
    ----------
    price, barrier : float
        In quote currency, above 0.
    vol_annual, years : float
        Volatility of log-returns and horizon, above 0.
    n_checks : int
        Equally spaced checks, the last at the horizon.

    Returns
    -------
    float
        In quote currency.

    References
    ----------
    Broadie, Glasserman and Kou (1997), Mathematical Finance 7(4), 325-349.
    """
    away = math.copysign(1.0, barrier - price)
    return barrier * math.exp(away * BETA * vol_annual * math.sqrt(years / n_checks))


def bridge_crossing_probability(
    before: float, after: float, barrier: float, *, vol_annual: float, years: float
) -> float:
    """Return the probability that a step from `before` to `after` has touched a barrier in between.

    ``p = exp(-2 ln(before / B) ln(after / B) / (sigma^2 dt))`` while both ends lie on one side, else 1.

    Parameters
    ----------
    before, after, barrier : float
        In quote currency, above 0.
    vol_annual, years : float
        Volatility of log-returns and length of the step, above 0.

    Returns
    -------
    float

    References
    ----------
    Brownian bridge: Karatzas and Shreve (1991); Glasserman (2004), section 6.4.
    """
    apart = math.log(before / barrier) * math.log(after / barrier)
    return math.exp(-2.0 * max(0.0, apart) / (vol_annual * vol_annual * years))


def gap_bad_debt(price: float, bankruptcy_price: float, *, vol_annual: float, years: float, qty: float = 1.0) -> float:
    """Return the expected bad debt of a position that can be closed only after a gap of `years`.

    A long owes ``(P_b - S_T)+``, a put on the bankruptcy price: ``P_b Phi(-d2) - S Phi(-d1)``; a short a call.

    Parameters
    ----------
    price, bankruptcy_price : float
        In quote currency, above 0.
    vol_annual, years : float
        Volatility of log-returns and length of the gap, above 0.
    qty : float
        Position in base units, long > 0.

    Returns
    -------
    float
        In quote currency.

    References
    ----------
    Black (1976), The pricing of commodity contracts, with forward equal to spot.
    """
    spread = vol_annual * math.sqrt(years)
    d1 = math.log(price / bankruptcy_price) / spread + 0.5 * spread
    side = math.copysign(1.0, qty)
    owed = side * (bankruptcy_price * ndtr(-side * (d1 - spread)) - price * ndtr(-side * d1))
    return abs(qty) * float(owed)
