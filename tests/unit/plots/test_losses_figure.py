"""The histogram of drawdowns: shares, colors, and its edge cases."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from stress.plots import loss_histogram, style
from stress.summary import outcomes_from_increments


def run(drawdown, fund=6e7):
    return outcomes_from_increments(np.asarray(drawdown, dtype=float)[:, np.newaxis], fund_initial=fund)


def texts(ax):
    ax.figure.canvas.draw()
    return "\n".join([ax.get_title(loc="left"), *(text.get_text() for text in ax.texts)])


def share(ax, color):
    """Total height of the bars of one color."""
    wanted = to_rgba(color)
    return sum(bar.get_height() for bar in ax.patches if bar.get_facecolor() == wanted)


def test_bars_hold_the_share_of_paths_that_lose_something():
    ax = loss_histogram(run([0, 0, 1e6, 2e6, 7e7]))
    assert share(ax, style.BLUE) == pytest.approx(0.4)
    assert share(ax, style.VERMILION) == pytest.approx(0.2)


def test_a_drawdown_equal_to_the_fund_is_not_ruin():
    ax = loss_histogram(run([6e7, 6.1e7], fund=6e7))
    assert share(ax, style.VERMILION) == pytest.approx(0.5)


def test_the_title_counts_the_ruined_and_the_unhurt():
    said = texts(loss_histogram(run(np.repeat([0, 1e6, 1e8], [500, 490, 10]))))
    assert "1 % of paths lose more than the fund; 50 % lose nothing" in said


def test_the_reserves_of_the_levels_are_marked():
    said = texts(loss_histogram(run(1e5 * np.arange(1000.0)), levels=(0.9,)))
    assert "90 %: USD 89.9 m" in said


def test_without_any_loss_it_says_so():
    assert "no path takes anything from the fund" in texts(loss_histogram(run(np.zeros(500))))


@pytest.mark.parametrize("n_paths", [1, 3, 9])
def test_few_paths_are_drawn(n_paths):
    assert "No path loses more" in texts(loss_histogram(run(1e6 * np.arange(n_paths))))


def test_crumbs_are_left_out_and_counted():
    said = texts(loss_histogram(run(np.repeat([1.0, 1e8], [25, 75]))))
    assert "25 % of the paths lose less than" in said


@pytest.mark.parametrize("fund", [0.0, 1.0, 1e12])
def test_a_fund_far_from_all_losses_is_no_obstacle(fund):
    ax = loss_histogram(run(np.geomspace(1e5, 1e8, 400), fund=fund))
    ax.figure.canvas.draw()
    assert sum(bar.get_height() for bar in ax.patches) == pytest.approx(1.0)
