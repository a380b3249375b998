"""The fan of the fund: bands, the worst paths, and the line at zero."""

from types import SimpleNamespace

import numpy as np
import pytest

from stress.plots import fund_fan


def trace(fund, worst=None, **fields):
    fund = np.asarray(fund, dtype=float)
    hours = np.arange(fund.shape[1], dtype=float)
    known = {"hours": hours, "worst": fund[:0] if worst is None else np.asarray(worst, dtype=float)}
    return SimpleNamespace(**known, fund=fund, fund_initial=float(fund[0, 0]), label="illustrative", **fields)


def texts(ax):
    ax.figure.canvas.draw()
    return "\n".join([ax.get_title(loc="left"), *(text.get_text() for text in ax.texts)])


def spread(n_paths=101, n_hours=5):
    """Paths that end at 0, 1, ... USD m around the start at half of that."""
    end = 1e6 * np.arange(n_paths)
    return np.linspace(np.full(n_paths, end.mean()), end, n_hours).T


def test_the_median_is_that_of_the_paths_in_millions():
    ax = fund_fan(trace(spread()))
    median = next(line for line in ax.lines if line.get_label() == "median")
    np.testing.assert_allclose(median.get_ydata(), 50.0)


def test_the_three_bands_are_named():
    labels = [text.get_text() for text in fund_fan(trace(spread())).get_legend().get_texts()]
    assert [label for label in labels if "%" in label] == ["1–99 %", "5–95 %", "25–75 %"]  # noqa: RUF001


def test_the_title_says_where_the_fund_ends():
    said = texts(fund_fan(trace(spread())))
    assert "The median path ends at USD 50.0 m, the worst 1 in 100 below USD 1.00 m" in said


def test_zero_is_marked_and_the_missing_bottom_noted():
    said = texts(fund_fan(trace(spread())))
    assert "fund exhausted" in said
    assert "without a bottom" in said


def test_one_entry_of_the_legend_speaks_for_all_worst_paths():
    fund = spread()
    labels = [text.get_text() for text in fund_fan(trace(fund, fund[:7])).get_legend().get_texts()]
    assert labels.count("worst 7 paths") == 1


def test_a_path_that_loses_many_funds_leaves_the_figure_and_is_noted():
    fund = spread()
    ax = fund_fan(trace(fund, [np.linspace(5e7, -9e9, 5)]))
    assert "the deepest path reaches -USD 9.00 bn" in texts(ax)
    assert ax.get_ylim()[0] > -500


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (30, 1)])
def test_a_single_path_or_moment_is_drawn(shape):
    assert "illustrative" in texts(fund_fan(trace(np.full(shape, 6e7))))


def test_an_empty_fund_that_never_moves_is_drawn():
    assert "USD 0" in texts(fund_fan(trace(np.zeros((10, 3)))))
