"""The first screen: the summary as a page of plain text, in the order in which a risk officer asks."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stress.outcomes import Facts
from stress.summary.notation import Money, percent, row, wrapped
from stress.summary.page_fund import cover, extremes, needed, pools, probabilities, shortfall
from stress.summary.page_model import assumptions, growth, hindcast_lines, model_risk
from stress.summary.page_payers import payers
from stress.summary.page_standards import standards
from stress.summary.result_line import result_line

if TYPE_CHECKING:
    from stress.summary.summary import Summary

__all__ = ["percent", "text"]


def text(summary: "Summary") -> str:
    """Return the whole page, some 50 lines of at most 115 characters."""
    estimates = (
        _answer,
        probabilities,
        needed,
        shortfall,
        extremes,
        standards,
        pools,
        payers,
        cover,
        _worst,
        growth,
        model_risk,
        hindcast_lines,
        assumptions,
    )
    sections = (_venue, *((_one_path, cover) if summary.n_paths == 1 else estimates), _reading)
    return "\n".join(line for section in sections for line in section(summary))


def _venue(summary: "Summary") -> Iterator[str]:
    facts = summary.facts
    yield ", ".join(
        part
        for part in (
            f"{facts.scenario}: fund {summary.money(facts.fund_initial)}{_in_dollars(facts)}",
            f"open interest {summary.money(facts.open_interest)}" if facts.open_interest else "",
            f"{facts.n_accounts:,} accounts" if facts.n_accounts else "",
        )
        if part
    )
    yield (
        f"{summary.n_paths:,} paths of {facts.horizon_hours:g} h ({facts.n_steps:,} steps), "
        f"{summary.n_populations:,} population{'s' if summary.n_populations > 1 else ''}, "
        f"engine {facts.engine}, seed {facts.seed}; {100 * summary.confidence:g} % intervals in brackets"
    )
    if summary.concentration is not None:
        yield f"book: {summary.concentration}"


def _answer(summary: "Summary") -> Iterator[str]:
    yield ""
    yield from wrapped(result_line(summary), first="", then="  ")


def _in_dollars(facts: Facts) -> str:
    """Say what a fund in coin is worth in dollars at the start."""
    return "" if facts.unit_usd == 1.0 else f" ({Money()(facts.fund_initial * facts.unit_usd)} at the start)"


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
        yield row(f"  {name}", summary.money(amount))


def _worst(summary: "Summary") -> Iterator[str]:
    shares = summary.shares
    if shares is None:
        return
    rows = sorted(zip(shares.share, shares.standard_error, shares.cohorts, strict=True), reverse=True)
    yield f"Who causes the worst {shares.n_paths:,} paths (share of the loss, +- standard error)"
    yield from wrapped(", ".join(f"{name} {100 * s:.0f} % +- {100 * error:.1f}" for s, error, name in rows), then="  ")


def _reading(summary: "Summary") -> Iterator[str]:
    yield ""
    yield "Read with care"
    for sentence in summary.caveats:
        yield from wrapped(sentence, first="  - ")
    yield "No rule prescribes this figure."
