"""One pass over a file of positions: every batch is checked, what is good goes into the book, and nothing else."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from stress.accounts import EXACT_UNITS
from stress.agents.base import Venue
from stress.agents.book import digest_of
from stress.scenario import Scenario
from stress.snapshot import book_file, checks, columns
from stress.snapshot.quality import Findings, Quality, Refused, Totals, shown
from stress.snapshot.reading import Raw, Source, open_source
from stress.snapshot.scenario_file import scenario_text
from stress.toml import ScenarioError, hint

BALANCED = 1e-3  # of open interest: what ``--strict`` lets the sides differ by; a whole venue's book balances
MOST_SYMBOLS = 1_000  # of a file; 10 are named in a message


@dataclass(frozen=True)
class Request:
    """What ``fundstress import`` was asked for.

    Parameters
    ----------
    source, out, base : Path
        The positions; the scenario to write; the scenario whose market, liquidity and rules are taken.
    marks : mapping
        Price of each symbol, USD.
    as_of : str, optional
        When the book was taken.
    symbol, mode : str, optional
        The symbol to take; for a file without such a column, what all rows have.
    in_usd : bool
        Whether quantities are notionals in USD.
    decimal : {"point", "comma"}, optional
        Decimal mark of text; absent: a point, and where columns are not separated by commas, a comma is refused.
    skip_bad, strict : bool
        Leave out rows with errors; refuse a book whose sides differ.
    settings : mapping
        Dotted names to values, laid over the base scenario and written into the new one.
    """

    source: Path
    out: Path
    base: Path
    marks: dict[str, float] = field(default_factory=dict)
    as_of: str | None = None
    symbol: str | None = None
    mode: str | None = None
    in_usd: bool = False
    decimal: str | None = None
    skip_bad: bool = False
    strict: bool = False
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def book(self) -> Path:
        """Where the clean positions go: beside the scenario."""
        return self.out.with_suffix(".parquet")


def take_in(request: Request) -> Quality:
    """Read positions, check them, and write the scenario and its book.

    Returns
    -------
    Quality
        What was found.

    Raises
    ------
    Refused
        If rows make a run impossible; nothing is written.
    ScenarioError
        If the request or the file as a whole is wrong; nothing is written.
    """
    check_target(request)
    source = open_source(request.source)
    given = [name for name in ("symbol", "mode") if getattr(request, name)]
    places = columns.match(source.path, source.headers, given)
    intake = Intake(request, _base(request), source)
    with _temporary(request.book) as path:
        with book_file.BookFile(path) as file:
            for raw in source.batches(places):
                intake.take(raw, file)
        quality = intake.finish(path)
        lines = quality.refusals(skip_bad=request.skip_bad)
        if lines:
            raise Refused(str(request.source), lines, quality)
        text = scenario_text(request, intake.priced, quality, digest_of(str(path)))
        _put(path, request, text)
    return replace(quality, out=str(request.out), book=str(request.book))


def check_target(request: Request) -> None:
    """Refuse to overwrite anything, and a place where nothing can be written."""
    out, folder = request.out, request.out.parent
    if out.suffix != ".toml":
        raise ScenarioError(f"--out {out}: expected a name that ends in .toml")
    for path in (out, request.book):
        if path.exists():
            raise ScenarioError(f"--out {out}: {path} exists already, and is never overwritten")
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise ScenarioError(f"--out {out}: {folder} is no folder that can be written")


def _base(request: Request) -> Scenario:
    if any(name.split(".")[0] == "population" for name in request.settings):
        raise ScenarioError("--set population...: the population is the book")
    base = Scenario.load(request.base, overrides=request.settings)
    if base.asset:
        raise ScenarioError(f"{request.base}: has [[asset]] tables: a book has one symbol, and so must its base")
    if request.in_usd and base.exchange.contract.kind != "linear":
        raise ScenarioError(f"--qty-unit usd: is for a linear contract, not {base.exchange.contract.kind!r}")
    return base


@contextmanager
def _temporary(target: Path) -> Iterator[Path]:
    """Yield a path beside a target that is gone at the end, whatever happens."""
    path = target.with_name(f".{os.getpid()}.{target.name}")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _put(path: Path, request: Request, text: str) -> None:
    """Move the book to its place and write the scenario: both, or none."""
    with _temporary(request.out) as temporary:
        temporary.write_text(text, encoding="utf-8")
        path.replace(request.book)
        try:
            temporary.replace(request.out)
        except OSError:
            request.book.unlink(missing_ok=True)
            raise


class Intake:
    """What is known of a file while it is read: its symbol, its price, what was found."""

    def __init__(self, request: Request, base: Scenario, source: Source):
        self.request, self.base, self.source = request, base, source
        self.symbol, self.mark_from = request.symbol, ""
        self.decimal = request.decimal or ("point" if source.delimiter in ("", ",") else "unknown")
        self.findings, self.others = Findings(), set[str]()
        self.n_rows = self.n_checked = 0
        self.priced = base
        self.venue: Venue | None = None
        self.hashes: list[np.ndarray] = []

    def take(self, raw: Raw, file: book_file.BookFile) -> None:
        """Check a batch and append its good rows to the book."""
        batch = checks.read_words(raw, self.findings, self.request.mode, self.request.symbol)
        self.n_rows += batch.n
        self._choose_symbol(batch)
        checks.read_numbers(batch, raw, self.decimal)
        venue = self.venue or self._choose_price(batch)
        if venue is None:
            return
        if self.request.in_usd:
            batch.columns["qty"] = batch.qty / venue.price
        self.n_checked += int(batch.ok.sum())
        checks.check_positions(batch, venue)
        good = book_file.good_rows(batch, str(self.symbol))
        self.hashes.append(book_file.hashes_of(good))
        file.write(good, self.about)

    @property
    def mark(self) -> float:
        """The price at which the book is taken, USD."""
        return self.priced.market.price_usd

    @property
    def about(self) -> dict[str, Any]:
        """What the book's file notes."""
        contract = self.base.exchange.contract.kind
        return {"contract": contract, "symbol": self.symbol, "mark": self.mark, "as_of": self.request.as_of}

    def _choose_symbol(self, batch: checks.Batch) -> None:
        """Keep the rows of one symbol: the one asked for, or the first."""
        names = batch.symbol.filter(batch.ok).unique().to_pylist()
        if self.symbol is None and names:
            self.symbol = names[0]
        if len(self.others) < MOST_SYMBOLS:
            self.others |= set(names) - {self.symbol}
        batch.find(checks.OTHER_SYMBOL, pc.not_equal(batch.symbol, self.symbol or ""), batch.symbol)

    def _choose_price(self, batch: checks.Batch) -> Venue | None:
        """Take the mark that was given, or else the first of the file, or else the base's."""
        if not batch.ok.any():
            return None
        marks = batch.columns.get("mark", np.zeros(0))
        usable = marks[batch.ok[: marks.size] & (marks > 0.0)]
        mark, self.mark_from = self.mark, "of the base scenario: give yours with --mark"
        if self.request.marks:
            mark, self.mark_from = self._given_mark(), "given"
        elif usable.size:
            mark, self.mark_from = float(usable[0]), "the first of the file"
        self.priced = self.base.with_(**{"market.price_usd": mark})
        self.venue = self.priced.venue
        return self.venue

    def _given_mark(self) -> float:
        if self.symbol not in self.request.marks:
            known = list(self.request.marks)
            raise ScenarioError(f"--mark: is of {', '.join(known)}; the positions are in {shown(self.symbol)}")
        return self.request.marks[self.symbol]

    def finish(self, path: Path) -> Quality:
        """Look at the file as a whole, and at the book in `path`."""
        self.findings.add(checks.TORN, np.array(self.source.torn), count=self.source.n_torn)
        again = book_file.repeated(self.hashes)
        if again.any():
            rows, example = book_file.rows_of(path, again)
            self.findings.add(checks.DUPLICATE, rows, example)
            if self.request.skip_bad:
                book_file.without(path, again, self.about)
        totals = book_file.totals_of(path, self.venue) if self.venue and path.exists() else Totals()
        return Quality(
            source=str(self.request.source),
            sha256=digest_of(str(self.request.source)),
            rows=self.n_rows + self.source.n_torn,
            symbol=self.symbol or "",
            mark=self.mark,
            mark_from=self.mark_from,
            findings=self.findings,
            totals=totals,
            problems=tuple(self._problems(totals)),
            as_of=self.request.as_of,
            others=tuple(sorted(self.others)),
        )

    def _problems(self, totals: Totals) -> Iterator[str]:
        """Yield what is wrong with the file as a whole."""
        if self.others and self.request.symbol is None:
            names = ", ".join(shown(name) for name in sorted({*self.others, str(self.symbol)})[:10])
            more = f", ... ({len(self.others) + 1} in all)" if len(self.others) > 9 else ""
            yield f"holds several symbols, a book has one: choose it with --symbol: {names}{more}"
        if self.request.symbol and self.others and self.n_rows == self.findings.count("other_symbol"):
            yield f"holds no {self.request.symbol!r}{hint(self.request.symbol, self.others)}"
        elif totals.n == 0:
            yield "holds no position that could be run"
        yield from self._unit_problems()
        for key, units in totals.units.items():
            if units > EXACT_UNITS:
                said = f"the book is {units:.2g} grid units, above 2^53"
                yield f"exchange.{key} is too fine: {said}: set a coarser one with --set exchange.{key}=..."
        if self.request.strict and totals.imbalance > BALANCED:
            sides = f"long USD {totals.long:,.0f}, short USD {totals.short:,.0f}"
            yield f"the sides differ by {100 * totals.imbalance:.3g} % ({sides}); --strict allows {100 * BALANCED:g} %"

    def _unit_problems(self) -> Iterator[str]:
        """Yield what is odd in most rows, and so is wrong with the file."""
        says = {
            checks.LIKE_USD: "the sizes look like USD: use --qty-unit usd",
            checks.FAR_ENTRY: f"the entries are more than 10 times off the mark {self.mark:,.10g}: check --mark",
        }
        for check, said in says.items():
            count = self.findings.count(check.name)
            if count > 0.5 * self.n_checked:
                yield f"in {count:,} of {self.n_checked:,} rows {said}"
