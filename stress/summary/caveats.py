"""What a reader must know before using the numbers, one sentence each."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stress.summary.intervals import Estimate
from stress.summary.model_risk import QUOTABLE
from stress.summary.notation import percent
from stress.summary.year import YEARS_OF_DATA, beyond_the_data

if TYPE_CHECKING:
    from stress.summary.summary import Summary

__all__ = ["caveats", "stands_beyond_the_data"]

_FEW_POPULATIONS = 30
_BALANCED = 1e-9


def caveats(summary: "Summary") -> Iterator[str]:
    """Yield the sentences for a summary."""
    if summary.n_paths == 1:
        yield "One path is a story: it has no probability and no reserve."
        return
    yield from _about_parameters(summary)
    yield from _about_data(summary)
    yield from _about_population(summary)
    yield from _about_sample(summary)
    if not summary.facts.one_run_curve_exact:
        note = f" ({summary.facts.curve_note})" if summary.facts.curve_note else ""
        yield f"The reserve at levels other than the configured fund is indicative: bisect on the initial fund{note}."
    if summary.conservation_error > _BALANCED:
        yield f"THE BOOKS DO NOT BALANCE: worst error {summary.conservation_error:.1e} of open interest."


def stands_beyond_the_data(p: Estimate, horizon_hours: float) -> bool:
    """Tell whether what is printed of `p`, its value or the bound of an event on no path, is beyond the data."""
    shown = p.high if p.value == 0 else p.value
    return shown is not None and beyond_the_data(shown, horizon_hours)


def _about_parameters(summary: "Summary") -> Iterator[str]:
    found = summary.parameters
    if found is None:
        yield "Intervals are of the simulation only; they do not hold the uncertainty of the parameters."
        return
    yield (
        f"Parameter intervals: {percent(found.confidence)} of {found.n_draws:,} draws, {found.n_paths:,} paths each; "
        f"simulation noise is up to {percent(found.error_share)} of their spread."
    )
    if found.n_draws < QUOTABLE:
        yield f"Parameter intervals rest on fewer than {QUOTABLE} draws: not for quotation."
    own, drawn = summary.facts.config_sha256, found.config_sha256
    if own != drawn:
        yield f"Parameter intervals are of configuration {drawn[:8]}, this run is of {own[:8]}: compare the two."


def _about_data(summary: "Summary") -> Iterator[str]:
    hours = summary.facts.horizon_hours
    events = {"exhaustion": summary.ruin_probability, **summary.probability_interval}
    if summary.any_pool_ruined is not None:
        events["exhaustion of any pool"] = summary.any_pool_ruined
    rare = [name.replace("_", " ") for name, p in events.items() if stands_beyond_the_data(p, hours)]
    levels = [row.level for row in summary.reserves if row.kind == "net"]
    rare += [f"reserve at {100 * level:g} %" for level in levels if beyond_the_data(1 - level, hours)]
    if rare:
        once = f"rarer than once in {100 * YEARS_OF_DATA:.0f} years, 100 times the data"
        yield f"Conditional on the model: beyond the data, marked * ({once}): {', '.join(rare)}."


def _about_population(summary: "Summary") -> Iterator[str]:
    n = summary.n_populations
    if summary.facts.conditional_on_book:
        yield "All numbers are conditional on this book: its accounts were given, not drawn."
    elif n > 1:
        yield f"Intervals are by population cluster, {n:,} populations."
    elif summary.facts.n_accounts:
        yield "One population was drawn: the intervals leave out how populations differ."
    if 1 < n < _FEW_POPULATIONS:
        yield f"Fewer than {_FEW_POPULATIONS} populations: the intervals are rough."


def _about_sample(summary: "Summary") -> Iterator[str]:
    refused = {row.level: row for row in summary.reserves if row.reason}
    for level, row in refused.items():
        needed = f"about {row.n_paths_needed:,} are needed"
        yield f"No reserve at {100 * level:g} %: {row.reason}; {needed}."
    for reason in dict.fromkeys(row.reason for row in summary.expected_shortfall if row.reason):
        levels = [f"{100 * row.level:g}" for row in summary.expected_shortfall if row.reason == reason]
        yield f"Expected shortfall at {', '.join(levels)} %: {reason}."
    apart = [f"{100 * row.level:g}" for row in summary.extremes.reserves if row.agrees is False]
    if apart:
        yield f"Counting and extrapolation disagree at {', '.join(apart)} %: the intervals do not overlap."
    events = (summary.ruin_probability, *summary.probability_interval.values())
    if any(event.value == 0 for event in events):
        yield "What happened on no path has a one-sided bound, which counts the paths as independent."
