"""Write a figure to a file: PNG for screens, SVG and PDF for print."""

from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes

# No date and no version in the file, so that the same figure is the same bytes.
_METADATA: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}


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
    with rc_context({"svg.hashsalt": "fundstress"}):
        ax.figure.canvas.figure.savefig(path, dpi=dpi, metadata=_METADATA[ending])
    return path
