"""Does a price model look like history?  Its quantiles, and the memory of its moves."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stress.plots import style
from stress.plots.words import significant

_POINTS = 400


def return_quantiles(likeness: Any, ax: Axes | None = None) -> Axes:
    """Draw the quantiles of a model's returns against those of history.

    Parameters
    ----------
    likeness : object
        `history` (n,) and `model` (m,), log-returns in ascending order; `label` and `bar`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        Log-returns in percent, history (x) against model (y).
    """
    ax = style.new_axes() if ax is None else ax
    n = min(likeness.history.size, likeness.model.size)
    rare = np.geomspace(1.0 / n, 0.5, _POINTS // 2)
    at = np.concatenate([rare, 1.0 - rare[::-1]])
    history, model = (100.0 * np.quantile(x, at) for x in (likeness.history, likeness.model))
    ends = [min(history[0], model[0]), max(history[-1], model[-1])]
    ax.plot(ends, ends, color=style.GREY, linewidth=1.0, zorder=1)
    ax.plot(history, model, "o", color=style.BLUE, markersize=3.5, alpha=0.8)
    style.frame(ax, xlabel="Log-return in history (%)", ylabel=f"Log-return in the model, {likeness.label} (%)")
    for axis in (ax.xaxis, ax.yaxis):
        style.write_ticks(axis, significant)
    near = np.abs(np.log(np.abs(model[[0, -1]] / history[[0, -1]])))
    factor = significant(float(np.exp(near.max())))
    title = f"The largest moves of {likeness.label} are within a factor of {factor} of history's"
    style.headline(ax, title, f"quantiles of bars of {likeness.bar} · down to 1 in {n:,}")
    return ax


def memory_of_moves(likeness: Any, ax: Axes | None = None) -> Axes:
    """Draw how long large moves follow large moves, in a model and in history.

    Parameters
    ----------
    likeness : object
        `lags` (k,) in hours, `memory_history` and `memory_model` (k,); `label` and `bar`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        Lag in hours against the autocorrelation of absolute returns.
    """
    ax = style.new_axes() if ax is None else ax
    ax.plot(likeness.lags, likeness.memory_history, color=style.INK, linewidth=1.6, label="history")
    ax.plot(likeness.lags, likeness.memory_model, color=style.BLUE, linewidth=1.6, label=likeness.label)
    ax.axhline(0.0, color=style.GREY, linewidth=0.8)
    style.frame(ax, xlabel="Lag (hours)", ylabel="Autocorrelation of |return| (1)")
    for axis in (ax.xaxis, ax.yaxis):
        style.write_ticks(axis, significant)
    style.legend(ax, loc="upper right")
    day = int(np.abs(likeness.lags - 24.0).argmin())
    found = f"{likeness.memory_model[day]:.2f} in {likeness.label}, {likeness.memory_history[day]:.2f} in history"
    style.headline(
        ax,
        f"A day later, large moves are remembered by {found}",
        f"bars of {likeness.bar} · none of the lags is fitted",
    )
    return ax
