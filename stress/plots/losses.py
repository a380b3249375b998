"""How the drawdowns of the fund are distributed, and which of them no reserve of a level would hold."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stress.outcomes import Outcomes
from stress.plots import style
from stress.plots.words import sample_line, significant
from stress.summary import Summary, summarize
from stress.summary.notation import Money, percent

_BINS_PER_DECADE = 10
_DECADES = 4


def loss_histogram(
    outcomes: Outcomes,
    ax: Axes | None = None,
    *,
    levels: Sequence[float] = (0.99, 0.995, 0.999),
    summary: Summary | None = None,
) -> Axes:
    """Draw the positive drawdowns on two logarithmic scales, with the fund and the reserve of each level.

    Parameters
    ----------
    outcomes : stress.Outcomes
        The result of a run; its drawdowns are in `facts.unit`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.
    levels : sequence of float
        Levels whose reserves are marked; those that the sample cannot support are left out.
    summary : stress.Summary, optional
        The summary of these outcomes, if it is at hand; its levels are marked then.

    Returns
    -------
    matplotlib.axes.Axes
        Drawdown in the run's money, share of paths per bin in %; bins beyond the fund in the color of the fund.
    """
    ax = style.new_axes() if ax is None else ax
    summary = summarize(outcomes, levels=levels) if summary is None else summary
    fund, money = float(outcomes.facts.fund_initial), summary.money
    drawdown = np.asarray(outcomes.drawdown, dtype=float)
    share = np.asarray(outcomes.weight / outcomes.weight.sum())
    edges = _edges(drawdown, fund, money)

    ax.set(xscale="log", yscale="log", xlim=(edges[0] / money.scale, edges[-1] / money.scale))
    _draw_bars(ax, drawdown, share, edges, fund, money)
    _mark(ax, summary, edges)
    style.frame(
        ax, xlabel=f"Drawdown of the fund ({money.axis}, log scale)", ylabel="Share of paths per bin (%, log scale)"
    )
    style.write_ticks(ax.xaxis, significant, log=True)
    style.write_ticks(ax.yaxis, lambda p: significant(100 * p), log=True)
    below = float(share[(drawdown > 0) & (drawdown < edges[0])].sum())
    if below > 0:
        style.note(ax, f"{percent(below)} of the paths lose less than {money(edges[0])} and are not drawn")
    if not drawdown.any():
        style.label(ax, "no path takes anything from the fund", (0.4, 0.6), xycoords="axes fraction", ha="center")
    style.headline(ax, _finding(drawdown, share, fund), sample_line(outcomes))
    return ax


def _edges(drawdown: np.ndarray, fund: float, money: Money) -> np.ndarray:
    """Logarithmic bins with an edge at the fund, so that no bin is half ruined."""
    # A bin holds its lower edge, and a drawdown equal to the fund is not ruin.
    anchor = float(np.nextafter(fund, np.inf)) if fund > 0 else money.scale
    deepest = float(drawdown.max(initial=0.0))
    smallest = max(float(drawdown[drawdown > 0].min(initial=anchor)), deepest * 10.0**-_DECADES)
    smallest, largest = min(smallest, anchor / 100), max(deepest, anchor)
    first, last = (_BINS_PER_DECADE * math.log10(x / anchor) for x in (smallest, largest))
    return anchor * 10.0 ** (np.arange(math.floor(first) - 1, math.ceil(last) + 3) / _BINS_PER_DECADE)


def _draw_bars(ax: Axes, drawdown: np.ndarray, share: np.ndarray, edges: np.ndarray, fund: float, money: Money) -> None:
    """Draw the share of each bin, ruin in the color of the fund."""
    heights, _ = np.histogram(drawdown, bins=edges, weights=share)
    seen = heights[heights > 0]
    top = 10.0 ** math.ceil(math.log10(6 * seen.max(initial=1e-3)))
    floor = min(10.0 ** math.floor(math.log10(0.9 * seen.min(initial=1e-2))), top / 100)
    ax.set_ylim(floor, min(1.0, top))
    ruined = edges[:-1] > fund
    for side, color in ((~ruined, style.BLUE), (ruined, style.VERMILION)):
        x, width = edges[:-1][side] / money.scale, np.diff(edges)[side] / money.scale
        ax.bar(x, heights[side], width, align="edge", color=color, edgecolor="white", linewidth=0.4)


def _mark(ax: Axes, summary: Summary, edges: np.ndarray) -> None:
    """Draw the fund and the reserves as lines as high as their names, so that no line crosses a name."""
    money = summary.money
    net = (row for row in summary.reserves if row.kind == "net" and row.value is not None)
    marks = [(row.value or 0.0, percent(row.level), style.INK) for row in net]
    marks.append((summary.facts.fund_initial, "fund", style.VERMILION))
    shown = sorted((mark for mark in marks if edges[0] < mark[0] < edges[-1]), reverse=True)
    for i, (value, name, color) in enumerate(shown):
        dashes = (0, (5, 2)) if color == style.VERMILION else (0, (1, 2))
        x, y = value / money.scale, 1 - 0.055 * i
        ax.axvline(x, ymax=y, color=color, linewidth=1.3, linestyle=dashes)
        place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "xytext": (-4, 0), "ha": "right"}
        style.label(ax, f"{name}: {money(value)}", (x, y), color=color, va="top", **place)


def _finding(drawdown: np.ndarray, share: np.ndarray, fund: float) -> str:
    """Say how often nothing is lost, and how often more than the fund."""
    nothing, all_of_it = float(share[drawdown <= 0].sum()), float(share[drawdown > fund].sum())
    if all_of_it == 0:
        return f"No path loses more than the fund; {percent(nothing)} lose nothing"
    return f"{percent(all_of_it)} of paths lose more than the fund; {percent(nothing)} lose nothing"
