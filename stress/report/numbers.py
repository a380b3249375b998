"""The stress tables: reserves and probabilities with intervals and methods, in units that can be calculated with."""

from collections.abc import Iterator

from stress.report.finished import FinishedRun
from stress.report.tables import Cell, Table, table
from stress.report.words import Words
from stress.summary import Estimate

__all__ = ["attribution", "extremes", "payers", "pools", "probabilities", "reserves", "shortfall", "standards"]

_PAYERS = (
    "fund_draw",
    "backstop_loss",
    "fee_pool_paid",
    "operator_paid",
    "forgone_profit",
    "broken_hedges",
    "deleveraged_notional",
    "socialized_loss",
    "unresolved_shortfall",
)


def probabilities(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield the probabilities over the horizon, and the events a year that they are equivalent to."""
    summary = run.summary
    events = {"ruin": summary.ruin_probability, **summary.probability_interval}
    if summary.any_pool_ruined is not None:
        events["any_pool"] = summary.any_pool_ruined
    yield from table(
        "probabilities",
        say("table.probabilities", hours=f"{summary.facts.horizon_hours:g}"),
        (say("head.event"), "%", *_interval_heads("%", say), say("head.a_year"), say("head.method")),
        ((say(f"event.{name}"), *_percents(p), p.annual, p.method) for name, p in events.items()),
    )


def _percents(p: Estimate) -> tuple[Cell, ...]:
    return tuple(None if x is None else 100.0 * x for x in (p.value, p.low, p.high))


def _interval_heads(unit: str, say: Words) -> tuple[str, str]:
    return say("head.low", unit=unit), say("head.high", unit=unit)


def reserves(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield the reserves at every level, net of income and gross, with the interval of the parameters."""
    money, found = run.summary.money, run.summary.parameters

    def row(level: float, kind: str, *values: float | None) -> tuple[Cell, ...]:
        """Return the cells up to the interval of the parameters."""
        spread = found.reserve(level) if found and kind == "net" else None
        drawn = (spread.low, spread.high) if spread else (None, None)
        scaled = (None if x is None else x / money.scale for x in (*values, *drawn))
        return f"{100 * level:g} %", say(f"kind.{kind}"), *scaled

    unit = money.axis
    heads = (say("head.level"), say("head.kind"), unit, *_interval_heads(unit, say))
    drawn = (say("head.parameters_low", unit=unit), say("head.parameters_high", unit=unit))
    yield from table(
        "reserves",
        say("table.reserves", hours=f"{run.summary.facts.horizon_hours:g}"),
        (*heads, *drawn, say("head.method")),
        ((*row(r.level, r.kind, r.value, r.low, r.high), r.reason or r.method) for r in run.summary.reserves),
        say("note.reserves") if found else say("note.no_parameters"),
    )


def shortfall(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield the mean fall of the fund on the worst paths."""
    money = run.summary.money
    yield from table(
        "expected_shortfall",
        say("table.shortfall"),
        (say("head.worst"), money.axis, *_interval_heads(money.axis, say), say("head.beyond"), say("head.remark")),
        (
            (
                f"{100 * (1 - r.level):.3g} %",
                *_amounts((r.value, r.low, r.high), money.scale),
                r.n_exceedances,
                r.reason,
            )
            for r in run.summary.expected_shortfall
        ),
    )


def _amounts(values: tuple[float | None, ...], scale: float) -> tuple[Cell, ...]:
    return tuple(None if x is None else x / scale for x in values)


def extremes(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield the reserves that the largest falls point to, over all thresholds that fit."""
    money = run.summary.money
    yield from table(
        "extremes",
        say("table.extremes"),
        (say("head.level"), *(say(f"head.{end}", unit=money.axis) for end in ("least", "most", "low", "high"))),
        (
            (f"{100 * r.level:.6g} %", *_amounts((r.least, r.most, r.low, r.high), money.scale))
            for r in run.summary.extremes.reserves
            if r.least is not None
        ),
        say("note.extremes"),
    )


def payers(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield who pays on average, layer by layer."""
    mean, money = run.summary.mean, run.summary.money
    yield from table(
        "payers",
        say("table.payers"),
        (say("head.payer"), money.axis),
        ((say(f"payer.{name}"), mean[name] / money.scale) for name in _PAYERS if mean[name] > 0),
        say("note.payers"),
    )


def attribution(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield which cohorts cause the worst paths."""
    found = run.summary.shares
    if found is None:
        return
    rows = sorted(zip(found.share, found.standard_error, found.cohorts, strict=True), reverse=True)
    yield from table(
        "attribution",
        say("table.attribution", n=f"{found.n_paths:,}"),
        (say("head.cohort"), say("head.share"), say("head.error")),
        ((name, 100 * share, 100 * error) for share, error, name in rows),
        say("note.attribution"),
    )


def pools(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield what each pool of the fund asks for, where there are several."""
    money = run.summary.money
    yield from table(
        "pools",
        say("table.pools"),
        (say("head.pool"), say("head.symbols"), money.axis, say("event.ruin") + " (%)", *_interval_heads("%", say)),
        (
            (pool.name, ", ".join(pool.symbols), pool.initial_usd / money.scale, *_percents(pool.ruin_probability))
            for pool in run.summary.pools
        ),
    )


def standards(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield what presets of internal standards ask for."""
    found, money = run.summary.standards, run.summary.money
    if found is None:
        return
    yield from table(
        "standards",
        say("table.standards"),
        (say("head.standard"), say("head.measure"), money.axis, *_interval_heads(money.axis, say), say("head.remark")),
        (
            (r.preset, r.measure, *_amounts((r.value, r.low, r.high), money.scale), r.reason or r.basis)
            for r in found.rows
        ),
        say("note.own_funds", amount=f"{found.own_funds_eur:,.0f}") if found.own_funds_eur is not None else "",
    )
