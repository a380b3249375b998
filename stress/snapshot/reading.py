"""A file of positions as batches of raw columns: CSV and Parquet, streamed, with the number of every row."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from stress.toml import ScenarioError

LONGEST_ROW = 2 << 20  # bytes; also how much of a CSV file is in memory at a time
BATCH = 1 << 16  # rows of a Parquet file
HEADER = 1 << 16  # bytes
DELIMITERS = ",;\t|"
OTHER_FORMATS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\x1f\x8b": "compressed by gzip",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"SQLite": "a database",
    b"\x80\x04": "a pickle, which is never loaded",
    b"\x80\x05": "a pickle, which is never loaded",
}


class Raw(NamedTuple):
    """A batch: our names to columns of text or numbers, and each row's number in the file."""

    rows: np.ndarray
    columns: dict[str, pa.Array]


@dataclass
class Source:
    """A file of positions: its headers, and how its rows come."""

    path: Path
    headers: list[str]
    delimiter: str = ""  # empty: Parquet
    torn: list[int] = field(default_factory=list)  # numbers of the first rows with too few or too many values
    n_torn: int = 0

    def batches(self, places: dict[str, int]) -> Iterator[Raw]:
        """Yield the rows in order; a CSV file's header is row 1, a Parquet file's first row is.

        Raises
        ------
        ScenarioError
            If the file cannot be read on.
        """
        try:
            yield from self._csv(places) if self.delimiter else self._parquet(places)
        except (pa.ArrowException, OSError) as error:
            raise ScenarioError(f"{self.path}: {said(error)}") from None

    def _parquet(self, places: dict[str, int]) -> Iterator[Raw]:
        first = 1
        with pq.ParquetFile(self.path) as file:
            names = {name: self.headers[place] for name, place in places.items()}
            for batch in file.iter_batches(BATCH, columns=sorted(set(names.values()))):
                rows = np.arange(first, first + batch.num_rows)
                first += batch.num_rows
                yield Raw(rows, {name: _flat(batch.column(header), header) for name, header in names.items()})

    def _csv(self, places: dict[str, int]) -> Iterator[Raw]:
        names = [f"c{i}" for i in range(len(self.headers))]  # headers may repeat
        wanted = {name: names[place] for name, place in places.items()}
        torn: list[int] = []

        def skip(row: Any) -> str:
            """Note the row and leave it out."""
            torn.append(row.number)
            return "skip"

        how = (
            pa.csv.ReadOptions(use_threads=False, block_size=LONGEST_ROW, column_names=names, skip_rows=1),
            pa.csv.ParseOptions(delimiter=self.delimiter, ignore_empty_lines=False, invalid_row_handler=skip),
            pa.csv.ConvertOptions(
                column_types=dict.fromkeys(wanted.values(), pa.string()),
                include_columns=sorted(set(wanted.values())),
                strings_can_be_null=False,
            ),
        )
        with self.path.open("rb") as file, pa.csv.open_csv(file, *how) as reader:
            first = 2
            for batch in reader:
                rows = _numbered(first, batch.num_rows, torn)
                first = int(rows[-1]) + 1 if rows.size else first
                torn[:] = self._note(torn, before=first)
                yield Raw(rows, {name: batch.column(place) for name, place in wanted.items()})
        self._note(torn, before=np.inf)

    def _note(self, torn: list[int], before: float) -> list[int]:
        """Count the torn rows before a row; return the others, which the parser has met ahead of the batch."""
        passed = [row for row in torn if row < before]
        self.n_torn += len(passed)
        self.torn += passed[: max(0, 10 - len(self.torn))]
        return [row for row in torn if row >= before]


def _numbered(first: int, n: int, torn: list[int]) -> np.ndarray:
    """Return the numbers of the next `n` rows, those torn among them left out."""
    rows = np.arange(first, first + n + len(torn))
    return rows[~np.isin(rows, torn)][:n]


def _flat(column: Any, header: str) -> pa.Array:
    """Return a column of numbers or text, or refuse its type."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column.dictionary_decode()
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind) or _is_text(kind)):
        raise pa.ArrowInvalid(f"column {header!r} is of type {kind}: expected numbers or text")
    return column


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)


def open_source(path: Path) -> Source:
    """Find out what a file is and read its headers.

    Raises
    ------
    ScenarioError
        If it is neither CSV in UTF-8 nor Parquet.
    """
    try:
        if not path.is_file():
            raise ScenarioError(f"{path}: {'is no file' if path.exists() else 'no such file'}")
        with path.open("rb") as file:
            start = file.read(HEADER)
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}") from None
    if start.startswith(b"PAR1"):
        return _open_parquet(path)
    for magic, what in OTHER_FORMATS.items():
        if start.startswith(magic):
            raise ScenarioError(f"{path}: is {what}: export it as CSV in UTF-8 or as Parquet")
    return _open_csv(path, start)


def _open_parquet(path: Path) -> Source:
    try:
        return Source(path, list(pq.read_schema(path).names))
    except (pa.ArrowException, OSError) as error:
        raise ScenarioError(f"{path}: {said(error)}") from None


def _open_csv(path: Path, start: bytes) -> Source:
    line, ended, _ = start.removeprefix(b"\xef\xbb\xbf").replace(b"\r", b"\n").partition(b"\n")
    if not line.strip():
        raise ScenarioError(f"{path}: {'row 1 is empty: it should name the columns' if start else 'is empty'}")
    if b"\x00" in line or (not ended and len(start) == HEADER):
        raise ScenarioError(f"{path}: row 1 is no line of column names: export it as CSV in UTF-8 or as Parquet")
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}: row 1 is not UTF-8 text: save the file as UTF-8") from None
    delimiter = max(DELIMITERS, key=text.count)
    if not ended:
        raise ScenarioError(f"{path}: has no row besides its header")
    return Source(path, [name.strip() for name in next(csv.reader([text], delimiter=delimiter))], delimiter)


def said(error: Exception) -> str:
    """Say what Arrow says of a file in our words, in one line."""
    text = " ".join(str(error).split())
    if "invalid UTF8" in text:
        row = re.search(r"Row #(\d+)", text)
        return f"row {row[1]} is not UTF-8 text: save the file as UTF-8" if row else "is not UTF-8 text"
    if "straddling object" in text:
        return f"a row is longer than {LONGEST_ROW >> 20} MB, or a quotation mark is never closed"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"cannot be read: {text[:200]}"
