"""Which customers cause the worst paths."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from stress.plots import style
from stress.plots.words import plural, significant
from stress.summary.notation import percent


def attribution(shares: Any, ax: Axes | None = None) -> Axes:
    """Draw every cohort's share of the losses on the worst paths, the largest on top.

    Parameters
    ----------
    shares : stress.summary.CohortShares
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        Share in percent (x), with two standard errors; one row a cohort.
    """
    ax = style.new_axes() if ax is None else ax
    order = np.argsort(shares.share)[::-1]
    x, error = (100.0 * np.asarray(values)[order] for values in (shares.share, shares.standard_error))
    names, y = [shares.cohorts[i] for i in order], -np.arange(len(order))
    colors = [style.BLUE if value >= 0.0 else style.GREEN for value in x]
    bars: dict[str, Any] = {"ecolor": style.INK, "elinewidth": 1.2, "capsize": 3}
    ax.barh(y, x, 0.6, xerr=2.0 * error, color=colors, error_kw=bars)
    ax.axvline(0.0, color=style.GREY, linewidth=0.8)
    ax.set_yticks(y, names)
    style.frame(ax, xlabel="Share of the loss of the fund (%)", ylabel="Cohort (of accounts)")
    style.write_ticks(ax.xaxis, significant)
    sample = f"{plural(shares.n_paths, 'path')} beyond the {percent(shares.level)} reserve · bars: 2 standard errors"
    style.headline(ax, f"{names[0]} causes {x[0]:.0f} % of the loss on the worst paths", sample)
    return ax
