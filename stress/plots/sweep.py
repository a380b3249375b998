"""What a sweep found: the reserve over one axis, ruin over two, points over many, and which input moves most."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.tri import Triangulation

from stress.plots import style
from stress.plots.words import compact, plural, significant
from stress.summary.notation import Money, percent

_COLORS = (style.BLUE, style.VERMILION, style.GREEN, style.PURPLE)
_RUIN = (0.0001, 0.001, 0.01, 0.05, 0.1, 0.5)  # contours
_BESIDE = 0.06  # between the levels of one text
_COUNTED = 5  # ruined paths of a point, from which a contour means something


def sweep_figures(sweep: Any) -> Iterator[tuple[str, Axes]]:
    """Yield the figures that fit a sweep, each with its name.

    Parameters
    ----------
    sweep : stress.Sweep

    Yields
    ------
    str, matplotlib.axes.Axes
    """
    axes = [name for name in sweep.axes if sweep.outcome(name).dtype.kind == "f"]
    if len(sweep.axes) == 1 or sweep.about["design"]["kind"] == "zip":  # zipped axes move together
        yield "reserve", reserve_over(sweep, sweep.axes[0])
    elif len(sweep.axes) == 2 and len(axes) == 2 and (sweep.is_grid or _spans_a_plane(sweep)):
        yield "ruin_map", ruin_map(sweep)
    elif len(axes) > 1:
        yield "points", parallel_points(sweep)


def reserve_over(sweep: Any, axis: str, ax: Axes | None = None) -> Axes:
    """Draw the reserve at every level against one axis, with its intervals as bands.

    Parameters
    ----------
    sweep : stress.Sweep
        Refused reserves are left out.
    axis : str
        A column of it; texts stand side by side.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        The axis (x), reserve in the run's money.
    """
    ax = style.new_axes() if ax is None else ax
    money, values = Money(sweep.about["unit"]), sweep.outcome(axis)
    texts = values.dtype.kind != "f"
    x = np.arange(len(values), dtype=float) if texts else values
    for i, (color, level) in enumerate(zip(_COLORS, sweep.levels, strict=False)):
        _draw_band(ax, sweep, x + (_BESIDE * i if texts else 0.0), level, color, money, joined=not texts)
    ax.set_ylim(bottom=0)
    style.frame(ax, xlabel=axis, ylabel=f"Reserve over {sweep.about['horizon_hours']:g} h ({money.axis})")
    style.write_ticks(ax.yaxis, significant)
    if texts:
        ax.set_xticks(x, list(values))
    else:
        style.write_ticks(ax.xaxis, compact)
    style.legend(ax)
    style.headline(
        ax, _range(sweep, money), f"{_sample(sweep)} · {'bars' if texts else 'bands'}: intervals of each point"
    )
    return ax


def _draw_band(ax: Axes, sweep: Any, x: np.ndarray, level: float, color: str, money: Money, *, joined: bool) -> None:
    """Draw a level: a line in its band, or, of texts, which have nothing between them, points with bars."""
    name = f"reserve_{level:g}"
    y, low, high = (sweep.outcome(f"{name}{end}") / money.scale for end in ("", "_low", "_high"))
    seen = np.flatnonzero(~np.isnan(y))
    if seen.size == 0:
        return
    order = seen[np.argsort(x[seen])]
    if not joined:
        error = np.nan_to_num([y[order] - low[order], high[order] - y[order]])
        ax.errorbar(x[order], y[order], error, color=color, fmt="o", markersize=5, capsize=4, label=percent(level))
        return
    ax.fill_between(x[order], low[order], high[order], color=color, alpha=0.18, linewidth=0)
    ax.plot(x[order], y[order], color=color, marker="o", markersize=4, linewidth=1.6, label=percent(level))


def _spans_a_plane(sweep: Any) -> bool:
    """Say whether triangles can be laid over the points that have a reserve."""
    seen = ~np.isnan(sweep.outcome(f"reserve_{sweep.best_level:g}"))
    points = np.column_stack([sweep.outcome(name)[seen] for name in sweep.axes])
    return len(points) > 3 and np.linalg.matrix_rank(points - points.mean(axis=0)) == 2


def ruin_map(sweep: Any, ax: Axes | None = None) -> Axes:
    """Draw the reserve over two axes as a map, with contours of the ruin probability.

    Parameters
    ----------
    sweep : stress.Sweep
        With two axes of numbers: a full grid is drawn point by point, others by the triangles between them.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        First axis (x), second axis (y).
    """
    ax = style.new_axes() if ax is None else ax
    money, level = Money(sweep.about["unit"]), sweep.best_level
    ruin = sweep.outcome("ruin")
    mesh, contour = (_cells if sweep.is_grid else _triangles)(ax, sweep, f"reserve_{level:g}", money.scale)
    ax.figure.colorbar(mesh, ax=ax, label=f"{percent(level)} reserve ({money.axis})", format=_tick)
    least = _COUNTED / float(np.nanmax(sweep.outcome("n_paths")))  # rarer ruin is told by a path or none
    drawn = [p for p in _RUIN if max(least, np.nanmin(ruin)) < p < np.nanmax(ruin)]
    if drawn and contour is not None:
        lines = contour(levels=drawn, colors="white", linewidths=1.4)
        ax.clabel(lines, fmt=lambda p: f"ruin {percent(p)}", fontsize=8)
    style.frame(ax, xlabel=sweep.axes[0], ylabel=sweep.axes[1])
    for axis in (ax.xaxis, ax.yaxis):
        style.write_ticks(axis, compact)
    lines_are = f" · lines: ruin of the fund as it is, {', '.join(map(percent, drawn))}" if drawn else ""
    style.headline(ax, _range(sweep, money), f"{_sample(sweep)}{lines_are}")
    return ax


def _cells(ax: Axes, sweep: Any, name: str, scale: float) -> tuple[Any, Callable[..., Any] | None]:
    """Draw a grid; return it and, unless it is a single line, what draws the contours of ruin."""
    x, y = (np.unique(sweep.outcome(axis)) for axis in sweep.axes)
    mesh = ax.pcolormesh(x, y, _square(sweep, name, x, y) / scale, cmap="viridis", shading="nearest")
    ruin = _square(sweep, "ruin", x, y)
    return mesh, partial(ax.contour, x, y, ruin) if min(ruin.shape) > 1 else None


def _triangles(ax: Axes, sweep: Any, name: str, scale: float) -> tuple[Any, Callable[..., Any]]:
    """Draw scattered points and what lies between them; return it and what draws the contours of ruin."""
    x, y, z, ruin = (sweep.outcome(column) for column in (*sweep.axes, name, "ruin"))
    seen = ~np.isnan(z)
    near = Triangulation(_unit(x[seen]), _unit(y[seen]))  # neighbors do not depend on the units of the axes
    triangles = Triangulation(x[seen], y[seen], near.triangles)
    mesh = ax.tripcolor(triangles, z[seen] / scale, cmap="viridis", shading="gouraud")
    ax.plot(x, y, linestyle="none", marker=".", markersize=3, color="white", alpha=0.6)
    return mesh, partial(ax.tricontour, triangles, ruin[seen])


def _tick(value: float, _: Any) -> str:
    return significant(value)


def _square(sweep: Any, name: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return a column of a grid as a table, shape (len(y), len(x))."""
    found = np.full((y.size, x.size), np.nan)
    first, second = (sweep.outcome(axis) for axis in sweep.axes)
    found[np.searchsorted(y, second), np.searchsorted(x, first)] = sweep.outcome(name)
    return found


