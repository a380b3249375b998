"""The public page of a month: balances that follow from the entries, and simulated months that say so."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stress.cli import main
from stress.disclosure import from_ledger, read_ledger, simulated
from stress.outcomes import Outcomes
from stress.summary import outcomes_from_increments
from stress.toml import ScenarioError

LEDGER = """time,kind,amount
2026-09-30T23:00:00Z,balance,1000
2026-09-30T23:30:00Z,inflow,50
2026-10-01T00:00:00Z,outflow,200
2026-10-10T12:00:00Z,adl,7000
2026-10-10T12:00:01Z,outflow,300
2026-10-11T02:00:00+02:00,inflow,40
2026-10-31T23:59:59Z,balance,590
2026-11-01T00:00:00Z,outflow,500
"""


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("ledger.csv").write_text(LEDGER)
    return Path("ledger.csv")


def values(month):
    return {name: figure.value for name, figure in month.figures.items()}


def test_a_month_of_a_ledger_by_hand(ledger):
    found = from_ledger(read_ledger(ledger), "2026-10", name="ledger.csv", reserve=1180.0)
    assert values(found) == {
        "opening": 1050.0,
        "inflow": 40.0,
        "outflow": 500.0,
        "closing": 590.0,
        "largest_draw": 300.0,
        "coverage": 0.5,
        "adl_events": 1.0,
        "adl_notional": 7000.0,
    }


def test_a_month_may_begin_with_its_balance_and_december_ends_with_the_year(ledger):
    ledger.write_text("time,kind,amount\n2026-12-01,balance,5\n2026-12-31T23:59,inflow,2\n2027-01-01,inflow,9\n")
    found = values(from_ledger(read_ledger(ledger), "2026-12", name="x"))
    assert (found["opening"], found["closing"], found["coverage"]) == (5.0, 7.0, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,kind\n", "column amount is missing"),
        ("time,kind,amount\nyesterday,inflow,1\n", "line 2: time 'yesterday' is not ISO 8601"),
        ("time,kind,amount\n2026-10-01,gift,1\n", "line 2: kind 'gift' is not one of balance, inflow, outflow, adl"),
        ("time,kind,amount\n2026-10-01,inflow,-1\n", "line 2: amount '-1' is not a number of at least 0"),
        ("time,kind,amount\n2026-10-01,inflow,nan\n", "line 2: amount 'nan'"),
        ("time,kind,amount\n2026-10-02,balance,1\n2026-10-01,inflow,1\n", "entry 2: time is before"),
        ("time,kind,amount\n2026-10-02,inflow,1\n", "no balance stands before the first movement of 2026-10"),
        (LEDGER.replace("balance,590", "balance,591"), "is 591.00, the entries give 590.00"),
    ],
)
def test_a_ledger_that_cannot_be_is_one_line(ledger, capsys, text, message):
    ledger.write_text(text)
    assert main(["disclose", "--month", "2026-10", "--ledger", "ledger.csv"]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1
    assert not Path("disclosure-2026-10").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--month", "October"], "--month October: expected YYYY-MM"),
        (["--month", "2026-13", "--ledger", "ledger.csv"], "--month 2026-13"),
        (["--month", "2026-10"], "nothing to disclose"),
        (["--month", "2026-10", "--lang", "xx"], "unknown language"),
        (["--month", "2026-10", "--ledger", "none.csv"], "cannot be read"),
    ],
)
def test_a_wrong_wish_is_one_line(ledger, capsys, words, message):
    assert main(["disclose", *words]) == 2
    assert message in capsys.readouterr().err


def test_the_page_and_its_data_are_written_once(ledger, capsys):
    words = ["disclose", "--month", "2026-10", "--ledger", "ledger.csv", "--unit", "USDT"]
    assert main(words) == 0
    folder = Path(capsys.readouterr().out.strip())
    rows = {row["figure"]: row for row in csv.DictReader((folder / "data.csv").read_text().splitlines())}
    assert rows["closing"]["value"] == "590.0"
    assert rows["closing"]["unit"] == "USDT"
    assert json.loads((folder / "data.json").read_text())[0]["figures"]["outflow"]["value"] == 500.0
    assert "Auto-deleveraging events" in (folder / "index.html").read_text()
    assert main(words) == 2
    assert "exists already" in capsys.readouterr().err


def month_of(hours):
    loss = np.array([[3.0], [-1.0], [0.5], [2.0]])
    outcomes = outcomes_from_increments(loss, fund_initial=10.0)
    return Outcomes(outcomes.columns, replace(outcomes.facts, horizon_hours=hours))


def test_simulated_months_balance_path_by_path():
    outcomes = month_of(744.0)
    found = values(simulated(outcomes, "2026-10", name="run", reserve=5.0))
    assert found["opening"] == 10.0
    assert found["closing"] == np.median(outcomes.fund_end)
    assert found["coverage"] == pytest.approx(found["closing"] / 5.0)
    inflow = outcomes.fund_end - 10.0 + outcomes.fund_draw
    np.testing.assert_allclose(10.0 + inflow - outcomes.fund_draw, outcomes.fund_end)


def test_a_run_of_another_length_is_no_month():
    with pytest.raises(ScenarioError, match=r"horizon 72 h is not 2026-02; set run.horizon_hours to 672"):
        simulated(month_of(72.0), "2026-02", name="run")
