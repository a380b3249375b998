"""How far the reserve moves with the parameters that the sources allow, and which of them move it."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from stress.plots import style
from stress.plots.words import plural, significant
from stress.summary.notation import Money, percent

_MOST_BINS = 24
_N_DRIVERS = 8
_WIDTHS = (3, 2)  # of the histogram and of the drivers


def parameter_interval(found: Any, ax: Axes | None = None, *, unit: str = "USD") -> Axes:
    """Draw the reserve over draws of the parameters, and beside it the parameters that it follows.

    Parameters
    ----------
    found : object
        What `stress.uncertainty` returns: `draws` and `base` with `reserves` in `unit`, shape (n, L), `levels` and
        `usable`; `interval` with `drivers`, `n_paths` and `reserve(level)`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.
    unit : str
        Name of the money.

    Returns
    -------
    matplotlib.axes.Axes
        Reserve in the run's money (x, logarithmic where all are above zero), share of the draws in percent.
    """
    ax = style.new_axes() if ax is None else ax
    column, money = found.draws.usable[-1], Money(unit)
    level, base = found.draws.levels[column], float(found.base.reserves[0, column])
    _draw_histogram(ax, found.draws.reserves[:, column] / money.scale)
    interval = found.interval.reserve(level)
    _mark(ax, interval, base, money)
    _draw_drivers(ax, found.interval.drivers[:_N_DRIVERS])
    style.frame(ax, xlabel=f"{percent(level)} reserve ({money.axis})", ylabel="Draws (%)")
    title = f"{percent(level)} reserve over parameters: {money(interval.low)} to {money(interval.high)}"
    n_draws = len(found.draws.reserves)
    style.headline(
        ax, title, f"{plural(n_draws, 'draw')} · {plural(found.interval.n_paths, 'path')} each · central 95 %"
    )
    return ax


def _draw_histogram(ax: Axes, reserve: np.ndarray) -> None:
    """Draw the shares of the draws, with bins of equal ratio where that is possible."""
    weights = np.full(reserve.size, 100.0 / reserve.size)
    low, high = float(reserve.min()), float(reserve.max())
    bins: Any = min(_MOST_BINS, max(4, round(2 * reserve.size**0.5)))
    if 0.0 < low < high:
        bins = np.geomspace(low, high, bins + 1)
        ax.set_xscale("log")
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xticks(_round_numbers(low, high))
    ax.hist(reserve, bins=bins, weights=weights, color=style.SKY, edgecolor="white", linewidth=0.6)
    style.write_ticks(ax.xaxis, significant)
    style.write_ticks(ax.yaxis, significant)
    ax.set_ylim(top=1.25 * ax.get_ylim()[1])  # room for the words


def _round_numbers(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten inside a range."""
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    return [m * 10.0**k for k in powers for m in (1, 2, 5) if low <= m * 10.0**k <= high]


def _mark(ax: Axes, interval: Any, base: float, money: Money) -> None:
    """Draw the central interval, and the scenario itself as a line."""
    ax.axvspan(interval.low / money.scale, interval.high / money.scale, color=style.GRID, alpha=0.5, zorder=0)
    if not np.isnan(base):
        ax.axvline(base / money.scale, color=style.VERMILION, linewidth=1.6)
        place: dict[str, Any] = {"xycoords": ax.get_xaxis_transform(), "xytext": (5, -4), "va": "top"}
        style.label(ax, f"the scenario\n{money(base)}", (base / money.scale, 1.0), color=style.VERMILION, **place)


def _draw_drivers(ax: Axes, drivers: Any) -> None:
    """Draw the rank correlations on axes of their own, to the right, each under its name; the strongest on top."""
    place = ax.get_subplotspec()
    if place is None:  # axes that stand free have no room to give away
        return
    halves = place.subgridspec(1, 2, width_ratios=_WIDTHS)
    ax.set_subplotspec(halves[0])
    beside = ax.figure.add_subplot(halves[1])
    for i, driver in enumerate(drivers):
        x = driver.rank_correlation
        beside.barh(-i, x, color=style.BLUE if x >= 0.0 else style.ORANGE, height=0.35)
        beside.text(-1.0, 0.26 - i, driver.name, fontsize=8, color=style.INK)
    beside.axvline(0.0, color=style.GREY, linewidth=0.8, ymax=0.96)
    beside.set_xlim(-1.0, 1.0)
    beside.set_ylim(0.6 - len(drivers), 0.7)
    style.frame(beside, xlabel="Rank correlation (1)", ylabel="")
    beside.set_yticks([])
    beside.spines["left"].set_visible(False)
    style.write_ticks(beside.xaxis, significant)
