"""One population under several rulebooks: what each needs, and who pays in each."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stress.plots import style
from stress.plots.words import plural, significant
from stress.summary.notation import percent

# From the fund outwards; the colors keep their meaning in every figure of payers.
COLORS = (style.BLUE, style.ORANGE, style.VERMILION, style.GREEN, style.SKY, style.PURPLE, style.INK)


def compared_reserves(comparison: Any, ax: Axes | None = None) -> Axes:
    """Draw the net reserve of every rulebook at every level, with its interval, beside the fund.

    Parameters
    ----------
    comparison : stress.summary.Comparison
        Refused reserves are left out.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        Reserve in the run's money (x), one row a rulebook.
    """
    ax = style.new_axes() if ax is None else ax
    rows, levels = comparison.rulebooks, comparison.levels
    for k, level in enumerate(levels):
        _draw_level(ax, comparison, k, level, offset=0.22 * (k - (len(levels) - 1) / 2.0))
    ax.axvline(
        comparison.fund_initial / comparison.money.scale,
        color=style.GREY,
        linewidth=1.2,
        linestyle="--",
        label="the fund",
    )
    _name_rows(ax, rows)
    ax.set_xlim(0.0, 1.25 * ax.get_xlim()[1])  # room for the legend
    style.frame(
        ax,
        xlabel=f"Reserve over {significant(comparison.horizon_hours)} h ({comparison.money.axis})",
        ylabel="Rulebook (preset)",
    )
    style.write_ticks(ax.xaxis, significant)
    style.legend(ax, loc="lower right")
    style.headline(
        ax, _spread(comparison), f"{_sample(comparison)} · bars: {100 * comparison.confidence:g} % intervals"
    )
    return ax


def who_pays(comparison: Any, ax: Axes | None = None) -> Axes:
    """Draw who bears the mean loss under every rulebook, layer by layer.

    Parameters
    ----------
    comparison : stress.summary.Comparison
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        Mean loss in the run's money (x), stacked; one row a rulebook.
    """
    ax = style.new_axes() if ax is None else ax
    rows = comparison.rulebooks
    left = np.zeros(len(rows))
    for color, who in zip(COLORS, rows[0].payers, strict=False):
        paid = np.array([row.payers[who] for row in rows]) / comparison.money.scale
        if paid.sum() * comparison.money.scale > 1e-9 * comparison.open_interest:
            ax.barh(-np.arange(len(rows)), paid, 0.6, left=left, color=color, label=who)
            left += paid
    _name_rows(ax, rows)
    ax.set_xlim(0.0, max(1e-9, 1.15 * left.max()))
    style.frame(
        ax, xlabel=f"Mean loss borne, no credit for income ({comparison.money.axis})", ylabel="Rulebook (preset)"
    )
    style.write_ticks(ax.xaxis, significant)
    if left.any():
        style.legend(ax, loc="lower right")
    worst = max(rows, key=lambda row: sum(row.payers.values()))
    title = f"Losses are largest under {worst.name}: {comparison.money(sum(worst.payers.values()))} on average"
    style.headline(ax, title, _sample(comparison))
    return ax


def _draw_level(ax: Axes, comparison: Any, k: int, level: float, *, offset: float) -> None:
    """Draw one level as points with bars, a little beside the other levels."""
    rows, scale = comparison.rulebooks, comparison.money.scale
    found = [(-i - offset, row.reserves[k]) for i, row in enumerate(rows) if row.reserves[k].value is not None]
    found = [(y, row) for y, row in found if row.low is not None and row.high is not None]
    if not found:
        return
    color = (style.SKY, style.BLUE, style.VERMILION, style.INK)[k % 4]
    x = np.array([row.value for _, row in found]) / scale
    ends = np.array([(row.low, row.high) for _, row in found]).T / scale
    y = [place for place, _ in found]
    bars = np.abs(ends - x)
    ax.errorbar(x, y, xerr=bars, fmt="o", color=color, markersize=5, elinewidth=1.6, label=percent(level))


def _name_rows(ax: Axes, rows: Any) -> None:
    ax.set_yticks([-i for i in range(len(rows))], [row.name for row in rows])
    ax.set_ylim(-len(rows) + 0.4, 0.6)


def _sample(comparison: Any) -> str:
    return f"{comparison.scenario} · {plural(comparison.n_paths, 'path')} each, the same accounts and shocks"


def _spread(comparison: Any) -> str:
    """Say how far apart the rulebooks lie at the highest level that all of them have."""
    for k in reversed(range(len(comparison.levels))):
        values = [row.reserves[k].value for row in comparison.rulebooks if not row.reserves[k].reason]
        if len(values) == len(comparison.rulebooks):
            least, most = comparison.money(min(values)), comparison.money(max(values))
            return f"{percent(comparison.levels[k])} reserve: {least} to {most}"
    return "No level is supported under every rulebook"
