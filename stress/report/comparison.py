"""Several runs side by side: their key figures, how far they lie from the first, and what was configured otherwise."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from stress.report.finished import FinishedRun
from stress.report.model import flat, plain
from stress.report.tables import Cell, Table, table
from stress.report.words import Words
from stress.summary import Estimate, ReserveEstimate, Summary
from stress.toml import ScenarioError

__all__ = ["check_comparable", "comparison"]


def check_comparable(runs: Sequence[FinishedRun]) -> None:
    """Refuse runs of several moneys, and one run given twice, with a ScenarioError of one line."""
    units = dict.fromkeys(run.summary.facts.unit for run in runs)
    if len(units) > 1:
        raise ScenarioError(f"runs are in {' and '.join(units)}: a comparison needs one money")
    folders = [run.folder.resolve() for run in runs]
    twice = next((run.folder for i, run in enumerate(runs) if run.folder.resolve() in folders[:i]), None)
    if twice is not None:
        raise ScenarioError(f"{twice}: given twice")


def comparison(runs: Sequence[FinishedRun], say: Words) -> Iterator[Table]:
    """Yield the key figures by run, and the keys of the configurations that differ."""
    names, scale = [run.name for run in runs], runs[0].summary.money.scale
    rows = chain(_facts(runs, say), _chances(runs, say), _reserves(runs, say, scale))
    yield from table(
        "comparison",
        say("table.comparison", unit=runs[0].summary.money.axis),
        (
            say("head.what"),
            *chain.from_iterable((n, say("head.low", unit=n), say("head.high", unit=n)) for n in names),
        ),
        rows,
        say("note.comparison"),
    )
    yield from _ratios(runs, say)
    yield from table(
        "differences",
        say("table.differences"),
        (say("head.key"), *names),
        _differences([dict(flat(run.config)) for run in runs]),
    )


def _facts(runs: Sequence[FinishedRun], say: Words) -> Iterator[tuple[Cell, ...]]:
    rows: dict[str, Callable[[Summary], float]] = {
        "fund": lambda s: s.facts.fund_initial / s.money.scale,
        "open_interest": lambda s: s.facts.open_interest / s.money.scale,
        "horizon": lambda s: s.facts.horizon_hours,
        "paths": lambda s: float(s.n_paths),
    }
    for key, read in rows.items():
        yield (say(f"row.{key}"), *chain.from_iterable((read(run.summary), None, None) for run in runs))


def _chances(runs: Sequence[FinishedRun], say: Words) -> Iterator[tuple[Cell, ...]]:
    rows: dict[str, Callable[[Summary], Estimate]] = {
        "ruin": lambda s: s.ruin_probability,
        "deleveraging": lambda s: s.probability_interval["deleveraging"],
        "any_haircut": lambda s: s.probability_interval["any_haircut"],
    }
    for key, read in rows.items():
        yield (f"{say(f'event.{key}')} (%)", *chain.from_iterable(_ends(read(run.summary), 0.01) for run in runs))


def _reserves(runs: Sequence[FinishedRun], say: Words, scale: float) -> Iterator[tuple[Cell, ...]]:
    for level in _levels(runs):
        for kind in ("net", "gross"):
            found = [run.summary.reserve(level, kind) for run in runs]
            label = say("row.reserve", level=f"{100 * level:g} %", kind=say(f"kind.{kind}"))
            yield (label, *chain.from_iterable(_ends(each, scale) for each in found))
    yearly = [run.summary.year for run in runs]
    label = say("row.needed_net", level=f"{100 * yearly[0].level:g} %")
    yield (label, *chain.from_iterable(_ends(each.net, scale) for each in yearly))


def _levels(runs: Sequence[FinishedRun]) -> list[float]:
    """Return the levels that all runs answer."""
    return sorted(set.intersection(*({row.level for row in run.summary.reserves} for run in runs)))


def _ends(found: Estimate | ReserveEstimate, scale: float) -> tuple[Cell, ...]:
    return tuple(None if x is None else x / scale for x in (found.value, found.low, found.high))


def _ratios(runs: Sequence[FinishedRun], say: Words) -> Iterator[Table]:
    """Yield every run's net reserves over those of the first."""
    first, *others = runs

    def ratio(run: FinishedRun, level: float) -> Cell:
        """Return one reserve over that of the first run."""
        value, base = (each.summary.reserve(level).value for each in (run, first))
        return value / base if value is not None and base else None

    yield from table(
        "ratios",
        say("table.ratios", first=first.name),
        (say("head.level"), *(run.name for run in others)),
        ((f"{100 * level:g} %", *(ratio(run, level) for run in others)) for level in _levels(runs)),
        say("note.horizons") if len({run.summary.facts.horizon_hours for run in runs}) > 1 else "",
    )


def _differences(configs: list[dict[str, object]]) -> Iterator[tuple[Cell, ...]]:
    for key in dict.fromkeys(chain.from_iterable(configs)):
        values = [plain(config[key]) if key in config else None for config in configs]
        if len(set(values)) > 1:
            yield (key, *values)
