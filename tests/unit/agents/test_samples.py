import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from stress.agents.leverages import Histogram, LeverageLaw
from stress.agents.samples import GRID, log_linear, quantiles_of, read_column
from stress.agents.sizes import Empirical, SizeLaw


@pytest.fixture
def sample():
    return np.random.default_rng(8).lognormal(8.0, 2.0, 50_000)


@pytest.fixture(params=["csv", "parquet"])
def file(request, tmp_path, sample):
    """A file of accounts with a column of sizes and one of names."""
    path = tmp_path / f"book.{request.param}"
    table = pa.table({"account": [f"a{i}" for i in range(sample.size)], "size": sample})
    (csv.write_csv if request.param == "csv" else parquet.write_table)(table, path)
    return path


def test_between_two_points_a_value_is_linear_in_its_logarithm():
    assert log_linear(np.array([0.25]), (0.0, 0.5, 1.0), (1.0, 4.0, 9.0)) == pytest.approx([2.0])


def test_a_small_sample_is_its_own_table():
    assert quantiles_of(np.array([3.0, 1.0, 2.0])) == ([0.0, 0.5, 1.0], [1.0, 2.0, 3.0])


def test_a_large_sample_keeps_its_largest_value(sample):
    at, values = quantiles_of(sample)
    assert len(at) == GRID.size
    assert values[-1] == pytest.approx(sample.max())


def test_a_column_is_read_from_csv_and_parquet(file, sample):
    assert read_column(str(file), "size") == pytest.approx(sample)


def test_sizes_of_a_file_have_the_quantiles_of_its_column(file, sample, rng):
    law = SizeLaw.choose({"kind": "empirical", "file": str(file), "column": "size"})
    drawn = law.draw(rng, 200_000)
    for p in (0.1, 0.5, 0.9, 0.99, 0.999):
        assert np.quantile(drawn, p) == pytest.approx(np.quantile(sample, p), rel=0.1)
    assert drawn.max() <= sample.max() * (1 + 1e-9)


def test_leverages_of_a_file_have_the_quantiles_of_its_column(tmp_path, rng):
    path = tmp_path / "book.parquet"
    leverage = rng.choice([2.0, 10.0, 10.0, 10.0, 50.0], 10_000)
    parquet.write_table(pa.table({"leverage": leverage}), path)
    law = LeverageLaw.choose({"kind": "histogram", "file": str(path), "column": "leverage"})
    drawn = law.of(rng.standard_normal(10_000))
    assert np.mean(np.abs(drawn - 10.0) < 1e-6) == pytest.approx(0.6, abs=0.03)
    assert law.mean == pytest.approx(leverage.mean(), rel=0.02)


def test_a_scenario_keeps_the_table_and_not_the_file(file):
    law = SizeLaw.choose({"kind": "empirical", "file": str(file), "column": "size"})
    table = law.model_dump(mode="json", exclude_none=True)
    assert set(table) == {"kind", "probabilities", "quantiles"}
    file.unlink()
    assert SizeLaw.choose(table) == law


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_column_that_is_not_there_is_named(tmp_path, ending):
    path = tmp_path / f"book.{ending}"
    table = pa.table({"size": [1.0, 2.0]})
    (csv.write_csv if ending == "csv" else parquet.write_table)(table, path)
    with pytest.raises(ValueError, match="column 'sise'"):
        read_column(str(path), "sise")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("size\n1\n-2\n0\n", "2 of 3 values are not positive numbers"),
        ('size\n1\n""\n2\n', "are not positive numbers"),
        ("size\n1\nlots\n", "column 'size'"),
        ("size\n1\n", "fewer than two values"),
        ("", "column 'size'"),
    ],
)
def test_a_column_without_sense_is_refused(tmp_path, text, said):
    path = tmp_path / "book.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match="file") as refused:
        read_column(str(path), "size")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "said"), [("nosuch.csv", "no such file"), ("book.xlsx", "should end in .csv or .parquet")]
)
def test_a_file_that_cannot_be_read_is_refused(name, said):
    with pytest.raises(ValueError, match=said):
        read_column(name, "size")


def test_a_file_that_is_no_parquet_is_one_line(tmp_path):
    path = tmp_path / "book.parquet"
    path.write_text("no parquet")
    with pytest.raises(ValueError, match="column 'size'"):
        read_column(str(path), "size")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "'column' is required"),
        ({"column": "size", "quantiles": [1.0, 2.0]}, "the table is given twice"),
    ],
)
def test_a_file_needs_a_column_and_no_table(file, more, said):
    with pytest.raises(ValueError, match=said):
        SizeLaw.choose({"kind": "empirical", "file": str(file), **more})


def test_a_column_needs_a_file():
    with pytest.raises(ValueError, match="needs a 'file'"):
        Histogram(edges=(1.0, 2.0), weights=(1.0,), column="x")


@pytest.mark.parametrize(
    ("at", "size", "said"),
    [
        ((0.0, 1.0), (1.0, 2.0, 3.0), "3 values for 2 probabilities"),
        ((0.1, 1.0), (1.0, 2.0), "should rise from 0 to 1"),
        ((0.0, 0.5, 0.5, 1.0), (1.0, 2.0, 3.0, 4.0), "should rise from 0 to 1"),
        ((0.0, 1.0), (2.0, 1.0), "should not fall"),
    ],
)
def test_a_table_without_sense_is_refused(at, size, said):
    with pytest.raises(ValueError, match=said):
        Empirical(probabilities=at, quantiles=size)
