"""Who is in the book: leverage by cohort, and how unequal the accounts are."""

from types import SimpleNamespace

import numpy as np
import pytest

from stress.plots import leverage_by_cohort, size_survival
from stress.plots.words import times


def group(name, leverage, notional):
    return SimpleNamespace(name=name, leverage=np.asarray(leverage, float), notional=np.asarray(notional, float))


def test_the_bars_add_up_to_all_of_the_notional():
    ax = leverage_by_cohort([group("low", [1.5, 2.0, 3.0], [1, 1, 2]), group("high", [20.0, 150.0], [3, 1])])
    assert sum(bar.get_height() for bar in ax.patches) == pytest.approx(100.0)


def test_the_title_says_the_median_by_notional_and_not_by_account():
    ax = leverage_by_cohort([group("many", np.full(99, 50.0), np.full(99, 0.1)), group("one", [2.0], [90.1])])
    assert ax.get_title(loc="left") == f"Half of the notional is levered {times(2)} or more, 9.9 % above {times(10)}"


def test_every_cohort_has_a_color_of_its_own():
    ax = leverage_by_cohort([group(name, [2.0, 3.0], [1, 1]) for name in "abc"])
    assert len({bar.get_facecolor() for bar in ax.patches if bar.get_height() > 0}) == 3


def test_accounts_of_one_leverage_are_drawn():
    assert leverage_by_cohort([group("whale", [10.0], [1e8])]).has_data()


def test_the_line_is_the_share_of_accounts_that_are_larger():
    [line, *_] = size_survival(np.array([1e6, 2e6, 4e6, 8e6])).lines
    assert line.get_xdata().tolist() == [8.0, 4.0, 2.0, 1.0]
    assert line.get_ydata().tolist() == [0.25, 0.5, 0.75, 1.0]


def test_the_tail_has_the_slope_of_its_index():
    ax = size_survival(np.random.default_rng(1).pareto(1.2, 20_000) + 1.0)
    x, y = ax.lines[1].get_data()
    index = -np.log(y[1] / y[0]) / np.log(x[1] / x[0])
    assert f"tail index {index:.2f}" in [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("notional", [[], [0.0], [5e6]])
def test_a_book_without_a_tail_is_drawn(notional):
    assert len(size_survival(np.array(notional)).lines) == 1
