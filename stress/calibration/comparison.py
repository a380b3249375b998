"""All models on one price history: fitted to all of it, and judged by what comes after the first two thirds."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from stress.calibration.barriers import STEP, Cell, Hits, cells, history_hits, model_hits
from stress.calibration.fit import FITTERS, Fit
from stress.calibration.likeness import SHORT, simulated_bars
from stress.candles import Candles
from stress.candles.candles import said
from stress.markets.base import Market
from stress.markets.prices import OnPrices
from stress.toml import ScenarioError, chosen

__all__ = ["Comparison", "Judged", "compare"]

FEWEST_BARS = 1_000
FEWEST_HITS = 30  # of a cell in history, below which it is not judged
HELD_BACK = 1.0 / 3.0
FACTOR = 1.5  # of history, within which a cell should lie
TAIL_SHARE = 0.025  # of returns on each side that the tail index is taken from


@dataclass(frozen=True, eq=False)
class Judged:
    """One model: its fit to all bars, its hits, and its hits on the held-back third by a fit that has not seen it.

    Parameters
    ----------
    fit : Fit
    hits, held_back : dict
        Cell to `Hits` on all bars and on the last third.
    error : float
        Root mean square of log(model / history) over the judged cells of the last third.
    tail : tuple of float
        Tail index of bars, left and right (Hill 1975).
    """

    fit: Fit
    hits: dict[Cell, Hits]
    held_back: dict[Cell, Hits]
    error: float
    tail: tuple[float, float] = (math.nan, math.nan)


@dataclass(frozen=True, eq=False)
class Comparison:
    """What was found, best model first.

    Parameters
    ----------
    candles : Candles
    models : tuple of Judged
    history, held_back : dict
        Cell to `Hits` of all bars and of the last third.
    refused : tuple of str
        Models whose fit has numbers that no market may have, a line each.
    """

    candles: Candles
    models: tuple[Judged, ...]
    history: dict[Cell, Hits] = field(default_factory=dict)
    held_back: dict[Cell, Hits] = field(default_factory=dict)
    refused: tuple[str, ...] = ()

    @property
    def best(self) -> Judged:
        """The model whose barrier hits on the held-back third are nearest."""
        return self.models[0]

    @property
    def tail(self) -> tuple[float, float]:
        """Tail index of history's returns, left and right."""
        return hill(self.candles.returns)


def compare(
    candles: Candles,
    names: Sequence[str],
    *,
    source: dict[str, Any],
    progress: Callable[[str], None] = lambda name: None,
) -> Comparison:
    """Fit models and judge them by barrier hits.

    Parameters
    ----------
    candles : Candles
    names : sequence of str
        Of `FITTERS`.
    source : dict
        Keys of ``[market]`` that say where the candles come from, for models that are made of them.
    progress : callable
        Told the name of the model that is fitted next.

    Raises
    ------
    ScenarioError
        If the bars are too few, nothing ever moves, or no model can be fitted.
    """
    check(candles)
    split = round((1.0 - HELD_BACK) * len(candles))
    found = Comparison(candles, (), history_hits(candles), history_hits(candles[split:]))
    judged, refused = [], []
    for name in names:
        progress(name)
        try:
            judged.append(judge(name, found, split, source))
        except ScenarioError as error:
            refused.append(str(error))
    if not judged:
        raise ScenarioError("no model can be fitted: " + "; ".join(refused))
    models = sorted(judged, key=lambda model: (math.isnan(model.error), model.error))
    return replace(found, models=tuple(models), refused=tuple(refused))


def judge(name: str, found: Comparison, split: int, source: dict[str, Any]) -> Judged:
    """Fit one model to all bars and to those before `split`, and count its hits.

    Raises
    ------
    ScenarioError
        If the fit has numbers that no market may have.
    """
    candles, before, after = found.candles, found.candles[:split], found.candles[split:]
    fit, early = FITTERS[name](candles), FITTERS[name](before)
    market = market_of(fit, candles, source)
    tested = market_of(early, after, source | {"until": said(float(after.time[0]))})
    hits, held_back = model_hits(market, list(found.history)), model_hits(tested, list(found.held_back))
    tail = hill(simulated_bars(market, candles.seconds, *SHORT).ravel())
    return Judged(fit, hits, held_back, misfit(held_back, found.held_back), tail)


def check(candles: Candles) -> None:
    """Refuse a history from which nothing can be fitted or judged."""
    if not list(cells(candles)) or (candles.seconds % STEP and STEP % candles.seconds):
        said = "an hour, four hours or a day hold no whole number of them, or a minute does not fit"
        raise ScenarioError(f"bars of {candles.seconds} s cannot be judged: {said}; use 1, 5, 15, 30 or 60 minutes")
    if len(candles) < FEWEST_BARS:
        raise ScenarioError(f"{len(candles):,} bars are too few to fit a model: at least {FEWEST_BARS:,}")
    moved = float(np.mean(candles.returns != 0.0))
    if moved < 0.5:
        raise ScenarioError(f"the price stands still in {1.0 - moved:.0%} of the bars: nothing can be fitted")


def market_of(fit: Fit, through: Candles | None, source: dict[str, Any]) -> Market:
    """Return the process of a fit, on its way through the volatilities of `through`, at a price of one."""
    keys = fit.market_through(through)
    made = source if issubclass(Market.member(keys["kind"]), OnPrices) else {}
    return chosen(f"{fit.name}: refused", {**keys, **made, "price_usd": 1.0}, Market)


def misfit(model: dict[Cell, Hits], history: dict[Cell, Hits]) -> float:
    """Return the root mean square of log(model / history) over cells with enough hits; nan without any."""
    ratios = [
        math.log(max(model[cell].share, 1e-5) / hits.share)
        for cell, hits in history.items()
        if hits.count >= FEWEST_HITS
    ]
    return math.sqrt(np.mean(np.square(ratios))) if ratios else math.nan


def hill(returns: np.ndarray) -> tuple[float, float]:
    """Return the tail index of falls and of rises (Hill 1975) from the largest 2.5 % of each."""
    return tuple(_hill(side) for side in (-returns[returns < 0.0], returns[returns > 0.0]))  # type: ignore[return-value]


def _hill(sizes: np.ndarray) -> float:
    k = max(2, round(2.0 * TAIL_SHARE * sizes.size))
    top = np.sort(sizes)[-k - 1 :]
    return float(1.0 / np.mean(np.log(top[1:] / top[0])))
