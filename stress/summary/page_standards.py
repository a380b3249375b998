"""Section of the page about internal standards that borrow from rules, and the firm's own funds beside them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stress.summary.notation import brackets, row

if TYPE_CHECKING:
    from stress.summary.summary import Summary

__all__ = ["standards"]


def standards(summary: "Summary") -> Iterator[str]:
    """Yield what each preset asks for, the binding one, and the own funds that are no part of the fund."""
    found, money = summary.standards, summary.money
    if found is None:
        return
    yield ""
    if found.rows:
        yield row("Reserve by internal standard", "asks for", "horizon")
    for each in found.rows:
        answer = "refused" if each.value is None else f"{money(each.value)} {brackets(each.low, each.high, money.bare)}"
        yield row(f"  {each.preset}", answer, each.reason or each.basis)
        yield f"    {each.measure}"
    if found.binding is not None:
        which = f"{found.binding.preset} ({found.binding.measure})"
        of = f"the largest of {len(found.answered)} of {len(found.rows)}"
        yield f"  Headline: {money(found.binding.value or 0.0)}, {of}; binding: {which}"
    if found.own_funds_eur is not None:
        yield f"Own funds of the firm, MiCA Art. 67: EUR {found.own_funds_eur:,.0f}, apart from the fund"
    yield "  No rule prescribes the fund: these measures borrow from EMIR, Solvency II and Basel."
