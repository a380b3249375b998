"""The first screen: the summary as a page of plain text, in the order in which a risk officer asks."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from stress.summary.intervals import Estimate, annual_rate

if TYPE_CHECKING:
    from stress.summary.summary import ReserveEstimate, Summary

__all__ = ["caveats", "money", "percent", "text"]

_UNITS = ((1e9, "bn"), (1e6, "m"), (1e3, "k"))
_FEW_POPULATIONS = 30
_BALANCED = 1e-9
_LABEL, _COLUMN = 43, 33


def text(summary: "Summary") -> str:
    """Return the whole page, about 30 lines of some 110 characters."""
    estimates = (_probabilities, _needed, _shortfall, _cover, _growth, _worst)
    sections = (_venue, *((_one_path, _cover) if summary.n_paths == 1 else estimates), _reading)
    return "\n".join(line for section in sections for line in section(summary))


def money(x: float, currency: str = "USD ") -> str:
    """Write an amount with three significant digits: ``USD 60.0 m``."""
    sign = "-" if x < 0 else ""
    for scale, unit in _UNITS:
        if abs(x) >= 0.9995 * scale:
            return f"{sign}{currency}{_three_digits(abs(x) / scale)} {unit}"
    return f"{sign}{currency}{_three_digits(abs(x))}"


def percent(p: float) -> str:
    """Write a probability: ``0.12 %``."""
    if 0 < p < 1e-6:
        return f"{p:.2g}"
    return f"{100 * p:.6g} %" if p > 0.999 else f"{100 * p:.3g} %"


def caveats(summary: "Summary") -> Iterator[str]:
    """Yield what a reader must know before using the numbers, one sentence each."""
    if summary.n_paths == 1:
        yield "One path is a story: it has no probability and no reserve."
        return
    yield "Intervals are of the simulation only; they do not hold the uncertainty of the parameters."
    yield from _caveats_of_population(summary)
    yield from _caveats_of_sample(summary)
    if not summary.facts.one_run_curve_exact:
        note = f" ({summary.facts.curve_note})" if summary.facts.curve_note else ""
        yield (f"The reserve at levels other than the configured fund is indicative: bisect on the initial fund{note}.")
    if summary.conservation_error > _BALANCED:
        yield f"THE BOOKS DO NOT BALANCE: worst error {summary.conservation_error:.1e} of open interest."


def _caveats_of_population(summary: "Summary") -> Iterator[str]:
    n = summary.n_populations
    if summary.facts.conditional_on_book:
        yield "All numbers are conditional on this book: its accounts were given, not drawn."
    elif n > 1:
        yield f"Intervals are by population cluster, {n:,} populations."
    elif summary.facts.n_accounts:
        yield "One population was drawn: the intervals leave out how populations differ."
    if 1 < n < _FEW_POPULATIONS:
        yield f"Fewer than {_FEW_POPULATIONS} populations: the intervals are rough."


def _caveats_of_sample(summary: "Summary") -> Iterator[str]:
    refused = {row.level: row for row in summary.reserves if row.reason}
    for level, row in refused.items():
        needed = f"about {row.n_paths_needed:,} are needed"
        yield f"No reserve at {100 * level:g} %: {row.reason}; {needed}."
    for reason in dict.fromkeys(row.reason for row in summary.expected_shortfall if row.reason):
        levels = [f"{100 * row.level:g}" for row in summary.expected_shortfall if row.reason == reason]
        yield f"Expected shortfall at {', '.join(levels)} %: {reason}."
    events = (summary.ruin_probability, *summary.probability_interval.values())
    if any(event.value == 0 for event in events):
        yield "What happened on no path has a one-sided bound, which counts the paths as independent."


def _venue(summary: "Summary") -> Iterator[str]:
    facts = summary.facts
    yield ", ".join(
        part
        for part in (
            f"{facts.scenario}: fund {money(facts.fund_initial)}",
            f"open interest {money(facts.open_interest)}" if facts.open_interest else "",
            f"{facts.n_accounts:,} accounts" if facts.n_accounts else "",
        )
        if part
    )
    yield (
        f"{summary.n_paths:,} paths of {facts.horizon_hours:g} h ({facts.n_steps:,} steps), "
        f"{summary.n_populations:,} population{'s' if summary.n_populations > 1 else ''}, "
        f"engine {facts.engine}, seed {facts.seed}; {100 * summary.confidence:g} % intervals in brackets"
    )


def _one_path(summary: "Summary") -> Iterator[str]:
    """Tell what happened: one path has no probability and no reserve."""
    mean = summary.mean
    rows = {
        "Deepest fall of a fund without bottom": mean["drawdown"],
        "Paid by the fund": mean["bad_debt"],
        "Paid into the fund by liquidations": mean["surplus"],
        "Result of positions taken over": mean["inventory_pnl"],
        "Closed against winners (notional)": mean["deleveraged_notional"],
        "Charged to winners": mean["socialized_loss"],
        "Paid by nobody": mean["unresolved_shortfall"],
        "Fund at the end": mean["fund_end"],
    }
    yield ""
    yield "What happened on the one path"
    for name, amount in rows.items():
        yield _row(f"  {name}", money(amount))


def _probabilities(summary: "Summary") -> Iterator[str]:
    customers = summary.probability_interval
    rows = {
        "Fund exhausted": summary.ruin_probability,
        "Customers hit by auto-deleveraging": customers["deleveraging"],
        "Customers hit by any haircut": customers["any_haircut"],
    }
    yield ""
    within = f"within {summary.facts.horizon_hours:g} h"
    yield _row("Probability", within, "times a year (no renewal: indicative)")
    for name, p in rows.items():
        yield _row(f"  {name}", _chance(p), _annual(p))


def _row(label: str, first: str, second: str = "") -> str:
    return f"{label:<{_LABEL}}{first:<{_COLUMN}}{second}".rstrip()


def _chance(p: Estimate) -> str:
    if p.value == 0 and p.high is not None:
        return f"on no path, below {percent(p.high)}"
    return f"{percent(p.value)} {_brackets(p.low, p.high, percent)}"


def _annual(p: Estimate) -> str:
    if p.annual is None:
        return "on every path"
    if p.value == 0:
        return f"below {_rate(p.annual_high)}"
    return f"{_rate(p.annual)} {_brackets(p.annual_low, p.annual_high, _rate)}"


def _needed(summary: "Summary") -> Iterator[str]:
    hours = summary.facts.horizon_hours
    yield ""
    yield _row(f"Reserve needed over {hours:g} h", "net of income", "gross, no credit for income")
    for net, gross in _pairs(summary.reserves):
        fails = f"fails {_rate(annual_rate(1 - net.level, hours))} times a year"
        yield _row(f"  {100 * net.level:g} % ({fails})", _reserve(net), _reserve(gross))


def _pairs(reserves: "tuple[ReserveEstimate, ...]") -> "list[tuple[ReserveEstimate, ReserveEstimate]]":
    net, gross = ([row for row in reserves if row.kind == kind] for kind in ("net", "gross"))
    return list(zip(net, gross, strict=True))


def _reserve(row: "ReserveEstimate") -> str:
    if row.value is not None:
        return f"{money(row.value)} {_brackets(row.low, row.high, _bare_money)}"
    if row.upper_bound is not None:
        return f"refused; at most {money(row.upper_bound)}"
    return f"refused; needs {row.n_paths_needed:,} paths"


def _shortfall(summary: "Summary") -> Iterator[str]:
    yield "Expected shortfall: mean drawdown of the worst paths"
    for row in summary.expected_shortfall:
        amount = "refused" if row.value is None else money(row.value)
        interval = "" if row.low is None else " " + _brackets(row.low, row.high, _bare_money)
        yield _row(f"  worst {100 * (1 - row.level):.3g} %", amount + interval)


def _cover(summary: "Summary") -> Iterator[str]:
    if not summary.cover:
        return
    moves = sorted({row.move for row in summary.cover})
    times = {(row.n, row.move): row.fund_over_loss for row in summary.cover}
    yield ""
    header = "".join(f"{f'{100 * move:+.0f} %':>10}" for move in moves)
    yield _row("Fund over mean loss, at a price move of", header)
    for n in sorted({row.n for row in summary.cover}):
        name = "  the largest account defaults" if n == 1 else f"  the {n} largest accounts default"
        yield _row(name, "".join(f"{_times(times.get((n, move))):>10}" for move in moves))


def _times(fund_over_loss: float | None) -> str:
    return "no loss" if fund_over_loss is None else f"{_three_digits(fund_over_loss)} x"


def _growth(summary: "Summary") -> Iterator[str]:
    change, hours = summary.fund_change, summary.facts.horizon_hours
    plus = "+" if change.value > 0 else ""
    amount = f"{plus}{money(change.value)} {_brackets(change.low, change.high, _bare_money)}"
    yield ""
    yield _row(f"Change of the fund over {hours:g} h, mean", amount)


def _worst(summary: "Summary") -> Iterator[str]:
    shares = summary.shares
    if shares is None:
        return
    rows = sorted(zip(shares.share, shares.standard_error, shares.cohorts, strict=True), reverse=True)
    yield f"Who causes the worst {shares.n_paths:,} paths (share of the loss, +- standard error)"
    yield "  " + ", ".join(f"{name} {100 * s:.0f} % +- {100 * error:.1f}" for s, error, name in rows)


def _reading(summary: "Summary") -> Iterator[str]:
    yield ""
    yield "Read with care"
    for sentence in summary.caveats:
        yield f"  - {sentence}"
    yield "No rule prescribes this figure."


def _brackets(low: float | None, high: float | None, write: Callable[[float], str]) -> str:
    if low is None and high is None:
        return "[no interval]"
    return f"[{'?' if low is None else write(low)}, {'unbounded' if high is None else write(high)}]"


def _bare_money(x: float) -> str:
    return money(x, currency="")


def _rate(x: float | None) -> str:
    if x is None:
        return "unbounded"
    return f"{x:,.0f}" if x >= 999.5 else f"{x:.3g}"


def _three_digits(x: float) -> str:
    return f"{x:,.0f}" if x >= 999.5 else f"{x:#.3g}".rstrip(".") if x else "0"
