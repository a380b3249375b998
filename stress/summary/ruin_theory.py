"""What theory says of a fund with claims: closed forms where they exist, bounds by lattice elsewhere.

Letters: u fund, c premium a year, claims of a Poisson process of `rate` a year, T years; a fund is ruined when it falls
below zero.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy.special import ndtr

__all__ = [
    "brownian_ruin",
    "exponential_reserve",
    "exponential_ruin",
    "lundberg_exponent",
    "ruin_bracket",
    "ruin_for_ever_bracket",
]

CELLS = 4_000  # of the lattice
MOST_GROWTH = 700.0  # the exponential of more overflows
HEAVY = 0.94
LEAST, BOUNDED = 1e-280, 1e-200  # chances: nothing; of a claim that has an end, just below it


def exponential_ruin(u: float, *, rate: float, mean_claim: float, premium: float, years: float | None = None) -> float:
    """Return the ruin probability under exponential claims, within a horizon or for ever.

    Parameters
    ----------
    u, mean_claim, premium : float
        Fund, mean claim, premium a year; quote currency.
    rate : float
        Claims a year.
    years : float, optional
        Horizon; for ever without one.

    Returns
    -------
    float
        For ever ``exp(-theta u / ((1 + theta) mean)) / (1 + theta)``, theta the loading; 1 without a positive loading.

    Raises
    ------
    ValueError
        For a premium that does not exceed the mean cost of claims, within a horizon.

    References
    ----------
    Cramer and Lundberg; Asmussen and Albrecher (2010), Ruin Probabilities, chapter IV and proposition V.1.3.
    """
    lam = rate * mean_claim / premium
    if lam >= 1.0 and years is not None:
        raise ValueError("exponential_ruin: within a horizon the premium must exceed the mean cost of claims")
    for_ever = 1.0 if lam >= 1.0 else lam * math.exp(-(1.0 - lam) * u / mean_claim)
    return for_ever if years is None else for_ever - _later(u / mean_claim, lam, years * premium / mean_claim)


def _later(u: float, lam: float, horizon: float) -> float:
    """Return the probability of ruin after the horizon, in units of the mean claim and of the premium."""
    from scipy.integrate import quad

    root = math.sqrt(lam)

    def integrand(x: float) -> float:
        """Return f1 f2 / f3 of the proposition."""
        growth = 2.0 * root * horizon * math.cos(x) - (1.0 + lam) * horizon + u * (root * math.cos(x) - 1.0)
        turn = u * root * math.sin(x)
        weight = math.cos(turn) - math.cos(turn + 2.0 * x)
        return lam * math.exp(growth) * weight / (1.0 + lam - 2.0 * root * math.cos(x))

    return float(quad(integrand, 0.0, math.pi, epsabs=1e-13, limit=400)[0]) / math.pi


def exponential_reserve(
    level: float, *, rate: float, mean_claim: float, premium: float, years: float | None = None
) -> float:
    """Return the least fund that is not ruined with probability `level`; arguments as in `exponential_ruin`."""
    from scipy.optimize import brentq

    def excess(u: float) -> float:
        """Return by how much ruin is too likely."""
        return exponential_ruin(u, rate=rate, mean_claim=mean_claim, premium=premium, years=years) - (1.0 - level)

    if excess(0.0) <= 0.0:
        return 0.0
    most = mean_claim
    while excess(most) > 0.0:
        most *= 2.0
    return float(brentq(excess, 0.0, most, xtol=1e-12 * most))


def brownian_ruin(u: float, *, premium: float, sd: float, years: float) -> float:
    """Return the ruin probability of a fund ``u + c t + sd W``: that of its minimum, not of its end.

    Parameters
    ----------
    u, premium, sd : float
        Fund, income a year, standard deviation after a year; quote currency.
    years : float
        Horizon.

    Returns
    -------
    float
        ``Phi((-u - cT) / (sd sqrt T)) + exp(-2 c u / sd^2) Phi((-u + cT) / (sd sqrt T))``.

    References
    ----------
    Reflection principle with drift: Harrison (1985).
    """
    spread, drift = sd * math.sqrt(years), premium * years
    mirrored = math.exp(-2.0 * premium * u / (sd * sd)) * ndtr((-u + drift) / spread)
    return float(ndtr((-u - drift) / spread) + mirrored)


def lundberg_exponent(
    survival: Callable[[np.ndarray], np.ndarray], *, rate: float, mean_claim: float, premium: float, noise: float = 0.0
) -> float | None:
    """Return R > 0 of Lundberg's bound ``P(ruin ever) <= exp(-R u)``.

    Parameters
    ----------
    survival : callable
        ``P(claim > x)`` of amounts, shape as given.
    rate, mean_claim, premium, noise : float
        Claims a year, mean claim, premium a year, standard deviation of the noise after a year.

    Returns
    -------
    float or None
        The root of ``rate integral exp(R x) P(claim > x) dx + noise^2 R / 2 = premium`` (Asmussen and Albrecher 2010,
        chapter IV.5; Dufresne and Gerber 1991 with noise); None without a positive loading, and for tails heavier than
        exponential, which have none.
    """
    from scipy.optimize import brentq

    if not premium > rate * mean_claim:
        return None
    x = mean_claim * np.concatenate([[0.0], np.geomspace(1e-6, 1e5, 20_001)])
    tail = survival(x)

    def excess(r: float) -> float:
        """Return what claims and noise ask for beyond the premium."""
        grown = tail * np.exp(np.minimum(r * x, MOST_GROWTH))
        return rate * float(np.trapezoid(grown, x)) + 0.5 * noise * noise * r - premium

    most = _largest_exponent(x, tail)
    if most == 0.0:
        return None
    high = min(1.0 / mean_claim, 0.5 * most)
    while excess(high) <= 0.0 and high < most * (1.0 - 1e-9):
        high = min(2.0 * high, 0.5 * (high + most))
    return float(brentq(excess, 0.0, high, xtol=1e-15, rtol=1e-12)) if excess(high) > 0.0 else None


def _largest_exponent(x: np.ndarray, tail: np.ndarray) -> float:
    """Return below which r ``exp(r x) P(claim > x)`` has a finite integral, as far as the grid shows.

    It is what ``-ln P(claim > x) / x`` tends to: infinite where claims have an end; where it still falls by more than
    `HEAVY` over the last tenfold of amounts the tail is heavier than exponential, and there is none.
    """
    last = int(np.flatnonzero(tail > LEAST)[-1])
    if last < x.size - 1 and tail[last + 1] == 0.0 and tail[last] > BOUNDED:
        return math.inf
    before = int(np.searchsorted(x, 0.1 * x[last]))
    exponents = [-math.log(tail[i]) / float(x[i]) for i in (before, last)]
    return exponents[1] if exponents[1] > HEAVY * exponents[0] else 0.0


def ruin_bracket(
    u: float,
    survival: Callable[[np.ndarray], np.ndarray],
    *,
    rate: float,
    premium: float,
    years: float,
    cells: int = CELLS,
) -> tuple[float, float]:
    """Return bounds of the probability of ruin within a horizon, under claims of any size.

    Parameters
    ----------
    u, premium : float
        Fund, premium a year; quote currency.
    survival : callable
        ``P(claim > x)`` of amounts, shape as given.
    rate, years : float
        Claims a year, horizon.
    cells : int
        Of the lattice of amounts from 0 to ``u + c T``.

    Returns
    -------
    low, high : float
        With claims rounded down and up to the lattice.  On it the calculation is exact: claims only add up, so that the
        fund survives if, whenever the premium has paid for one cell more, they are not beyond the cells paid for until
        then (Picard and Lefevre 1997; the compound Poisson law of each stretch by Panjer 1981).
    """
    whole = max(1, round(cells * u / (u + premium * years))) if u > 0.0 else 0
    cell = u / whole if whole else premium * years / cells
    edges = survival(cell * np.arange(cells + 2))
    down = -np.diff(edges[: cells + 2])
    up = np.concatenate([[0.0], down[:-1]])
    found = (_ruin_on_lattice(claim, whole, cell, rate, premium, years) for claim in (down, up))
    low, high = sorted(found)
    return low, high


def _ruin_on_lattice(claim: np.ndarray, whole: int, cell: float, rate: float, premium: float, years: float) -> float:
    """Return the ruin probability of a fund of `whole` cells under claims of i cells with probability claim[i]."""
    stretch = cell / premium if premium > 0.0 else math.inf
    n_whole = int(years / stretch + 1e-9)
    size = whole + n_whole + 1
    width = 1 << (2 * size - 1).bit_length()
    step = np.fft.rfft(_compound_poisson(claim, rate * min(stretch, years), size), width)
    state = np.zeros(size)
    state[0] = 1.0
    for k in range(n_whole):
        state = np.fft.irfft(np.fft.rfft(state, width) * step, width)[:size]
        state[whole + k + 1 :] = 0.0
    rest = years - n_whole * stretch if n_whole else years
    if rest > 1e-9 * years:
        last = np.fft.rfft(_compound_poisson(claim, rate * rest, size), width)
        state = np.fft.irfft(np.fft.rfft(state, width) * last, width)[: whole + n_whole + 1]
    return float(min(1.0, max(0.0, 1.0 - state.sum())))


def _compound_poisson(claim: np.ndarray, mean_number: float, size: int) -> np.ndarray:
    """Return the law of the sum of a Poisson number of claims on the lattice, by Panjer's recursion, shape (size,)."""
    weighted = mean_number * np.arange(len(claim)) * claim
    law = np.zeros(size)
    law[0] = math.exp(-mean_number * (1.0 - claim[0]))
    for i in range(1, size):
        m = min(i, len(claim) - 1)
        law[i] = weighted[1 : m + 1] @ law[i - m : i][::-1] / i
    return law


