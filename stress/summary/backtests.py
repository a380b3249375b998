"""Was a forecast of losses right?  Back-tests of a quantile (VaR) and of expected shortfall, each with its power.

Letters: n days, x exceptions (losses beyond the forecast), p = 1 - level their promised share.  A test that accepts
says little unless it would have refused something worse: every result names that, and how likely it would have been.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy.special import bdtr, chdtrc, gammaln, ndtri, stdtrit, xlog1py, xlogy

from stress.summary.quantile import check_probability

__all__ = [
    "Backtest",
    "TrafficLight",
    "acerbi_szekely",
    "backtest",
    "christoffersen",
    "fissler_ziegel_loss",
    "kupiec",
    "kupiec_ratio",
    "pinball_loss",
    "traffic_light",
]

SIGNIFICANCE = 0.05
N_SIMULATED, SEED = 10_000, 20_260_101
LARGE = 1_000  # days, from which the limit law of a likelihood ratio will do
TWICE, BUNCHED, LARGER = 2.0, 0.25, 1.25  # what the power is against
MULTIPLIERS = (1.5, 1.7, 1.76, 1.83, 1.88, 1.92, 2.0)  # Basel MAR32: at most 4 exceptions of 250, 5 to 9, more
GREEN, YELLOW = 0.95, 0.9999  # Basel MAR99: chances of as many exceptions or fewer


@dataclass(frozen=True)
class Backtest:
    """One test.

    Parameters
    ----------
    name : str
        What is tested.
    statistic : float or None
        Its statistic; None when there is nothing to test.
    p_value : float or None
        Chance of a statistic at least as bad if the forecast is right.
    method : str
        How the chance was found.
    rejected : bool or None
        Whether it is at most 5 %.
    power : float or None
        Chance that the test rejects `alternative`.
    alternative : str
        Something worse.
    """

    name: str
    statistic: float | None
    p_value: float | None
    method: str
    rejected: bool | None
    power: float | None
    alternative: str

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain, JSON-ready values."""
        return asdict(self)


@dataclass(frozen=True)
class TrafficLight:
    """Basel's zone.

    Parameters
    ----------
    zone : str
        ``green``, ``yellow`` or ``red``.
    chance : float
        Of as many exceptions or fewer if the forecast is right.
    multiplier : float or None
        Of capital by MAR32; for 250 days at 99 % only.
    """

    zone: str
    chance: float
    multiplier: float | None


def kupiec_ratio(x: Any, n: Any, p: float) -> Any:
    """Return the likelihood ratio of the share of exceptions against p, shape of `x`.

    ``-2 ln[(1-p)^(n-x) p^x / ((1-x/n)^(n-x) (x/n)^x)]``, 0 ln 0 being 0; chi-squared with one degree (Kupiec 1995).
    """
    return 2.0 * (_best(x, n) - xlogy(x, p) - xlogy(np.subtract(n, x), 1.0 - p))


def kupiec(x: int, n: int, p: float) -> Backtest:
    """Test whether x exceptions in n days are as many as promised.

    Parameters
    ----------
    x, n : int
        Exceptions and days.
    p : float
        Promised share of exceptions.

    Returns
    -------
    Backtest
        The limit law from 1,000 days on, below it the exact one: the binomial chance of a ratio at least as large.  The
        power, against exceptions twice as frequent, is exact.
    """
    check_probability(p=p)
    counts = np.arange(n + 1)
    ratios, chances = kupiec_ratio(counts, n, p), _binomial(counts, n, p)
    order = np.argsort(-ratios)
    tails = np.empty(n + 1)
    tails[order] = np.cumsum(chances[order])
    found = float(ratios[x])
    value, method = (float(chdtrc(1, found)), "chi-squared") if n >= LARGE else (float(tails[x]), "exact")
    refused = chdtrc(1, ratios) <= SIGNIFICANCE if n >= LARGE else tails <= SIGNIFICANCE
    often = min(TWICE * p, 1.0)
    power = float(_binomial(counts[refused], n, often).sum())
    return _judged("number of exceptions", found, value, method, power, f"exceptions {TWICE:g} times as often")


