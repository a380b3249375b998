"""``fundstress import``: a venue's positions become a scenario, and the terminal says how good they are."""

import json
import math
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from stress.snapshot import Quality, Refused, Request, take_in
from stress.toml import ScenarioError, parse_setting

__all__ = ["ImportOptions", "launch_import"]

WRONG, WIDTH = 2, 112
COLORS = {"error": "red", "dropped": "cyan", "warning": "yellow"}


@dataclass(frozen=True)
class ImportOptions:
    """What was typed."""

    source: Path
    out: Path
    base: Path
    marks: tuple[str, ...] = ()  # SYMBOL=PRICE
    as_of: str | None = None
    symbol: str | None = None
    mode: str | None = None
    qty_unit: str = "base"
    decimal: str | None = None
    skip_bad: bool = False
    strict: bool = False
    cross_wallet: str | None = None
    settings: tuple[str, ...] = ()  # table.key=value
    json: bool = False
    quiet: bool = False

    def request(self) -> Request:
        """Return what is asked for, in numbers."""
        return Request(
            source=self.source,
            out=self.out,
            base=self.base,
            marks=dict(map(parse_mark, self.marks)),
            as_of=self.as_of and parse_time(self.as_of),
            symbol=self.symbol,
            mode=self.mode,
            in_usd=self.qty_unit == "usd",
            decimal=self.decimal,
            skip_bad=self.skip_bad,
            strict=self.strict,
            cross_wallet=self.cross_wallet,
            settings=dict(map(parse_setting, self.settings)),
        )


def launch_import(options: ImportOptions) -> int:
    """Import a file and print its quality; return the exit code."""
    try:
        quality, code = take_in(options.request()), 0
    except Refused as refused:
        print(*(f"fundstress: {line}" for line in refused.lines), sep="\n", file=sys.stderr)
        quality, code = refused.quality, WRONG
    if options.json:
        print(json.dumps(quality.to_dict(), indent=2, allow_nan=False))
    elif code == 0 and not options.quiet:
        show(quality)
    return code


def parse_mark(text: str) -> tuple[str, float]:
    """Split ``SYMBOL=PRICE``.

    Raises
    ------
    ScenarioError
        If it is not that, or the price is not a positive number.
    """
    symbol, equals, price = text.rpartition("=")
    try:
        value = float(price)
    except ValueError:
        value = math.nan
    if not (equals and symbol.strip() and math.isfinite(value) and value > 0.0):
        raise ScenarioError(f"--mark {text}: expected SYMBOL=PRICE, a price above 0 in USD, e.g. BTCUSDT=63000")
    return symbol.strip(), value


def parse_time(text: str) -> str:
    """Return a time as ISO 8601.

    Raises
    ------
    ScenarioError
        If it is none.
    """
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        raise ScenarioError(f"--as-of {text}: expected a time in ISO 8601, e.g. 2026-03-01T12:00+00:00") from None


def show(quality: Quality) -> None:
    """Print what was read, what was left out and what is odd."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    table = Table.grid(padding=(0, 2))
    for name, value in quality.facts():
        table.add_row(Text(name), Text(value))
    for level, color in COLORS.items():
        for finding in quality.findings.of(level):  # type: ignore[arg-type]
            table.add_row(Text("left out" if level == "error" else level, style=color), Text(str(finding)))
    console.print(table)
    console.print(Text(f"written: {quality.out} and {quality.book}"), soft_wrap=True)
    console.print(Text(f"next:    fundstress run {quality.out}"), soft_wrap=True)
