"""The ruin curve: what it marks, and what it says when there is little to say."""

import numpy as np
import pytest

from stress.plots import ruin_curve
from stress.summary import outcomes_from_increments, summarize


def run(drawdown, fund=6e7, **facts):
    drawdown = np.asarray(drawdown, dtype=float)
    return outcomes_from_increments(drawdown[:, np.newaxis], fund_initial=fund, horizon_hours=72.0, **facts)


def texts(ax):
    ax.figure.canvas.draw()
    return "\n".join([ax.get_title(loc="left"), *(text.get_text() for text in ax.texts)])


def line(ax, name):
    return next(artist for artist in ax.lines if artist.get_label() == name).get_data()


def test_the_curve_is_the_share_of_paths_beyond_the_reserve():
    x, y = line(ruin_curve(run([10e6, 20e6, 30e6, 40e6], fund=25e6)), "probability of ruin")
    assert y[np.searchsorted(x, 15.0)] == 0.75
    assert y[np.searchsorted(x, 35.0)] == 0.25


def test_the_fund_line_says_its_probability_with_an_interval():
    said = texts(ruin_curve(run(np.repeat([0.0, 1e8], [990, 10]))))
    assert "fund USD 60.0 m\nruin 1 % (" in said


def test_the_numbers_are_those_of_the_printed_summary():
    outcomes = run(1e6 * np.random.default_rng(1).pareto(1.5, 20_000))
    said = texts(ruin_curve(outcomes, levels=(0.99,)))
    page = str(summarize(outcomes, levels=(0.99,)))
    reserve = next(text for text in said.splitlines() if text.startswith("99 %: ")).removeprefix("99 %: ")
    assert reserve in page


def test_a_summary_at_hand_decides_the_levels():
    outcomes = run(1e6 * np.arange(1000.0))
    said = texts(ruin_curve(outcomes, summary=summarize(outcomes, levels=(0.9,))))
    assert "90 %: USD 899 m" in said
    assert "99 %" not in said


def test_the_horizon_and_the_annual_equivalent_stand_by_the_probability():
    said = texts(ruin_curve(run(np.repeat([0.0, 1e8], [990, 10]))))
    assert "within 72 h with probability 1 %" in said
    assert "annual equivalent 1.2 ruins a year" in said


def test_without_any_loss_the_bound_is_shown():
    said = texts(ruin_curve(run(np.zeros(20_000))))
    assert "No ruin in 20,000 paths" in said
    assert "ruin < 0.015 %" in said


def test_a_fund_beyond_the_largest_drawdown_has_an_upper_bound():
    said = texts(ruin_curve(run(np.linspace(0, 5e6, 3000), fund=1e9)))
    assert "ruin < 0.0998 %" in said


@pytest.mark.parametrize("n_paths", [1, 2, 5, 9])
def test_few_paths_are_drawn_and_the_refused_levels_named(n_paths):
    said = texts(ruin_curve(run(1e7 * np.arange(n_paths))))
    assert "too few paths for the reserve at 99 %, 99.5 %, 99.9 %" in said


def test_an_empty_fund_is_a_fund():
    assert "fund USD 0\nruin 50 %" in texts(ruin_curve(run([0.0, 1e6] * 200, fund=0.0)))


def test_certain_ruin_is_drawn():
    assert "with probability 100 %" in texts(ruin_curve(run(np.full(1000, 2e8))))


def test_a_curve_that_depends_on_the_fund_says_so():
    outcomes = run([1e6, 2e6] * 50)
    object.__setattr__(outcomes.facts, "one_run_curve_exact", False)
    assert "indicative" in texts(ruin_curve(outcomes))


@pytest.mark.parametrize("fund", [1e5, 1e7, 4e7, 6e7, 9e7, 3e8])
def test_names_do_not_collide_wherever_the_fund_is(fund):
    loss = 5e6 * np.random.default_rng(1).pareto(1.9, 20_000)
    ax = ruin_curve(run(loss, fund=fund))
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in (*ax.texts, *ax.get_legend().get_texts())]
    assert sum(a.overlaps(b) for a in boxes for b in boxes) == len(boxes)
