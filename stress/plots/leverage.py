"""How the reserve grows with the leverage of the customers."""

import math
from collections.abc import Sequence
from itertools import cycle
from typing import Any

from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from stress.plots import style
from stress.plots.words import plural, significant, times
from stress.summary.notation import Money, percent

_COLORS = (style.BLUE, style.VERMILION, style.GREEN, style.PURPLE, style.ORANGE, style.SKY)
_BESIDE = 5.0  # points between the error bars of neighboring levels
_LINES = tuple(zip(_COLORS, "osD^vP", strict=True))


def reserve_by_leverage(points: Sequence[Any], ax: Axes | None = None, *, unit: str = "USD") -> Axes:
    """Draw the reserve against mean leverage, one line per level, with its interval.

    Parameters
    ----------
    points : sequence of objects
        Each has `mean_leverage`, `level`, `value` in `unit`, and `low`, `high` in `unit` or None.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.
    unit : str
        Name of the money.

    Returns
    -------
    matplotlib.axes.Axes
        Mean leverage (x), reserve in the run's money.
    """
    ax = style.new_axes() if ax is None else ax
    lines, money = _by_level(points), Money(unit)
    for i, ((level, line), (color, marker)) in enumerate(zip(lines.items(), cycle(_LINES), strict=False)):
        _draw_line(ax, level, line, color, marker, money)
        _draw_intervals(ax, line, color, _BESIDE * (i - (len(lines) - 1) / 2), money)
    ax.margins(x=0.04)
    ax.set_ylim(bottom=0)
    _name_lines(ax, lines, money)
    style.frame(ax, xlabel="Mean leverage (times collateral)", ylabel=f"Reserve ({money.axis})")
    style.write_ticks(ax.xaxis, times)
    style.write_ticks(ax.yaxis, significant)
    style.headline(ax, _finding(lines, money), _sample(points, lines))
    return ax


def _by_level(points: Sequence[Any]) -> dict[float, list[Any]]:
    """Group the points by level, and sort each group by leverage."""
    levels = sorted({point.level for point in points})
    return {level: sorted((p for p in points if p.level == level), key=lambda p: p.mean_leverage) for level in levels}


def _draw_line(ax: Axes, level: float, line: list[Any], color: str, marker: str, money: Money) -> None:
    """Draw one level."""
    x = [point.mean_leverage for point in line]
    y = [point.value / money.scale for point in line]
    ax.plot(x, y, color=color, marker=marker, markersize=5, linewidth=1.6, label=percent(level))


def _draw_intervals(ax: Axes, line: list[Any], color: str, beside: float, money: Money) -> None:
    """Draw the error bars of one level, `beside` points to the right: those of two levels would hide each other."""
    shift = ScaledTranslation(beside / 72, 0, ax.figure.dpi_scale_trans)
    for point in filter(_has_interval, line):
        low, high = point.low / money.scale, point.high / money.scale
        ax.update_datalim([(point.mean_leverage, low), (point.mean_leverage, high)])
        ax.vlines(point.mean_leverage, low, high, color=color, linewidth=1.1, transform=ax.transData + shift)


def _name_lines(ax: Axes, lines: dict[float, list[Any]], money: Money) -> None:
    """Write each level at the end of its line, pushed up where two lines end close together."""
    colors = dict(zip(lines, cycle(_COLORS), strict=False))
    gap, lowest = 0.05 * ax.get_ylim()[1], -math.inf
    for level, last in sorted(((level, line[-1]) for level, line in lines.items()), key=lambda end: end[1].value):
        lowest = max(last.value / money.scale, lowest + gap)
        place: dict[str, Any] = {"xytext": (8, 0), "va": "center", "weight": "bold"}
        style.label(ax, percent(level), (last.mean_leverage, lowest), color=colors[level], **place)


def _has_interval(point: Any) -> bool:
    """Whether both ends of the interval are known."""
    return point.low is not None and point.high is not None


def _finding(lines: dict[float, list[Any]], money: Money) -> str:
    """Say how the reserve of the highest level moves from the lowest to the highest leverage."""
    if not lines:
        return "How the reserve grows with leverage"
    level, line = list(lines.items())[-1]
    first, last = line[0], line[-1]
    if len(line) == 1:
        return f"{percent(level)} reserve at {times(first.mean_leverage)} leverage: {money(first.value)}"
    return (
        f"{percent(level)} reserve: {money(first.value)} at {times(first.mean_leverage)} leverage, "
        f"{money(last.value)} at {times(last.mean_leverage)}"
    )


def _sample(points: Sequence[Any], lines: dict[float, list[Any]]) -> str:
    """Say what the lines rest on."""
    bars = " · bars: 95 % intervals" if any(_has_interval(point) for point in points) else ""
    n_leverages = len({point.mean_leverage for point in points})
    return f"{plural(n_leverages, 'mean leverage')} · {plural(len(lines), 'level')}{bars}"
