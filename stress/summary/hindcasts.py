"""Would the model have said it: known events against the simulator, with one frozen set of parameters.

The figures are data, ``hindcasts.toml`` beside this file: they are about the model, not about a run.
"""

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["MEASURES", "Hindcast", "Hindcasts", "load_hindcasts", "shipped_hindcasts"]

SHIPPED = Path(__file__).with_name("hindcasts.toml")

#: What an event's figure is a ratio of.
MEASURES = ("fund loss / liquidated", "fund loss / fund")


@dataclass(frozen=True)
class Hindcast:
    """One event of history and what the model gives for it.

    Parameters
    ----------
    name : str
        The event.
    measure : str
        One of `MEASURES`.
    observed : float
        What happened, > 0.
    simulated : float or None
        What the model gives; None when it cannot express the event.
    missing : str or None
        Then: the mechanism that the rulebook lacks.
    """

    name: str
    measure: str
    observed: float
    simulated: float | None = None
    missing: str | None = None

    @property
    def factor(self) -> float | None:
        """How far off, ``max(simulated / observed, observed / simulated)``; infinite without a simulated loss."""
        if self.simulated is None:
            return None
        return math.inf if self.simulated <= 0 else max(self.simulated / self.observed, self.observed / self.simulated)


@dataclass(frozen=True)
class Hindcasts:
    """All events, when they were simulated, and with which parameters, in words."""

    as_of: str
    parameters: str
    events: tuple[Hindcast, ...]


def load_hindcasts(path: Path) -> Hindcasts | None:
    """Read a file of hind-casts; None when there is none or it lists no event.

    Raises
    ------
    ValueError
        When the file is not what `Hindcast` describes: its name, the event and the key are said.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name}: {error}") from None
    events = tuple(_event(values, f"{path.name}: event {n}") for n, values in enumerate(table.get("event", []), 1))
    return Hindcasts(str(table.get("as_of", "")), str(table.get("parameters", "")), events) if events else None


@cache
def shipped_hindcasts() -> Hindcasts | None:
    """Return the hind-casts of this version of the model."""
    return load_hindcasts(SHIPPED)


def _event(values: Any, where: str) -> Hindcast:
    try:
        event = Hindcast(**values)
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from None
    if event.measure not in MEASURES:
        raise ValueError(f"{where}: measure {event.measure!r} is not one of {', '.join(MEASURES)}")
    if not _is_number(event.observed) or event.observed <= 0:
        raise ValueError(f"{where}: observed must be a number above 0, not {event.observed!r}")
    if event.simulated is not None and not _is_number(event.simulated):
        raise ValueError(f"{where}: simulated must be a number, not {event.simulated!r}")
    if (event.simulated is None) == (event.missing is None):
        raise ValueError(f"{where}: needs either simulated or missing, the mechanism that the rulebook lacks")
    return event


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float)) and not isinstance(x, bool) and math.isfinite(x)
