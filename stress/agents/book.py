"""A venue's own book: every position from a file that ``fundstress import`` has checked (docs/own_book.md)."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np
from pydantic import Field, model_validator

from stress.accounts import ACCOUNT, LEG, Portfolios, quantize
from stress.agents.base import Cohort, Venue, Venues

ABOUT = b"fundstress.snapshot"  # key of what an import notes in the file's metadata
NUMBERS, WORDS = ("qty", "entry", "collateral"), ("symbol", "mode")
MODES = {"isolated", "cross"}
CROSS_WALLET, REPEATED = "cross_wallet", "repeated"  # how the rows of a cross account state what backs them all


class Book(Cohort, kind="book"):
    """Accounts as they stand: one row of `file` each; makers hold what balances them.

    The file has columns symbol, qty (as the venue states it, long > 0), entry (USD), collateral (USD) and mode
    ("isolated" or "cross"), and optionally stop (USD); with several symbols also account, whose cross rows share one
    wallet.  A run on it is conditional on this book.
    """

    file: str = Field(min_length=1)  # Parquet; in a scenario file relative to it
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")  # of the file; absent: of the file as it is now
    as_of: str | None = None  # when the book was taken

    @model_validator(mode="before")
    @classmethod
    def _find(cls, value: Any) -> Any:
        """Find the file, wherever the process runs later, and compare its sha256 with the stated one."""
        if not isinstance(value, dict) or not isinstance(value.get("file"), str) or not value["file"]:
            return value
        path = os.path.abspath(os.path.expanduser(value["file"]))
        found = digest_of(path)
        stated = value.get("sha256", found)
        if isinstance(stated, str) and stated != found:
            raise ValueError(f"sha256: {path} has {found[:12]}..., not {stated[:12]}...: the file has changed")
        return value | {"file": path, "sha256": stated}

    @property
    def n_seats(self) -> int:
        """How many accounts are followed by others when they are gone: all."""
        return int(read_positions(self.file, str(self.sha256)).qty.size)

    @property
    def reacts(self) -> bool:
        """Whether some of its holders have left stops."""
        try:
            return bool(read_positions(self.file, str(self.sha256)).stop.any())
        except (OSError, ValueError):
            return False  # `problems` says what is wrong with the file

    def problems(self, venue: Venue) -> list[tuple[str, str]]:
        """Refuse a file that is no book, and sizes of another kind of contract."""
        try:
            held = read_positions(self.file, str(self.sha256))
        except (OSError, ValueError) as error:
            return [("file", f"{self.file}: {' '.join(str(error).split())}")]
        stated, own = held.about.get("contract", venue.contract.kind), venue.contract.kind
        if stated != own:
            return [("file", f"{self.file}: holds positions of contract {stated!r}, exchange.contract is {own!r}")]
        return []

    def symbol_problems(self, known: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Refuse symbols that the venue does not trade; where only one is traded, its name does not matter."""
        try:
            held = read_positions(self.file, str(self.sha256)).symbols
        except (OSError, ValueError):
            return  # `problems` says what is wrong with the file
        if (self.symbol or not known) and len(held) > 1:
            yield "file", f"{self.file}: holds several symbols, a book has one: {', '.join(held[:5])}"
        unknown = [symbol for symbol in held if symbol not in known]
        if known and not self.symbol and unknown:
            yield "file", f"{self.file}: unknown symbol {unknown[0]!r}, known: {', '.join(known)}"

    def draw_portfolios(self, rng: np.random.Generator, venues: Venues) -> Portfolios:
        """Return the accounts: isolated positions one each, the cross positions of one account on one wallet."""
        if self.symbol is not None:
            return super().draw_portfolios(rng, venues)
        return portfolios_of(read_positions(self.file, str(self.sha256)), venues)

    def draw(self, rng: np.random.Generator, venue: Venue) -> np.ndarray:
        """Return the accounts on the venue's grids; what is smaller than half a lot is left out."""
        return on_grids(read_positions(self.file, str(self.sha256)), venue)


@dataclass(frozen=True, eq=False)
class Positions:
    """Columns of a book, shape (n,) each, and what its import noted.

    Parameters
    ----------
    qty, entry, collateral : ndarray of float
        As the venue states it (long > 0), USD, USD.
    cross : ndarray of int
        1 where the whole wallet backs the position, 0 for isolated margin.
    stop : ndarray of float
        USD, 0 for none.
    about : dict
        Contract, symbol, mark and time, as far as known, and whether the wallet of a cross account is "repeated" in
        each of its rows; else they add up to it.
    symbols : tuple of str
        In alphabetical order.
    symbol, account : ndarray of int
        Place in `symbols`; which account, equal numbers for equal names.  In a book of one symbol every position is
        an account.
    """

    qty: np.ndarray
    entry: np.ndarray
    collateral: np.ndarray
    cross: np.ndarray
    stop: np.ndarray
    about: dict[str, Any]
    symbols: tuple[str, ...]
    symbol: np.ndarray
    account: np.ndarray

    def rows(self, at: np.ndarray) -> SimpleNamespace:
        """Return the numbers of some positions, as `rounded` reads them."""
        return SimpleNamespace(**{name: getattr(self, name)[at] for name in (*NUMBERS, "cross")})


def on_grids(positions: Positions, venue: Venue) -> np.ndarray:
    """Return positions as rows of `stress.accounts.ACCOUNT` on the venue's grids, without those of no whole lot.

    A stop that today's price has passed is out of date and left out.
    """
    accounts = rounded(positions, venue)
    given = positions.stop > 0.0
    accounts["stop"][given] = venue.contract.price(positions.stop[given])
    passed = np.where(accounts["qty"] > 0.0, accounts["stop"] >= venue.price, accounts["stop"] <= venue.price)
    accounts["stop"][passed] = 0.0
    return accounts[accounts["qty"] != 0.0]


