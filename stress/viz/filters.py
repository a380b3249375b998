"""Which rows of a table are inside the chosen ranges."""

from typing import Any

__all__ = ["within"]


def within(frame: Any, kept: dict[str, Any]) -> Any:
    """Return the rows inside the chosen ranges and among the chosen texts; nothing chosen leaves all."""
    for name, chosen in kept.items():
        if chosen and frame[name].dtype.kind == "f":
            margin = 1e-9 * (chosen[1] - chosen[0])
            frame = frame[frame[name].between(chosen[0] - margin, chosen[1] + margin)]
        elif chosen:
            frame = frame[frame[name].isin(chosen)]
    return frame
