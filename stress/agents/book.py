"""A venue's own book: every position from a file that ``fundstress import`` has checked (docs/own_book.md)."""

import hashlib
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from pydantic import Field, model_validator

from stress.accounts import ACCOUNT, quantize
from stress.agents.base import Cohort, Venue

ABOUT = b"fundstress.snapshot"  # key of what an import notes in the file's metadata
NUMBERS, WORDS = ("qty", "entry", "collateral"), ("symbol", "mode")
MODES = {"isolated", "cross"}


class Book(Cohort, kind="book"):
    """Accounts as they stand: one row of `file` each; makers hold what balances them.

    The file has columns symbol, qty (as the venue states it, long > 0), entry (USD), collateral (USD) and mode
    ("isolated" or "cross"), and optionally stop (USD).  A run on it is conditional on this book.
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
        return bool(read_positions(self.file, str(self.sha256)).stop.any())

    def problems(self, venue: Venue) -> list[tuple[str, str]]:
        """Refuse a file that is no book of one symbol, and sizes of another kind of contract."""
        try:
            held = read_positions(self.file, str(self.sha256))
        except (OSError, ValueError) as error:
            return [("file", f"{self.file}: {' '.join(str(error).split())}")]
        stated, own = held.about.get("contract", venue.contract.kind), venue.contract.kind
        if stated != own:
            return [("file", f"{self.file}: holds positions of contract {stated!r}, exchange.contract is {own!r}")]
        return []

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
        Contract, symbol, mark and time, as far as known.
    """

    qty: np.ndarray
    entry: np.ndarray
    collateral: np.ndarray
    cross: np.ndarray
    stop: np.ndarray
    about: dict[str, Any]


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
        If it is no Parquet file, lacks a column, holds several symbols or none, or a number that no position has.
    """
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
    if symbols.num_chunks and len(symbols.unique()) > 1:
        found = ", ".join(sorted(map(str, symbols.unique().to_pylist()))[:5])
        raise ValueError(f"holds several symbols, a book has one: {found}")
    if qty.size == 0 or (qty == 0.0).any() or (entry <= 0.0).any() or (collateral < 0.0).any():
        raise ValueError("holds no position, or one without quantity, entry or collateral")
    if not set(modes.unique().to_pylist()) <= MODES:
        raise ValueError("mode is neither 'isolated' nor 'cross'")
    cross = pc.equal(modes, "cross").to_numpy()
    about = json.loads((schema.metadata or {}).get(ABOUT, b"{}"))
    stop = _stops(table) if has_stops else np.zeros(qty.size)
    return Positions(qty, entry, collateral, cross.astype(np.int64), stop, about)


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
