"""At which price are accounts valued?  The venue's mark, and what each rule sees of the venue's own trades.

A mark rule reads five prices or rates of the moment:

- ``index``: what the venue takes for the price outside; whether it holds our own displacement is `sees_own`;
- ``premium``: the last funding rate times the share of its interval that is left;
- ``average``: the moving average of (own price - index), quote;
- ``last``: the venue's own price, which bears all of our own displacement at once;
- ``elsewhere``: the perpetuals of other venues, which bear their own liquidations only.

The average is taken once a step, before the step's trades: a rule that reads only the average does not see a
trade before the next step, and then by the share of a step in its window (docs/method.md, section 3).
"""

import math
from typing import Any, ClassVar

from pydantic import Field

from stress.registry import Part
from stress.rules import rule


@rule
def median(a, b, c):
    """Return the middle one of three numbers."""
    return max(min(a, b), min(max(a, b), c))


@rule
def fair_price(index, premium):
    """Return the index plus what funding still owes: I (1 + rate x time to funding / interval) (BitMEX)."""
    return index * (1.0 + premium)


def ema_weights(total: float, weight: float, sample: float, seconds: float, window: float) -> tuple[float, float]:
    """Return numerator and denominator of an exponential average after one more sample (Hyperliquid's robust prices).

    ``num <- num exp(-t/w) + sample t`` and ``den <- den exp(-t/w) + t``; the average is their ratio.  In the long
    run of equal times it is that of `smoothed`, which the simulation uses.

    Parameters
    ----------
    total, weight : float
        Numerator and denominator so far; both 0 at the start.
    sample : float
        Observed for `seconds`.
    seconds, window : float
        Time since the last sample, and the time constant.
    """
    keep = math.exp(-seconds / window)
    return total * keep + sample * seconds, weight * keep + seconds


@rule
def smoothed(average, sample, keep):
    """Return the exponential average after one more step, of which a share `keep` is the old one."""
    return keep * average + (1.0 - keep) * sample


@rule
def index_alone(index, premium, average, last, elsewhere):
    """Return the index."""
    return index


@rule
def median_of_three(index, premium, average, last, elsewhere):
    """Return the median of the fair price, the index plus the average basis, and the venue's own price."""
    return median(fair_price(index, premium), index + average, last)


@rule
def index_and_basis(index, premium, average, last, elsewhere):
    """Return the index plus the average basis."""
    return index + average


@rule
def index_and_funding(index, premium, average, last, elsewhere):
    """Return the fair price."""
    return fair_price(index, premium)


@rule
def median_with_others(index, premium, average, last, elsewhere):
    """Return the median of the index plus the average basis, the own book and the other venues' mid prices."""
    return median(index + average, last, elsewhere)


class MarkRule(Part):
    """Family of mark rules; ``price`` is a rule ``(index, premium, average, last, elsewhere)`` -> quote per base.

    `sees_own` says whether the index of this venue is a share ours: it then bears ``liquidity.pass_through`` of our
    own displacement.  `plain` marks are the index and nothing else, and cost nothing more.
    """

    price: ClassVar[Any]
    sees_own: ClassVar[bool] = True

    @property
    def window(self) -> float | None:
        """Seconds of the average's time constant; None for a rule that has no average."""
        return getattr(self, "window_seconds", None)

    @property
    def delay(self) -> float:
        """Seconds by which what the venue knows of the market outside is late."""
        return getattr(self, "delay_seconds", 0.0)

    @property
    def plain(self) -> bool:
        """Whether the mark is the index of this moment."""
        return type(self).price is index_alone and self.delay == 0.0

    def numbers(self, step_seconds: float, pass_through: float) -> dict[str, Any]:
        """Return what the rules of settlement read of this rule, for a step and our share of the index."""
        lag, rest = divmod(self.delay, step_seconds)
        return {
            "code": self.code,
            "plain": int(self.plain),
            "own": pass_through if self.sees_own else 0.0,
            "averages": int(self.window is not None),
            "keep": 0.0 if self.window is None else math.exp(-step_seconds / self.window),
            "lag": int(lag),
            "late": rest / step_seconds,
            "looks_back": int(lag) + 1 if self.delay > 0.0 else 0,  # steps whose prices the mark may hold
        }


class Index(MarkRule, kind="index"):
    """The index, a share of which is our own price: it reacts to our trades at once, by the pass-through."""

    price = staticmethod(index_alone)


class MedianOfThree(MarkRule, kind="median_of_three"):
    """Median of fair price, index plus average basis, and own price (Binance USD-M, Bybit).

    Our trade moves the third at once and the second slowly: the median follows the second or, after a jump of the
    basis, the nearer of the others.  An average over w seconds with equal weights is as old as an exponential one of
    w/2; the default stands for the 30 seconds of Binance's notice of September 2025.
    """

    window_seconds: float = Field(default=15.0, gt=0, le=86_400)
    price = staticmethod(median_of_three)


class EmaBasis(MarkRule, kind="ema_basis"):
    """Index plus the average basis (OKX); our trade moves it at the next step, by the share of a step in the window.

    OKX does not publish the window; the default is illustrative.
    """

    window_seconds: float = Field(default=60.0, gt=0, le=86_400)
    price = staticmethod(index_and_basis)


class FairPrice(MarkRule, kind="fair_price"):
    """Index plus what funding still owes (BitMEX); our trades move it by the pass-through to the index only."""

    price = staticmethod(index_and_funding)


class Oracle(MarkRule, kind="oracle"):
    """An oracle of other venues, some seconds late, that never sees our own trades (dYdX v4, Drift, GMX).

    Between two marks the late price lies on the straight line of its logarithm.  The delay is illustrative: oracles
    of these venues update within seconds.
    """

    delay_seconds: float = Field(default=3.0, ge=0, le=86_400)
    price = staticmethod(index_alone)
    sees_own = False


class OracleMedian(MarkRule, kind="oracle_median"):
    """Median of oracle plus average basis, own book, and other venues' mid prices (Hyperliquid).

    Validators publish the oracle about every three seconds; the average has a time constant of 150 seconds.
    """

    window_seconds: float = Field(default=150.0, gt=0, le=86_400)
    delay_seconds: float = Field(default=3.0, ge=0, le=86_400)
    price = staticmethod(median_with_others)
    sees_own = False
