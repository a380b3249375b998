"""What the numbers rest on: assumptions, variants of the model, drivers, and events of history that it was held to."""

from collections.abc import Iterator
from typing import Any

from stress.report.finished import FinishedRun
from stress.report.tables import Cell, Table, table
from stress.report.words import Words
from stress.summary import Hindcast, shipped_hindcasts
from stress.summary.page_model import FACTOR, is_miss

__all__ = [
    "assumed",
    "circumstances",
    "cohorts",
    "drivers",
    "flat",
    "hindcast_line",
    "hindcasts",
    "model_risk",
    "plain",
    "unexpressed",
]

_ASSUMED = (
    "market.kind",
    "market.price_usd",
    "market.vol_annual",
    "liquidity.volume_usd_per_day",
    "liquidity.depth_usd",
    "liquidity.impact.kind",
    "liquidity.pass_through",
    "exchange.preset",
    "exchange.open_interest_usd",
    "exchange.disposal.kind",
    "exchange.fee.rate",
    "fund.initial_usd",
    "fund.share_of_fees",
    "run.horizon_hours",
    "run.step_seconds",
    "run.n_paths",
    "run.seed",
)
_COHORT = ("kind", "count", "long_share", "short_share", "leverage_median", "margin")


def assumed(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield the assumptions that a reader asks for first; the whole configuration stands at the end."""
    rows = ((key, _at(run.config, key)) for key in _ASSUMED)
    yield from table(
        "assumed",
        say("table.assumed"),
        (say("head.key"), say("head.meaning"), say("head.value")),
        ((key, say(f"meaning.{key.replace('.', '_')}"), plain(value)) for key, value in rows if value is not None),
    )


def _at(config: Any, key: str) -> Any:
    """Return the value of a dotted key; None where the scenario has none."""
    for part in key.split("."):
        config = config.get(part) if isinstance(config, dict) else None
    return config


def plain(value: Any) -> str:
    """Write a value as exactly as the configuration has it."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:,.10g}" if isinstance(value, float) else f"{value:,}"
    return str(value)


def cohorts(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield who trades: one row a cohort of the population."""
    yield from table(
        "cohorts",
        say("table.cohorts"),
        (say("head.cohort"), *(say(f"cohort.{key}") for key in _COHORT)),
        ((each.get("name", ""), *map(_cell, map(_told(each).get, _COHORT))) for each in run.config["population"]),
    )


def _told(cohort: dict[str, Any]) -> dict[str, Any]:
    """Return a cohort's keys, those of one holder under the names of a crowd's."""
    leverage = cohort.get("leverage")
    held = {f"{cohort['side']}_share": cohort.get("share")} if "side" in cohort else {}
    law = leverage.get("median", leverage.get("kind")) if isinstance(leverage, dict) else leverage
    return {"count": cohort.get("accounts"), "leverage_median": law, **held, **cohort}


def _cell(value: Any) -> Cell:
    return None if value is None else plain(value)


def model_risk(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield the reserve under every variant of the model, the scenario itself first."""
    risk, money = run.summary.model_risk, run.summary.money
    if risk is None:
        return

    def amounts(*values: float | None) -> Iterator[float | None]:
        """Return amounts in the unit of the table."""
        return (None if x is None else x / money.scale for x in values)

    unit = money.axis
    heads = (say("head.axis"), say("head.variant"), unit, say("head.low", unit=unit), say("head.high", unit=unit))
    yield from table(
        "model_risk",
        say("table.model_risk", level=f"{100 * risk.level:g} %", hours=f"{risk.horizon_hours:g}"),
        (*heads, say("head.ratio"), say("event.ruin") + " (%)"),
        (
            (v.axis, v.name, *amounts(v.reserve, v.low, v.high), v.ratio, 100 * v.ruin)
            for v in (risk.base, *risk.variants)
        ),
        say("note.model_risk", paths=f"{risk.n_paths:,}"),
    )


def drivers(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield the parameters that move the reserve, the strongest first."""
    found = run.summary.parameters
    yield from table(
        "drivers",
        say("table.drivers"),
        (say("head.key"), say("head.from"), say("head.to"), say("head.rank_correlation")),
        ((d.name, d.low, d.high, d.rank_correlation) for d in (found.drivers if found else ())),
        say("note.drivers"),
    )


def hindcasts(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield events of history against the model, the farthest off first; misses are named."""
    found = shipped_hindcasts()
    events = [event for event in (found.events if found else ()) if event.factor is not None]
    yield from table(
        "hindcasts",
        say("table.hindcasts"),
        (
            say("head.event"),
            say("head.measure"),
            say("head.observed"),
            say("head.model"),
            say("head.factor"),
            say("head.verdict"),
        ),
        (_hindcast(event, say) for event in sorted(events, key=lambda event: -(event.factor or 0.0))),
        say("note.hindcasts", factor=f"{FACTOR:g}", parameters=found.parameters, as_of=found.as_of) if found else "",
    )


def _hindcast(event: Hindcast, say: Words) -> tuple[Cell, ...]:
    factor = event.factor or 0.0
    verdict = say("text.miss") if is_miss(event) else say("text.within")
    simulated = 100 * (event.simulated or 0.0)
    return (
        event.name,
        say.get(f"measure.{event.measure}", event.measure),
        100 * event.observed,
        simulated,
        factor,
        verdict,
    )


def hindcast_line(say: Words) -> Iterator[str]:
    """Yield one sentence: how many events lie within the factor, and the names of those that do not."""
    found = shipped_hindcasts()
    events = [event for event in (found.events if found else ()) if event.factor is not None]
    misses = [event.name for event in events if is_miss(event)]
    if events:
        values = {"n": len(events), "close": len(events) - len(misses), "factor": f"{FACTOR:g}"}
        yield say("text.hindcasts", misses="; ".join(misses) or say("text.none"), **values)


def unexpressed(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield the events that the model cannot express, with the mechanism that it lacks."""
    found = shipped_hindcasts()
    yield from table(
        "unexpressed",
        say("table.unexpressed"),
        (say("head.event"), say("head.lacks")),
        ((event.name, event.missing) for event in (found.events if found else ()) if event.missing),
    )


def circumstances(run: FinishedRun, say: Words) -> Iterator[Table]:
    """Yield the manifest: versions, seed, engine, machine and the hashes of the files."""
    kept = {key: value for key, value in run.manifest.items() if key != "config"}
    yield from table(
        "manifest", say("table.manifest"), (say("head.key"), say("head.value")), ((k, plain(v)) for k, v in flat(kept))
    )


def flat(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every number and choice of nested tables under its dotted key; lists of plain values stay whole."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from flat(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        for i, inner in enumerate(value):
            yield from flat(inner, f"{key}.{i}")
    else:
        yield key, " ".join(map(str, value)) if isinstance(value, list) else value
