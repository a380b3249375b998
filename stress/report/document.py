"""A report before it has a format: parts of sections, each with sentences, tables and pictures."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stress.plots import reserve_by_horizon
from stress.report import first_screen, model, numbers, sensitivity
from stress.report.comparison import check_comparable, comparison
from stress.report.finished import Figure, FinishedRun, drawn_figure
from stress.report.tables import Table
from stress.report.words import Words
from stress.summary.result_line import result_line
from stress.sweeps import Sweep
from stress.toml import ScenarioError

__all__ = ["SCHEMA", "Document", "Part", "Section", "data_of", "document"]

SCHEMA = "fundstress.report/1"


@dataclass(frozen=True)
class Section:
    """What stands under one heading.

    Parameters
    ----------
    key, title : str
    text : tuple of str
        Paragraphs before the tables.
    tables : tuple of Table
    figures : tuple of (Figure, str)
        Pictures and their captions.
    points : tuple of str
        Sentences of a list, after the tables.
    source : str
        A file to be shown as it is.
    """

    key: str
    title: str
    text: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[tuple[Figure, str], ...] = ()
    points: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class Part:
    """One run, or the comparison of all of them."""

    name: str
    title: str
    lead: str
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Document:
    """A report.

    Parameters
    ----------
    title : str
    say : Words
        What it says besides, in one language.
    parts : tuple of Part
    data : dict
        The machine-readable form: schema, summaries and manifests.
    """

    title: str
    say: Words
    parts: tuple[Part, ...]
    data: dict[str, Any]

    @property
    def tables(self) -> Iterator[tuple[Part, Table]]:
        """Every table with its part, in order."""
        return ((part, table) for part in self.parts for section in part.sections for table in section.tables)


def document(runs: Sequence[FinishedRun], say: Words, study: Sweep | None = None) -> Document:
    """Write the report of one run or of several.

    Parameters
    ----------
    runs : sequence of FinishedRun
        At least one; several are compared with the first.
    say : Words
    study : Sweep, optional
        Its inputs are a part of their own.

    Raises
    ------
    ScenarioError
        One line, when runs and sweep are in several moneys or one was given twice.
    """
    check_comparable(runs)
    parts = [_part(run, say) for run in runs]
    if len(runs) > 1:
        tables, figures = tuple(comparison(runs, say)), tuple(_over_horizons(runs, say))
        section = Section("comparison", say("section.comparison"), tables=tables, figures=figures)
        parts.insert(0, Part("comparison", say("title.comparison"), say("lead.comparison", n=len(runs)), (section,)))
    if study is not None:
        parts.append(_study(study, runs[0], say))
    title = say("title.report", name=", ".join(dict.fromkeys(run.summary.facts.scenario for run in runs)))
    return Document(title, say, tuple(parts), data_of(runs))


def _study(study: Sweep, run: FinishedRun, say: Words) -> Part:
    """Tell what the inputs do, and why their effects are not known, if they are not."""
    unit, about, found = run.summary.money.unit, study.about, None
    reasons: tuple[str, ...] = ()
    if about["unit"] != unit:
        raise ScenarioError(f"sweep {about['name']} is in {about['unit']}, the run in {unit}: a report needs one money")
    try:
        found = sensitivity.judged(study)
    except ScenarioError as error:
        reasons = (str(error),)
    tables = (*sensitivity.effects(found, say), *sensitivity.points(study, say))
    figures = tuple((figure, say(f"caption.{figure.name}")) for figure in sensitivity.pictures(study, found))
    section = Section("sensitivity", say("section.sensitivity"), reasons, tables, figures)
    lead = say("lead.sensitivity", name=about["name"], scenario=about["scenario"], points=f"{len(study):,}")
    return Part("sensitivity", say("section.sensitivity"), lead, (section,))


def _over_horizons(runs: Sequence[FinishedRun], say: Words) -> Iterator[tuple[Figure, str]]:
    """Yield the reserve against the horizon, where the runs have several."""
    summaries = [run.summary for run in runs]
    if len({summary.facts.horizon_hours for summary in summaries}) > 1:
        figure = drawn_figure("reserve_by_horizon", reserve_by_horizon(summaries))
        yield figure, say("caption.reserve_by_horizon")


def data_of(runs: Sequence[FinishedRun]) -> dict[str, Any]:
    """Return the machine-readable form of runs: schema, manifests and summaries."""
    return {
        "schema": SCHEMA,
        "runs": [{"name": r.name, "manifest": r.manifest, "summary": r.summary.to_dict()} for r in runs],
    }


#: Tables by section, in the order of the page.
Maker = Callable[[FinishedRun, Words], Iterator[Table]]
_SECTIONS: dict[str, tuple[Maker, ...]] = {
    "first_screen": (first_screen.first_screen, first_screen.cover, first_screen.growth, first_screen.movers),
    "assumed": (model.assumed, model.cohorts),
    "figures": (),
    "stress": (
        numbers.probabilities,
        numbers.reserves,
        numbers.shortfall,
        numbers.extremes,
        numbers.pools,
        numbers.standards,
    ),
    "model_risk": (model.model_risk, model.drivers),
    "attribution": (numbers.payers, numbers.attribution),
    "hindcasts": (model.hindcasts, model.unexpressed),
}


def _part(run: FinishedRun, say: Words) -> Part:
    sections = [_section(run, say, key, makers) for key, makers in _SECTIONS.items()]
    sections += [_limits(run, say), _frame(say), _made(run, say)]
    return Part(run.name, run.name, first_screen.lead(run, say), tuple(sections))


def _section(run: FinishedRun, say: Words, key: str, makers: tuple[Maker, ...]) -> Section:
    tables = tuple(table for make in makers for table in make(run, say))
    figures = run.figures if key == "figures" else ()
    captioned = tuple((figure, say.get(f"caption.{figure.name}", figure.name)) for figure in figures)
    text = () if tables or captioned else (say("text.nothing"),)
    if key != "first_screen":
        return Section(key, say(f"section.{key}"), text, tables, captioned)
    points = (*model.hindcast_line(say), say("text.no_rule"))
    lines = (result_line(run.summary, words=say.result), _run_line(run, say))
    return Section(key, say(f"section.{key}"), lines, tables, points=points)


def _run_line(run: FinishedRun, say: Words) -> str:
    facts, summary = run.summary.facts, run.summary
    return say(
        "text.run",
        paths=f"{summary.n_paths:,}",
        hours=f"{facts.horizon_hours:g}",
        populations=f"{summary.n_populations:,}",
        accounts=f"{facts.n_accounts:,}",
        open_interest=summary.money(facts.open_interest),
        confidence=f"{100 * summary.confidence:g} %",
    )


def _limits(run: FinishedRun, say: Words) -> Section:
    own = [caveat.in_words(say.caveats) for caveat in run.summary.caveats]
    return Section("limits", say("section.limits"), points=(*own, *say.table["limits"].values()))


def _frame(say: Words) -> Section:
    return Section("frame", say("section.frame"), (say("text.disclaimer"),), points=tuple(say.table["frame"].values()))


def _made(run: FinishedRun, say: Words) -> Section:
    """Tell how the numbers were made, with the whole configuration."""
    tables = tuple(model.circumstances(run, say))
    return Section("made", say("section.made"), tables=tables, source=run.config_text)