def christoffersen(hits: np.ndarray, p: float) -> tuple[Backtest, Backtest]:
    """Test whether exceptions come independently of the day before, and both that and their number.

    Parameters
    ----------
    hits : ndarray of bool, shape (n,)
        Which days were exceptions, in order.
    p : float
        Promised share of exceptions.

    Returns
    -------
    independence, coverage : Backtest
        Likelihood ratios of a Markov chain against independence, and against the promise (Christoffersen 1998); the
        number of exceptions is that of the same transitions.  Below 1,000 days the laws are simulated.
    """
    check_probability(p=p)
    n = len(hits)
    found = _markov_ratios(np.asarray(hits, bool)[None, :], p)[:, 0]
    promised, bunched = _null_of_markov(n, p)
    rows, other = [], f"{100 * BUNCHED:g} % after an exception, as many in all"
    for i, (name, degrees) in enumerate((("independence", 1), ("number and independence", 2))):
        limit = n >= LARGE
        value = float(chdtrc(degrees, found[i])) if limit else _share_beyond(promised[i], found[i])
        most = np.quantile(promised[i], 1.0 - SIGNIFICANCE)
        power = float(np.mean(bunched[i] > most))
        method = "chi-squared" if limit else "simulated"
        rows.append(_judged(name, float(found[i]), value, method, power, other))
    return rows[0], rows[1]


def traffic_light(x: int, n: int = 250, p: float = 0.01) -> TrafficLight:
    """Return Basel's zone of x exceptions: yellow where as many or fewer have a chance of 95 %, red of 99.99 %."""
    chance = float(bdtr(x, n, p))
    zone = "green" if chance < GREEN else "yellow" if chance < YELLOW else "red"
    usual = (n, p) == (250, 0.01)
    return TrafficLight(zone, chance, MULTIPLIERS[min(max(x - 4, 0), len(MULTIPLIERS) - 1)] if usual else None)


def acerbi_szekely(losses: np.ndarray, var: np.ndarray, shortfall: np.ndarray, p: float) -> tuple[Backtest, Backtest]:
    """Test expected shortfall by the losses beyond the quantile.

    Parameters
    ----------
    losses : ndarray, shape (n,)
        Losses above 0, gains below.
    var, shortfall : ndarray, shape (n,)
        Forecast quantile at 1 - p and expected shortfall, ``0 < var <= shortfall``.
    p : float
        Promised share of exceptions.

    Returns
    -------
    z1, z2 : Backtest
        ``Z1 = 1 - mean over exceptions of r`` and ``Z2 = 1 - sum over exceptions of r / (n p)``, r = loss /
        shortfall; 0 on average if right, below it if losses are larger (Acerbi and Szekely 2014, with losses
        positive).  Their laws are simulated under a Student law whose shortfall is as far beyond its quantile as the
        forecasts have it.
    """
    check_probability(p=p)
    hits, ratio = losses > var, losses / shortfall
    freedom = _freedom(float(np.median(shortfall / var)), p)
    right, wrong = (_null_of_shortfall(len(losses), p, freedom, scale) for scale in (1.0, LARGER))
    known = "normal law" if math.isinf(freedom) else f"Student law, {freedom:.1f} degrees"
    z1 = 1.0 - float(ratio[hits].mean()) if hits.any() else math.nan
    values = z1, 1.0 - float(ratio[hits].sum()) / (len(losses) * p)
    rows = []
    for i, name in enumerate(("shortfall of the exceptions (Z1)", "shortfall and number (Z2)")):
        least = np.nanquantile(right[i], SIGNIFICANCE)
        power = float(np.mean(wrong[i] < least))
        value = None if math.isnan(values[i]) else _share_beyond(-right[i][~np.isnan(right[i])], -values[i])
        rows.append(_judged(name, values[i], value, f"simulated, {known}", power, f"losses {LARGER:g} times as large"))
    return rows[0], rows[1]


def backtest(
    losses: np.ndarray, var: np.ndarray, level: float, shortfall: np.ndarray | None = None
) -> tuple[Backtest, ...]:
    """Run every test that a series of forecasts allows; arguments as in `acerbi_szekely`, `level` being 1 - p."""
    p, hits = 1.0 - level, losses > var
    found = kupiec(int(hits.sum()), len(hits), p), *christoffersen(hits, p)
    return found if shortfall is None else (*found, *acerbi_szekely(losses, var, shortfall, p))


def pinball_loss(losses: Any, forecast: Any, level: float) -> Any:
    """Return the score of a quantile: ``(level - 1{loss < forecast}) (loss - forecast)``, least for the right one."""
    apart = np.subtract(losses, forecast)
    return (level - (apart < 0.0)) * apart


def fissler_ziegel_loss(losses: Any, var: Any, shortfall: Any, level: float) -> Any:
    """Return a score of quantile and expected shortfall together, least on average for the right pair.

    ``(loss - var)+ / (p shortfall) + var / shortfall + ln shortfall - 1`` (Fissler and Ziegel 2016; Patton, Ziegel and
    Chen 2019, with losses positive and shortfalls above 0).
    """
    beyond = np.maximum(np.subtract(losses, var), 0.0)
    return beyond / ((1.0 - level) * np.asarray(shortfall)) + np.divide(var, shortfall) + np.log(shortfall) - 1.0