def rounded(positions: Any, venue: Venue) -> np.ndarray:
    """Return positions on the venue's grids, shape (n,); what is smaller than half a lot has quantity zero."""
    accounts = np.zeros(positions.qty.size, ACCOUNT)
    accounts["qty"] = quantize(venue.contract.quantity(positions.qty), venue.lot)
    accounts["entry"] = quantize(venue.contract.price(positions.entry), venue.tick)
    accounts["collateral"] = quantize(positions.collateral / venue.money_usd, venue.cent)
    accounts["cross"] = positions.cross
    return accounts


def portfolios_of(positions: Positions, venues: Venues) -> Portfolios:
    """Return positions in several symbols on the venue's grids, without those of no whole lot."""
    legs = _legs(positions, venues)
    owner = _owners(positions)
    order = np.lexsort((legs["symbol"], owner))
    legs, owner = legs[order], owner[order]
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    wallet = np.add.reduceat(legs["collateral"], first)
    if positions.about.get(CROSS_WALLET) == REPEATED:
        wallet = np.maximum.reduceat(legs["collateral"], first)
    legs["account"] = np.repeat(np.arange(first.size), np.diff(first, append=owner.size))
    held = legs["qty"] != 0.0
    everybody = Portfolios(wallet, np.zeros((first.size, len(venues.assets))), legs[held])
    return everybody.without(np.setdiff1d(np.arange(first.size), legs["account"][held]))


def _legs(positions: Positions, venues: Venues) -> np.ndarray:
    """Return every position on its symbol's grids, rows of `LEG` in the order of the file; without its account."""
    legs = np.zeros(positions.qty.size, LEG)
    for code, name in enumerate(positions.symbols):
        at, number = np.flatnonzero(positions.symbol == code), venues.number(name)
        on_grid = rounded(positions.rows(at), venues.of[number])
        for column in ("qty", "entry", "collateral", "cross"):
            legs[column][at] = on_grid[column]
        legs["symbol"][at] = number
    return legs


def _owners(positions: Positions) -> np.ndarray:
    """Return a number for every position's wallet, shape (n,): one for all cross positions of an account."""
    n = positions.qty.size
    return np.where(positions.cross == 1, positions.account, n + np.arange(n))


def digest_of(path: str) -> str:
    """Return the sha256 of a file, hashed again only when it has been written.

    Raises
    ------
    ValueError
        If it cannot be read.
    """
    try:
        stat = os.stat(path)
        return _digest(path, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        raise ValueError(f"file: {path}: {error.strerror}") from None


@lru_cache(maxsize=16)
def _digest(path: str, mtime_ns: int, size: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=2)
def read_positions(file: str, sha256: str) -> Positions:
    """Return the positions in a file whose sha256 is known.

    Raises
    ------
    ValueError
        If it is no Parquet file, lacks a column, holds no position, or a number that no position has.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    schema = pq.read_schema(file)
    missing = [name for name in (*NUMBERS, *WORDS) if name not in schema.names]
    if missing:
        raise ValueError(f"has no column {', '.join(missing)}: make it with 'fundstress import'")
    has_stops = "stop" in schema.names
    table = pq.read_table(file, columns=[*NUMBERS, *WORDS, *(["stop"] if has_stops else [])])
    qty, entry, collateral = (_numbers(table, name) for name in NUMBERS)
    symbols, modes = (_words(table, name) for name in WORDS)
    if qty.size == 0 or (qty == 0.0).any() or (entry <= 0.0).any() or (collateral < 0.0).any():
        raise ValueError("holds no position, or one without quantity, entry or collateral")
    if not set(modes.unique().to_pylist()) <= MODES:
        raise ValueError("mode is neither 'isolated' nor 'cross'")
    cross = pc.equal(modes, "cross").to_numpy()
    about = json.loads((schema.metadata or {}).get(ABOUT, b"{}"))
    stop = _stops(table) if has_stops else np.zeros(qty.size)
    traded = tuple(sorted(map(str, symbols.unique().to_pylist())))
    symbol = pc.index_in(symbols, value_set=pa.array(traded)).to_numpy()
    account = _accounts(file, schema.names) if len(traded) > 1 else np.arange(qty.size)
    return Positions(qty, entry, collateral, cross.astype(np.int64), stop, about, traded, symbol, account)


def _accounts(file: str, columns: list[str]) -> np.ndarray:
    """Return a number for every position's account, shape (n,)."""
    import pyarrow.parquet as pq

    if "account" not in columns:
        raise ValueError("has several symbols and no column account: make it with 'fundstress import'")
    names = _words(pq.read_table(file, columns=["account"]), "account")
    if names.null_count:
        raise ValueError("account: holds a value that is missing")
    return names.combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)


def _stops(table: Any) -> np.ndarray:
    """Return the stops, USD; 0 where there is none."""
    values = table.column("stop").cast("float64").fill_null(0.0).to_numpy()
    if not np.isfinite(values).all() or (values < 0.0).any():
        raise ValueError("stop: holds a value below 0 or not finite")
    return values


def _numbers(table: Any, name: str) -> np.ndarray:
    values = table.column(name).cast("float64").to_numpy()
    if not np.isfinite(values).all():
        raise ValueError(f"{name}: holds a value that is missing or not finite")
    return values


def _words(table: Any, name: str) -> Any:
    return table.column(name).cast("string")
