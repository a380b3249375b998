"""``fundstress compare`` and ``fundstress presets``: folders, streams, exit codes."""

import json
import os
from contextlib import contextmanager
from pathlib import Path

import pytest

from stress import launch_compare, presets
from stress.cli import main
from stress.engines.base import Progress

TINY = Path(__file__).parents[2] / "configs" / "tiny.toml"
TEXT = f"""extends = "{TINY}"
[run]
name = "small"
n_paths = 8
redraw_every = 4
engine = "reference"
[reserve]
levels = [0.5]
[liquidity]
permanent_share = 0.0
"""
COMPARE = ["compare", "small.toml", "--presets", "textbook,okx_swap", "--no-figures"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """One scenario in an otherwise empty current folder."""
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(TEXT)


def test_a_comparison_writes_its_document_its_outcomes_and_its_figures():
    assert main([*COMPARE[:-1], "--quiet"]) == 0
    folder = next(Path("runs").glob("small-*-compare"))
    assert sorted(os.listdir(folder)) == [
        *("comparison.json", "config.toml", "figures", "manifest.json", "okx_swap.parquet", "textbook.parquet")
    ]
    assert sorted(os.listdir(folder / "figures")) == ["reserves.png", "who_pays.png"]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["kind"], manifest["presets"]) == ("comparison", ["textbook", "okx_swap"])


def test_json_is_exactly_one_document_and_the_warning_goes_to_stderr(capsys):
    assert main([*COMPARE, "--json"]) == 0
    streams = capsys.readouterr()
    document = json.loads(streams.out)
    assert document["schema"] == "fundstress.compare/1"
    assert [row["name"] for row in document["rulebooks"]] == ["textbook", "okx_swap"]
    assert streams.err.count("warning: preset okx_swap") == 1
    assert "preset textbook" not in streams.err


def test_a_comparison_is_never_overwritten(capsys):
    assert main([*COMPARE, "--quiet", "--out", "mine"]) == 0
    assert main([*COMPARE, "--quiet", "--out", "mine"]) == 2
    assert "mine: exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ("textbook", "needs at least two presets"),
        ("textbook,bybit", "did you mean 'bybit_linear'"),
        ("", "needs at least two presets"),
        ("textbook,bitmex_xbtusd", "preset bitmex_xbtusd: small as inverse: exchange.collateral_in_coin: must be 0"),
    ],
)
def test_a_wrong_choice_is_one_line_exit_2_and_leaves_no_folder(capsys, chosen, message):
    assert main(["compare", "small.toml", "--presets", chosen, "--set", "exchange.collateral_in_coin=0.1"]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not Path("runs").exists()


def test_an_engine_that_cannot_run_a_rulebook_is_refused_by_name(capsys):
    assert main([*COMPARE, "--engine", "ladder"]) == 2
    assert "'ladder' cannot run this scenario exactly: exchange.tier_mode = 'cliff'" in capsys.readouterr().err


def test_an_interrupted_comparison_keeps_nothing(monkeypatch, capsys):
    @contextmanager
    def stopped(options, description=""):
        def update(progress):
            raise KeyboardInterrupt

        yield Progress(update=update)

    monkeypatch.setattr(launch_compare, "shown", stopped)
    assert main([*COMPARE, "--quiet"]) == 130
    assert not list(Path().glob("runs/*"))


def test_a_run_warns_once_of_unverified_values(capsys):
    settings = ["--set", "exchange.preset=okx_swap", "--set", "exchange.disposal=immediate"]
    assert main(["run", "small.toml", "--no-figures", "--no-progress", *settings]) == 0
    assert capsys.readouterr().err.count("warning: preset okx_swap: 5 values are unverified") == 1


def test_presets_are_listed(capsys):
    assert main(["presets"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(presets.names())


def test_presets_are_listed_as_one_document(capsys):
    assert main(["presets", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in document["presets"]] == presets.names()


def test_a_preset_is_shown(capsys):
    assert main(["presets", "show", "drift_v2"]) == 0
    assert capsys.readouterr().out.startswith("drift_v2: Drift v2")
    assert main(["presets", "show", "drift_v2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "fundstress.preset/1"


def test_an_unknown_preset_is_exit_2_with_the_nearest(capsys):
    assert main(["presets", "show", "hyperliqid"]) == 2
    assert "did you mean 'hyperliquid'" in capsys.readouterr().err


def test_a_setting_that_a_preset_replaces_is_one_line_and_no_folder(capsys):
    assert main([*COMPARE, "--set", "exchange.backstop_margin=0.5"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("fundstress: --set exchange.backstop_margin: preset textbook replaces it; kept of")
    assert said.count("\n") == 1
    assert not Path("runs").exists()
