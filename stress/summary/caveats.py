"""What a reader must know before using the numbers, one sentence each."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from stress.summary.intervals import Estimate
from stress.summary.model_risk import QUOTABLE
from stress.summary.notation import percent
from stress.summary.year import YEARS_OF_DATA, beyond_the_data

if TYPE_CHECKING:
    from stress.summary.summary import Summary

__all__ = ["SENTENCES", "Caveat", "caveats", "stands_beyond_the_data"]

_FEW_POPULATIONS = 30
_BALANCED = 1e-9

#: Every sentence by its key, and the phrases that sentences list.
SENTENCES = {
    "one_path": "One path is a story: it has no probability and no reserve.",
    "simulation_only": "Intervals are of the simulation only; they do not hold the uncertainty of the parameters.",
    "parameters": (
        "Parameter intervals: {share} of {n_draws} draws, {n_paths} paths each; "
        "simulation noise is up to {error_share} of their spread."
    ),
    "few_draws": "Parameter intervals rest on fewer than {least} draws: not for quotation.",
    "other_config": "Parameter intervals are of configuration {drawn}, this run is of {own}: compare the two.",
    "beyond_the_data": (
        "Conditional on the model: beyond the data, marked * (rarer than once in {years} years, 100 times the data): "
        "{what}."
    ),
    "exhaustion": "exhaustion",
    "deleveraging": "deleveraging",
    "any_haircut": "any haircut",
    "any_pool": "exhaustion of any pool",
    "reserve_at": "reserve at {level} %",
    "given_book": "All numbers are conditional on this book: its accounts were given, not drawn.",
    "clusters": "Intervals are by population cluster, {n} populations.",
    "one_population": "One population was drawn: the intervals leave out how populations differ.",
    "few_populations": "Fewer than {least} populations: the intervals are rough.",
    "no_reserve": "No reserve at {level} %: {reason}; about {needed} are needed.",
    "shortfall": "Expected shortfall at {levels} %: {reason}.",
    "disagree": "Counting and extrapolation disagree at {levels} %: the intervals do not overlap.",
    "one_sided": "What happened on no path has a one-sided bound, which counts the paths as independent.",
    "curve": "The reserve at levels other than the configured fund is indicative: bisect on the initial fund{note}.",
    "mild_stress": (
        "The stressed regime needs {ratio} times what the scenario needs: its overlay sets values that are no worse "
        "than this scenario's own; state a worse one."
    ),
    "unbalanced": "THE BOOKS DO NOT BALANCE: worst error {error} of open interest.",
}


class Caveat(str):
    """A sentence in English that knows its key and values, so that it can be said in another language.

    Parameters
    ----------
    key : str
        One of `SENTENCES`.
    **values
        What the sentence is filled with: texts, or lists of further `Caveat` phrases.
    """

    key: str
    values: Mapping[str, Any]

    def __new__(cls, key: str, **values: Any) -> Self:
        """Fill the sentence."""
        made = super().__new__(cls, SENTENCES[key].format(**_spelled(values, str)))
        made.key, made.values = key, values
        return made

    def in_words(self, sentences: Mapping[str, str]) -> str:
        """Return the sentence with the words of another table; what that lacks stays in English."""
        if self.key not in sentences:
            return str(self)
        return sentences[self.key].format(**_spelled(self.values, lambda phrase: phrase.in_words(sentences)))


def _spelled(values: Mapping[str, Any], say: Callable[[Any], str]) -> dict[str, str]:
    return {name: ", ".join(map(say, value)) if isinstance(value, list) else value for name, value in values.items()}


def caveats(summary: "Summary") -> Iterator[Caveat]:
    """Yield the sentences for a summary."""
    if summary.n_paths == 1:
        yield Caveat("one_path")
        return
    yield from _about_parameters(summary)
    yield from _about_data(summary)
    yield from _about_population(summary)
    yield from _about_sample(summary)
    if not summary.facts.one_run_curve_exact:
        yield Caveat("curve", note=f" ({summary.facts.curve_note})" if summary.facts.curve_note else "")
    if (regimes := summary.headline) and regimes.stressed_ratio is not None and regimes.stressed_ratio <= 1.0:
        yield Caveat("mild_stress", ratio=f"{regimes.stressed_ratio:.2g}")
    if summary.conservation_error > _BALANCED:
        yield Caveat("unbalanced", error=f"{summary.conservation_error:.1e}")


def stands_beyond_the_data(p: Estimate, horizon_hours: float) -> bool:
    """Tell whether what is printed of `p`, its value or the bound of an event on no path, is beyond the data."""
    shown = p.high if p.value == 0 else p.value
    return shown is not None and beyond_the_data(shown, horizon_hours)


def _about_parameters(summary: "Summary") -> Iterator[Caveat]:
    found = summary.parameters
    if found is None:
        yield Caveat("simulation_only")
        return
    yield Caveat(
        "parameters",
        share=percent(found.confidence),
        n_draws=f"{found.n_draws:,}",
        n_paths=f"{found.n_paths:,}",
        error_share=percent(found.error_share),
    )
    if found.n_draws < QUOTABLE:
        yield Caveat("few_draws", least=f"{QUOTABLE}")
    own, drawn = summary.facts.config_sha256, found.config_sha256
    if own != drawn:
        yield Caveat("other_config", drawn=drawn[:8], own=own[:8])


def _about_data(summary: "Summary") -> Iterator[Caveat]:
    hours = summary.facts.horizon_hours
    events = {"exhaustion": summary.ruin_probability, **summary.probability_interval}
    if summary.any_pool_ruined is not None:
        events["any_pool"] = summary.any_pool_ruined
    rare = [Caveat(name) for name, p in events.items() if stands_beyond_the_data(p, hours)]
    levels = [row.level for row in summary.reserves if row.kind == "net"]
    rare += [Caveat("reserve_at", level=f"{100 * x:g}") for x in levels if beyond_the_data(1 - x, hours)]
    if rare:
        yield Caveat("beyond_the_data", years=f"{100 * YEARS_OF_DATA:.0f}", what=rare)


def _about_population(summary: "Summary") -> Iterator[Caveat]:
    n = summary.n_populations
    if summary.facts.conditional_on_book:
        yield Caveat("given_book")
    elif n > 1:
        yield Caveat("clusters", n=f"{n:,}")
    elif summary.facts.n_accounts:
        yield Caveat("one_population")
    if 1 < n < _FEW_POPULATIONS:
        yield Caveat("few_populations", least=f"{_FEW_POPULATIONS}")


def _about_sample(summary: "Summary") -> Iterator[Caveat]:
    refused = {row.level: row for row in summary.reserves if row.reason}
    for level, row in refused.items():
        yield Caveat("no_reserve", level=f"{100 * level:g}", reason=row.reason, needed=f"{row.n_paths_needed:,}")
    for reason in dict.fromkeys(row.reason for row in summary.expected_shortfall if row.reason):
        levels = [f"{100 * row.level:g}" for row in summary.expected_shortfall if row.reason == reason]
        yield Caveat("shortfall", levels=", ".join(levels), reason=reason)
    apart = [f"{100 * row.level:g}" for row in summary.extremes.reserves if row.agrees is False]
    if apart:
        yield Caveat("disagree", levels=", ".join(apart))
    events = (summary.ruin_probability, *summary.probability_interval.values())
    if any(event.value == 0 for event in events):
        yield Caveat("one_sided")
