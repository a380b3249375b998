"""The clean book as a Parquet file: written in batches, searched for duplicates, added up."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stress.accounts import grid
from stress.agents.base import Venue
from stress.agents.book import ABOUT, rounded
from stress.snapshot.checks import Batch
from stress.snapshot.quality import Totals, shown

SCHEMA = pa.schema(
    [
        ("account", pa.string()),
        ("symbol", pa.string()),
        ("qty", pa.float64()),  # as the venue states it, long > 0
        ("entry", pa.float64()),  # USD
        ("collateral", pa.float64()),  # USD
        ("mode", pa.string()),  # "isolated" or "cross"
        ("stop", pa.float64()),  # USD, or nothing
        ("row", pa.int64()),  # of the file that was imported
    ]
)


class BookFile:
    """A writer of clean positions; `about` is noted in the file's metadata."""

    def __init__(self, path: Path):
        self.path = path
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, table: pa.Table, about: dict[str, Any]) -> None:
        """Append rows."""
        if self._writer is None:
            schema = SCHEMA.with_metadata({ABOUT: json.dumps(about, sort_keys=True)})
            self._writer = pq.ParquetWriter(self.path, schema, compression="zstd")
        self._writer.write_table(table)


def good_rows(batch: Batch, symbol: str) -> pa.Table:
    """Return the good rows of a batch as the book has them."""
    ok, n = batch.ok, int(batch.ok.sum())
    modes = np.array(["isolated", "cross"], dtype=object)[batch.cross[ok]]
    stop = batch.stop[ok] if "stop" in batch.columns else np.full(n, np.nan)
    numbers = [pa.array(batch.columns[name][ok]) for name in ("qty", "entry", "collateral")]
    account = batch.account.filter(pa.array(ok))
    found = [account, pa.array([symbol] * n, pa.string()), *numbers, pa.array(modes, pa.string())]
    return pa.Table.from_arrays([*found, pa.array(stop, from_pandas=True), pa.array(batch.rows[ok])], schema=SCHEMA)


def hashes_of(table: pa.Table) -> np.ndarray:
    """Return a number of 64 bits for every position's account, symbol and mode, shape (n,); duplicates' are equal."""
    return hashed(pc.binary_join_element_wise(*(table.column(name) for name in ("account", "symbol", "mode")), "\x1f"))


def hashed(words: Any) -> np.ndarray:
    """Return a number of 64 bits for every word, shape (n,).

    Among a hundred million words the chance of two with the same number is a few in ten thousand.
    """
    return pd.util.hash_array(words.to_numpy(zero_copy_only=False), categorize=False)


def repeated(hashes: list[np.ndarray]) -> np.ndarray:
    """Return which positions, shape (n,), were there before; empty if none was.  The list is emptied: it is large."""
    everything = np.concatenate(hashes) if hashes else np.zeros(0, np.uint64)
    hashes.clear()
    ordered = np.sort(everything)
    if not (ordered[1:] == ordered[:-1]).any():
        return np.zeros(0, dtype=bool)
    again = np.ones(everything.size, dtype=bool)
    again[np.unique(everything, return_index=True)[1]] = False
    return again


def batches_of(path: Path) -> Iterator[pa.Table]:
    """Yield the rows of a book in batches."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(1 << 16):
            yield pa.Table.from_batches([batch])


def without(path: Path, bad: np.ndarray, about: dict[str, Any]) -> None:
    """Write a book anew without the rows in `bad`, shape (n,)."""
    other, first = path.with_name(f"{path.name}.again"), 0
    try:
        with BookFile(other) as file:
            for table in batches_of(path):
                file.write(table.filter(pa.array(~bad[first : first + table.num_rows])), about)
                first += table.num_rows
        other.replace(path)
    finally:
        other.unlink(missing_ok=True)


def rows_of(path: Path, marked: np.ndarray) -> tuple[np.ndarray, str]:
    """Return the row numbers, in the imported file, of the marked positions, and the account of the first."""
    rows, first, example = [], 0, ""
    for table in batches_of(path):
        mine = table.filter(pa.array(marked[first : first + table.num_rows]))
        first += table.num_rows
        rows.append(mine.column("row").to_numpy())
        if not example and mine.num_rows:
            example = f"account {shown(mine.column('account')[0].as_py())}"
    return np.concatenate(rows), example


def totals_of(path: Path, venues: Mapping[str, Venue]) -> dict[str, Totals]:
    """Add up a book as a run sees it, on each symbol's grids."""
    sums: dict[str, dict[str, float]] = {}
    for table in batches_of(path):
        for symbol, mine in by_symbol(table):
            _add(sums.setdefault(symbol, {}), _sums(mine, venues[symbol]))
    return {symbol: _totals(sums[symbol], venues[symbol]) for symbol in venues if symbol in sums}


def by_symbol(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yield each symbol with its rows."""
    for symbol in table.column("symbol").unique().to_pylist():
        yield symbol, table.filter(pc.equal(table.column("symbol"), symbol))


def _add(sums: dict[str, float], more: dict[str, float]) -> None:
    largest = max(sums.get("largest", 0.0), more["largest"])
    sums.update({name: sums.get(name, 0.0) + value for name, value in more.items()}, largest=largest)


def _totals(sums: dict[str, float], venue: Venue) -> Totals:
    lot, tick, cent = grid(venue.lot), grid(venue.tick), grid(venue.cent)
    units = {"lot": sums.pop("qty") / lot, "tick": sums.pop("value") / (lot * tick), "cent": sums["collateral"] / cent}
    n, n_cross = (int(sums.pop(name)) for name in ("n", "n_cross"))
    usd: dict[str, Any] = {name: value * venue.money_usd for name, value in sums.items()}
    return replace(Totals(n, n_cross, units=units), **usd)


def numbers_in(table: pa.Table) -> SimpleNamespace:
    """Return the numbers of positions as `stress.agents.book.rounded` reads them."""
    given = SimpleNamespace(**{name: table.column(name).to_numpy() for name in ("qty", "entry", "collateral")})
    given.cross = pc.equal(table.column("mode"), "cross").to_numpy()
    return given


def _sums(table: pa.Table, venue: Venue) -> dict[str, float]:
    """Add up a batch, in the money of the contract."""
    given = numbers_in(table)
    accounts = rounded(given, venue)
    qty, entry, collateral = accounts["qty"], accounts["entry"], accounts["collateral"]
    size, contract = np.abs(qty) * venue.price, venue.contract
    profit = float((qty * (venue.price - entry)).sum())
    return {
        "n": float(len(table)),
        "n_cross": float(accounts["cross"].sum()),
        "long": float(size[qty * contract.side > 0.0].sum()),
        "short": float(size[qty * contract.side < 0.0].sum()),
        "collateral": float(collateral.sum()),
        "equity": float(collateral.sum()) + profit,
        "largest": float(size.max(initial=0.0)),
        "rounded_qty": float(np.abs(qty - contract.quantity(given.qty)).sum()) * venue.price,
        "rounded_entry": float((np.abs(qty) * np.abs(entry - contract.price(given.entry))).sum()),
        "rounded_collateral": float(np.abs(collateral - given.collateral / venue.money_usd).sum()),
        "qty": float(np.abs(qty).sum()),
        "value": float((np.abs(qty) * entry).sum()),
    }
