"""``fundstress backtest`` from the file to the table."""

import json

import numpy as np
import pytest

from stress.cli import main


@pytest.fixture
def series(tmp_path):
    """Write losses with forecasts at 97.5 %; 250 standard normal ones and right forecasts."""

    def write(losses=None, *, var=1.959964, shortfall=2.337803, head="date,loss,var,es"):
        losses = np.random.default_rng(1).standard_normal(250) if losses is None else losses
        path = tmp_path / "series.csv"
        path.write_text("\n".join([head, *(f"day {i},{x},{var},{shortfall}" for i, x in enumerate(losses))]))
        return str(path)

    return write


def test_right_forecasts_are_accepted_with_their_power(series, capsys):
    assert main(["backtest", series(), "--level", "0.975", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["schema"] == "fundstress.backtest/1"
    assert [row["rejected"] for row in said["tests"]] == [False] * 5
    assert all(0.0 < row["power"] < 1.0 for row in said["tests"])


def test_losses_half_as_large_again_are_noticed(series, capsys):
    losses = 1.5 * np.random.default_rng(1).standard_normal(250)
    assert main(["backtest", series(losses), "--level", "0.975"]) == 0
    page = capsys.readouterr().out
    assert "number of exceptions" in page
    assert page.count("rejected") >= 2


def test_without_shortfalls_three_tests_are_left(series, capsys):
    assert main(["backtest", series(head="date,loss,var,note"), "--level", "0.975", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["tests"]) == 3


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        (("--level", "1.5"), {}, "level 1.5 is outside [0.5, 1)"),
        ((), {"losses": [1.0, 2.0]}, "2 rows; needs 20"),
        ((), {"losses": ["x"] * 30}, "row 1 is x"),
        ((), {"head": "date,gain,var,es"}, "has no column of losses"),
        ((), {"head": "date,loss,guess,es"}, "has no column of forecast quantiles"),
        ((), {"var": 3.0}, "row 1: quantile 3 and shortfall 2.3378: needs 0 < quantile <= shortfall"),
    ],
)
def test_a_bad_series_is_one_line_and_exit_code_two(series, capsys, words, given, said):
    assert main(["backtest", series(**given), *words]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]
