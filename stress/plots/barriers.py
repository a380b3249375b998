"""Are positions hit as often as in history?  The barrier-hit table as a figure."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from stress.plots import style
from stress.plots.words import significant

_COLORS = {"long": style.BLUE, "short": style.ORANGE}
_MARKERS = "os^Dv"


def barrier_hits(cells: Sequence[Any], ax: Axes | None = None) -> Axes:
    """Draw how often positions are hit in the model against history.

    Parameters
    ----------
    cells : sequence of objects
        Each has `side` ("long" or "short"), `leverage`, `hours`, and `history` and `model` as shares.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        Share of positions hit in percent, history (x) against model (y), both logarithmic; the band is a factor 1.5.
    """
    ax = style.new_axes() if ax is None else ax
    ends = [0.7 * min(min(c.history, c.model) for c in cells), 1.4 * max(max(c.history, c.model) for c in cells)]
    line = [100.0 * end for end in ends]
    ax.fill_between(line, [x / 1.5 for x in line], [x * 1.5 for x in line], color=style.GRID, alpha=0.7, zorder=0)
    ax.plot(line, line, color=style.GREY, linewidth=1.0, zorder=1)
    groups = sorted({(cell.side, cell.hours) for cell in cells}, key=lambda group: (group[1], group[0]))
    hours = sorted({group[1] for group in groups})
    for side, horizon in groups:
        _draw(ax, [c for c in cells if (c.side, c.hours) == (side, horizon)], _MARKERS[hours.index(horizon)])
    ax.set_xscale("log")
    ax.set_yscale("log")
    style.frame(ax, xlabel="Liquidated in history (% of start times)", ylabel="Liquidated in the model (%)")
    for axis in (ax.xaxis, ax.yaxis):
        style.write_ticks(axis, significant, log=True)
    style.legend(ax, loc="lower right")
    worst = max(max(cell.model / cell.history, cell.history / cell.model) for cell in cells)
    title = f"Positions are hit as often as in history, within a factor of {significant(worst)}"
    style.headline(ax, title, f"{len(cells)} cells: leverage, side, horizon · band: a factor of 1.5")
    return ax


def _draw(ax: Axes, cells: Sequence[Any], marker: str) -> None:
    """Draw one side at one horizon, and write the leverage beside each point."""
    side, hours = cells[0].side, cells[0].hours
    x, y = [100.0 * c.history for c in cells], [100.0 * c.model for c in cells]
    color = _COLORS[side]
    ax.plot(x, y, marker, color=color, markersize=7, label=f"{side}, {significant(hours)} h", alpha=0.9)
    long = side == "long"
    place: dict[str, Any] = {"xytext": (7, -11) if long else (-7, 5), "ha": "left" if long else "right"}
    for cell, px, py in zip(cells, x, y, strict=True):
        style.label(ax, f"{significant(cell.leverage)}x", (px, py), color=color, fontsize=8, **place)
