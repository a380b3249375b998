"""Who pays when a liquidation costs more than the account had: step by step down the waterfall."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stress.plots import style
from stress.plots.compare import COLORS
from stress.plots.words import plural, significant
from stress.summary.comparison import PAYERS
from stress.summary.notation import percent

_NOTHING = 1e-9  # of the loss: a layer that pays less is left out


def who_paid(summary: Any, ax: Axes | None = None) -> Axes:
    """Draw the mean loss as a first bar, and under it what every layer takes off it.

    Parameters
    ----------
    summary : stress.Summary
        Its `mean`, by payer.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        Mean over paths in the run's money (x), one row a payer; the last step ends at zero.
    """
    ax = style.new_axes() if ax is None else ax
    money, total = summary.money, sum(summary.mean[column] for column in PAYERS.values())
    paid = {who: summary.mean[column] for who, column in PAYERS.items() if summary.mean[column] > _NOTHING * total}
    colors = dict(zip(PAYERS, COLORS, strict=False))
    left = (total - np.cumsum([0.0, *paid.values()])) / money.scale
    ax.barh(0, left[0], 0.6, color=style.GREY)
    style.label(ax, money(total), (left[0], 0), xytext=(5, 0), va="center")
    for i, (who, amount) in enumerate(paid.items(), 1):
        ax.barh(-i, amount / money.scale, 0.6, left=left[i], color=colors[who])
        ax.vlines(left[i], -i - 1, -i, color=style.GREY, linewidth=0.8)
        said = f"{money(amount)}, {percent(amount / total)}"
        style.label(ax, said, (left[i - 1], -i), xytext=(5, 0), va="center")
    ax.set_yticks(-np.arange(len(paid) + 1), ["loss to be borne", *paid])
    ax.set_ylim(-len(paid) - 0.6, 0.6)
    ax.set_xlim(0.0, 1.35 * left[0] or 1.0)  # room for the words
    style.frame(ax, xlabel=f"Mean over paths, no credit for income ({money.axis})", ylabel="Who bears it (layer)")
    style.write_ticks(ax.xaxis, significant)
    style.headline(ax, _finding(paid, total, money), _sample(summary))
    return ax


def _finding(paid: dict[str, float], total: float, money: Any) -> str:
    if not paid:
        return "On no path does a liquidation cost more than the account had"
    first = max(paid, key=lambda who: paid[who])
    return f"{percent(paid[first] / total)} of the mean loss of {money(total)} falls on: {first}"


def _sample(summary: Any) -> str:
    facts = summary.facts
    return f"{facts.scenario} · {plural(summary.n_paths, 'path')} of {significant(facts.horizon_hours)} h"