def parallel_points(sweep: Any, ax: Axes | None = None) -> Axes:
    """Draw every point as a line over its axes, scaled to their ranges; the color is its reserve.

    Parameters
    ----------
    sweep : stress.Sweep
        Points without an answer are left out, and axes of texts.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        One vertical line an axis; the tenth of the points with the largest reserves is dark.
    """
    ax = style.new_axes() if ax is None else ax
    level, money = sweep.best_level, Money(sweep.about["unit"])
    names = [name for name in sweep.axes if sweep.outcome(name).dtype.kind == "f"]
    reserve = sweep.outcome(f"reserve_{level:g}")
    seen = np.flatnonzero(~np.isnan(reserve))
    places = np.column_stack([_unit(sweep.outcome(name)) for name in names])
    worst = np.quantile(reserve[seen], 0.9) if seen.size else np.inf
    for point in seen[np.argsort(reserve[seen])]:
        dark = reserve[point] >= worst
        look: Any = {"color": style.VERMILION, "alpha": 0.7} if dark else {"color": style.SKY, "alpha": 0.25}
        ax.plot(places[point], linewidth=1.1, **look)
    ax.set_xticks(range(len(names)), names, rotation=30, ha="right")
    style.frame(ax, xlabel="", ylabel="Place in the range of each axis (1)")
    style.write_ticks(ax.yaxis, significant)
    title = f"{percent(level)} reserve above {money(worst)} in a tenth of the points (dark)"
    style.headline(ax, title, _sample(sweep))
    return ax