def _best(x: Any, n: Any) -> Any:
    """Return the log-likelihood of x in n at its maximum; 0 without trials."""
    share = np.divide(x, np.maximum(n, 1))
    return xlogy(x, share) + xlogy(np.subtract(n, x), 1.0 - share)


def _judged(name: str, statistic: float, value: float | None, method: str, power: float, other: str) -> Backtest:
    if value is None:
        return Backtest(name, None, None, method, None, power, other)
    return Backtest(name, statistic, value, method, value <= SIGNIFICANCE, power, other)


def _share_beyond(simulated: np.ndarray, found: float) -> float:
    """Return the share of a simulated law at or beyond a value, the value itself being one of them."""
    return float((1 + np.count_nonzero(simulated >= found - 1e-9)) / (1 + simulated.size))


def _markov_ratios(hits: np.ndarray, p: float) -> np.ndarray:
    """Return the ratios for independence and for both, shape (2, m), of series (m, n)."""
    before, after = hits[:, :-1], hits[:, 1:]
    n11, n01 = (before & after).sum(axis=1), (~before & after).sum(axis=1)
    ones, n = before.sum(axis=1), after.shape[1]
    free = _best(n11, ones) + _best(n01, n - ones)
    apart = 2.0 * (free - _best(n11 + n01, n))
    return np.stack([apart, apart + kupiec_ratio(n11 + n01, n, p)])


@cache
def _null_of_markov(n: int, p: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the ratios of simulated series: as promised, and bunched with as many exceptions in all."""
    rng = np.random.default_rng(SEED)
    n_series = max(1_000, min(N_SIMULATED, 10_000_000 // n))
    return tuple(_markov_ratios(_chain(rng, n_series, n, p, after), p) for after in (p, max(p, BUNCHED)))  # type: ignore[return-value]


def _chain(rng: np.random.Generator, m: int, n: int, p: float, after: float) -> np.ndarray:
    """Draw Markov chains of exceptions, shape (m, n): `after` an exception, p in all."""
    quiet, drawn = p * (1.0 - after) / (1.0 - p), rng.random((m, n))
    hits = drawn < p
    for day in range(1, n):
        hits[:, day] = drawn[:, day] < np.where(hits[:, day - 1], after, quiet)
    return hits


def _binomial(x: Any, n: int, p: float) -> Any:
    """Return the chances of x events in n trials."""
    return np.exp(gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1) + xlogy(x, p) + xlog1py(n - x, -p))


def _tail_of(freedom: float, p: float) -> tuple[float, float]:
    """Return quantile and expected shortfall of a standard law (McNeil, Frey and Embrechts 2015, example 2.15)."""
    if math.isinf(freedom):
        q = -float(ndtri(p))
        return q, math.exp(-0.5 * q * q) / math.sqrt(2.0 * math.pi) / p
    q = -float(stdtrit(freedom, p))
    constant = gammaln((freedom + 1.0) / 2.0) - gammaln(freedom / 2.0) - 0.5 * math.log(math.pi * freedom)
    density = math.exp(constant - 0.5 * (freedom + 1.0) * math.log1p(q * q / freedom))
    return q, density / p * (freedom + q * q) / (freedom - 1.0)


def _freedom(ratio: float, p: float) -> float:
    """Return the degrees of freedom at which the shortfall is `ratio` quantiles; infinite for lighter tails."""

    def excess(freedom: float) -> float:
        """Return by how much a law's ratio is larger."""
        q, worst = _tail_of(freedom, p)
        return worst / q - ratio

    from scipy.optimize import brentq

    if excess(200.0) >= 0.0:
        return math.inf
    return float(brentq(excess, 1.05, 200.0)) if excess(1.05) > 0.0 else 1.05


@cache
def _null_of_shortfall(n: int, p: float, freedom: float, scale: float) -> np.ndarray:
    """Return Z1 and Z2 of simulated series whose losses are `scale` times those forecast, shape (2, m)."""
    rng = np.random.default_rng(SEED)
    q, worst = _tail_of(freedom, p)
    n_series = max(1_000, min(N_SIMULATED, 5_000_000 // n))
    draw: Callable[..., np.ndarray] = rng.standard_normal
    size = (n_series, n)
    losses = scale * (draw(size) if math.isinf(freedom) else rng.standard_t(freedom, size))
    beyond = np.where(losses > q, losses, 0.0)
    count, total = np.count_nonzero(beyond, axis=1), beyond.sum(axis=1) / worst
    with np.errstate(invalid="ignore"):
        return np.stack([1.0 - total / np.where(count > 0, count, np.nan), 1.0 - total / (n * p)])
