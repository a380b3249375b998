"""The liquidation map: notional by price move, longs on the left."""

from types import SimpleNamespace

import numpy as np
import pytest

from stress.plots import liquidation_map


def book(move, notional, open_interest=100e6):
    return SimpleNamespace(move=np.asarray(move), notional=np.asarray(notional), open_interest=open_interest)


def texts(ax):
    ax.figure.canvas.draw()
    return "\n".join([ax.get_title(loc="left"), *(text.get_text() for text in ax.texts)])


def bars(ax):
    """Height in USD m by the left edge of the bin in %."""
    return {round(bar.get_x()): bar.get_height() for bar in ax.patches if bar.get_height() > 0}


def cumulative(ax):
    twin = next(other for other in ax.figure.axes if other is not ax)
    return dict(zip(np.round(twin.lines[0].get_xdata()).astype(int), twin.lines[0].get_ydata(), strict=True))


def test_notional_falls_into_bins_of_one_percent():
    ax = liquidation_map(book([-0.055, -0.051, 0.021], [10e6, 5e6, 20e6]))
    assert bars(ax) == pytest.approx({-6: 15.0, 2: 20.0})


def test_longs_and_shorts_have_two_colors():
    ax = liquidation_map(book([-0.05, 0.05], [1e6, 1e6]))
    assert len({bar.get_facecolor() for bar in ax.patches if bar.get_height() > 0}) == 2


def test_the_cumulative_line_runs_outward_from_zero():
    reached = cumulative(liquidation_map(book([-0.055, -0.025, 0.045], [10e6, 30e6, 20e6])))
    assert [reached[x] for x in (-6, -3, -2, 0, 4, 5)] == pytest.approx([40, 30, 0, 0, 0, 20])


def test_the_title_says_what_ten_percent_liquidates():
    said = texts(liquidation_map(book([-0.095, -0.15, 0.05], [25e6, 50e6, 40e6])))
    assert "A 10 % fall liquidates 25 % of open interest, a 10 % rise 40 %" in said


def test_the_map_ends_at_sixty_percent_and_counts_the_rest():
    ax = liquidation_map(book([-0.1, -0.99, 0.1, 3.0], [30e6, 20e6, 30e6, 20e6]))
    assert ax.get_xlim() == pytest.approx((-60, 60))
    assert "40 % of the notional lies beyond ±60 %" in texts(ax)


def test_accounts_that_no_move_liquidates_count_as_beyond():
    said = texts(liquidation_map(book([-0.1, np.inf], [75e6, 25e6])))
    assert "25 % of the notional lies beyond" in said


@pytest.mark.parametrize("n_accounts", [0, 1])
def test_an_empty_book_is_drawn(n_accounts):
    said = texts(liquidation_map(book(np.full(n_accounts, -0.1), np.zeros(n_accounts), open_interest=0.0)))
    assert "A 10 % fall liquidates 0 %" in said
