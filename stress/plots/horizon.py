"""How the reserve grows with the time over which the fund must last."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stress.plots import style
from stress.plots.words import significant
from stress.summary.notation import Money, percent

_COLORS = (style.BLUE, style.VERMILION, style.GREEN, style.PURPLE)


def reserve_by_horizon(summaries: Sequence[Any], ax: Axes | None = None) -> Axes:
    """Draw the net reserve against the horizon, one line a level, with its intervals.

    Parameters
    ----------
    summaries : sequence of stress.Summary
        Of runs of one money; refused reserves are left out.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        Horizon in hours and reserve in the runs' money, both on logarithmic scales.
    """
    ax = style.new_axes() if ax is None else ax
    runs = sorted(summaries, key=lambda summary: summary.facts.horizon_hours)
    money = runs[0].money
    levels = sorted({row.level for run in runs for row in run.reserves})
    for level, color in zip(levels, cycle(_COLORS), strict=False):
        _draw_level(ax, runs, level, color, money)
    ax.set(xscale="log", yscale="log")
    ticks = sorted({run.facts.horizon_hours for run in runs})
    ax.set_xticks(ticks, [significant(hours) for hours in ticks])
    ax.minorticks_off()
    style.frame(ax, xlabel="Horizon (hours, log scale)", ylabel=f"Net reserve ({money.axis}, log scale)")
    style.write_ticks(ax.yaxis, significant)
    style.legend(ax, loc="upper left")
    style.headline(ax, _finding(runs, levels, money), f"{_names(runs)} · bars: intervals of each run")
    return ax


def _draw_level(ax: Axes, runs: list[Any], level: float, color: str, money: Money) -> None:
    found = [
        (run.facts.horizon_hours, row)
        for run in runs
        for row in run.reserves
        if (row.level, row.kind) == (level, "net")
    ]
    found = [(hours, row) for hours, row in found if row.value and row.low is not None and row.high is not None]
    if not found:
        return
    x, y = [hours for hours, _ in found], np.array([row.value for _, row in found]) / money.scale
    ends = np.array([(row.low, row.high) for _, row in found]).T / money.scale
    ax.errorbar(x, y, yerr=np.abs(ends - y), fmt="o-", color=color, markersize=5, capsize=3, label=percent(level))


def _names(runs: list[Any]) -> str:
    return ", ".join(dict.fromkeys(run.facts.scenario for run in runs))


def _finding(runs: list[Any], levels: list[float], money: Money) -> str:
    """Say what the highest level asks for at both ends, as far as it is known there."""
    for level in reversed(levels):
        ends = [next((r.value for r in run.reserves if (r.level, r.kind) == (level, "net")), None) for run in runs]
        if ends[0] and ends[-1]:
            first, last = (significant(run.facts.horizon_hours) for run in (runs[0], runs[-1]))
            return f"{percent(level)} reserve: {money(ends[0])} over {first} h, {money(ends[-1])} over {last} h"
    return "No level is known at both ends"
