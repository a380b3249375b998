"""How likely is ruin, for each reserve: the figure that the project exists for."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stress.outcomes import Outcomes
from stress.plots import style
from stress.plots.words import plural, sample_line, significant, span
from stress.summary import Estimate, ReserveEstimate, RuinCurve, Summary, summarize
from stress.summary import ruin_curve as curve_of
from stress.summary.notation import Money, percent

_LOWER_LEFT: dict[str, Any] = {"xytext": (-7, -6), "ha": "right", "va": "top"}
_UPPER_RIGHT: dict[str, Any] = {"xytext": (7, 4)}


def ruin_curve(
    outcomes: Outcomes,
    ax: Axes | None = None,
    *,
    levels: Sequence[float] = (0.99, 0.995, 0.999),
    summary: Summary | None = None,
) -> Axes:
    """Draw the probability of ruin against the reserve, with the fund and the reserve of each level.

    Parameters
    ----------
    outcomes : stress.Outcomes
        The result of a run; its drawdowns are in `facts.unit`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.
    levels : sequence of float
        Levels whose reserves are marked; those that the sample cannot support are named in a note.
    summary : stress.Summary, optional
        The summary of these outcomes, if it is at hand; its levels are marked then.

    Returns
    -------
    matplotlib.axes.Axes
        Reserve in the run's money; probability in % on a logarithmic scale.
    """
    ax = style.new_axes() if ax is None else ax
    summary = summarize(outcomes, levels=levels) if summary is None else summary
    money = summary.money
    fund, ruin = float(outcomes.facts.fund_initial), summary.ruin_probability
    reserves = [row for row in summary.reserves if row.kind == "net"]
    curve = curve_of(outcomes, confidence=summary.confidence)

    right, floor = _right_edge(curve, fund, reserves, money), _floor(summary.n_paths, ruin, reserves)
    ax.set(xlim=(0, right / money.scale), yscale="log", ylim=(floor, 1))
    _draw_steps(ax, curve, right, floor, money)
    _mark_fund(ax, fund, ruin, right, money)
    for row in reserves:
        _mark_reserve(ax, row, fund, right, money)
    style.frame(ax, xlabel=f"Reserve ({money.axis})", ylabel="Probability of ruin (%, log scale)")
    style.write_ticks(ax.xaxis, significant)
    style.write_ticks(ax.yaxis, lambda p: significant(100 * p), log=True)
    style.legend(ax, loc="upper right")
    _note_limits(ax, curve, reserves)
    style.headline(ax, _finding(summary, fund), f"{sample_line(outcomes)}{_annual(ruin)}")
    return ax


def _right_edge(curve: RuinCurve, fund: float, reserves: list[ReserveEstimate], money: Money) -> float:
    """End the axis where the decision ends: past the fund and every reserve, not at the worst path."""
    top = max([fund, *(row.value or 0.0 for row in reserves)])
    widest = max([0.0, *(row.high or 0.0 for row in reserves)])
    return max(1.4 * top, 1.1 * widest) or 1.1 * float(curve.reserve[-1]) or money.scale


def _floor(n_paths: int, ruin: Estimate, reserves: list[ReserveEstimate]) -> float:
    """Power of ten that leaves a decade under the rarest probability that the figure speaks of."""
    rarest = min([ruin.value or ruin.high or 1.0, *(1 - row.level for row in reserves)])
    lowest = min(0.1, max(0.3 / n_paths, 0.1 * rarest))
    return float(10 ** math.floor(math.log10(lowest) + 1e-9))


def _draw_steps(ax: Axes, curve: RuinCurve, right: float, floor: float, money: Money) -> None:
    """Draw the steps and their band at the resolution of the screen, not one vertex a path."""
    reserve = np.linspace(0, right, 2001)
    at = np.searchsorted(curve.reserve, reserve, side="right") - 1
    # A logarithmic axis has no zero: it is drawn as "just below what can be seen".
    seen = (np.maximum(y[at], floor / 10) for y in (curve.probability, curve.low, curve.high))
    probability, low, high = seen
    x, band = reserve / money.scale, f"{percent(curve.confidence)} interval"
    ax.fill_between(x, low, high, step="post", color=style.SKY, alpha=0.35, linewidth=0, label=band)
    ax.step(x, probability, where="post", color=style.BLUE, linewidth=1.8, label="probability of ruin")


def _mark_fund(ax: Axes, fund: float, ruin: Estimate, right: float, money: Money) -> None:
    """Draw the fund as a vertical line that says its probability of ruin, or the bound of it."""
    x = fund / money.scale
    ax.axvline(x, color=style.VERMILION, linewidth=1.4, linestyle=(0, (5, 2)))
    y, marker = (ruin.value, "o") if ruin.value > 0 else (ruin.high or 1.0, "v")
    ax.plot(x, y, marker, color=style.VERMILION, markersize=6, zorder=4)
    side = -1 if fund > 0.5 * right else 1
    place: dict[str, Any] = {"xytext": (6 * side, -4), "ha": "right" if side < 0 else "left", "va": "top"}
    text = f"fund {money(fund)}\nruin {_probability(ruin)}"
    style.label(ax, text, (x, 1), color=style.VERMILION, xycoords=("data", "axes fraction"), **place)


def _mark_reserve(ax: Axes, row: ReserveEstimate, fund: float, right: float, money: Money) -> None:
    """Mark the reserve of a level on the curve, with its interval."""
    if row.value is None:
        return
    x, y, room = row.value / money.scale, 1 - row.level, 0.25 * right
    ax.plot(x, y, "D", color=style.INK, markersize=4.5, zorder=5, clip_on=False)
    if row.low is not None and row.high is not None:
        low, high = row.low / money.scale, row.high / money.scale
        ax.hlines(y, low, high, color=style.INK, linewidth=1.1, zorder=5)
    # The curve falls, so a name has room on the lower left of its point, else on the upper right.
    left = row.value > room and not row.value - room < fund <= row.value
    place = _LOWER_LEFT if left else _UPPER_RIGHT
    style.label(ax, f"{percent(row.level)}: {money(row.value)}", (x, y), **place, zorder=6)


def _note_limits(ax: Axes, curve: RuinCurve, reserves: list[ReserveEstimate]) -> None:
    """Say which levels the sample cannot support, and whether the curve holds away from the fund."""
    silent = [percent(row.level) for row in reserves if row.value is None]
    notes = [f"too few paths for the reserve at {', '.join(silent)}"] if silent else []
    if not curve.exact:
        notes.append("what follows depends on the fund: away from it the curve is indicative")
    if notes:
        style.note(ax, "; ".join(notes))


def _probability(ruin: Estimate) -> str:
    """Say the probability with its interval, or its upper bound when no path is ruined."""
    if ruin.value == 0:
        return f"< {percent(ruin.high or 1.0)}"
    if ruin.low is None or ruin.high is None:
        return percent(ruin.value)
    return f"{percent(ruin.value)} ({span(percent(ruin.low).removesuffix(' %'), percent(ruin.high))})"


def _annual(ruin: Estimate) -> str:
    """Say the rate a year that the probability is equivalent to."""
    if not ruin.annual:
        return ""
    return f" · annual equivalent {significant(ruin.annual, 2)} ruins a year"


def _finding(summary: Summary, fund: float) -> str:
    """State the answer in one line."""
    ruin, money = summary.ruin_probability, summary.money
    if ruin.value == 0:
        n_paths = plural(summary.n_paths, "path")
        return f"No ruin in {n_paths}: a fund of {money(fund)} fails with p {_probability(ruin)}"
    horizon = f"{significant(summary.facts.horizon_hours)} h"
    return f"A fund of {money(fund)} is ruined within {horizon} with probability {percent(ruin.value)}"
