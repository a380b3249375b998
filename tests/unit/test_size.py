import math
from pathlib import Path

import pytest

from stress.cli import main
from stress.launch_size import parse_horizon
from stress.scenario import Scenario, ScenarioError
from stress.size import bisect_fund, check_budget, solve

TINY = str(Path(__file__).parents[2] / "configs" / "tiny.toml")


def test_a_bisection_finds_a_step_from_below_and_from_above():
    for start in (1.0, 1e3, 1e6):
        found = bisect_fund(lambda fund: fund >= 777.0, start)
        assert 777.0 <= found <= 777.0 * 1.01


def test_a_bisection_gives_up_where_no_fund_is_enough():
    assert bisect_fund(lambda fund: False, 1.0) is None


def test_a_fund_of_almost_nothing_may_be_enough():
    assert bisect_fund(lambda fund: True, 1.0) < 1e-5


@pytest.mark.parametrize(("text", "hours"), [("72h", 72), ("365d", 8760), ("1y", 8760), ("0.5d", 12), ("2w", 336)])
def test_horizons_have_units(text, hours):
    assert parse_horizon(text) == hours


@pytest.mark.parametrize("text", ["", "365", "-3d", "0h", "400d", "1..2d", "d", "30m"])
def test_other_horizons_are_refused_with_the_range(text):
    with pytest.raises(ScenarioError, match=r"within \(0, 366 d\]"):
        parse_horizon(text)


def test_a_budget_too_small_for_the_level_says_how_many_paths():
    # Two-sided at 99.9 %: ln 0.025 / ln 0.999 = 3,687.03.
    assert math.ceil(math.log(0.025) / math.log(0.999)) == 3688
    with pytest.raises(ScenarioError, match="needs 3,688 independent paths"):
        check_budget(0.999, 1_000, 0.95)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--level", "1.5"], "level 1.5 is outside (0, 1)"),
        (["--level", "0.99", "--horizon", "9x"], "--horizon 9x: needs a number"),
        (["--level", "0.9999", "--paths", "100"], "run.n_paths = 100: too few"),
        ([], "--level"),
    ],
)
def test_what_cannot_be_solved_is_one_line_and_exit_code_2(capsys, words, said):
    assert main(["size", TINY, *words]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]


@pytest.fixture(scope="module")
def tiny():
    return Scenario.load(TINY).with_(**{"run.n_paths": 4_000})


def test_one_run_is_read_off_where_that_is_exact(tiny):
    found = solve(tiny, 0.95)
    assert (found.method, found.tried) == ("one run", ())
    assert found.low < found.value < found.high


@pytest.mark.more
def test_a_bisection_agrees_with_one_run_where_both_are_exact(tiny):
    # Coin at a share so small that it moves nothing, yet the fund's level then matters by the book.
    read = solve(tiny, 0.95)
    bisected = solve(tiny.with_(**{"fund.in_coin": 1e-9}), 0.95)
    assert bisected.method == "bisection"
    assert bisected.monotone
    assert bisected.value == pytest.approx(read.value, rel=0.011)
    assert bisected.low < bisected.value < bisected.high


def test_the_command_prints_one_line_of_result(capsys):
    assert main(["size", TINY, "--level", "0.95", "--paths", "4000", "--no-progress"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("Reserve (ruin <= 5 % in 0.1667 d): USD ")
    assert "order statistic, n = 4,000" in first
    assert first.endswith("no regulation prescribes this figure.")
