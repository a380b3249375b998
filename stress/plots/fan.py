"""How the fund moves over time: the bulk as a fan, the worst paths one by one."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stress.plots import style
from stress.plots.words import plural, significant, span
from stress.summary.notation import Money

# Lower and upper percentile of each band, and its opaque tint, so that the legend shows what is drawn.
_BANDS = ((1, 99, "#D3E5F2"), (5, 95, "#97C4E2"), (25, 75, "#4A98CB"))


def fund_fan(trace: Any, ax: Axes | None = None, *, unit: str = "USD") -> Axes:
    """Draw the quantiles of the fund over time, and its worst paths as thin lines.

    Parameters
    ----------
    trace : object
        `hours` (k,), `fund` (n_paths, k), `worst` (m, k) and `fund_initial` in `unit`, and `label`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.
    unit : str
        Name of the money.

    Returns
    -------
    matplotlib.axes.Axes
        Time in hours, fund in the run's money; the fund has no bottom, so that it may be negative.
    """
    ax = style.new_axes() if ax is None else ax
    money = Money(unit)
    fund = np.asarray(trace.fund, dtype=float) / money.scale
    worst = np.asarray(trace.worst, dtype=float) / money.scale
    hours = np.asarray(trace.hours, dtype=float)

    _draw_worst(ax, hours, worst)
    _draw_bands(ax, hours, fund)
    _draw_exhausted(ax)
    _limit(ax, hours, fund, worst, trace.fund_initial / money.scale, money)
    style.frame(ax, xlabel="Time (hours)", ylabel=f"Insurance fund ({money.axis})")
    style.write_ticks(ax.xaxis, significant)
    style.write_ticks(ax.yaxis, significant)
    style.legend(ax, loc="upper left", ncols=5, columnspacing=1.2)
    style.headline(ax, _finding(fund[:, -1], money), _sample(trace.label, hours, fund))
    return ax


def _draw_bands(ax: Axes, hours: np.ndarray, fund: np.ndarray) -> None:
    """Fill the bands from wide to narrow and draw the median on top."""
    for low, high, tint in _BANDS:
        below, above = np.percentile(fund, (low, high), axis=0)
        name = f"{span(str(low), str(high))} %"
        ax.fill_between(hours, below, above, color=tint, linewidth=0, label=name)
    ax.plot(hours, np.median(fund, axis=0), color=style.INK, linewidth=1.8, label="median")


def _draw_worst(ax: Axes, hours: np.ndarray, worst: np.ndarray) -> None:
    """Draw the worst paths; one entry in the legend speaks for all."""
    for i, path in enumerate(worst):
        name = f"worst {plural(len(worst), 'path')}" if i == 0 else None
        ax.plot(hours, path, color=style.VERMILION, linewidth=0.8, alpha=0.8, drawstyle="steps-post", label=name)


def _draw_exhausted(ax: Axes) -> None:
    """Draw the line under which the fund owes."""
    ax.axhline(0, color=style.INK, linewidth=1.1, linestyle=(0, (5, 2)))
    xycoords = ("axes fraction", "data")
    style.label(ax, "fund exhausted", (0, 0), xycoords=xycoords, xytext=(6, -4), va="top")


def _limit(ax: Axes, hours: np.ndarray, fund: np.ndarray, worst: np.ndarray, initial: float, money: Money) -> None:
    """Show zero and the whole fan; let a path that loses many funds leave the figure, and say so."""
    low, high = (float(q) for q in (np.percentile(fund, 1, axis=0).min(), np.percentile(fund, 99, axis=0).max()))
    deepest = min(0.0, low, float(worst.min(initial=0.0)))
    bottom = max(deepest, min(0.0, low) - 2 * max(initial, high))
    margin = 0.06 * (high - bottom) or 1.0
    ax.set_ylim(bottom - margin, high + 2 * margin)
    if hours[-1] > hours[0]:
        ax.set_xlim(hours[0], hours[-1])
    text = "the fund is drawn without a bottom: below zero it owes"
    if bottom > deepest:
        text += f"; at the times drawn the deepest path reaches {money(deepest * money.scale)}"
    style.note(ax, text)


def _finding(end: np.ndarray, money: Money) -> str:
    """Say where the fund ends: in the middle, and for the worst hundredth."""
    middle, low = (money(float(q) * money.scale) for q in np.percentile(end, (50, 1)))
    return f"The median path ends at {middle}, the worst 1 in 100 below {low}"


def _sample(name: str, hours: np.ndarray, fund: np.ndarray) -> str:
    """Say what the fan rests on."""
    return f"{name} · {plural(len(fund), 'path')} · horizon {significant(hours[-1] - hours[0])} h"
