"""What ruins the fund: the search by hand, and on the tiny venue."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from stress.cli import main
from stress.likeliest import Likeliest
from stress.reverse import least, reverse, scaled_leverage
from stress.scenario import Scenario

TINY = str(Path(__file__).parents[2] / "configs" / "tiny.toml")


def test_the_search_finds_where_enough_begins():
    assert least(lambda x: x >= 0.3, 2.0, 0.001) == pytest.approx(0.3, abs=0.001)
    assert least(lambda x: True, 2.0, 0.001) == 0.001
    assert least(lambda x: x >= 2.0, 2.0, 0.001) == pytest.approx(2.0, abs=0.001)
    assert least(lambda x: False, 2.0, 0.001) is None


def test_leverage_is_scaled_in_all_its_forms():
    rows = [{"leverage_median": 4.0}, {"leverage": 10.0}, {"leverage": {"kind": "lognormal", "median": 8.0}}, {}]
    found = scaled_leverage({"population": rows, "run": {}}, 0.5)["population"]
    assert found == [
        {"leverage_median": 2.0},
        {"leverage": 5.0},
        {"leverage": {"kind": "lognormal", "median": 4.0}},
        {},
    ]


@pytest.fixture(scope="module")
def found():
    """Return a coarse search."""
    coarse = {"FACTORS": (1.0, 2.0), "PARTS": (0.5, 0.75), "POPULATIONS": 3, "FINEST_LOG": 0.01, "FINEST_SHARE": 0.05}
    with pytest.MonkeyPatch.context() as patch:
        ways = [Likeliest("storm", None, 3.1, 2e-3, "a wild hour", 4), Likeliest("storm", "whale", None, None, "", 0)]
        patch.setattr("stress.reverse.likeliest", lambda _: iter(ways))
        for name, value in coarse.items():
            patch.setattr(f"stress.reverse.{name}", value)
        return reverse(Scenario.load(TINY), minutes=30.0, leverage=40.0)


def test_more_leverage_needs_a_smaller_move(found):
    falls = [row.fall for row in found.moves if row.fall is not None]
    assert len(falls) >= 2
    assert all(-0.9 < earlier <= later < 0.0 for earlier, later in pairwise(falls))


def test_a_larger_move_needs_a_smaller_position(found):
    shares = [row.share for row in found.breakers if row.move < 0.0]
    assert shares == sorted(shares, key=lambda x: -(x if x is not None else 1.0))


def test_the_page_and_the_document(found, capsys, monkeypatch):
    monkeypatch.setattr("stress.launch_reverse.reverse", lambda *_, **__: found)
    assert main(["reverse", TINY]) == 0
    page = capsys.readouterr().out
    assert page.startswith("tiny: what ruins a fund of USD 150 k on half of the populations")
    assert "leverage x 2" in page
    assert "storm                                             3.10           0.002\n    a wild hour" in page
    assert main(["reverse", TINY, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "fundstress.reverse/1"


def test_a_run_is_told_in_stories(tmp_path, capsys):
    folder = tmp_path / "run"
    assert main(["run", TINY, "--out", str(folder), "--quiet", "--no-figures", "--no-model-risk"]) == 0
    assert main(["reverse", str(folder)]) == 0
    page = capsys.readouterr().out
    assert "ruined paths in" in page
    assert f"fundstress replay {folder} --path " in page
    assert main(["reverse", str(folder), "--json", "--stories", "3"]) == 0
    assert len(json.loads(capsys.readouterr().out)["stories"]) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([TINY, "--minutes", "0"], "--minutes 0: outside (0, 240]"),
        ([TINY, "--set", "renewal.by=3"], "renewal"),
        (["nosuch.toml"], "nosuch.toml: no such file"),
        (["."], ".: holds no finished run"),
    ],
)
def test_what_cannot_be_reversed_is_one_line_and_exit_code_two(capsys, words, said):
    assert main(["reverse", *words]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]
