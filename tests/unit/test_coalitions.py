"""Leaving cohorts out: Shapley's values by hand, and what is left of a population."""

import json
from pathlib import Path

import numpy as np
import pytest

from stress.cli import main
from stress.coalitions import attribute, only, shapley_values
from stress.engines.population import draw_population
from stress.scenario import Scenario

TINY = str(Path(__file__).parents[2] / "configs" / "tiny.toml")


def test_shapleys_value_of_a_glove_game():
    # Player 0 has a left glove, 1 and 2 right ones; a pair is worth 1: 2/3, 1/6, 1/6 (Shapley 1953).
    worth = np.array([float(c & 1 and c & 6 != 0) for c in range(8)])
    assert shapley_values(worth) == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_shapleys_values_add_up_in_every_alternative():
    worth = np.random.default_rng(1).random((16, 5))
    assert shapley_values(worth).sum(axis=0) == pytest.approx(worth[-1] - worth[0])


def test_players_that_only_add_get_what_they_add():
    worth = np.array([sum((i + 1.0) ** 2 for i in range(4) if c >> i & 1) for c in range(16)])
    assert shapley_values(worth) == pytest.approx([1.0, 4.0, 9.0, 16.0])


@pytest.fixture(scope="module")
def tiny():
    return Scenario.load(TINY)


def test_what_is_left_is_as_it_was(tiny):
    whole = draw_population(tiny, 3)
    left = only(whole, (1, 2), tiny.venue.lot)
    assert (left.accounts == whole.accounts[whole.accounts["cohort"] != 0]).all()
    assert (only(whole, (0, 1, 2), tiny.venue.lot).accounts == whole.accounts).all()


def test_who_leaves_keeps_a_row_and_next_to_nothing(tiny):
    leaving = tiny.with_(**{"population.2.exits_per_year": 2.0})
    whole = draw_population(leaving, 0)
    left = only(whole, (0, 1), tiny.venue.lot)
    assert left.leavers.size == whole.leavers.size == 1
    row, before = left.accounts[left.leavers[0]], whole.accounts[whole.leavers[0]]
    assert abs(row["qty"]) == pytest.approx(tiny.venue.lot)
    assert row["collateral"] / row["qty"] == pytest.approx(before["collateral"] / before["qty"])


@pytest.fixture(scope="module")
def shared(tiny):
    return attribute(tiny, level=0.9, n_paths=500, shapley=True)


def test_shapleys_values_of_a_scenario_add_up(shared):
    assert sum(row.shapley for row in shared.shares) == pytest.approx(1.0)
    assert {row.cohort for row in shared.shares} == {"isolated", "cross", "whale"}
    assert all(row.left_out_error > 0.0 and row.shapley_error > 0.0 for row in shared.shares)


def test_without_the_only_cohort_nothing_is_left(tiny):
    tables = tiny.tables()["population"]
    alone = tiny.with_(population=[{**tables[0], "long_share": 1.0}, tables[3]])
    found = attribute(alone, level=0.9, n_paths=100)
    assert [row.left_out for row in found.shares] == [1.0]


def test_the_command_prints_a_row_a_cohort(capsys):
    assert main(["attribute", TINY, "--level", "0.9", "--paths", "200", "--no-progress"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("Expected shortfall, worst 10 % of 200 paths of 4 h, 25 populations: USD ")
    assert all(f"  {name} " in page for name in ("isolated", "cross", "whale"))
    assert main(["attribute", TINY, "--level", "0.9", "--paths", "200", "--json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "fundstress.attribution/1"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--level", "1.5"], "level 1.5 is outside (0, 1)"),
        (["--level", "0.999"], "--paths 2,000: too few for level 0.999; needs 10,000"),
        (["--set", "run.horizn=3"], "horizn"),
    ],
)
def test_what_cannot_be_shared_is_one_line_and_exit_code_two(capsys, words, said):
    assert main(["attribute", TINY, *words]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]
