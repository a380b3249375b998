"""`fundstress show` prints the page that the run printed, whatever was attached to it."""

from pathlib import Path

import numpy as np
import pytest

from stress.check import check_level, finished_summary
from stress.cli import main
from stress.summary import (
    Driver,
    ModelRisk,
    ParameterInterval,
    Spread,
    Variant,
    outcomes_from_increments,
    summarize,
)

BASE = Variant("base", "base", 1e-3, 1.0, 0.8, 1.2, 1.0)
RISK = ModelRisk(0.99, 24.0, 500, BASE, (Variant("regime", "stressed", 1e-2, 3.0, 2.0, 4.0, 3.0),))
SPREAD = Spread(1.0, 0.5, 2.0)
PARAMETERS = ParameterInterval(
    "abc", 50, 500, 0.9, SPREAD, SPREAD, ((0.99, SPREAD),), 0.1, (Driver("fund.x", 0.0, 1.0, 0.5),)
)


@pytest.fixture
def run(tmp_path):
    """A run folder with model risk and a parameter interval, and the page of its run."""
    loss = np.random.default_rng(3).exponential(size=(2_000, 1))
    outcomes = outcomes_from_increments(loss, fund_initial=10.0)
    summary = summarize(outcomes).with_(model_risk=RISK, parameters=PARAMETERS)
    outcomes.save(tmp_path / "outcomes.parquet")
    (tmp_path / "summary.json").write_text(summary.to_json(), encoding="utf-8")
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    return tmp_path, str(summary)


def test_show_prints_the_page_with_what_was_attached(run, capsys):
    folder, page = run
    assert main(["show", str(folder)]) == 0
    assert capsys.readouterr().out == page + "\n"
    assert "Headline" in page


def test_a_finished_summary_is_the_document_of_the_run(run):
    folder, _ = run
    assert finished_summary(folder).to_json() == (folder / "summary.json").read_text(encoding="utf-8")


def test_the_verdict_has_the_interval_of_the_parameters(run, capsys):
    folder, _ = run
    check_level(folder, 0.99)
    assert "(parameter interval USD 0.500 to USD 2.00)" in capsys.readouterr().out


def damaged(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
    else:
        path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "summary.json is missing"),
        ("{", "summary.json: damaged: "),
        ("[]", "summary.json: damaged: not a summary"),
        ('{"model_risk": {"level": 0.99}}', "summary.json: damaged: model_risk: needs the keys base, "),
        ('{"parameters": 7}', "summary.json: damaged: parameters: needs the keys "),
    ],
)
def test_a_damaged_summary_is_one_line(run, capsys, text, message):
    folder, _ = run
    damaged(folder / "summary.json", text)
    assert main(["show", str(folder)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err
    assert said.err.count("\n") == 1
