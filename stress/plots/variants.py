"""How far the reserve moves when the model is another one: the axes of model risk, one below the other."""

from typing import Any

from matplotlib.axes import Axes

from stress.plots import style
from stress.plots.words import plural, significant, times
from stress.summary.notation import Money, percent


def model_risk(risk: Any, ax: Axes | None = None, *, unit: str = "USD") -> Axes:
    """Draw the reserve of every variant with its interval beside that of the scenario.

    Parameters
    ----------
    risk : stress.summary.ModelRisk
        Refused variants are left out.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.
    unit : str
        Name of the money.

    Returns
    -------
    matplotlib.axes.Axes
        Reserve in the run's money (x, logarithmic), one row a variant.
    """
    ax = style.new_axes() if ax is None else ax
    rows, money = [variant for variant in risk.variants if variant.reserve], Money(unit)
    if risk.base.reserve:
        _draw_base(ax, risk.base, money)
    for i, variant in enumerate(rows):
        _draw_variant(ax, -i, variant, money)
    ax.set_yticks([-i for i in range(len(rows))], [f"{variant.axis}: {variant.name}" for variant in rows])
    ax.set_ylim(-len(rows) + 0.4, 0.6)
    ax.margins(x=0.08)
    style.frame(
        ax,
        xlabel=f"{percent(risk.level)} reserve over {significant(risk.horizon_hours)} h ({money.axis})",
        ylabel="Variant (ratio to the scenario)",
    )
    style.write_ticks(ax.xaxis, significant)
    sample = f"{plural(risk.n_paths, 'path')} each, the same random numbers · bars: 95 % intervals"
    style.headline(ax, _finding(risk.level, rows, money), sample)
    return ax


def _draw_base(ax: Axes, base: Any, money: Money) -> None:
    """Draw the scenario itself as a line with a band."""
    if base.low is not None and base.high is not None:
        ax.axvspan(base.low / money.scale, base.high / money.scale, color=style.GRID, alpha=0.6, zorder=0)
    ax.axvline(base.reserve / money.scale, color=style.VERMILION, linewidth=1.4, zorder=1)
    place: dict[str, Any] = {"xycoords": ax.get_xaxis_transform(), "xytext": (4, 4), "va": "bottom"}
    text = f"the scenario: {money(base.reserve)}"
    style.label(ax, text, (base.reserve / money.scale, 0.0), color=style.VERMILION, **place)


def _draw_variant(ax: Axes, y: float, variant: Any, money: Money) -> None:
    """Draw one variant as a point with its interval."""
    x = variant.reserve / money.scale
    if variant.low is not None and variant.high is not None:
        ax.hlines(y, variant.low / money.scale, variant.high / money.scale, color=style.BLUE, linewidth=1.6)
    ax.plot([x], [y], "o", color=style.BLUE, markersize=6)
    ratio = "" if variant.ratio is None else times(variant.ratio)
    style.label(ax, ratio, (x, y), xytext=(0, 7), ha="center", fontsize=8, color=style.GREY)


def _finding(level: float, rows: list[Any], money: Money) -> str:
    """Say how far apart the variants lie."""
    if not rows:
        return "No variant has a reserve at this level"
    low, high = min(row.reserve for row in rows), max(row.reserve for row in rows)
    return f"{percent(level)} reserve: {money(low)} to {money(high)}"
