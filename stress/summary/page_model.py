"""Sections of the page about the model: does it grow as history did, what moves it, and what it missed."""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from stress.summary.growth import HISTORY
from stress.summary.hindcasts import MEASURES, Hindcast, shipped_hindcasts
from stress.summary.intervals import Estimate
from stress.summary.model_risk import ModelRisk, Variant
from stress.summary.notation import Money, brackets, grid, row, share, three_digits, wrapped
from stress.summary.year import basis

if TYPE_CHECKING:
    from stress.summary.summary import Summary

__all__ = ["FACTOR", "N_ASSUMPTIONS", "assumptions", "growth", "hindcast_lines", "is_miss", "model_risk", "strongest"]

FACTOR = 3.0  # a hind-cast farther off is a miss
N_ASSUMPTIONS = 5
_N_MISSING_LINES = 3


def growth(summary: "Summary") -> Iterator[str]:
    """Yield how the fund grows in the simulation and how funds have grown."""
    found, change, money = summary.growth, summary.fund_change, summary.money
    plus = "+" if change.value > 0 else ""
    amount = f"{plus}{money(change.value)} {brackets(change.low, change.high, money.bare)}"
    rows = {
        f"Median year ({basis(summary.facts)})": (found.year, _signed, "year"),
        "Mean change / liquidated notional": (found.per_liquidated, share, "per_liquidated"),
        "Liquidated / open interest, mean a day": (found.liquidated_per_day, share, "liquidated_per_day"),
    }
    yield ""
    yield row("Growth of the fund", "simulated", "history")
    yield row(f"  Change over {summary.facts.horizon_hours:g} h, mean", amount)
    for name, (estimate, write, key) in rows.items():
        if estimate is not None:
            history, *more = HISTORY[key]
            yield row(f"  {name}", _interval(estimate, write), history)
            yield from (row("", "", line) for line in more)


def _signed(x: float) -> str:
    return f"{'+' if x > 0 else ''}{share(x)}"


def _interval(estimate: Estimate, write: Callable[[float], str]) -> str:
    return f"{write(estimate.value)} {brackets(estimate.low, estimate.high, write)}"


def model_risk(summary: "Summary") -> Iterator[str]:
    """Yield the reserve under every variant, an axis a line."""
    risk = summary.model_risk
    if risk is None:
        return
    yield ""
    level, base = f"{100 * risk.level:g} %", _variant_reserve(replace(risk.base, ratio=None), summary.money)
    yield f"Model risk: net reserve at {level} over {risk.horizon_hours:g} h, {risk.n_paths:,} paths each; base {base}"
    for axis, variants in _axes(risk).items():
        cells = [f"{variant.name}: {_variant_reserve(variant, summary.money)}" for variant in variants]
        yield from grid(cells, label=f"  {axis} ", indent=20)


def _axes(risk: ModelRisk) -> dict[str, list[Variant]]:
    axes: dict[str, list[Variant]] = {}
    for variant in risk.variants:
        axes.setdefault(variant.axis, []).append(variant)
    return axes


def _variant_reserve(variant: Variant, money: Money) -> str:
    if variant.reserve is None:
        return "refused"
    ratio = "" if variant.ratio is None else f" x {three_digits(variant.ratio)}"
    return f"{money.bare(variant.reserve)} {brackets(variant.low, variant.high, money.bare)}{ratio}"


def hindcast_lines(summary: "Summary") -> Iterator[str]:
    """Yield known events against the model, misses first, and what it cannot express."""
    found = shipped_hindcasts()
    if found is None:
        return
    simulated = sorted((event for event in found.events if event.factor), key=_factor, reverse=True)
    close = sum(not is_miss(event) for event in simulated)
    yield ""
    yield (
        f"Hind-casts, one frozen parameter set: {close} of {len(simulated)} within a factor {FACTOR:g} "
        "(fund loss, observed -> model)"
    )
    yield from wrapped("; ".join(filter(None, (_measured(simulated, measure) for measure in MEASURES))), then="  ")
    if missing := "; ".join(_inexpressible(found.events)):
        yield from wrapped(f"Not expressible: {missing}", then="  ", n_lines=_N_MISSING_LINES)


def _inexpressible(events: tuple[Hindcast, ...]) -> Iterator[str]:
    """Yield events by the first clause of the mechanism that they lack, which many share."""
    names: dict[str, list[str]] = {}
    for event in events:
        if event.missing:
            names.setdefault(re.split("[;:,]", event.missing)[0], []).append(event.name)
    yield from (f"{'; '.join(alike)} ({mechanism})" for mechanism, alike in names.items())


def _measured(events: list[Hindcast], measure: str) -> str:
    of = measure.rpartition(" / ")[2]
    cases = ", ".join(_case(event) for event in events if event.measure == measure)
    return f"of {of}: {cases}" if cases else ""


def _case(event: Hindcast) -> str:
    miss = "MISS " if is_miss(event) else ""
    return f"{miss}{event.name} {100 * event.observed:.3g} -> {100 * (event.simulated or 0.0):.3g} %"


def _factor(event: Hindcast) -> float:
    return event.factor or 0.0


def is_miss(event: Hindcast) -> bool:
    """Tell whether the model was off by more than `FACTOR`."""
    return _factor(event) > FACTOR


def assumptions(summary: "Summary") -> Iterator[str]:
    """Yield the five assumptions that move the number most, from the draws of parameters or else from the variants."""
    if summary.parameters is not None and summary.parameters.drivers:
        heading = "What moves the reserve most (range drawn, rank correlation with the reserve)"
        lines = [
            f"{driver.name} {driver.low:g} to {driver.high:g}: {driver.rank_correlation:+.2f}"
            for driver in summary.parameters.drivers[:N_ASSUMPTIONS]
        ]
    elif summary.model_risk is not None and (variants := strongest(summary.model_risk)):
        heading = "What moves the reserve most (variant, reserve over that of the base)"
        lines = [f"{variant.axis} {variant.name}: x {three_digits(variant.ratio or 0.0)}" for variant in variants]
    else:
        return
    yield ""
    yield heading
    yield from grid(lines)


def strongest(risk: ModelRisk) -> list[Variant]:
    """Return the farthest variant of each axis, the farthest axis first."""
    worst = [max(variants, key=_distance) for variants in _axes(risk).values()]
    return [v for v in sorted(worst, key=_distance, reverse=True) if _distance(v) > 0][:N_ASSUMPTIONS]


def _distance(variant: Variant) -> float:
    return abs(math.log(variant.ratio)) if variant.ratio else 0.0
