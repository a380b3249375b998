"""The page of a comparison: what each rulebook needs, whom it hits, who pays, and how far it lies from the first."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from stress.summary.notation import Money, brackets, percent, wrapped


def text(comparison: Any) -> str:
    """Return the page of a `stress.summary.Comparison`."""
    return "\n".join(_lines(comparison))


def _lines(comparison: Any) -> Iterator[str]:
    c = comparison
    yield f"{c.scenario}: fund {c.money(c.fund_initial)}, open interest {c.money(c.open_interest)}"
    yield (
        f"{c.n_paths:,} paths of {c.horizon_hours:g} h, {c.n_populations:,} populations, seed {c.seed}: the same "
        f"accounts and shocks for all; {100 * c.confidence:g} % intervals in brackets"
    )
    yield from _reserve_table(c)
    yield from _customer_table(c)
    yield from _payer_table(c)
    yield from _difference_table(c)
    yield from _coin_table(c)
    yield ""
    yield "Read with care"
    for sentence in _caveats(c):
        yield from wrapped(sentence, first="  - ")


def _reserve_table(c: Any) -> Iterator[str]:
    heads = ["settles in", "fund exhausted", *(f"{percent(level)} reserve" for level in c.levels)]
    rows = [
        [row.name, row.unit, _estimate(row.ruin, percent), *(_reserve(found, c.money) for found in row.reserves)]
        for row in c.rulebooks
    ]
    yield from _table([f"Reserve needed, {c.unit}, net of income", *heads], rows)


def _reserve(found: Any, money: Money) -> str:
    if found.reason or found.value is None:
        return "refused: too few paths"
    return _estimate(found, money.bare)


def _estimate(found: Any, write: Callable[[float], str]) -> str:
    return f"{write(found.value)} {brackets(found.low, found.high, write)}"


def _customer_table(c: Any) -> Iterator[str]:
    heads = ["auto-deleveraging", "any haircut", "deleveraged, mean", "socialized, mean", "post more margin"]
    rows = [
        [
            row.name,
            _estimate(row.deleveraging, percent),
            _estimate(row.any_haircut, percent),
            c.money.bare(row.mean["deleveraged_notional"]),
            c.money.bare(row.mean["socialized_loss"]),
            f"{percent(row.posting_more)} (+{percent(row.more_margin)})",
        ]
        for row in c.rulebooks
    ]
    yield from _table([f"Customers are hit, {c.unit}", *heads], rows)


def _payer_table(c: Any) -> Iterator[str]:
    rounding = 1e-9 * c.open_interest
    who = [name for name in c.rulebooks[0].payers if any(row.payers[name] > rounding for row in c.rulebooks)]
    rows = [
        [row.name, *(_amount(row.payers[name], rounding, c.money) for name in who), " > ".join(row.waterfall)]
        for row in c.rulebooks
    ]
    yield from _table([f"Who pays, {c.unit}, mean over paths", *who, "in this order"], rows)


def _amount(x: float, rounding: float, money: Money) -> str:
    return money.bare(x) if x > rounding else "0"


def _difference_table(c: Any) -> Iterator[str]:
    heads = ["fund exhausted", "auto-deleveraging", *(f"{percent(level)} reserve" for level in c.levels)]
    rows = [
        [
            row.name,
            _estimate(row.ruin, percent),
            _estimate(row.deleveraging, percent),
            *("refused" if found is None else _estimate(found, c.money.bare) for _, found in row.reserves),
        ]
        for row in c.differences
    ]
    yield from _table([f"Less {c.rulebooks[0].name}, paired, {c.unit}", *heads], rows)


def _coin_table(c: Any) -> Iterator[str]:
    """Say the reserves of rulebooks that settle in a coin once more, in that coin."""
    coins = [row for row in c.rulebooks if row.unit != c.unit]
    if not coins:
        return
    heads = ["at the start", "fund", *(f"{percent(level)} reserve" for level in c.levels)]
    rows = [
        [
            row.name,
            f"1 {row.unit} = {c.money(row.unit_usd)}",
            Money(row.unit)(row.in_unit["fund_initial"]),
            *map(partial(_in_coin, row), range(len(c.levels))),
        ]
        for row in coins
    ]
    yield from _table(["Reserve in the money of the contract", *heads], rows)


def _in_coin(row: Any, k: int) -> str:
    found = replace(row.reserves[k], **row.in_unit["reserves"][k])
    return _reserve(found, Money(row.unit))


def _table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    yield ""
    for row in (head, *rows):
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _caveats(c: Any) -> Iterator[str]:
    yield (
        "Accounts are drawn once, on the scenario's own venue. Where another venue admits less leverage they post more "
        "margin; positions, entries and sizes are the same everywhere."
    )
    if {row.unit for row in c.rulebooks} != {c.unit}:
        yield (
            f"All amounts are in {c.unit} at the first price. A fund and margin in a coin are worth less after a fall, "
            "which these amounts do not show; the market is the same."
        )
    for row in c.rulebooks:
        if not row.curve_exact:
            yield f"{row.name}: a layer acts before the fund or depends on its size: the reserves are indicative."
    for row in c.rulebooks:
        if row.unverified:
            yield f"{row.name}: unverified: {', '.join(row.unverified)}."
