"""Numbers as people and spreadsheets write them: decimal commas, thousands separators, exponents."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
NOT_FINITE = r"(?i)^[+-]?(nan|inf|infinity)$"
GROUPED = {  # by the decimal mark: a number with thousands separators
    "point": r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$",
    "comma": r"^[+-]?\d{1,3}(\.\d{3})+(,\d*)?$",
}
WITH_COMMA = r"^[+-]?\d*(,\d*)?([eE][+-]?\d+)?$"


class Numbers(NamedTuple):
    """Values, shape (n,), and which of them are blank or no numbers; those are NaN."""

    values: np.ndarray
    blank: np.ndarray
    bad: np.ndarray


def text_of(column: pa.Array) -> pa.Array:
    """Return a column as trimmed text; what is missing is empty."""
    text = pc.fill_null(column.cast(pa.string()), "")
    return pc.utf8_trim_whitespace(text)


def numbers_of(column: pa.Array, decimal: str) -> Numbers:
    """Read a column of text or numbers.

    Parameters
    ----------
    column : pyarrow.Array
    decimal : {"point", "comma", "unknown"}
        The decimal mark of text.  Where it is unknown, a number with a comma is no number: it could be either.

    Returns
    -------
    Numbers
    """
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        blank = column.is_null().to_numpy(zero_copy_only=False)
        return Numbers(values, blank, np.zeros(values.size, dtype=bool))
    text = text_of(column)
    blank = pc.equal(text, "")
    filled = pc.if_else(blank, "nan", text)
    if decimal != "comma":  # "1.234" is a number then, and a thousand and more with a comma
        try:
            return _done(filled.cast(pa.float64()), blank, np.zeros(len(text), dtype=bool))
        except pa.ArrowInvalid:
            pass
    return _with_separators(filled, blank, decimal)


def _with_separators(text: pa.Array, blank: pa.Array, decimal: str) -> Numbers:
    if decimal in GROUPED:
        grouping = "," if decimal == "point" else "."
        grouped = pc.match_substring_regex(text, GROUPED[decimal])
        text = pc.if_else(grouped, pc.replace_substring(text, grouping, ""), text)
    if decimal == "comma":
        text = pc.if_else(pc.match_substring(text, "."), "no number", text)
        text = pc.if_else(pc.match_substring_regex(text, WITH_COMMA), pc.replace_substring(text, ",", "."), text)
    good = pc.or_(pc.match_substring_regex(text, NUMBER), pc.match_substring_regex(text, NOT_FINITE))
    values = pc.if_else(good, text, "nan").cast(pa.float64())
    return _done(values, blank, ~good.to_numpy(zero_copy_only=False))


def _done(values: pa.Array, blank: pa.Array, bad: np.ndarray) -> Numbers:
    return Numbers(values.to_numpy(zero_copy_only=False), blank.to_numpy(zero_copy_only=False), bad)
