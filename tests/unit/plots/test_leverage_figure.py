"""The reserve against leverage: one line per level."""

from types import SimpleNamespace

import pytest

from stress.plots import reserve_by_leverage


def point(mean_leverage, value, level=0.999, low=None, high=None):
    return SimpleNamespace(mean_leverage=mean_leverage, level=level, value=value, low=low, high=high)


def texts(ax):
    ax.figure.canvas.draw()
    return "\n".join([ax.get_title(loc="left"), *(text.get_text() for text in ax.texts)])


def test_a_line_is_sorted_by_leverage_and_in_millions():
    ax = reserve_by_leverage([point(10, 40e6), point(5, 20e6)])
    assert ax.lines[0].get_xydata().tolist() == [[5, 20], [10, 40]]


def test_each_level_has_its_own_line_color_and_marker():
    ax = reserve_by_leverage([point(5, 2e7, 0.999), point(5, 1e7, 0.99), point(5, 1.5e7, 0.995)])
    assert [line.get_label() for line in ax.lines] == ["99 %", "99.5 %", "99.9 %"]
    assert len({(line.get_color(), line.get_marker()) for line in ax.lines}) == 3


def test_the_title_says_how_the_highest_level_grows():
    said = texts(reserve_by_leverage([point(5, 20e6), point(25, 140e6), point(5, 1e6, 0.99)]))
    assert "99.9 % reserve: USD 20.0 m at 5× leverage, USD 140 m at 25×" in said  # noqa: RUF001


def test_intervals_are_bars_and_may_be_missing():
    ax = reserve_by_leverage([point(5, 20e6, low=15e6, high=30e6), point(10, 40e6)])
    (bar,) = ax.collections
    assert bar.get_segments()[0].tolist() == [[5, 15], [5, 30]]
    assert "bars: 95 % intervals" in texts(ax)


def test_without_intervals_no_bars_are_promised():
    assert "bars" not in texts(reserve_by_leverage([point(5, 20e6), point(10, 40e6)]))


def test_names_of_lines_that_end_together_stay_apart():
    ax = reserve_by_leverage([point(5, 20e6 + i, level) for i, level in enumerate((0.99, 0.995, 0.999))])
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert sum(a.overlaps(b) for a in boxes for b in boxes) == len(boxes)


@pytest.mark.parametrize("points", [[], [point(5, 0.0)], [point(5, 1e7)]])
def test_nothing_or_one_point_is_drawn(points):
    assert f"{len(points)} level" in texts(reserve_by_leverage(points))
