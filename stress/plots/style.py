"""What every figure shares: the canvas, the colors, the frame and the texts."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

# Okabe and Ito (2008): told apart with every common form of color blindness.
BLUE, SKY, GREEN = "#0072B2", "#56B4E9", "#009E73"
ORANGE, VERMILION, PURPLE = "#E69F00", "#D55E00", "#CC79A7"
INK, GREY, GRID = "#222222", "#6B6B6B", "#E4E4E4"

SIZE_INCHES = (8.0, 5.0)


def new_axes() -> Axes:
    """Make an empty figure without pyplot, so that no window, no global state and nothing to close exists.

    Returns
    -------
    matplotlib.axes.Axes
        The only axes of a figure of 8 x 5 inches (1200 x 750 pixels at 150 dpi).
    """
    return _empty(SIZE_INCHES, w_pad=0.12, h_pad=0.08).add_subplot()


def new_panels(count: int) -> list[Axes]:
    """Make an empty figure of several axes side by side, each of the size that `new_axes` has.

    Parameters
    ----------
    count : int
        How many.

    Returns
    -------
    list of matplotlib.axes.Axes
        From left to right.
    """
    figure = _empty((count * SIZE_INCHES[0], SIZE_INCHES[1]), w_pad=0.25, h_pad=0.08)
    return list(figure.subplots(1, count, squeeze=False)[0])


def new_stack(count: int) -> list[Axes]:
    """Make an empty figure of several axes above each other that share their horizontal axis.

    Parameters
    ----------
    count : int
        How many.

    Returns
    -------
    list of matplotlib.axes.Axes
        From top to bottom.
    """
    figure = _empty((SIZE_INCHES[0], count * SIZE_INCHES[1] / 2.5), w_pad=0.12, h_pad=0.06)
    return list(figure.subplots(count, 1, squeeze=False, sharex=True)[:, 0])


def _empty(size_inches: tuple[float, float], *, w_pad: float, h_pad: float) -> Figure:
    """Make a figure without axes that no window knows of."""
    figure = Figure(figsize=size_inches, layout=ConstrainedLayoutEngine(w_pad=w_pad, h_pad=h_pad))
    FigureCanvasAgg(figure)
    return figure


def frame(ax: Axes, *, xlabel: str, ylabel: str) -> None:
    """Label both axes (with units), draw a light grid behind the data and drop the box.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    xlabel, ylabel : str
        What is measured, with its unit in parentheses.
    """
    ax.set_xlabel(xlabel, color=INK, fontsize=10)
    ax.set_ylabel(ylabel, color=INK, fontsize=10)
    ax.grid(visible=True, which="major", color=GRID, linewidth=0.7)
    ax.grid(visible=False, which="minor")
    ax.set_axisbelow(True)
    ax.tick_params(which="both", colors=GREY, labelsize=9, length=0)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(GREY)


def headline(ax: Axes, title: str, subtitle: str) -> None:
    """Write the finding in bold and, under it in grey, what it rests on.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    title, subtitle : str
        One line each; a title of more than 60 characters is set smaller.
    """
    size = 12.5 * min(1.0, 60 / len(title))
    ax.set_title(title, loc="left", pad=25, fontsize=size, fontweight="bold", color=INK)
    note = ax.annotate(
        subtitle, (0, 1), (0, 9), xycoords="axes fraction", textcoords="offset points", fontsize=9, color=GREY
    )
    note.set_in_layout(False)  # the title's padding already holds the room; a long line must not squeeze the data


def label(ax: Axes, text: str, xy: tuple[float, float], **options: Any) -> Text:
    """Write a short text on the data, with a white halo so that lines behind it do not hurt.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    text : str
        What to say.
    xy : tuple of float
        The point that it speaks of.
    **options
        Passed to `matplotlib.axes.Axes.annotate`: `xytext` is in points from `xy`.

    Returns
    -------
    matplotlib.text.Text
        The text on the axes.
    """
    defaults: dict[str, Any] = {"textcoords": "offset points", "xytext": (0, 0), "fontsize": 9, "color": INK}
    halo = [withStroke(linewidth=3, foreground="white")]
    return ax.annotate(text, xy, **(defaults | options), path_effects=halo, annotation_clip=False)


def note(ax: Axes, text: str) -> None:
    """Put a reservation in small grey type in the lower right corner, under the axis label.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    text : str
        What the reader must know to read the figure right.
    """
    ax.annotate(
        text,
        (1, 0),
        (0, -34),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=8,
        color=GREY,
        style="italic",
    )


def legend(ax: Axes, **options: Any) -> None:
    """Draw a legend without a box, in the type size of the labels.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    **options
        Passed to `matplotlib.axes.Axes.legend`.
    """
    ax.legend(**({"frameon": False, "fontsize": 9, "labelcolor": INK, "handlelength": 1.4} | options))


def write_ticks(axis: Any, write: Any, *, log: bool = False) -> None:
    """Write the ticks of one axis with `write(value)`; a logarithmic axis shows its powers of ten only.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        `ax.xaxis` or `ax.yaxis`.
    write : callable
        From the value of a tick to its text.
    log : bool
        Whether the axis is logarithmic.
    """
    if log:
        axis.set_major_locator(LogLocator(base=10, numticks=12))
        axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
