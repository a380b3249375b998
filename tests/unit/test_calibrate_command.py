"""``fundstress calibrate`` from the file to the scenario."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from stress import Scenario
from stress.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def prices(tmp_path_factory):
    path = tmp_path_factory.mktemp("prices") / "hours.csv"
    rng = np.random.default_rng(8)
    vol = 0.006 * np.exp(0.4 * np.repeat(rng.standard_normal(150), 24))
    close = 100.0 * np.exp(np.cumsum(vol * rng.standard_t(4, vol.size) / math.sqrt(2)))
    before = np.concatenate([[100.0], close[:-1]])
    rows = [
        f"{3600 * i},{o:.5f},{1.001 * max(o, c):.5f},{0.999 * min(o, c):.5f},{c:.5f}"
        for i, (o, c) in enumerate(zip(before, close, strict=True))
    ]
    path.write_text("\n".join(["timestamp,open,high,low,close", *rows]))
    return path


@pytest.fixture
def calibrate(prices, tmp_path):
    def run(*words):
        base = ["--base", str(ROOT / "configs" / "tiny.toml"), "--no-figures"]
        return main(["calibrate", str(prices), "--out", str(tmp_path / "ours.toml"), *base, *words])

    return run


def test_a_fit_becomes_a_scenario_that_says_where_it_comes_from(calibrate, tmp_path, capsys):
    assert calibrate("--model", "gbm,garch_qml,filtered", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["schema"] == "fundstress.calibration/1"
    assert {model["name"] for model in said["models"]} == {"gbm", "garch_qml", "filtered"}
    text = (tmp_path / "ours.toml").read_text()
    assert said["prices"]["sha256"] in text
    assert "Standard errors" in text
    assert Scenario.load(tmp_path / "ours.toml").market.kind == said["models"][0]["market"]["kind"]


def test_a_market_of_prices_keeps_their_file_and_their_hash(calibrate, tmp_path, prices):
    assert calibrate("--model", "bootstrap", "--quiet") == 0
    market = Scenario.load(tmp_path / "ours.toml").market
    assert (market.kind, Path(market.file)) == ("bootstrap", prices)
    prices_now = prices.read_text()
    prices.write_text(prices_now + "\n")
    try:
        assert main(["check", str(tmp_path / "ours.toml")]) == 2
    finally:
        prices.write_text(prices_now)


def test_the_table_says_what_was_compared(calibrate, capsys):
    assert calibrate("--model", "student_t") == 0
    page = capsys.readouterr().out
    assert "Models, nearest barrier hits on the last third first" in page
    assert "long 50x 24 h" in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "grach"), "--model grach: unknown, known: all, bates, "),
        (("--from", "2031-01-01"), "0 bars between 2031-01-01 and -; has 1970-01-01 00:00"),
        (("--symbol", "BTC"), "--symbol BTC: the file has no column of symbols"),
        (("--to", "1970-01-05"), "bars are too few to fit a model"),
    ],
)
def test_what_cannot_be_fitted_is_one_line_and_exit_code_two(calibrate, capsys, tmp_path, words, said):
    assert calibrate(*words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "ours.toml").exists()


def lines(prices, change):
    head, *rows = prices.read_text().splitlines()
    return "\n".join(change(head, rows))


def cell(rows, row, column, text):
    words = rows[row].split(",")
    return [*rows[:row], ",".join([*words[:column], text, *words[column + 1 :]]), *rows[row + 1 :]]


BAD = {
    "unsorted": (lambda head, rows: [head, *rows[::-1]], "is followed by an earlier one: sort the file"),
    "duplicates": (lambda head, rows: [head, *rows[:9], *rows[8:]], "1970-01-01 08:00 (row 9) comes twice"),
    "mixed frequency": (
        lambda head, rows: [head, *cell(rows, 5, 0, "18060")],
        "mixed frequency: most bars last 3600 s",
    ),
    "zero": (lambda head, rows: [head, *cell(rows, 5, 3, "0")], "low: row 6 is 0.0, prices must be positive numbers"),
    "negative": (lambda head, rows: [head, *cell(rows, 5, 4, "-1")], "close: row 6 is -1.0, prices must be positive"),
    "missing": (lambda head, rows: [head, *cell(rows, 5, 4, "")], "close: row 6 is nan, prices must be positive"),
    "too few": (lambda head, rows: [head, *rows[:500]], "500 bars are too few to fit a model: at least 1,000"),
    "constant": (
        lambda head, rows: [head, *(",".join([row.split(",")[0], *["100"] * 4]) for row in rows)],
        "the price stands still in 100% of the bars: nothing can be fitted",
    ),
    "wrong columns": (
        lambda head, rows: ["timestamp,first,high,low,last", *rows],
        "has no column open, close; it has timestamp, first, high, low, last",
    ),
    "times that are none": (lambda head, rows: [head, *cell(rows, 5, 0, "noon")], "time: "),
    "a local time that is put back": (
        lambda head, rows: [
            head,
            *(f"2021-10-31T0{i}:00:00,{row.split(',', 1)[1]}" for i, row in zip([0, 1, 1, 2], rows, strict=False)),
        ],
        "time 2021-10-31 01:00 (row 2) comes twice",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_prices_are_one_line_and_exit_code_two(prices, tmp_path, capsys, name):
    spoil, said = BAD[name]
    (tmp_path / "bad.csv").write_text(lines(prices, spoil))
    assert main(["calibrate", str(tmp_path / "bad.csv"), "--out", str(tmp_path / "ours.toml"), "--model", "gbm"]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "ours.toml").exists()


def test_gaps_are_said_and_written(prices, tmp_path, capsys):
    (tmp_path / "gaps.csv").write_text(lines(prices, lambda head, rows: [head, *rows[:700], *rows[760:]]))
    words = ["--model", "gbm", "--no-figures", "--base", str(ROOT / "configs" / "tiny.toml")]
    assert main(["calibrate", str(tmp_path / "gaps.csv"), "--out", str(tmp_path / "ours.toml"), *words]) == 0
    said = "1 gaps, 60 bars missing, the longest 60 h; no return is taken across"
    assert said in capsys.readouterr().err
    assert said in (tmp_path / "ours.toml").read_text()


def test_nothing_is_overwritten(calibrate, tmp_path, capsys):
    (tmp_path / "ours.toml").write_text("mine")
    assert calibrate("--model", "gbm") == 2
    assert "exists; choose another name" in capsys.readouterr().err
    assert (tmp_path / "ours.toml").read_text() == "mine"
