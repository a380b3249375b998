"""Section of the page about who pays when liquidations cost more than the accounts had, layer by layer."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stress.summary.notation import grid

if TYPE_CHECKING:
    from stress.summary.summary import Summary

__all__ = ["payers"]

_ALWAYS = {
    "fund draw": "fund_draw",
    "deleveraged (notional)": "deleveraged_notional",
    "forgone by them": "forgone_profit",
    "broken hedges (notional)": "broken_hedges",
    "socialized": "socialized_loss",
}
_WHERE_IT_EXISTS = {
    "backstop providers": "backstop_loss",
    "fee pool": "fee_pool_paid",
    "operator": "operator_paid",
    "top-ups of the fund": "topped_up",
    "nobody": "unresolved_shortfall",
}


def payers(summary: "Summary") -> Iterator[str]:
    """Yield the means by payer, side by side, when anybody but the fund pays."""
    mean = summary.mean
    customers = [name for name in _ALWAYS.values() if name != "fund_draw"]
    if not any(mean[name] > 0.0 for name in (*customers, *_WHERE_IT_EXISTS.values())):
        return
    rows = _ALWAYS | {label: name for label, name in _WHERE_IT_EXISTS.items() if mean[name] > 0.0}
    cells = [f"{label} {summary.money.bare(mean[name])}" for label, name in rows.items()]
    yield from grid(cells, label="Who pays, mean   ", indent=17, n_columns=3)
