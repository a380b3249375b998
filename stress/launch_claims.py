"""``fundstress claims``: from a history of losses, or from stated laws, to the reserve."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from stress.claims import (
    ClaimsModel,
    ConditionalReserve,
    ConditionalRuin,
    Fit,
    bootstrap,
    fit_history,
    read_losses,
    simulate,
)
from stress.launch import print_result
from stress.launch_size import parse_horizon
from stress.scenario import ScenarioError
from stress.size import check_budget, check_inside
from stress.summary import Summary, summarize
from stress.summary.notation import Money, brackets, percent, wrapped
from stress.summary.page_fund import extremes, needed, shortfall
from stress.summary.result_line import estimate, line, result_line
from stress.toml import parse_setting

__all__ = ["ClaimsOptions", "launch_claims"]

SCHEMA = "fundstress.claims/1"
TABLES = (".csv", ".parquet")
METHODS = ("crude", "conditional")
ENOUGH, MOST_CLAIMS = 20_000, 1_000_000  # paths, and claims in all, of conditional Monte Carlo: a second or two


@dataclass(frozen=True)
class ClaimsOptions:
    """What ``fundstress claims`` was asked for; `overrides` are dotted names of a claims file."""

    source: Path
    level: float = 0.995
    horizon: str | None = None
    limit: float | None = None
    draws: int = 0
    since: str | None = None
    until: str | None = None
    method: str = "crude"
    settings: tuple[str, ...] = ()  # table.key=value
    overrides: dict[str, Any] = field(default_factory=dict)
    json: bool = False
    quiet: bool = False


def launch_claims(options: ClaimsOptions) -> int:
    """Fit or read the laws, simulate, print; return the exit code."""
    if options.method not in METHODS:
        raise ScenarioError(f"--method {options.method}: is one of {', '.join(METHODS)}")
    fit, model = _fitted(options) if options.source.suffix.lower() in TABLES else (None, _stated(options))
    if not options.quiet:
        for note in _notes(fit, model):
            print(note, file=sys.stderr)
    answer = _counted if options.method == "crude" else _conditional
    print_result(answer(options, model, fit), options)
    return 0


def _conditional(options: ClaimsOptions, model: ClaimsModel, fit: Fit | None) -> "_Rare":
    """Answer a level that need not be one that the paths could count."""
    check_inside(options.level)
    answer = _Rare(options.level, model, fit, _without_largest(model))
    if reason := answer.conditional.reason:
        raise ScenarioError(f"{options.source}: cannot say at level {options.level:.10g}: {reason}")
    return answer


def _counted(options: ClaimsOptions, model: ClaimsModel, fit: Fit | None) -> "_Answer":
    """Answer by simulation, with the interval of the parameters."""
    model = _asked(model, options.level)
    summary = summarize(simulate(model))
    if fit is not None and options.draws:
        interval, missing = bootstrap(fit, model, n_draws=options.draws)
        summary = summary.with_(parameters=interval)
        if missing and not options.quiet:
            said = f"warning: {missing} of {options.draws} refits have no mean and are left out: the intervals of the"
            print(said, "parameters end too low", file=sys.stderr)
    return _Answer(options.level, model, fit, _without_largest(model), summary)


def _without_largest(model: ClaimsModel) -> ConditionalRuin:
    """Return the paths of conditional Monte Carlo, no more than it needs."""
    affordable = int(MOST_CLAIMS / max(1.0, model.frequency.mean_rate * model.years))
    run = model.run.model_copy(update={"n_paths": min(model.run.n_paths, ENOUGH, max(2, affordable))})
    return ConditionalRuin(model.model_copy(update={"run": run}))


def _overrides(options: ClaimsOptions) -> dict[str, Any]:
    found = dict(map(parse_setting, options.settings)) | options.overrides
    if options.horizon is not None:
        found["run.horizon_hours"] = parse_horizon(options.horizon)
    if options.limit is not None:
        found["limit_usd"] = options.limit
    return found


def _asked(model: ClaimsModel, level: float) -> ClaimsModel:
    """Return the model with one more level of the reserve."""
    try:
        check_budget(level, model.run.n_paths, model.reserve.confidence)
    except ScenarioError as error:
        raise ScenarioError(f"{error}, or --method conditional") from None
    levels = tuple(sorted({*model.reserve.levels, level}))
    return model.model_copy(update={"reserve": model.reserve.model_copy(update={"levels": levels})})


def _stated(options: ClaimsOptions) -> ClaimsModel:
    if options.since is not None or options.until is not None:
        raise ScenarioError("--from and --to are of a history of losses, not of stated laws")
    return ClaimsModel.load(options.source, _overrides(options))


def _fitted(options: ClaimsOptions) -> tuple[Fit, ClaimsModel]:
    history = read_losses(options.source, since=options.since, until=options.until)
    fit = fit_history(history, limit_usd=options.limit)
    tables = {**fit.model().tables(), "run": {"name": options.source.stem}}
    return fit, ClaimsModel.from_tables(tables, source=str(options.source), overrides=_overrides(options))


def _notes(fit: Fit | None, model: ClaimsModel) -> Iterator[str]:
    """Yield what should be known before the numbers."""
    yield from fit.history.notes if fit else ()
    if fit and fit.tail.xi is None:
        yield "warning: too few losses to judge the tail; the law of sizes is taken at its word"
    if fit and fit.tail.infinite_variance:
        yield f"warning: tail index {fit.tail.xi:.2f}: the losses have no variance, one may exceed all before it"
    if model.income.premium_usd_per_year == 0.0:
        yield "no premium (--premium): the reserve pays for all losses of the horizon"
    elif model.income.premium_usd_per_year <= model.expected_claims:
        yield "warning: the premium does not exceed the mean cost of claims: over time the fund is ruined for certain"


@dataclass(frozen=True)
class _Rare:
    """What is printed of conditional Monte Carlo alone."""

    level: float
    model: ClaimsModel
    fit: Fit | None
    without_largest: ConditionalRuin

    @cached_property
    def conditional(self) -> ConditionalReserve:
        """The reserve by conditional Monte Carlo."""
        return self.without_largest.reserve(self.level, self.model.reserve.confidence)

    @property
    def reserve(self) -> float:
        """The reserve, 0 where it is refused."""
        return self.conditional.value or 0.0

    def __str__(self) -> str:
        return "\n".join(_rare_lines(self))

    def to_json(self) -> str:
        """Return one JSON document."""
        return json.dumps(self.document(), indent=2, allow_nan=False)

    def document(self) -> dict[str, Any]:
        """Return its tables."""
        bounds = self.model.exact_ruin(self.reserve)
        return {
            "schema": SCHEMA,
            "level": self.level,
            "model": self.model.tables(),
            "expected_claims_per_year": self.model.expected_claims,
            "lundberg_exponent": self.model.lundberg(),
            "conditional": self.conditional.to_dict(),
            "ruin_at_reserve_without_simulation": None if bounds is None else list(bounds),
            "fit": self.fit and self.fit.to_dict(),
        }


@dataclass(frozen=True)
class _Answer(_Rare):
    """What is printed of simulated paths."""

    summary: Summary

    @property
    def reserve(self) -> float:
        """The counted reserve, 0 where it is refused."""
        return self.summary.reserve(self.level).value or 0.0

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def document(self) -> dict[str, Any]:
        """Return its tables, with the summary."""
        return {**super().document(), "summary": self.summary.to_dict()}


def _rare_lines(answer: _Rare) -> Iterator[str]:
    model, found, money = answer.model, answer.conditional, Money()
    how = f"conditional Monte Carlo, n = {found.n_paths:,}"
    confidence = model.reserve.confidence
    said = estimate(answer.reserve, (found.low, found.high), how, money=money, confidence=confidence)
    yield from wrapped(line(answer.level, model.run.horizon_hours, said), first="", then="  ")
    yield ""
    yield from _laws(answer, money)
    yield from _theory(answer, money)
    if model.fund.initial_usd:
        p, error = answer.without_largest.ruin(model.fund.initial_usd)
        yield f"Ruin of a fund of {money(model.fund.initial_usd)}: {p:.3g} +- {error:.2g} (one standard error)"
    yield "The interval is of the simulation only, and all is conditional on the laws."
    if answer.fit:
        yield "How little the history says, --method crude tells (--draws)."
    yield "No rule prescribes this figure."


def _lines(answer: _Answer) -> Iterator[str]:
    summary, model = answer.summary, answer.model
    yield from wrapped(result_line(summary, answer.level), first="", then="  ")
    yield ""
    yield from _laws(answer, summary.money)
    found = answer.conditional
    interval = brackets(found.low, found.high, summary.money.bare)
    other = f"refused, {found.reason}" if found.value is None else f"{summary.money(found.value)} {interval}"
    yield f"With the largest claim taken out (conditional Monte Carlo): {other}"
    yield from _theory(answer, summary.money)
    if model.fund.initial_usd:
        ruin = summary.ruin_probability
        edges = f"[{percent(ruin.low or 0.0)}, {percent(1.0 if ruin.high is None else ruin.high)}]"
        yield f"Ruin of a fund of {summary.money(model.fund.initial_usd)}: {percent(ruin.value)} {edges}"
    for section in (needed, shortfall, extremes):
        yield from section(summary)
    yield ""
    yield "Read with care"
    for sentence in summary.caveats:
        yield from wrapped(sentence, first="  - ")
    yield "No rule prescribes this figure."


def _laws(answer: _Rare, money: Money) -> Iterator[str]:
    """Yield the laws."""
    model, income = answer.model, answer.model.income
    if answer.fit:
        yield from _fit_lines(answer.fit)
    yield (
        f"Claims: {model.frequency.mean_rate:,.4g} a year ({model.frequency.kind}), {money(model.mean_claim)} on "
        f"average ({model.severity.kind}): {money(model.expected_claims)} a year, premium "
        f"{money(income.premium_usd_per_year)}"
    )


def _fit_lines(fit: Fit) -> Iterator[str]:
    """Yield what was fitted, and how far behind the other laws are."""
    history = fit.history
    yield f"History: {history.loss.size:,} losses, {history.span}"
    for name, rows in (("Frequency", fit.frequencies), ("Severity", fit.severities)):
        laws = ", ".join(f"{row.part.kind} {row.aic - rows[0].aic:+.1f}" for row in rows[1:])
        yield from wrapped(f"{name}: {_law(rows[0].part)}; AIC of the others: {laws or 'none'}", first="", then="  ")
    tail = fit.tail
    if tail.xi is not None:
        yield f"Tail index of the {tail.n_exceedances} largest losses: {tail.xi:.2f} +- {tail.standard_error:.2f}"


def _law(part: Any) -> str:
    numbers = ", ".join(f"{name} {value:.4g}" for name, value in part.model_dump(exclude={"kind"}).items())
    return f"{part.kind} ({numbers})"


def _theory(answer: _Rare, money: Money) -> Iterator[str]:
    """Yield what theory says of the reserve."""
    bounds, exponent = answer.model.exact_ruin(answer.reserve), answer.model.lundberg()
    if bounds is not None:
        low, high = map(percent, bounds)
        yield f"Without simulation: {money(answer.reserve)} is ruined with probability {low} to {high}"
    if exponent is not None:
        yield f"Lundberg: a fund u is ever ruined with at most exp(-u / {money(1.0 / exponent)})"
