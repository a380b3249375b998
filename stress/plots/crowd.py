"""Who is in the book: how levered each cohort is, and how unequal the accounts are."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stress.plots import style
from stress.plots.words import plural, significant, times
from stress.summary import concentration
from stress.summary.notation import Money, percent

_COLORS = (style.BLUE, style.ORANGE, style.GREEN, style.VERMILION, style.PURPLE, style.SKY)
_PER_DOUBLING = 4
_HIGH = 10.0
_POINTS = 400  # of a line of many accounts


def leverage_by_cohort(cohorts: Sequence[Any], ax: Axes | None = None) -> Axes:
    """Draw the share of all notional by leverage, the cohorts stacked.

    Parameters
    ----------
    cohorts : sequence of objects
        Each has a `name`, and for its accounts `leverage` (n,) and `notional` (n,), in any one money.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        Leverage today (times equity, log scale), share of the notional per bin in %.
    """
    ax = style.new_axes() if ax is None else ax
    leverage, notional = (np.concatenate([getattr(c, name) for c in cohorts]) for name in ("leverage", "notional"))
    edges = _edges(leverage)
    bottom = np.zeros(edges.size - 1)
    for cohort, color in zip(cohorts, cycle(_COLORS), strict=False):
        inside = np.clip(cohort.leverage, edges[0], edges[-1])
        share = 100 * np.histogram(inside, edges, weights=cohort.notional)[0] / notional.sum()
        ax.bar(
            edges[:-1], share, np.diff(edges), bottom, align="edge", color=color, label=cohort.name, ec="white", lw=0.4
        )
        bottom += share
    ax.set(xscale="log", xlim=(edges[0], edges[-1]))
    ax.set_ylim(0, 1.25 * bottom.max())
    style.frame(ax, xlabel="Leverage today (times equity, log scale)", ylabel="Share of the notional per bin (%)")
    ticks = [x for x in (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500) if edges[0] <= x <= edges[-1]]
    ax.set_xticks(ticks, [times(x) for x in ticks])
    ax.set_xticks([], minor=True)
    style.write_ticks(ax.yaxis, significant)
    style.legend(ax, loc="upper right", ncols=2)
    median = times(float(f"{_weighted_median(leverage, notional):.2g}"))
    above = float(notional[leverage > _HIGH].sum() / notional.sum())
    style.headline(
        ax,
        f"Half of the notional is levered {median} or more, {percent(above)} above {times(_HIGH)}",
        f"{plural(leverage.size, 'account')} · {plural(len(cohorts), 'cohort')} · leverage is notional over equity",
    )
    return ax


def _edges(leverage: np.ndarray) -> np.ndarray:
    """Return logarithmic bins between the leverage of one account in a thousand at either end."""
    low, high = np.quantile(leverage, (0.001, 0.999))
    first, last = np.floor(_PER_DOUBLING * np.log2(low)), np.ceil(_PER_DOUBLING * np.log2(high))
    return 2.0 ** (np.arange(first, max(last, first + 1) + 1) / _PER_DOUBLING)


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(below, 0.5 * below[-1])])


def size_survival(notional: np.ndarray, ax: Axes | None = None, *, unit: str = "USD") -> Axes:
    """Draw the share of accounts that are larger than each size, with the power law of the largest.

    Parameters
    ----------
    notional : ndarray, shape (n,)
        Of every holder, in `unit`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.
    unit : str
        Name of the money.

    Returns
    -------
    matplotlib.axes.Axes
        Notional in the run's money and share of accounts in %, both on log scales.
    """
    ax = style.new_axes() if ax is None else ax
    money, size = Money(unit), np.sort(np.asarray(notional, dtype=float))[::-1]
    size = size[size > 0.0]
    larger = np.arange(1, size.size + 1) / max(size.size, 1)
    shown = np.unique(np.geomspace(1, size.size, _POINTS).round().astype(int)) - 1 if size.size else slice(0)
    ax.plot(size[shown] / money.scale, larger[shown], color=style.BLUE, marker="o", markersize=2.5, linewidth=1.2)
    ax.set(xscale="log", yscale="log")
    found = concentration(size)
    if found.hill is not None and found.hill_error is not None:
        _draw_tail(ax, size, found.hill, found.hill_k, money)
    style.frame(
        ax, xlabel=f"Notional of an account ({money.axis}, log scale)", ylabel="Share of accounts larger (%, log scale)"
    )
    style.write_ticks(ax.xaxis, significant, log=True)
    style.write_ticks(ax.yaxis, lambda p: significant(100 * p), log=True)
    style.headline(ax, *_finding(found, money))
    return ax


def _draw_tail(ax: Axes, size: np.ndarray, index: float, k: int, money: Money) -> None:
    """Draw the power law through the threshold of the largest `k`."""
    x = np.array([size[k], size[0]])
    ax.plot(x / money.scale, (k / size.size) * (x / x[0]) ** -index, color=style.VERMILION, linewidth=1.4, ls="--")
    middle = float(np.sqrt(x[0] * x[1]))
    at = (middle / money.scale, (k / size.size) * (middle / x[0]) ** -index)
    style.label(ax, f"tail index {index:.2f}", at, color=style.VERMILION, xytext=(10, 10))


def _finding(found: Any, money: Money) -> tuple[str, str]:
    """Say how much the largest hold, and what it rests on."""
    if not found.n_accounts:
        return "Nobody holds anything", "0 accounts · nothing held"
    tail = (
        "" if found.hill is None else f" · tail index {found.hill:.2f} ± {found.hill_error:.2f}, largest {found.hill_k}"
    )
    share = f"The largest ten hold {percent(found.top_10)}, the largest hundredth {percent(found.top_percent)}"
    return share, f"{plural(found.n_accounts, 'holder')} of {money(found.total)} · Gini {found.gini:.3f}{tail}"
