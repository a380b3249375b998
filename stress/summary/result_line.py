"""The answer in one line: reserve, probability, horizon, interval and method, and what else bears on it."""

from typing import TYPE_CHECKING

from stress.summary.notation import Money, brackets, percent

if TYPE_CHECKING:
    from stress.summary.extremes import ExtremeReserve
    from stress.summary.summary import Summary

__all__ = ["result_line"]


def result_line(summary: "Summary", level: float) -> str:
    """Return the answer at a level that the summary was asked for, or why there is none."""
    reserve, money = summary.reserve(level), summary.money
    if reserve.value is None:
        said = f"refused, {reserve.reason}; about {reserve.n_paths_needed:,} are needed"
    else:
        interval = brackets(reserve.low, reserve.high, money.bare)
        said = f"{money(reserve.value)}, {percent(summary.confidence)} interval {interval}"
    how = f" ({reserve.method}, n = {summary.n_paths:,})"
    more = [part for part in (_extremes(summary, level, money), _models(summary, level), _binding(summary)) if part]
    days = f"{summary.facts.horizon_hours / 24:.4g} d"
    return f"Reserve (ruin <= {percent(1 - level)} in {days}): {', '.join([said + how, *more])}, no rule prescribes it."


def _extremes(summary: "Summary", level: float, money: Money) -> str:
    row: ExtremeReserve = next(row for row in summary.extremes.reserves if row.level == level)
    if row.least is None:
        return ""
    xi = [fit.xi for fit in summary.extremes.accepted]
    thresholds = f"{row.n_thresholds} threshold{'' if row.n_thresholds == 1 else 's'}"
    span = brackets(row.least, row.most, money.bare)
    return f"extrapolated {span} over {thresholds}, tail index {min(xi):.2f} to {max(xi):.2f}"


def _models(summary: "Summary", level: float) -> str:
    risk = summary.model_risk
    found = [variant.reserve for variant in risk.variants if variant.reserve is not None] if risk else []
    if risk is None or risk.level != level or not found:
        return ""
    return f"model range {brackets(min(found), max(found), summary.money.bare)}"


def _binding(summary: "Summary") -> str:
    shares = summary.shares
    if shares is None:
        return ""
    share, name = max(zip(shares.share, shares.cohorts, strict=True))
    return f"binding cohort {name} {percent(round(share, 2))}"
