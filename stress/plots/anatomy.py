"""The cascade of one path: what moves the price, who is liquidated in how many rounds, and what it costs the fund."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stress.plots import style
from stress.plots.words import plural, significant
from stress.summary.notation import Money


def anatomy(followed: Any) -> Axes:
    """Draw one path in five panels that share the clock.

    Parameters
    ----------
    followed : object
        `hours` (k,); `price` and `mark` (1, k) in USD; `fund`, `inventory`, `deleveraged` (1, k) and `drawdown` (1,) in
        `unit`; `events`,
        whose first entry has the liquidations of the path with `hours`, `side`, `notional_usd`, `round`; and `label`.

    Returns
    -------
    matplotlib.axes.Axes
        The uppermost of the panels: the index before the venue's own impact and the mark after it, what is liquidated
        in every interval, the most rounds that one step took, what the fund has taken over and not sold yet beside
        what is auto-deleveraged in every interval, and the fund.
    """
    panels = style.new_stack(5)
    usd, money, hours = Money("USD"), Money(followed.unit), np.asarray(followed.hours)
    panels[0].plot(hours, followed.mark[0], color=style.ORANGE, linewidth=3.5, label="mark, with feedback")
    panels[0].plot(hours, followed.price[0], color=style.INK, linewidth=1.2, label="index, without")
    events = followed.events[0]
    for side, color, sign in (("long", style.BLUE, 1.0), ("short", style.ORANGE, -1.0)):
        amount = _binned(hours, [e for e in events if e.side == side], np.add, lambda e: e.notional_usd) / usd.scale
        _bars(panels[1], hours, sign * amount, color, f"{side}s")
    rounds = _binned(hours, events, np.maximum, lambda e: e.round + 1.0)
    _bars(panels[2], hours, rounds, style.PURPLE)
    _bars(panels[3], hours, np.diff(followed.deleveraged[0]) / money.scale, style.VERMILION, "auto-deleveraged")
    panels[3].step(hours, followed.inventory[0] / money.scale, where="post", color=style.INK, label="held by the fund")
    panels[4].plot(hours, followed.fund[0] / money.scale, color=style.GREEN, linewidth=1.5)
    scale = money.axis
    named = ("Price (USD)", f"Liquidated ({usd.axis})", "Rounds (most)", f"Taken over ({scale})", f"Fund ({scale})")
    for ax, name in zip(panels, named, strict=True):
        style.frame(ax, xlabel="Time (hours)" if ax is panels[-1] else "", ylabel=name)
        style.write_ticks(ax.yaxis, significant)
    for ax in (*panels[:2], panels[3]):
        style.legend(ax, loc="best", ncols=2)
    style.headline(panels[0], _finding(followed, rounds, money), _sample(followed, events, money))
    return panels[0]


def _binned(hours: np.ndarray, events: Any, gather: Any, read: Any) -> np.ndarray:
    """Return one number an interval between the times, shape (k - 1,)."""
    found = np.zeros(len(hours) - 1)
    places = np.clip(np.searchsorted(hours, [e.hours for e in events], side="left") - 1, 0, len(found) - 1)
    gather.at(found, places.astype(int), np.array([read(e) for e in events], dtype=float))
    return found


def _bars(ax: Axes, hours: np.ndarray, values: np.ndarray, color: str, label: str | None = None) -> None:
    ax.bar(hours[:-1], values, np.diff(hours), align="edge", color=color, label=label)


def _finding(followed: Any, rounds: np.ndarray, money: Money) -> str:
    most = plural(int(rounds.max(initial=0)), "round")
    return f"The path needs {money(float(followed.drawdown[0]))}; one step takes up to {most}"


def _sample(followed: Any, events: Any, money: Money) -> str:
    adl = money(float(followed.deleveraged[0, -1]))
    gap = np.asarray(followed.mark[0]) / followed.price[0] - 1.0
    furthest = f"mark up to {100 * gap[np.abs(gap).argmax()]:+.1f} % off the index"
    return f"{followed.label} · {plural(len(events), 'liquidation')} · {furthest} · auto-deleveraged: {adl}"
