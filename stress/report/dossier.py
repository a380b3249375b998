"""The model-risk document of one run, in the order in which a model is validated, with places to sign.

Twelve sections after the pillars of model-risk guidance: what the model is, what it rests on, how it was tested, how
it is watched.  All numbers are those of the run and of the package's own tests; none is computed here twice.
"""

import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from stress.registry import parts_within
from stress.report import first_screen, model, numbers
from stress.report.document import Document, Part, Section, data_of
from stress.report.finished import FinishedRun
from stress.report.tables import Cell, Table, table
from stress.report.words import Words
from stress.scenario import Scenario
from stress.summary import shipped_verification
from stress.summary.notation import percent
from stress.summary.result_line import result_line

__all__ = ["dossier"]

DATA_KEYS = ("file", "sha256", "preset", "prices", "book")
BLANK = "____________"

Maker = Callable[[FinishedRun, Words], Iterator[Table]]


def dossier(runs: Sequence[FinishedRun], say: Words) -> Document:
    """Write the model-risk document.

    Parameters
    ----------
    runs : sequence of FinishedRun
        One a part.
    say : Words
    """
    name = ", ".join(run.summary.facts.scenario for run in runs)
    leads = [result_line(run.summary, words=say.result) for run in runs]
    parts = tuple(Part(run.name, run.name, lead, _sections(run, say)) for run, lead in zip(runs, leads, strict=True))
    return Document(say("risk.title", name=name), say, parts, data_of(runs))


def _sections(run: FinishedRun, say: Words) -> tuple[Section, ...]:
    return tuple(
        Section(
            key,
            f"{n}. {say(f'risk.section.{key}')}",
            tuple(text for text in (say.get(f"risk.text.{key}", ""),) if text),
            tuple(made for make in makers for made in make(run, say)),
            points=tuple(_POINTS[key](run, say)) if key in _POINTS else (),
        )
        for n, (key, makers) in enumerate(_SECTIONS.items(), 1)
    )


