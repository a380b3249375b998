"""The scenario of an imported book: what it takes from the base, and what is its own."""

import os
from typing import Any

import tomli_w

from stress import toml
from stress.scenario import Scenario
from stress.snapshot.quality import Quality, shown

BOOK = "book"
OWN = {"fund": ("initial_usd", "initial_coin"), "liquidity": ("volume_usd_per_day", "depth_usd")}  # to be looked at


def scenario_text(request: Any, priced: Scenario, quality: Quality, sha256: str) -> str:
    """Return the new scenario file.

    Parameters
    ----------
    request : stress.snapshot.Request
    priced : Scenario
        The base with the request's settings, at the book's mark.
    quality : Quality
    sha256 : str
        Of the book.

    Raises
    ------
    ScenarioError
        One line, if base and book do not fit together.
    """
    tables = _tables(request, priced, quality)
    makers = _makers(priced, quality)
    book = {"kind": BOOK, "name": BOOK, "file": request.book.name, "sha256": sha256}
    book |= {"as_of": request.as_of} if request.as_of else {}
    _check(request, tables | {"population": [_stand_in(priced), *makers]})
    return _header(request, priced, quality) + tomli_w.dumps(tables | {"population": [book, *makers]})


def _tables(request: Any, priced: Scenario, quality: Quality) -> dict[str, Any]:
    """Return all tables but the population: what differs from the base, and what should be looked at."""
    resolved = priced.tables()
    tables: dict[str, Any] = {"extends": os.path.relpath(request.base, request.out.parent)}
    tables |= {"run": {"name": request.out.stem}, "market": {"price_usd": priced.market.price_usd}}
    tables["exchange"] = {"open_interest_usd": quality.traded[0].totals.open_interest}
    for name, keys in OWN.items():
        tables[name] = {key: resolved[name][key] for key in keys if key in resolved[name]}
    for name, table in toml.override({}, request.settings, "--set").items():
        whole = isinstance(resolved.get(name), list)  # arrays of tables are replaced, not merged
        tables[name] = resolved[name] if whole else toml.merge(tables.get(name, {}), table)
    if priced.asset:
        tables["asset"] = _assets(request, quality)
    return tables | _variants(priced)


def _assets(request: Any, quality: Quality) -> list[dict[str, Any]]:
    """Return the base's symbols as they are written there, at the marks and with the open interest of the book."""
    rows = toml.override(toml.read(request.base), request.settings, "--set")["asset"]
    held = {part.symbol: part for part in quality.traded}
    found = {row["symbol"]: held[row["symbol"]] for row in rows}
    changed = {s: {"price_usd": p.mark, "open_interest_usd": p.totals.open_interest} for s, p in found.items()}
    return [row | changed[row["symbol"]] for row in rows]


def _variants(priced: Scenario) -> dict[str, Any]:
    """Return overlays and ranges, if some of the base's are of a population that is no longer there."""
    overlays = [row for row in priced.overlay if not any(_is_of_population(name) for name in row.set)]
    ranges = [row for row in priced.uncertain if not _is_of_population(row.name)]
    kept: dict[str, Any] = {"overlay": overlays, "uncertain": ranges}
    rows = {name: [row.model_dump(mode="json") for row in kept[name]] for name in kept}
    return {name: rows[name] for name in kept if len(rows[name]) < len(getattr(priced, name))}


def _is_of_population(name: str) -> bool:
    return name.split(".")[0] == "population"


def _makers(priced: Scenario, quality: Quality) -> list[dict[str, Any]]:
    """Return the base's makers; where it has none, one with the margin of open interest (illustrative)."""
    makers = [cohort for cohort in priced.population if cohort.is_maker]
    if makers:
        return [cohort.model_dump(mode="json", exclude_none=True) for cohort in makers]
    money = quality.totals.open_interest / priced.money_usd
    return [{"kind": "maker", "name": "makers", _money(priced, "collateral"): money}]


def _money(priced: Scenario, name: str) -> str:
    return f"{name}_coin" if priced.exchange.contract.in_coin else f"{name}_usd"


def _stand_in(priced: Scenario) -> dict[str, Any]:
    """Return one small account in the place of the book, whose rows have been checked already."""
    venue = priced.venue
    value = 10.0 * venue.lot * venue.price
    size = {"qty": 10.0 * abs(venue.contract.stated(venue.lot)), _money(priced, "collateral"): value}
    return {"kind": "account", "name": BOOK, "entry_usd": priced.market.price_usd, **size}


def _check(request: Any, tables: dict[str, Any]) -> None:
    """Validate the new scenario as a run would read it."""
    above = {name: table for name, table in tables.items() if name != "extends"}
    Scenario.from_tables(toml.merge(toml.read(request.base), above), source=str(request.out))


def _header(request: Any, priced: Scenario, quality: Quality) -> str:
    source, symbol = shown(request.source.name, 80), quality.symbols
    when = f", as of {request.as_of}" if request.as_of else ""
    lines = [
        f"The book of {source}{when}: {quality.totals.n:,} positions in {symbol}.",
        f"Made by `fundstress import`; sha256 of {source}: {quality.sha256}.",
        "Market, rules, liquidity, fund and makers are those of the base: put your own numbers below.",
    ]
    left_out = [row.label for row in priced.overlay if any(_is_of_population(name) for name in row.set)]
    if left_out:
        lines.append(f"Without overlays of the base's own population: {', '.join(left_out)}.")
    return "".join(f"# {line}\n" for line in lines) + "\n"
