"""``fundstress claims`` from the file to the reserve."""

import json
import math

import numpy as np
import pytest

from stress.cli import main

LAWS = """
[frequency]
kind = "poisson"
rate_per_year = 20.0

[severity]
kind = "exponential"
scale_usd = 0.5e6

[income]
premium_usd_per_year = 13.0e6

[run]
n_paths = 50_000
seed = 9
"""


@pytest.fixture
def losses(tmp_path):
    """A hundred losses over about two years."""
    rng, path = np.random.default_rng(2), tmp_path / "losses.csv"
    days, sizes = np.cumsum(rng.exponential(7.3, 100)), rng.exponential(5e5, 100)
    rows = [f"{86_400 * day:.0f},{size:.2f}" for day, size in zip(days, sizes, strict=True)]
    path.write_text("\n".join(["time,loss_usd", *rows]))
    return path


def test_stated_laws_give_the_reserve_of_theory(tmp_path, capsys):
    path = tmp_path / "laws.toml"
    path.write_text(LAWS)
    assert main(["claims", str(path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["schema"] == "fundstress.claims/1"
    row = next(r for r in said["summary"]["reserve"] if (r["level"], r["kind"]) == (0.995, "net"))
    assert row["low"] < 15.863536759 * 0.5e6 < row["high"]  # D10
    low, high = said["ruin_at_reserve_without_simulation"]
    assert low < 0.005 * 1.1
    assert high > 0.005 / 1.1
    assert said["lundberg_exponent"] * 0.5e6 == pytest.approx(0.3 / 1.3, rel=1e-4)


def test_a_level_that_no_count_reaches_is_conditional(tmp_path, capsys):
    path = tmp_path / "laws.toml"
    path.write_text(LAWS)
    rare = ["claims", str(path), "--level", "0.9999999"]
    assert main(rare) == 2
    assert "or --method conditional" in capsys.readouterr().err
    assert main([*rare, "--method", "conditional"]) == 2
    assert "cannot say at level 0.9999999: " in capsys.readouterr().err
    heavy = ["severity.kind=lognormal", "severity.sigma=1.5"]
    changes = [word for each in heavy for word in ("--set", each)]
    assert main([*rare, "--method", "conditional", "--json", *changes]) == 0
    said = json.loads(capsys.readouterr().out)
    low, high = said["ruin_at_reserve_without_simulation"]
    assert (low, high) == pytest.approx((1e-7, 1e-7), rel=0.2)
    assert main([*rare, "--method", "splitting"]) == 2
    assert "--method splitting: is one of crude, conditional" in capsys.readouterr().err


def test_many_claims_a_path_are_counted_and_taken_apart(tmp_path, capsys):
    path = tmp_path / "laws.toml"
    path.write_text(LAWS.replace("rate_per_year = 20.0", "rate_per_year = 2_000.0").replace("50_000", "2_000"))
    assert main(["claims", str(path), "--level", "0.95", "--set", "reserve.levels=[0.9]"]) == 0
    assert "With the largest claim taken out (conditional Monte Carlo): " in capsys.readouterr().out


def test_a_history_gives_a_line_and_the_laws(losses, capsys):
    asked = ["claims", str(losses), "--premium", "40e6", "--paths", "5000"]
    assert main([*asked, "--draws", "20", "--quiet", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["fit"]["history"]["n"] == 100
    interval = said["summary"]["parameters"]
    assert interval["n_draws"] == 20
    assert {row["name"] for row in interval["drivers"]} == {"frequency.mean_rate", "severity.mean"}
    assert {row["kind"] for row in said["fit"]["frequency"]} == {"hawkes", "poisson", "renewal"}
    assert main([*asked, "--draws", "0", "--fund", "1e6"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("Reserve (ruin <= 0.5 % in 365 d): USD ")
    assert "AIC of the others" in page
    assert "Ruin of a fund of USD 1.00 m" in page


def written(tmp_path, rows):
    path = tmp_path / "bad.csv"
    path.write_text("\n".join(rows))
    return str(path)


GOOD = [f"2024-01-{day:02d},{day}" for day in range(1, 21)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "cannot be read"),
        (["date,loss"], "holds no losses"),
        (["date,price", "2024-01-01,5"], "has no column of losses"),
        (["date,loss", *(f"2024-01-{day:02d},7" for day in range(1, 21))], "a constant history"),
        (["date,loss", *GOOD[:5]], "5 losses"),
        (["date,loss", *GOOD, "2024-01-03,8"], "row 21, 2024-01-03 00:00, is earlier"),
        (["date,loss", *GOOD, "2024-02-03,-8"], "row 21 is -8"),
        (["date,loss", *GOOD, "2024-02-03,lots"], "row 21 is lots"),
        (["date,loss", *GOOD, "yesterday,8"], "time: "),
    ],
)
def test_a_bad_history_is_one_line_and_exit_code_two(tmp_path, capsys, rows, said):
    assert main(["claims", written(tmp_path, rows)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--level", "1.2"), "level 1.2 is outside (0, 1)"),
        (("--level", "0.999", "--paths", "100"), "needs 3,688 independent paths"),
        (("--horizon", "3q"), "--horizon 3q"),
        (("--premium", "nan"), "income.premium_usd_per_year: should be a finite number"),
        (("--limit", "1"), "--limit 1: a loss of"),
        (("--from", "2031-01-01"), "is empty"),
        (("--set", "severity.kind=nonesuch"), "unknown kind 'nonesuch'"),
    ],
)
def test_a_bad_question_is_one_line_and_exit_code_two(losses, capsys, words, said):
    assert main(["claims", str(losses), *words]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("fundstress: ")]
    assert len(lines) == 1
    assert said in lines[0]


def test_losses_of_one_time_are_one_loss_and_empty_days_widen_the_window(tmp_path, capsys):
    rows = ["date,loss", "2023-12-01,0", *GOOD, "2024-01-20,30", "2024-12-30,0"]
    assert main(["claims", written(tmp_path, rows), "--json", "--paths", "1000", "--draws", "0"]) == 0
    captured = capsys.readouterr()
    history = json.loads(captured.out)["fit"]["history"]
    assert (history["n"], math.floor(history["years"] * 365)) == (20, 395)
    assert "1 losses came with another and are added to it" in captured.err