def _unit(x: np.ndarray) -> np.ndarray:
    low, high = np.nanmin(x), np.nanmax(x)
    return (x - low) / (high - low) if high > low else np.zeros_like(x)


def tornado(found: Any, ax: Axes | None = None) -> Axes:
    """Draw the effects of all inputs, the strongest on top, with their intervals.

    Parameters
    ----------
    found : stress.sweeps.Sensitivity
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        Index or effect (x), one row an input.
    """
    ax = style.new_axes() if ax is None else ax
    effects = found.effects
    y = -np.arange(len(effects), dtype=float)
    sobol = found.method == "sobol"
    _draw_bars(ax, y + 0.18 * sobol, effects, "total", style.BLUE, "total" if sobol else "mean absolute effect")
    if sobol:
        _draw_bars(ax, y - 0.18, effects, "first", style.SKY, "first order")
    ax.set_yticks(y, [effect.name for effect in effects])
    ax.axvline(0.0, color=style.GREY, linewidth=0.8)
    label = "Share of the variance (1)" if sobol else "Effect over the whole range, in log(reserve)"
    style.frame(ax, xlabel=label, ylabel="Input")
    style.write_ticks(ax.xaxis, significant)
    style.legend(ax, loc="lower right")
    style.headline(
        ax,
        _leader(effects),
        f"{found.target} · {plural(found.n_points, 'point')} · bars: {100 * found.confidence:g} % intervals",
    )
    return ax


def _leader(effects: Any) -> str:
    """Say which input moves the reserve most, as far as the intervals tell."""
    first, *others = effects
    if any(first.total - first.total_error < other.total + other.total_error for other in others):
        return f"{first.name} comes first, but intervals overlap"
    return f"{first.name} moves the reserve most"


def _draw_bars(ax: Axes, y: np.ndarray, effects: Any, which: str, color: str, label: str) -> None:
    x = [getattr(effect, which) for effect in effects]
    error = [getattr(effect, f"{which}_error") for effect in effects]
    ax.barh(y, x, 0.32, xerr=error, color=color, label=label, error_kw={"ecolor": style.INK, "elinewidth": 1.0})


def _range(sweep: Any, money: Money) -> str:
    """Say between which ends the reserve lies at the highest level that no point refused."""
    level = sweep.best_level
    reserve = sweep.outcome(f"reserve_{level:g}")
    if np.isnan(reserve).all():
        return "No level is supported by these paths"
    return f"{percent(level)} reserve: {money(np.nanmin(reserve))} to {money(np.nanmax(reserve))}"


def _sample(sweep: Any) -> str:
    paths = sweep.outcome("n_paths")
    most = int(np.nanmax(paths)) if len(paths) else 0
    return f"{sweep.about['name']} · {plural(len(sweep), 'point')} of up to {plural(most, 'path')}"
