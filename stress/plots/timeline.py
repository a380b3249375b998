"""What happened when: price, open interest, liquidations and the fund on one clock."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stress.plots import style
from stress.plots.words import significant
from stress.summary.notation import Money

_TINT = "#97C4E2"


def timeline(followed: Any) -> Axes:
    """Draw paths over time in four panels that share the clock; where there are several, the median and 90 % of them.

    Parameters
    ----------
    followed : object
        `hours` (k,); `price`, `open_interest`, `liquidated_long`, `liquidated_short` (n, k) in USD, `fund` (n, k) and
        `deleveraged` (n, k) in `unit`; and `label`.

    Returns
    -------
    matplotlib.axes.Axes
        The uppermost of the panels.
    """
    panels = style.new_stack(4)
    usd, money = Money("USD"), Money(followed.unit)
    hours = np.asarray(followed.hours)
    _band(panels[0], hours, followed.price, style.INK)
    _band(panels[1], hours, followed.open_interest / usd.scale, style.INK)
    _band(panels[2], hours, followed.liquidated_long / usd.scale, style.BLUE, "longs")
    _band(panels[2], hours, followed.liquidated_short / usd.scale, style.ORANGE, "shorts")
    _band(panels[3], hours, followed.fund / money.scale, style.GREEN)
    named = ("Index (USD)", f"Open ({usd.axis})", f"Liquidated ({usd.axis})", f"Fund ({money.axis})")
    for ax, name in zip(panels, named, strict=True):
        style.frame(ax, xlabel="Time (hours)" if ax is panels[-1] else "", ylabel=name)
        style.write_ticks(ax.yaxis, significant)
    style.legend(panels[2], loc="upper left")
    style.headline(panels[0], _finding(followed, money), _sample(followed, money))
    return panels[0]


def _band(ax: Axes, hours: np.ndarray, rows: np.ndarray, color: str, name: str = "") -> None:
    if len(rows) > 1:
        ax.fill_between(hours, *np.percentile(rows, (5, 95), axis=0), color=color, alpha=0.2, linewidth=0)
    ax.plot(hours, np.median(rows, axis=0), color=color, linewidth=1.5, label=name)


def _finding(followed: Any, money: Money) -> str:
    change = np.median(followed.fund[:, -1] - followed.fund[:, 0]) / money.scale
    fell = np.median(followed.price.min(axis=1) / followed.price[:, 0] - 1.0)
    rose = np.median(followed.price.max(axis=1) / followed.price[:, 0] - 1.0)
    move = fell if -fell >= rose else rose
    return f"The index moves by up to {100 * move:+.0f} %, the fund by {change:+,.3g} {money.axis}"


def _sample(followed: Any, money: Money) -> str:
    several = f"median and 90 % of {len(followed.price)} paths" if len(followed.price) > 1 else "one path"
    adl = np.median(followed.deleveraged[:, -1]) / money.scale
    return f"{followed.label} · {several} · auto-deleveraged by the end: {adl:,.3g} {money.axis}"
