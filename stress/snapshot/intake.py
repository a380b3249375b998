"""One pass over a file of positions: every batch is checked, what is good goes into the book, and nothing else."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from stress.accounts import EXACT_UNITS
from stress.agents.book import CROSS_WALLET, digest_of
from stress.scenario import Scenario
from stress.snapshot import book_file, checks, columns
from stress.snapshot.quality import Findings, Quality, Refused, Totals, Traded, shown
from stress.snapshot.quotes import Quotes
from stress.snapshot.reading import Raw, Source, open_source
from stress.snapshot.scenario_file import scenario_text
from stress.snapshot.wallets import Wallets
from stress.toml import ScenarioError, hint

BALANCED = 1e-3  # of open interest: what ``--strict`` lets the sides differ by; a whole venue's book balances
SPLIT = "split"  # the other way to state the wallet of a cross account: its rows add up to it


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
    cross_wallet : {"split", "repeated"}, optional
        Whether the cross rows of an account add up to its wallet (taken if absent), or each states it whole.
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
    cross_wallet: str | None = None
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
    if request.cross_wallet and not base.asset:
        raise ScenarioError(f"--cross-wallet: is for a base with [[asset]] tables, {request.base} has none")
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
    """What is known of a file while it is read: its symbols at their marks, and what was found."""

    def __init__(self, request: Request, base: Scenario, source: Source):
        self.request, self.source = request, source
        self.quotes = Quotes(request, base)
        self.several = bool(base.asset)
        self.decimal = request.decimal or ("point" if source.delimiter in ("", ",") else "unknown")
        self.findings = Findings()
        self.n_rows = 0
        self.hashes: list[np.ndarray] = []
        self.torn: list[np.ndarray] = []  # cross accounts of which a row has an error

    def take(self, raw: Raw, file: book_file.BookFile) -> None:
        """Check a batch and append its good rows to the book."""
        batch = checks.read_words(raw, self.findings, self.request.mode, self.request.symbol)
        self.n_rows += batch.n
        self.quotes.choose(batch)
        checks.read_numbers(batch, raw, self.decimal)
        if self.several:
            checks.ignore_stops(batch)
        self._note_torn(batch)
        for symbol, quote, part in self.quotes.parts(batch):
            quote.check(part, in_usd=self.request.in_usd, shared=self.several)
            self._note_torn(part)
            good = book_file.good_rows(part, symbol)
            self.hashes.append(book_file.hashes_of(good))
            file.write(good, self.about)

    def _note_torn(self, batch: checks.Batch) -> None:
        """Remember whose cross account a bad row may be part of."""
        if self.several and batch.bad.any():
            theirs = batch.account.filter(pa.array(batch.bad & (batch.cross != 0)))
            self.torn.append(book_file.hashed(theirs))

    @property
    def priced(self) -> Scenario:
        """The base at the marks of the book."""
        return self.quotes.priced

    @property
    def cross_wallet(self) -> str | None:
        """How the cross rows of an account state its wallet, where it may have several."""
        return (self.request.cross_wallet or SPLIT) if self.several else None

    @property
    def about(self) -> dict[str, Any]:
        """What the book's file notes."""
        about = {"contract": self.priced.exchange.contract.kind, "as_of": self.request.as_of}
        if self.several:
            return about | {CROSS_WALLET: self.cross_wallet}
        return about | {"symbol": self.quotes.symbol, "mark": self.priced.market.price_usd}

    def finish(self, path: Path) -> Quality:
        """Look at the file as a whole, and at the book in `path`."""
        self.findings.add(checks.TORN, np.array(self.source.torn), count=self.source.n_torn)
        again = book_file.repeated(self.hashes)
        if again.any():
            self._strike(path, checks.DUPLICATE, again)
            if self.request.skip_bad:
                book_file.without(path, again, self.about)
        wallets = self._wallets(path) if self.several and path.exists() else None
        traded = tuple(self._traded(path))
        totals = self._totals(traded, wallets)
        return Quality(
            source=str(self.request.source),
            sha256=digest_of(str(self.request.source)),
            rows=self.n_rows + self.source.n_torn,
            traded=traded,
            findings=self.findings,
            totals=totals,
            problems=tuple(self._problems(traded, totals, wallets)),
            as_of=self.request.as_of,
            others=tuple(sorted(self.quotes.others)),
            cross_wallet=self.cross_wallet,
        )

    def _strike(self, path: Path, check: checks.Check, struck: np.ndarray) -> None:
        """Note a finding about rows of the book, shape (n,)."""
        rows, example = book_file.rows_of(path, struck)
        self.findings.add(check, np.sort(rows), example)

    def _wallets(self, path: Path) -> Wallets:
        """Check the cross accounts of the book as wholes; leave out the bad ones if that is asked for."""
        wallets = Wallets.of(path, self.quotes.venues, str(self.cross_wallet))
        torn = np.concatenate([*self.torn, np.zeros(0, np.uint64)])
        found = list(wallets.findings(torn))
        for check, struck in found:
            self._strike(path, check, struck)
        if not found or not self.request.skip_bad:
            return wallets
        book_file.without(path, np.logical_or.reduce([struck for _, struck in found]), self.about)
        return Wallets.of(path, self.quotes.venues, str(self.cross_wallet))

    def _traded(self, path: Path) -> Iterator[Traded]:
        """Yield every symbol with its totals."""
        venues = self.quotes.venues
        totals = book_file.totals_of(path, venues) if venues and path.exists() else {}
        for symbol in venues:
            quote = self.quotes.found[symbol]
            yield Traded(symbol, quote.mark, quote.mark_from, totals.get(symbol, Totals()))

    def _totals(self, traded: tuple[Traded, ...], wallets: Wallets | None) -> Totals:
        """Add up the symbols; a wallet that every row repeats counts once."""
        if wallets is None:
            return traded[0].totals if traded else Totals()
        total = Totals.added([part.totals for part in traded])
        twice = wallets.counted_twice
        return replace(total, collateral=total.collateral - twice, equity=total.equity - twice)

    def _problems(self, traded: tuple[Traded, ...], totals: Totals, wallets: Wallets | None) -> Iterator[str]:
        """Yield what is wrong with the file as a whole."""
        yield from self._symbol_problems(traded, totals)
        if wallets is not None and self.request.cross_wallet is None:
            yield from _ambiguous(wallets)
        for part in traded:
            of = f"{shown(part.symbol)}: " if self.several else ""
            yield from (f"{of}{said}" for said in self.quotes.found[part.symbol].problems())
            for name, units in part.totals.units.items():
                if units > EXACT_UNITS:
                    key, said = self.quotes.key(part.symbol, name), f"the book is {units:.2g} grid units, above 2^53"
                    yield f"{key} is too fine: {said}: set a coarser one with --set {key}=..."
            if self.request.strict and part.totals.imbalance > BALANCED:
                yield f"{of}{_sides(part.totals)}"

    def _symbol_problems(self, traded: tuple[Traded, ...], totals: Totals) -> Iterator[str]:
        """Yield what is wrong with the symbols, and that nothing is left."""
        asked, others = self.request.symbol, self.quotes.others
        if others and asked is None:
            names = ", ".join(shown(name) for name in sorted({*others, str(self.quotes.symbol)})[:10])
            more = f", ... ({len(others) + 1} in all)" if len(others) > 9 else ""
            yield f"holds several symbols, a book has one: choose it with --symbol: {names}{more}"
        if asked and others and self.n_rows == self.findings.count("other_symbol"):
            yield f"holds no {asked!r}{hint(asked, others)}"
        elif totals.n == 0:
            yield "holds no position that could be run"
        elif self.several:
            held = {part.symbol for part in traded if part.totals.n}
            without = ", ".join(symbol for symbol in self.quotes.known if symbol not in held)
            if without:
                yield f"holds no position in {without}: take a base without it"


def _ambiguous(wallets: Wallets) -> Iterator[str]:
    """Refuse to guess where most cross accounts of several rows state the same amount in each."""
    alike, several = wallets.alike()
    if alike > 0.5 * several:
        said = f"in {alike:,} of {several:,} cross accounts with several rows every row states the same collateral"
        yield f"{said}: say --cross-wallet repeated if each states the whole wallet, or split if they add up to it"


def _sides(totals: Totals) -> str:
    sides = f"long USD {totals.long:,.0f}, short USD {totals.short:,.0f}"
    return f"the sides differ by {100 * totals.imbalance:.3g} % ({sides}); --strict allows {100 * BALANCED:g} %"