def _identity(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield what the model is called, who owns it, and what reproduces it."""
    versions = ", ".join(f"{name} {version}" for name, version in run.manifest["versions"].items())
    config, seed = run.summary.facts.config_sha256, run.summary.facts.seed
    rows = {
        "name": run.summary.facts.scenario,
        "owner": BLANK,
        "config": config,
        "seed": f"{seed}",
        "engine": run.summary.facts.engine,
        "versions": versions,
        "code": run.manifest.get("code"),
        "commit": run.manifest.get("git"),
        "made": run.manifest.get("finished"),
    }
    yield from _pairs("identity", rows, say)


def _pairs(key: str, rows: dict[str, Cell], say: Words) -> Iterator[Table]:
    heads = (say("head.what"), say("head.value"))
    filled = [(say(f"risk.{key}.{name}"), value) for name, value in rows.items() if value is not None]
    yield from table(key, say(f"risk.{key}.title"), heads, filled)


def _data(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield the files that the configuration names, and where the ranges of its uncertain numbers are from."""
    files = [(key, f"{value}") for key, value in model.flat(run.config) if key.rpartition(".")[2] in DATA_KEYS]
    ranges = [(each["name"], each.get("source")) for each in run.config.get("uncertain") or ()]
    yield from table("data", say("risk.data.title"), (say("head.key"), say("head.value")), [*files, *ranges])


def _theory(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield each kind of component once, with the first paragraphs that its author wrote of it and of its file."""
    parts = reversed(list(parts_within(Scenario.from_tables(run.config))))  # of each kind the first is kept
    found = {type(part): (key, part.kind) for key, part in parts}
    rows = [(*named, _first(each), _first(sys.modules[each.__module__])) for each, named in found.items()]
    heads = (say("head.key"), say("cohort.kind"), say("risk.theory.rule"), say("risk.theory.question"))
    yield from table("theory", say("risk.theory.title"), heads, sorted(rows))


def _first(documented: Any) -> str:
    """Return the first paragraph of a docstring, in one line."""
    return " ".join((documented.__doc__ or "").strip().split("\n\n")[0].split())


def _verification(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield known answers against the package's own."""
    found = shipped_verification()
    heads = ("law", "quantity", "exact", "simulated", "error", "z", "source")
    yield from table(
        "verification",
        say("risk.verification.title"),
        (say(f"risk.verification.{head}") for head in heads),
        ((r.law, r.quantity, r.exact, r.simulated, r.standard_error, f"{r.z:+.1f}", r.source) for r in found.answers),
        say("risk.verification.note", as_of=found.as_of),
    )


def _tail(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield how heavy the tail is and how far beyond the counted paths the figures go."""
    summary, fits = run.summary, run.summary.extremes.accepted
    counted = [row.level for row in summary.reserves if row.kind == "net" and row.value is not None]
    rows: dict[str, Cell] = {
        "index": f"{fits[0].xi:.2f} +- {fits[0].xi_error or 0.0:.2f}" if fits else None,
        "counted": percent(1 - max(counted)) if counted else None,
        "reach": percent(summary.extremes.least_probability) if summary.extremes.least_probability else None,
        "ratio": _ratio(counted, summary.extremes.least_probability),
        "balance": f"{summary.conservation_error:.1e}",
    }
    yield from _pairs("tail", rows, say)


def _ratio(counted: list[float], least: float | None) -> str | None:
    return f"{(1 - max(counted)) / least:.3g}" if counted and least else None


def _spread(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield the headline over the models, the median, and the add-on that reaches the largest."""
    risk, money = run.summary.model_risk, run.summary.money
    found = [row.reserve for row in (risk.base, *risk.variants) if row.reserve is not None] if risk else []
    if not found:
        return
    middle = statistics.median(found)
    rows: dict[str, Cell] = {
        "models": f"{len(found)}",
        "median": money(middle),
        "range": f"{money(min(found))} \N{EN DASH} {money.bare(max(found))}",
        "add_on": money(max(found) - middle),
    }
    yield from _pairs("spread", rows, say)


def _triggers(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield what is to be watched, what the run assumed of it, and when to look again."""
    summary, book = run.summary, run.summary.concentration
    vol = run.config["market"].get("vol_annual")
    level = max(row.level for row in summary.reserves)
    now: dict[str, Cell] = {
        "volatility": None if vol is None else percent(vol),
        "open_interest": summary.money(summary.facts.open_interest),
        "top_10": None if book is None or book.top_10 is None else percent(book.top_10),
        "fund": summary.money(summary.facts.fund_initial),
        "exceptions": percent(1 - level),
        "version": run.manifest.get("code"),
    }
    heads = (say("head.what"), say("risk.triggers.now"), say("risk.triggers.when"))
    rows = [(say(f"risk.triggers.{key}"), value, say(f"risk.triggers.{key}_when")) for key, value in now.items()]
    yield from table("triggers", say("risk.triggers.title"), heads, rows, say("risk.triggers.note"))


def _signatures(run: FinishedRun, say: Words) -> Iterator[Table]:
    heads = [say(f"risk.signatures.{head}") for head in ("role", "name", "date", "remark")]
    rows = [(say(f"risk.signatures.{role}"), *[BLANK] * 3) for role in ("author", "owner", "validator")]
    yield from table("signatures", say("risk.signatures.title"), heads, rows, say("risk.signatures.note"))


def _non_scope(run: FinishedRun, say: Words) -> Iterator[str]:
    yield from (say("text.disclaimer"), *say.table["limits"].values(), *say.table["frame"].values())


def _caveats(run: FinishedRun, say: Words) -> Iterator[str]:
    yield from (caveat.in_words(say.caveats) for caveat in run.summary.caveats)


_SECTIONS: dict[str, tuple[Maker, ...]] = {
    "purpose": (_identity,),
    "scope": (model.assumed,),
    "data": (_data,),
    "theory": (_theory,),
    "assumptions": (first_screen.movers, model.drivers),
    "parameters": (numbers.reserves,),
    "verification": (_verification,),
    "outcomes": (model.hindcasts, model.unexpressed),
    "limits": (_tail,),
    "models": (model.model_risk, _spread),
    "monitoring": (_triggers,),
    "sign_off": (_signatures,),
}
_POINTS: dict[str, Callable[[FinishedRun, Words], Iterator[str]]] = {"scope": _non_scope, "limits": _caveats}