def ruin_for_ever_bracket(
    u: float,
    survival: Callable[[np.ndarray], np.ndarray],
    *,
    rate: float,
    mean_claim: float,
    premium: float,
    cells: int = CELLS,
) -> tuple[float, float]:
    """Return bounds of the probability that the fund is ever ruined, under claims of any size.

    Parameters
    ----------
    u, survival, rate, mean_claim, premium
        As above.
    cells : int
        Of the lattice of amounts from 0 to `u`.

    Returns
    -------
    low, high : float
        The deepest fall is a geometric number of steps of density ``P(claim > x) / mean`` (Pollaczek and Khinchine),
        rounded down and up to the lattice; both are 1 without a positive loading.
    """
    lam = rate * mean_claim / premium if premium > 0.0 else math.inf
    if lam >= 1.0:
        return 1.0, 1.0
    if u == 0.0:
        return lam, lam
    cell, fine = u / cells, 8
    x = cell / fine * np.arange(cells * fine + 1)
    tail = survival(x)
    ladder = (0.5 * (tail[1:] + tail[:-1]) * cell / fine / mean_claim).reshape(cells, fine).sum(axis=1)
    low, high = (_beyond_of_geometric(np.concatenate([start, ladder]), lam, cells) for start in ([], [0.0]))
    return low, high


def _beyond_of_geometric(step: np.ndarray, lam: float, cells: int) -> float:
    """Return the chance that a geometric sum of steps lies beyond `cells` cells, by Panjer's recursion."""
    law = np.zeros(cells + 1)
    law[0] = (1.0 - lam) / (1.0 - lam * step[0])
    for i in range(1, cells + 1):
        m = min(i, len(step) - 1)
        law[i] = lam / (1.0 - lam * step[0]) * (step[1 : m + 1] @ law[i - m : i][::-1])
    return float(max(0.0, 1.0 - law.sum()))
