"""Where the rows of a sweep stay: append-only Parquet parts, and a catalogue in SQLite that they can restore.

A part is written whole before the catalogue knows of it.  Whatever ends the program between the two, the next
start finds the part; whatever ends it before, the points of the part are run again, with the same numbers.
"""

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stress.scenario import ScenarioError

__all__ = ["CATALOGUE", "IDENTITY", "PARTS", "Store"]

PARTS, CATALOGUE, IDENTITY = "parts", "catalogue.sqlite", "sweep.json"
ROWS, SECONDS = 500, 30.0  # of a part: few files, and little to run again after a crash
TABLE = """CREATE TABLE IF NOT EXISTS points (
    point INTEGER, status TEXT, attempts INTEGER, error TEXT, seconds REAL, part TEXT, PRIMARY KEY (point, part))"""


class Store:
    """The rows of one sweep in a folder.

    Parameters
    ----------
    path : Path
    schema : pyarrow.Schema
        Of a part: ``point``, ``status``, ``error``, the axes, ``n_paths`` and the answers.
    """

    def __init__(self, path: Path, schema: pa.Schema):
        self.path, self.schema = path, schema
        self.waiting: list[dict[str, Any]] = []
        self.flushed = time.monotonic()
        with self._writing():
            (path / PARTS).mkdir(exist_ok=True)
        self.status = self._restored()

    @classmethod
    def create(cls, path: Path, schema: pa.Schema, identity: dict[str, Any]) -> Self:
        """Return the store of a new sweep in an existing folder."""
        temporary = path / f".{os.getpid()}.{IDENTITY}"
        temporary.write_text(json.dumps(identity, indent=2) + "\n", encoding="utf-8")
        temporary.replace(path / IDENTITY)
        return cls(path, schema)

    @classmethod
    def reopen(cls, path: Path, schema: pa.Schema, identity: dict[str, Any]) -> Self:
        """Return the store of an earlier call of the same sweep.

        Raises
        ------
        ScenarioError
            If the folder holds no sweep, another one, or one of another version of the package.
        """
        known = read_identity(path)
        if known.get("plan_sha256") != identity["plan_sha256"]:
            raise ScenarioError(f"{path}: holds another sweep; resume with the same file and the same --set")
        if known.get("code") != identity["code"]:
            raise ScenarioError(f"{path}: was started with another version of the package; its points cannot be mixed")
        return cls(path, schema)

    def finished(self, point: int) -> bool:
        """Say whether a point has its answer."""
        return self.status.get(point) == "done"

    def put(self, row: dict[str, Any]) -> None:
        """Keep a row; the part is written when it is long enough or old enough."""
        self.waiting.append(row)
        if len(self.waiting) >= ROWS or time.monotonic() - self.flushed >= SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting: the part first, then the catalogue.

        Raises
        ------
        OSError
            If the disk is full; what was written before stays readable.
        """
        rows, self.flushed = sorted(self.waiting, key=lambda row: row["point"]), time.monotonic()
        if not rows:
            return
        name = f"part-{self._next_number():06d}.parquet"
        columns = {field.name: [row.get(field.name) for row in rows] for field in self.schema}
        with self._writing():
            self._write(name, pa.table(columns, schema=self.schema))
            self._enter([_entry(row, name) for row in rows])
        self.waiting.clear()

    def _next_number(self) -> int:
        return 1 + max((int(path.stem.partition("-")[2]) for path in self._parts()), default=-1)

    def _parts(self) -> list[Path]:
        return sorted((self.path / PARTS).glob("part-*.parquet"))

    def _write(self, name: str, table: pa.Table) -> None:
        temporary = self.path / PARTS / f".{os.getpid()}.{name}"
        try:
            pq.write_table(table, temporary, compression="zstd")
            temporary.replace(self.path / PARTS / name)
        finally:
            temporary.unlink(missing_ok=True)

    def _enter(self, entries: list[tuple[Any, ...]]) -> None:
        with self._catalogue() as catalogue:
            catalogue.executemany("INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?, ?, ?)", entries)
        self.status |= {entry[0]: entry[1] for entry in entries}

    @contextmanager
    def _catalogue(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path / CATALOGUE)
        try:
            with connection:
                connection.execute(TABLE)
                yield connection
        finally:
            connection.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Name the folder in whatever keeps it from being written."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise OSError(f"{self.path / CATALOGUE}: {error}") from None
        except OSError as error:
            raise OSError(error.errno, error.strerror or str(error), str(self.path)) from None

    def _restored(self) -> dict[int, str]:
        """Return the status of every point, after the catalogue and the parts have been made to agree."""
        with self._writing():
            try:
                entries = self._read_catalogue()
            except sqlite3.DatabaseError:  # broken: the parts have everything but the timings
                (self.path / CATALOGUE).unlink()
                entries = {}
            here, known = [path.name for path in self._parts()], {part for _, part in entries}
            self.status = {point: status for (point, part), status in entries.items() if part in here}
            lost = [name for name in here if name not in known]
            if lost or known - set(here):
                self._rebuild(lost)
        return self.status

    def _read_catalogue(self) -> dict[tuple[int, str], str]:
        """Return the status of every point in every part, later parts last."""
        with self._catalogue() as catalogue:
            rows = catalogue.execute("SELECT point, part, status FROM points ORDER BY part, point").fetchall()
        return {(point, part): status for point, part, status in rows}

    def _rebuild(self, lost: list[str]) -> None:
        """Enter the parts that the catalogue does not know, and forget the rows of parts that are gone."""
        with self._catalogue() as catalogue:
            kept = catalogue.execute("SELECT DISTINCT part FROM points").fetchall()
            gone = [(part,) for (part,) in kept if not (self.path / PARTS / part).exists()]
            catalogue.executemany("DELETE FROM points WHERE part = ?", gone)
        for name in lost:
            rows = pq.read_table(self.path / PARTS / name, columns=["point", "status", "error"]).to_pylist()
            self._enter([_entry(row, name) for row in rows])

    def table(self) -> pa.Table:
        """Return all rows in the order of the points; of a point that was tried again the last row."""
        return read_rows(self.path)

    def digest(self) -> str:
        """Return a hash of all rows, the same however and wherever they were computed."""
        return digest_of(self.table())

    def counts(self) -> dict[str, int]:
        """Return how many points are done and how many failed."""
        found = list(self.status.values())
        return {"done": found.count("done"), "failed": found.count("failed")}


def _entry(row: dict[str, Any], part: str) -> tuple[Any, ...]:
    return row["point"], row["status"], row.get("attempts", 1), row.get("error") or "", row.get("seconds"), part


def read_identity(path: Path) -> dict[str, Any]:
    """Return what a folder says of its sweep.

    Raises
    ------
    ScenarioError
        If it holds none.
    """
    try:
        return json.loads((path / IDENTITY).read_text(encoding="utf-8"))
    except FileNotFoundError:
        reason = f"holds no sweep (there is no {IDENTITY})" if path.is_dir() else "no such folder"
        raise ScenarioError(f"{path}: {reason}") from None
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{path / IDENTITY}: cannot be read: {error}") from None


def read_rows(path: Path) -> pa.Table:
    """Return the rows of a folder in the order of the points.

    Raises
    ------
    ScenarioError
        If there is none yet, or a part cannot be read.
    """
    parts = sorted((path / PARTS).glob("part-*.parquet"))
    if not parts:
        raise ScenarioError(f"{path}: no point is finished yet")
    try:
        table = pa.concat_tables([pq.read_table(part) for part in parts])
    except (OSError, pa.ArrowInvalid) as error:
        raise ScenarioError(f"{path}: a part cannot be read: {error}") from None
    points = table["point"].to_numpy()
    last = len(points) - 1 - np.unique(points[::-1], return_index=True)[1]
    return table.take(pa.array(last))


def digest_of(table: pa.Table) -> str:
    """Return a hash of rows: names, and every value in its bits."""
    digest = hashlib.sha256()
    for name in table.column_names:
        digest.update(name.encode())
        column = table[name].combine_chunks()
        text = pa.types.is_string(column.type)
        digest.update(json.dumps(column.to_pylist()).encode() if text else column.to_numpy(False).tobytes())
    return digest.hexdigest()
