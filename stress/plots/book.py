"""What a fall or a rise of the price liquidates: the liquidation map of a population."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stress.plots import style
from stress.plots.words import plural, significant
from stress.summary.notation import Money, percent

_WIDEST = 0.60
_BIN = 0.01


def liquidation_map(book: Any, ax: Axes | None = None, *, unit: str = "USD") -> Axes:
    """Draw the notional that is liquidated in each percent of price move, and its cumulative share.

    Parameters
    ----------
    book : object
        `move` (n_accounts,): relative price move at which the account is liquidated, below zero for longs;
        `notional` (n_accounts,) and `open_interest` (one side) in `unit`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.
    unit : str
        Name of the money.

    Returns
    -------
    matplotlib.axes.Axes
        Price move in %, notional per 1 % bin; a twin axis has the cumulative % of open interest.
    """
    ax = style.new_axes() if ax is None else ax
    move, notional = np.asarray(book.move, dtype=float), np.asarray(book.notional, dtype=float)
    width, money = _width(move, notional), Money(unit)
    edges = np.arange(-round(width / _BIN), round(width / _BIN) + 1) * _BIN
    heights, _ = np.histogram(move, bins=edges, weights=notional)
    share = heights / book.open_interest if book.open_interest > 0 else np.zeros_like(heights)

    _draw_bars(ax, edges, heights / money.scale)
    _draw_cumulative(ax, edges, share)
    ax.set_xlim(-100 * width, 100 * width)
    style.frame(ax, xlabel="Price move (%)", ylabel=f"Notional liquidated ({money.axis} per 1 % bin)")
    style.write_ticks(ax.xaxis, _signed)
    style.write_ticks(ax.yaxis, significant)
    style.legend(ax, loc="upper center", ncols=3)
    _note_beyond(ax, width, float(notional.sum()), heights.sum())
    style.headline(
        ax,
        _finding(edges, share),
        f"{plural(len(move), 'account')} · open interest {money(book.open_interest)}",
    )
    return ax


def _width(move: np.ndarray, notional: np.ndarray) -> float:
    """Half-width of the map: holds 98 % of the notional, in steps of 5 %, between 10 and 60 %."""
    order = np.argsort(np.abs(move))
    reached = np.cumsum(notional[order])
    if not len(reached) or reached[-1] <= 0:
        return 0.10
    far = float(np.abs(move)[order][np.searchsorted(reached, 0.98 * reached[-1])])
    return min(_WIDEST, max(0.10, 0.05 * np.ceil(round(far / 0.05, 9)))) if np.isfinite(far) else _WIDEST


def _draw_bars(ax: Axes, edges: np.ndarray, heights: np.ndarray) -> None:
    """Draw longs and shorts in two colors, with headroom for the legend."""
    left, longs = 100 * edges[:-1], edges[:-1] < -_BIN / 2
    top = 1.18 * float(heights.max(initial=0.0)) or 1.0
    for side, color, name in ((longs, style.BLUE, "longs: a fall"), (~longs, style.ORANGE, "shorts: a rise")):
        ax.bar(left[side], heights[side], 1.0, align="edge", color=color, edgecolor="white", lw=0.4, label=name)
    ax.plot([], [], color=style.INK, linewidth=1.3, label="cumulative (right axis)")
    ax.axvline(0, ymax=0.86, color=style.INK, linewidth=0.9)
    ax.set_ylim(0, top)


def _draw_cumulative(ax: Axes, edges: np.ndarray, share: np.ndarray) -> None:
    """Draw what a move of this size or less has liquidated, outward from today's price, on a twin axis."""
    middle = len(share) // 2
    falls, rises = np.cumsum(share[:middle][::-1])[::-1], np.cumsum(share[middle:])
    reached = 100 * np.concatenate((falls, [0.0], rises))
    twin = ax.twinx()
    twin.plot(100 * edges, reached, color=style.INK, linewidth=1.3)
    style.frame(twin, xlabel="", ylabel="Cumulative (% of open interest)")
    twin.grid(visible=False)
    twin.spines["left"].set_visible(False)
    twin.spines["bottom"].set_visible(False)
    twin.set_ylim(0, 1.18 * float(reached.max()) or 1.0)
    style.write_ticks(twin.yaxis, significant)


def _note_beyond(ax: Axes, width: float, total: float, shown: float) -> None:
    """Say what the map does not show: accounts that only a larger move, or none, liquidates."""
    if total > 0 and total - shown > 1e-9 * total:
        style.note(
            ax,
            f"{percent((total - shown) / total)} of the notional lies beyond ±{significant(100 * width)} %",
        )


def _finding(edges: np.ndarray, share: np.ndarray) -> str:
    """Say what a move of 10 % liquidates, on either side."""
    near = np.abs(edges[:-1] + _BIN / 2) < 0.10
    longs = edges[:-1] < -_BIN / 2
    fall, rise = share[near & longs].sum(), share[near & ~longs].sum()
    return f"A 10 % fall liquidates {percent(fall)} of open interest, a 10 % rise {percent(rise)}"


def _signed(value: float) -> str:
    """Write a move with its sign."""
    return ("+" if value > 0 else "") + significant(value)
