"""The answer in one line: reserve, probability, horizon, interval and method, and what else bears on it."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from stress.summary.notation import Money, brackets, percent

if TYPE_CHECKING:
    from stress.summary.summary import Summary

__all__ = ["RESULT", "answer_of", "estimate", "line", "result_line"]

#: The line and its parts, to be filled; another language has a table with the same keys.
RESULT = {
    "line": "Reserve (ruin <= {chance} in {days} d): {parts}.",
    "estimate": "{value}, {confidence} CI {interval} ({how})",
    "counted": "{method}, n = {paths}",
    "refused": "refused, {reason}; about {needed} are needed ({how})",
    "extreme": "EVT {value} {interval} above 1 threshold, xi = {xi} +- {error}",
    "extremes": "EVT range {range} over {n} thresholds, xi = {xi} +- {error}",
    "models": "model range {range}",
    "binding": "binding cohort: {name} {share}",
    "rule": "no regulation prescribes this figure",
}

Words = Mapping[str, str]


def result_line(summary: "Summary", level: float | None = None, words: Words = RESULT) -> str:
    """Return the answer in one line, or why there is none.

    Parameters
    ----------
    summary : Summary
    level : float, optional
        One that the summary was asked for; that of its model range, or else the rarest that it answers, otherwise.
    words : mapping of str to str
        As `RESULT`.

    Returns
    -------
    str
        The tail index is that of the lowest accepted threshold, with its standard error.
    """
    level = answer_of(summary) if level is None else level
    parts = (_counted, _extremes, _models, _binding)
    said = [text for part in parts for text in part(summary, level, words)]
    return line(level, summary.facts.horizon_hours, ", ".join(said), words)


def answer_of(summary: "Summary") -> float:
    """Return the level that the line is about: all that it says must be of one."""
    levels = [row.level for row in summary.reserves if row.kind == "net"]
    if summary.model_risk is not None and summary.model_risk.level in levels:
        return summary.model_risk.level
    return max((level for level in levels if summary.reserve(level).value is not None), default=min(levels))


def line(level: float, horizon_hours: float, said: str, words: Words = RESULT) -> str:
    """Return the line around what is said of a level."""
    days = f"{horizon_hours / 24:.4g}"
    return words["line"].format(chance=percent(1 - level), days=days, parts=f"{said}, {words['rule']}")


def estimate(
    value: float,
    bounds: tuple[float | None, float | None],
    how: str,
    *,
    money: Money,
    confidence: float,
    words: Words = RESULT,
) -> str:
    """Return a reserve with its interval and how it was found."""
    ends = brackets(*bounds, money.bare)
    return words["estimate"].format(value=money(value), confidence=percent(confidence), interval=ends, how=how)


def _counted(summary: "Summary", level: float, words: Words) -> Iterator[str]:
    found = summary.reserve(level)
    how = words["counted"].format(method=found.method.replace("-", " "), paths=f"{summary.n_paths:,}")
    if found.value is None:
        yield words["refused"].format(reason=found.reason, needed=f"{found.n_paths_needed:,}", how=how)
        return
    bounds, money = (found.low, found.high), summary.money
    yield estimate(found.value, bounds, how, money=money, confidence=summary.confidence, words=words)


def _extremes(summary: "Summary", level: float, words: Words) -> Iterator[str]:
    found = next(found for found in summary.extremes.reserves if found.level == level)
    if found.least is None:
        return
    fit, n, money = summary.extremes.accepted[0], found.n_thresholds, summary.money
    numbers = {"n": n, "xi": f"{fit.xi:.2f}", "error": f"{fit.xi_error or 0.0:.2f}"}
    ends = brackets(found.low, found.high, money.bare)  # of one threshold, whose range is a point
    told = {"value": money(found.least), "interval": ends, "range": brackets(found.least, found.most, money.bare)}
    yield words["extreme" if n == 1 else "extremes"].format(**numbers, **told)


def _models(summary: "Summary", level: float, words: Words) -> Iterator[str]:
    risk = summary.model_risk
    found = [row.reserve for row in (risk.base, *risk.variants) if row.reserve is not None] if risk else []
    if risk is not None and risk.level == level and found:
        yield words["models"].format(range=brackets(min(found), max(found), summary.money.bare))


def _binding(summary: "Summary", level: float, words: Words) -> Iterator[str]:
    shares = summary.shares
    if shares is not None:
        share, name = max(zip(shares.share, shares.cohorts, strict=True))
        yield words["binding"].format(name=name, share=f"{100 * share:.0f} %")
