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


def test_nothing_is_overwritten(calibrate, tmp_path, capsys):
    (tmp_path / "ours.toml").write_text("mine")
    assert calibrate("--model", "gbm") == 2
    assert "exists; choose another name" in capsys.readouterr().err
    assert (tmp_path / "ours.toml").read_text() == "mine"
