"""How a figure writes ticks, ranges and counts; money and shares are written as on the printed page."""

import math

from stress.outcomes import Outcomes


def significant(value: float, digits: int = 3) -> str:
    """Write a number with so many significant digits, never in scientific notation.

    Parameters
    ----------
    value : float
        Any finite number.
    digits : int
        How many digits count.

    Returns
    -------
    str
        For example `1,240`, `0.032` or `−7.5`.
    """
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    text = f"{rounded:,.{decimals}f}"
    return (text.rstrip("0").rstrip(".") if decimals else text).replace("-", "\N{MINUS SIGN}")


def sample_line(outcomes: Outcomes) -> str:
    """Say what a figure of outcomes rests on: scenario, paths, populations, horizon.

    Parameters
    ----------
    outcomes : stress.Outcomes
        The result of a run.

    Returns
    -------
    str
        One line.
    """
    facts = outcomes.facts
    parts = (
        facts.scenario,
        plural(outcomes.n_paths, "path"),
        plural(outcomes.n_populations, "population"),
        f"horizon {significant(facts.horizon_hours)} h",
    )
    return " · ".join(parts)


def plural(count: int, word: str) -> str:
    """Write a count with its word, `1 path` or `20,000 paths`.

    Parameters
    ----------
    count : int
        How many.
    word : str
        The word in the singular.

    Returns
    -------
    str
        The count with its word.
    """
    return f"{count:,} {word}" + ("" if count == 1 else "s")


def span(low: str, high: str) -> str:
    """Join the ends of a range.

    Parameters
    ----------
    low, high : str
        The ends, as they are to be read.

    Returns
    -------
    str
        For example `25` and `75 %` with a dash between them.
    """
    return f"{low}\N{EN DASH}{high}"


def times(value: float) -> str:
    """Write a leverage.

    Parameters
    ----------
    value : float
        Notional over equity.

    Returns
    -------
    str
        The number and the sign of multiplication.
    """
    return f"{significant(value)}\N{MULTIPLICATION SIGN}"


def compact(value: float) -> str:
    """Write a number as `significant` does, millions and billions as `12.5 m` and `10 bn`."""
    for unit, name in ((1e9, "bn"), (1e6, "m")):
        if abs(value) >= unit:
            return f"{significant(value / unit)} {name}"
    return significant(value)
