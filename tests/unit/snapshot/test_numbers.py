"""Numbers as people write them."""

import numpy as np
import pyarrow as pa
import pytest

from stress.snapshot.numbers import numbers_of


def read(text, decimal):
    found = numbers_of(pa.array([text]), decimal)
    if found.bad[0]:
        return "bad"
    return "blank" if found.blank[0] else float(found.values[0])


@pytest.mark.parametrize("decimal", ["point", "comma", "unknown"])
@pytest.mark.parametrize(("text", "value"), [("7", 7.0), (" -7 ", -7.0), ("+7", 7.0), ("1e3", 1000.0), ("", "blank")])
def test_whole_numbers_mean_the_same_under_every_decimal_mark(text, value, decimal):
    assert read(text, decimal) == value


@pytest.mark.parametrize(
    ("text", "point", "comma", "unknown"),
    [
        ("1234.5", 1234.5, "bad", 1234.5),
        ("1234,5", "bad", 1234.5, "bad"),
        ("1,234", 1234.0, 1.234, "bad"),
        ("1.234", 1.234, 1234.0, 1.234),
        ("1,234,567.5", 1234567.5, "bad", "bad"),
        ("1.234.567,5", "bad", 1234567.5, "bad"),
        ("12,34", "bad", 12.34, "bad"),
        ("0x10", "bad", "bad", "bad"),
        ("1_000", "bad", "bad", "bad"),
        ("USD 5", "bad", "bad", "bad"),
        ("5 BTC", "bad", "bad", "bad"),
        ("=1+1", "bad", "bad", "bad"),
    ],
)
def test_separators_are_read_by_the_decimal_mark_and_never_guessed(text, point, comma, unknown):
    assert [read(text, decimal) for decimal in ("point", "comma", "unknown")] == [point, comma, unknown]


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "1e999"])
def test_what_is_not_finite_is_a_number_that_a_check_refuses(text):
    assert not np.isfinite(read(text, "point"))


def test_one_odd_number_does_not_change_how_the_others_are_read():
    found = numbers_of(pa.array(["1.5", "x", "", "2,000.25"]), "point")
    assert found.values.tolist()[0::3] == [1.5, 2000.25]
    assert (found.bad.tolist(), found.blank.tolist()) == ([False, True, False, False], [False, False, True, False])


@pytest.mark.parametrize("kind", [pa.int32(), pa.float32(), pa.float64(), pa.decimal128(30, 4)])
def test_columns_of_numbers_are_taken_as_they_are(kind):
    found = numbers_of(pa.array([1, None, 3]).cast(kind), "unknown")
    assert (found.values[[0, 2]].tolist(), found.blank.tolist()) == ([1.0, 3.0], [False, True, False])
