import pytest

from stress.summary.notation import brackets, grid, percent, row, share, wrapped


@pytest.mark.parametrize(("x", "text"), [(-0.00628, "-0.628 %"), (3.046, "305 %"), (-686.09, "-68,609 %"), (0, "0 %")])
def test_shares_may_be_negative_and_large(x, text):
    assert share(x) == text


def test_an_interval_without_an_end_says_so():
    assert brackets(0.1, None, percent) == "[10 %, unbounded]"


def test_a_row_keeps_its_columns_apart_even_when_one_is_too_wide():
    assert row("label", "x" * 40, "second").endswith("x second")


def test_a_row_keeps_a_long_label_apart():
    assert row("x" * 50, "first").endswith("x first")


def test_cells_stand_in_columns():
    first, second = grid(["a", "b", "c"], label="X", indent=10)
    assert first.index("b") == 61
    assert second.index("c") == first.index("a") == 10


def test_a_cell_that_is_too_wide_does_not_touch_the_next():
    (line,) = grid(["x" * 80, "b"])
    assert line.endswith("x  b")


def test_a_text_that_is_cut_ends_in_dots():
    (line,) = wrapped("word " * 50, n_lines=1)
    assert line.endswith(" ...")
