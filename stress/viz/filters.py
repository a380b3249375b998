"""Which rows of a table are inside the chosen ranges, and how they are read."""

from typing import Any

__all__ = ["readable", "within"]


def within(frame: Any, kept: dict[str, Any]) -> Any:
    """Return the rows inside the chosen ranges and among the chosen texts; nothing chosen leaves all."""
    for name, chosen in kept.items():
        if chosen and frame[name].dtype.kind == "f":
            margin = 1e-9 * (chosen[1] - chosen[0])
            frame = frame[frame[name].between(chosen[0] - margin, chosen[1] + margin)]
        elif chosen:
            frame = frame[frame[name].isin(chosen)]
    return frame


def readable(frame: Any) -> Any:
    """Return a table with four digits of every number, and without columns of empty texts."""
    numbers = frame.select_dtypes("float").columns
    rounded = {name: [float(f"{value:.4g}") for value in frame[name]] for name in numbers}
    return frame.assign(**rounded).drop(columns=[name for name in frame if (frame[name] == "").all()])
