"""What is on record of venues' leverage: dated data files in ``agents/venues``, each with its sources.

A file has an ``[about]`` (venue, date, what is weighted, sources, confidence), the ``[law]`` (edges and weights of
open interest) and the figures that were ``[reported]``, which the law reproduces (docs/method.md, section 8).
"""

import tomllib
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "venues"


def names() -> list[str]:
    """Return the names of all records, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def load(name: str) -> dict[str, Any]:
    """Return the tables of a record.

    Raises
    ------
    ValueError
        For an unknown name, with the nearest.
    """
    if name not in names():
        near = get_close_matches(name, names(), n=1, cutoff=0.5)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"unknown venue {name!r}, known: {', '.join(names())}{meant}")
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
