"""What ``fundstress population`` prints: cohorts, leverage, concentration and distance to liquidation."""

from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table

from stress.census import BANDS, SIDES, AchievedShare, Census, CohortCensus, Leverage
from stress.summary.notation import Money, percent, three_digits

__all__ = ["print_page"]

WIDTH = 112
NOTHING = "-"
SHOWN = ("0.1", "0.5", "0.8", "0.9")  # quantiles of leverage
MEASURES = {
    "largest": "Largest / open interest",
    "top_1": "Held by the largest",
    "top_10": "Held by the ten largest",
    "top_percent": "Held by the largest 1 %",
    "gini": "Gini",
    "effective_number": "Effective number (1/HHI)",
    "hill": "Tail index (Hill)",
    "hill_error": "  its standard error",
    "hill_k": "  from how many largest",
}
ALIKE = ("hill_error", "hill_k")  # in every population
IN_PERCENT = ("largest", "top_1", "top_10", "top_percent")


def print_page(found: Census, console: Console | None = None) -> None:
    """Print a census to a console, standard output by default; off a terminal it is 112 columns wide."""
    console = Console() if console is None else console
    if not console.is_terminal:
        console.width = WIDTH
    money = Money(found.unit)
    console.print(
        f"{found.scenario}: {found.n_accounts:,.0f} accounts, open interest {money(found.open_interest)}, "
        f"{found.n_populations:,} population{'s' if found.n_populations > 1 else ''}, seed {found.seed}",
        highlight=False,
    )
    for table in _tables(found):
        console.print()
        console.print(table, highlight=False)


def _tables(found: Census) -> Iterator[Table]:
    yield _cohorts(found)
    yield _leverage(found)
    yield _concentration(found)
    if found.distance:
        yield _distance(found)


def _table(title: str, *columns: str) -> Table:
    """Return an empty table whose first column is words and the others numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left", no_wrap=True)
    return table


def _cohorts(found: Census) -> Table:
    head = ("cohort", "accounts", "margin", "mean age", "long, asked", "held", "short, asked", "held")
    table = _table("Cohorts (shares of the whole side; ages as asked, before survivors are picked)", *head)
    asked = {(row.cohort, row.side): row for row in found.shares}
    for row in found.cohorts:
        names = [name for name in dict.fromkeys(label for label, _ in asked) if _is_of(name, row.name, found)]
        for name in names or [row.name]:
            cells = [asked.get((name, side)) for side in SIDES]
            shares = [cell for share in cells for cell in _share(share)]
            table.add_row(name, f"{row.n_accounts:,.0f}" if row.n_accounts else NOTHING, *_mode(row), *shares)
    return table


def _is_of(label: str, cohort: str, found: Census) -> bool:
    """Say whether a share's label is the cohort, or the cohort and a symbol."""
    names = {row.name for row in found.cohorts}
    return label == cohort or (label not in names and label.rpartition(" ")[0] == cohort)


def _share(share: AchievedShare | None) -> tuple[str, str]:
    return (NOTHING, NOTHING) if share is None else (percent(share.requested), percent(share.achieved))


def _mode(row: CohortCensus) -> tuple[str, str]:
    age = NOTHING if row.holding_hours is None else f"{row.holding_hours:g} h"
    return row.margin or NOTHING, age


def _leverage(found: Census) -> Table:
    low, high = (f"{band:g}" for band in BANDS)
    quantiles = [f"{100 * float(p):g} %" for p in SHOWN]
    bands = (f"below {low}x", f"{low}-{high}x", f"above {high}x")
    table = _table(
        "Leverage today, notional over equity (law: its mean before caps)",
        *("cohort", "law", "weighted by", "mean", *quantiles, *bands),
    )
    for row in found.cohorts:
        law = NOTHING if row.law_mean is None else f"{row.law_mean:.3g}"
        if row.by_notional is not None and row.by_count is not None:
            table.add_row(row.name, law, "notional", *_levered(row.by_notional))
            table.add_row("", "", "account", *_levered(row.by_count))
    if found.everybody is not None:
        table.add_row("all", "", "notional", *_levered(found.everybody))
    return table


def _levered(leverage: Leverage) -> list[str]:
    numbers = (leverage.mean, *(leverage.quantiles[p] for p in SHOWN))
    return [*(three_digits(x) for x in numbers), *(f"{100 * share:.1f} %" for share in leverage.bands)]


def _concentration(found: Census) -> Table:
    spread = "mean [5 %, 95 % of the populations]" if found.n_populations > 1 else "one population"
    table = _table(f"Concentration among holders, {spread}", "", "both sides", *SIDES)
    for name, label in MEASURES.items():
        table.add_row(label, *(_measure(found, side, name) for side in ("both", *SIDES)))
    return table


def _measure(found: Census, side: str, name: str) -> str:
    spread = found.concentration[side]
    values = [getattr(book, name, None) for book in (spread.mean, spread.low, spread.high)]
    if values[0] is None:
        return NOTHING
    written = [_number(name, x) for x in values if x is not None]
    if name in ALIKE or len(written) < 3:
        return written[0]
    return f"{written[0]} [{written[1]}, {written[2]}]"


def _number(name: str, x: float) -> str:
    if name in IN_PERCENT:
        return percent(x)
    return {"gini": f"{x:.3f}", "hill_k": f"{x:.0f}"}.get(name, three_digits(x))


def _distance(found: Census) -> Table:
    table = _table("Distance to liquidation (share of notional)", "liquidated by a move of", *SIDES)
    for row in found.distance:
        move = f"more than {100 * row.above:g} %" if row.upto is None else f"{100 * row.above:g}-{100 * row.upto:g} %"
        table.add_row(move, f"{100 * row.long:.1f} %", f"{100 * row.short:.1f} %")
    return table
