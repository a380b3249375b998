"""Write a figure to a file: PNG for screens, SVG and PDF for print."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from PIL import Image  # reads and writes matplotlib's own PNG

# No date and no version in the file, so that the same figure is the same bytes; and where its words go.
_METADATA: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}
_WORDS = {".png": "Description", ".svg": "Description", ".pdf": "Subject"}


def save(ax: Axes, path: str | Path, *, dpi: int = 150) -> Path:
    """Write the figure that `ax` belongs to.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        What a figure function returned.
    path : str or pathlib.Path
        Ends in `.png`, `.svg` or `.pdf`; its folder exists.
    dpi : int
        Pixels per inch of a PNG; 150 gives 1200 x 750.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ValueError
        If the ending is not one of the three.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in _METADATA:
        raise ValueError(f"a figure is saved as {', '.join(_METADATA)}; got {path.name!r}")
    metadata = {**_METADATA[ending], _WORDS[ending]: in_words(ax)}
    with rc_context({"svg.hashsalt": "fundstress"}):
        ax.figure.canvas.figure.savefig(path, dpi=dpi, metadata=metadata)
    return path


def in_words(ax: Axes) -> str:
    """Return what a figure says and what its axes are, for readers who do not see it."""
    lines = (line for each in ax.figure.axes for line in _said(each))
    return " ".join(dict.fromkeys(lines))


def _said(ax: Axes) -> Iterator[str]:
    if title := ax.get_title(loc="left"):
        yield f"{title}."
    if ax.get_xlabel() and ax.get_ylabel():
        yield f"Across: {ax.get_xlabel()}; up: {ax.get_ylabel()}."


def description(path: Path) -> str:
    """Return the words that `save` put into a PNG or SVG; empty where there are none.

    Parameters
    ----------
    path : pathlib.Path
        A figure.
    """
    if path.suffix == ".svg":
        found = re.search("<dc:description>(.*?)</dc:description>", path.read_text(encoding="utf-8"), re.DOTALL)
        return unescape(found[1]) if found else ""
    with Image.open(path) as picture:
        return str(picture.info.get("Description", ""))
