"""What a chief risk officer reads first: the fund, its ruin within a year, what is needed, and what that rests on."""

from collections.abc import Callable, Iterator

from stress.report.finished import FinishedRun
from stress.report.tables import Cell, Table, table
from stress.report.words import Words
from stress.summary import Estimate, ReserveEstimate, Spread, Summary, within_year
from stress.summary.growth import HISTORY
from stress.summary.notation import brackets, percent, share
from stress.summary.page_model import N_ASSUMPTIONS, strongest
from stress.summary.year import basis, chance_in_year

__all__ = ["cover", "first_screen", "growth", "lead", "movers"]


def lead(run: FinishedRun, say: Words) -> str:
    """Return the answer in one sentence, to be read aloud."""
    summary, money = run.summary, run.summary.money
    year, needed = chance_in_year(summary.ruin_probability), summary.year.net
    sentence = say(
        "lead.ruin",
        fund=money(summary.facts.fund_initial),
        chance=_chance(year, summary.ruin_probability, say),
        interval=brackets(year.low, year.high, percent),
        confidence=percent(summary.confidence),
    )
    level = percent(1 - summary.year.level)
    if needed.value is None:
        answer = say("lead.refused", level=level)
    else:
        values = {"reserve": money(needed.value), "interval": brackets(needed.low, needed.high, money.bare)}
        answer = say("lead.needed", level=level, **values)
    # Whoever quotes the lead alone must hear what a year rests on.
    resting = () if basis(summary.facts) == "simulated" else (_of_a_year(summary, say),)
    return " ".join((sentence, answer, *resting))


def _of_a_year(summary: Summary, say: Words) -> str:
    """Return what figures of a year rest on."""
    return say("note.first_screen", basis=say(f"basis.{basis(summary.facts)}"))


def first_screen(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield the key figures, each with the interval of the simulation and that of the parameters."""
    head = (say("head.what"), say("head.estimate"), say("head.simulation"), say("head.parameters"))
    rows, note = _rows(run.summary, say), _of_a_year(run.summary, say)
    yield from table("first_screen", say("table.first_screen"), head, rows, note)


def _rows(summary: Summary, say: Words) -> Iterator[tuple[Cell, ...]]:
    customers, found = summary.probability_interval["deleveraging"], summary.parameters
    yield (say("row.fund"), summary.money(summary.facts.fund_initial), None, None)
    unknown = say("text.unknown")
    rates = None if found is None else (found.ruin_annual.low, found.ruin_annual.high)
    drawn = unknown if rates is None else brackets(within_year(rates[0]), within_year(rates[1]), percent)
    yield (say("row.ruin_year"), *_in_year(summary.ruin_probability, say), drawn)
    yield (say("row.adl_year"), *_in_year(customers, say), None)
    for kind, needed in (("net", summary.year.net), ("gross", summary.year.gross)):
        spread = found.reserve(needed.level) if found and kind == "net" else None
        label = say(f"row.needed_{kind}", level=f"{100 * summary.year.level:g} %")
        yield (label, *_reserve(needed, summary, say), _spread(spread, summary) or (unknown if kind == "net" else None))
    yield from _stressed(summary, say)


def _stressed(summary: Summary, say: Words) -> Iterator[tuple[Cell, ...]]:
    found, money = summary.headline, summary.money
    if found is None:
        yield (say("row.stressed"), say("text.not_run"), None, None)
        return
    level = f"{100 * found.level:g} %"
    ends = brackets(found.stressed_low, found.stressed_high, money.bare)
    yield (say("row.stressed_at", level=level), money(found.stressed), ends, None)
    yield (say("row.headline", level=level), money(found.value), None, None)


def _in_year(p: Estimate, say: Words) -> tuple[str, str]:
    year = chance_in_year(p)
    return _chance(year, p, say), brackets(year.low, year.high, percent)


def _chance(year: Estimate, p: Estimate, say: Words) -> str:
    if p.annual is None:
        return say("text.every_path")
    if p.value == 0 and year.high is not None:
        return say("text.below", bound=percent(year.high))
    return percent(year.value)


def _reserve(found: ReserveEstimate, summary: Summary, say: Words) -> tuple[str, str | None]:
    if found.value is None:
        return say("text.refused", paths=f"{found.n_paths_needed or 0:,}"), None
    return summary.money(found.value), brackets(found.low, found.high, summary.money.bare)


def _spread(found: Spread | None, summary: Summary) -> str | None:
    return None if found is None else brackets(found.low, found.high, summary.money.bare)


def cover(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield the fund over the loss, should its largest accounts default at a price move."""
    rows = run.summary.cover
    moves = sorted({row.move for row in rows})
    times = {(row.n, row.move): row.fund_over_loss for row in rows}
    yield from table(
        "cover",
        say("table.cover"),
        (say("head.defaults"), *(f"{100 * move:+.0f} %" for move in moves)),
        ((say("row.largest", n=n), *(times.get((n, move)) for move in moves)) for n in sorted({row.n for row in rows})),
        say("note.cover"),
    )


def growth(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield how the fund grows in the simulation, beside history."""
    found = run.summary.growth
    rows: dict[str, tuple[Estimate | None, Callable[[float], str]]] = {
        "year": (found.year, share),
        "per_liquidated": (found.per_liquidated, share),
        "liquidated_per_day": (found.liquidated_per_day, share),
    }
    yield from table(
        "growth",
        say("table.growth"),
        (say("head.what"), say("head.estimate"), say("head.simulation"), say("head.history")),
        (
            (say(f"row.{key}"), write(p.value), brackets(p.low, p.high, write), "; ".join(HISTORY[key]))
            for key, (p, write) in rows.items()
            if p is not None
        ),
    )


def movers(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield the assumptions that move the reserve most: from draws of the parameters, or else from the variants."""
    found, risk = run.summary.parameters, run.summary.model_risk
    title, head = say("table.movers"), (say("head.assumption"), say("head.range"), say("head.effect"))
    if found is not None and found.drivers:
        drawn = found.drivers[:N_ASSUMPTIONS]
        rows = [(d.name, f"{d.low:g} \N{EN DASH} {d.high:g}", d.rank_correlation) for d in drawn]
        yield from table("movers", title, head, rows, say("note.movers_drivers"))
    elif risk is not None:
        variants = [(v.axis, v.name, v.ratio) for v in strongest(risk)]
        yield from table("movers", title, head, variants, say("note.movers_variants"))
