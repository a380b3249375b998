"""Do the largest falls follow the law that the reserve is extrapolated with?"""

import numpy as np
from matplotlib.axes import Axes

from stress.outcomes import Outcomes
from stress.plots import style
from stress.plots.words import plural, sample_line, significant
from stress.summary import Summary, ThresholdFit, summarize
from stress.summary.notation import Money, percent
from stress.summary.pareto import growth

_POINTS = 200
_LARGEST, _SPAN = 0.2, 1e-3  # share of the paths that is drawn; of the largest fall, below which none is


def tail_fit(outcomes: Outcomes, ax: Axes | None = None, *, summary: Summary | None = None) -> Axes:
    """Draw the share of paths beyond each drawdown, with the laws fitted above the accepted thresholds.

    Parameters
    ----------
    outcomes : stress.Outcomes
        The result of a run; its drawdowns are in `facts.unit`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.
    summary : stress.Summary, optional
        The summary of these outcomes, if it is at hand.

    Returns
    -------
    matplotlib.axes.Axes
        Drawdown in the run's money, probability in %, both on logarithmic scales.
    """
    ax = style.new_axes() if ax is None else ax
    summary = summarize(outcomes) if summary is None else summary
    found, money = summary.extremes, summary.money
    drawdown = np.sort(outcomes.drawdown[outcomes.drawdown > 0])[::-1]
    share = np.arange(1, drawdown.size + 1) / outcomes.n_paths
    seen = (share <= _LARGEST) & (drawdown >= _floor(found.accepted, drawdown))
    ax.set(xscale="log", yscale="log")
    ax.plot(drawdown[seen] / money.scale, share[seen], ".", color=style.INK, markersize=3, label="paths")
    for i, fit in enumerate(found.accepted):
        x, y = _law(fit, outcomes.n_paths, found.least_probability or 1.0 / outcomes.n_paths)
        label = "fitted laws" if i == 0 else None
        ax.plot(x / money.scale, y, color=style.BLUE, linewidth=1.0, alpha=0.7, label=label)
    style.frame(
        ax, xlabel=f"Drawdown of the fund ({money.axis}, log scale)", ylabel="Probability beyond (%, log scale)"
    )
    style.write_ticks(ax.xaxis, significant, log=True)
    style.write_ticks(ax.yaxis, lambda p: significant(100 * p), log=True)
    style.legend(ax, loc="upper right")
    style.headline(ax, _finding(summary), sample_line(outcomes))
    return ax


def mean_excess(outcomes: Outcomes, ax: Axes | None = None, *, summary: Summary | None = None) -> Axes:
    """Draw by how much a drawdown beyond a threshold exceeds it on average: a straight line under the fitted law.

    Parameters and errors are those of `tail_fit`.

    Returns
    -------
    matplotlib.axes.Axes
        Threshold and mean excess in the run's money, with the interval of +- 2 standard errors.
    """
    ax = style.new_axes() if ax is None else ax
    summary = summarize(outcomes) if summary is None else summary
    money = summary.money
    drawdown = np.sort(outcomes.drawdown)[::-1]
    counts = np.unique(np.geomspace(10, max(11, 0.1 * drawdown.size), 60).astype(int))
    counts = counts[counts < np.count_nonzero(drawdown > 0)]
    threshold = drawdown[counts] / money.scale
    excess = [drawdown[:k] / money.scale - t for k, t in zip(counts, threshold, strict=True)]
    mean = np.array([x.mean() for x in excess])
    error = np.array([2.0 * x.std() / np.sqrt(x.size) for x in excess])
    ax.fill_between(threshold, mean - error, mean + error, color=style.SKY, alpha=0.35, linewidth=0)
    ax.plot(threshold, mean, color=style.BLUE, linewidth=1.6, label="mean excess of the paths")
    for i, fit in enumerate(fit for fit in summary.extremes.accepted if fit.xi < 1):
        beyond = threshold[threshold >= fit.threshold / money.scale]
        line = (fit.scale + fit.xi * (beyond * money.scale - fit.threshold)) / (1.0 - fit.xi) / money.scale
        ax.plot(beyond, line, color=style.INK, linewidth=0.9, label="fitted laws" if i == 0 else None)
    style.frame(ax, xlabel=f"Threshold ({money.axis})", ylabel=f"Mean excess ({money.axis})")
    style.write_ticks(ax.xaxis, significant)
    style.write_ticks(ax.yaxis, significant)
    style.legend(ax, loc="upper left")
    style.headline(ax, _finding(summary), sample_line(outcomes))
    return ax


def _law(fit: ThresholdFit, n_paths: int, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Return drawdowns and probabilities of a fitted law, from its threshold to the least probability."""
    share = fit.n_exceedances / n_paths
    y = np.geomspace(share, min(least, share / 2), _POINTS)
    return fit.threshold + fit.scale * growth(fit.xi, np.log(share / y)), y


def _floor(accepted: tuple[ThresholdFit, ...], drawdown: np.ndarray) -> float:
    """Return the smallest fall that is drawn: paths that lose next to nothing would stretch the axis."""
    return min((_SPAN * drawdown.max(initial=0.0), *(fit.threshold for fit in accepted)))


def _finding(summary: Summary) -> str:
    """Say what the extrapolation is, or why there is none."""
    found, money = summary.extremes, Money(summary.facts.unit)
    if not found.accepted:
        return "The largest falls do not support an extrapolation"
    answered = [row for row in found.reserves if row.least is not None]
    laws = f"{plural(len(found.accepted), 'threshold')} of {len(found.fits)} fit"
    if not answered:
        return laws
    last = max(answered, key=lambda row: row.level)
    return f"{laws}: {percent(last.level)} needs {money(last.least or 0.0)} to {money.bare(last.most or 0.0)}"
