"""The run folder: never overwritten, finished by its manifest, and nothing is lost when the disk is full."""

import errno
import json
import os
from pathlib import Path

import pandas as pd
import pytest

from stress import manifest, rundir
from stress.cli import main
from stress.engines.choose import choose_engine
from stress.engines.results import Results
from stress.outcomes import Outcomes
from stress.rundir import RunFolder
from stress.scenario import Scenario, ScenarioError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A scenario of 40 paths in an otherwise empty current folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.toml"
    path.write_text(f'extends = "{ROOT / "configs" / "tiny.toml"}"\n[run]\nname = "small"\nn_paths = 40\n')
    return path.name


def run(config, *words):
    return main(["run", config, "--quiet", "--no-figures", *words])


def raise_full(*args, **kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def keep_nothing(config):
    """Leave a folder as an interrupted run does, here without a finished path."""
    scenario = Scenario.load(config)
    with RunFolder.claim(scenario, Path("cut")) as folder:
        folder.keep(Results(scenario, choose_engine(scenario)), ledger=False)


def test_the_default_folder_is_name_and_hash_with_a_suffix_for_every_further_run(config):
    for _ in range(3):
        assert run(config) == 0
    stem = f"small-{Scenario.load(config).sha256[:8]}"
    assert sorted(os.listdir("runs")) == [stem, f"{stem}-2", f"{stem}-3"]


def test_the_manifest_says_how_the_numbers_were_made(config):
    run(config, "--out", "run", "--seed", "3", "--threads", "1")
    found, scenario = json.loads(Path("run/manifest.json").read_text()), Scenario.load("run/config.toml")
    assert found["config_sha256"] == scenario.sha256
    assert found["config"] == scenario.tables()
    assert {key: found[key] for key in ("seed", "threads", "engine", "n_paths", "n_populations")} == {
        "seed": 3,
        "threads": 1,
        "engine": "ladder",
        "n_paths": 40,
        "n_populations": 2,
    }
    command = "fundstress run small.toml --out run --threads 1 --seed 3 --quiet --no-figures"
    assert " ".join(found["command"]) == command
    assert set(found["versions"]) == {"stress", "python", "numba", "numpy", "mesa"}
    assert found["outcomes_digest"] == Outcomes.load("run/outcomes.parquet").digest()
    assert found["files"] == {name: manifest.file_hash(Path("run", name)) for name in found["files"]}


def test_the_manifest_names_neither_host_nor_user(config, monkeypatch):
    monkeypatch.setenv("USER", "somebody-special")
    run(config, "--out", "run")
    text = Path("run/manifest.json").read_text()
    assert "somebody-special" not in text
    assert str(Path.home()) not in text


def test_a_run_holds_every_file_and_no_temporary_ones(config):
    run(config, "--out", "run", "--ledger")
    assert sorted(os.listdir("run")) == [
        "config.toml",
        "ledger.parquet",
        "manifest.json",
        "outcomes.parquet",
        "summary.json",
    ]
    ledger = pd.read_parquet("run/ledger.parquet")
    assert list(ledger.columns) == ["path", "step", "round", "account", "qty"]
    assert len(ledger) == Outcomes.load("run/outcomes.parquet").liquidated_accounts.sum()


def test_figures_are_written_and_listed(config):
    assert main(["run", config, "--quiet", "--out", "run", "--set", "reserve.levels=[0.5]"]) == 0
    figures = {path.name for path in Path("run/figures").iterdir()}
    assert {"ruin_curve.png", "loss_histogram.png", "fund_fan.png", "liquidation_map.png"} <= figures
    assert {f"figures/{name}" for name in figures} <= set(json.loads(Path("run/manifest.json").read_text())["files"])


def test_an_existing_folder_is_refused_and_left_alone(config, capsys):
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("keep")
    assert run(config, "--out", "mine") == 2
    assert "mine: exists already" in capsys.readouterr().err
    assert os.listdir("mine") == ["notes.txt"]


def test_a_folder_below_a_file_is_refused(config, capsys):
    assert run(config, "--out", f"{config}/deep/run") == 2
    assert "cannot be written" in capsys.readouterr().err
    assert os.listdir() == [config]


def test_a_read_only_folder_is_refused_before_the_simulation(config, capsys, monkeypatch):
    monkeypatch.setattr(rundir.os, "access", lambda path, mode: not mode & os.W_OK)
    monkeypatch.setattr("stress.launch.run", lambda *args, **kwargs: pytest.fail("simulated"))
    assert run(config) == 2
    assert "read-only" in capsys.readouterr().err
    assert os.listdir() == [config]


def test_a_scenario_that_fails_after_the_claim_leaves_no_folder(config, monkeypatch):
    def refuse(*args, **kwargs):
        raise ScenarioError("population.0: no")

    monkeypatch.setattr("stress.launch.run", refuse)
    assert run(config, "--out", "new/deep/run") == 2
    assert os.listdir() == [config]


WRITERS = {"the table": (Outcomes, "save"), "a text": (Path, "write_text"), "the manifest": (rundir, "file_hash")}


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
def test_a_full_disk_is_exit_1_without_a_manifest_and_nothing_else_is_lost(config, capsys, monkeypatch, writer):
    run(config, "--out", "before")
    before = {path: path.read_bytes() for path in Path("before").iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(*writer, raise_full)
        assert main(["run", config, "--no-figures", "--out", "full"]) == 1
    said = capsys.readouterr()
    assert "No space left on device" in said.err.splitlines()[-1]
    assert said.out.startswith("small: fund")  # the answer is not lost
    assert not Path("full/manifest.json").exists()
    assert not list(Path().rglob(".*"))
    assert {path: path.read_bytes() for path in Path("before").iterdir()} == before


def test_a_full_disk_while_resuming_keeps_the_finished_paths(config, monkeypatch):
    keep_nothing(config)
    monkeypatch.setattr(Outcomes, "save", raise_full)
    assert run(config, "--resume", "cut") == 1
    assert {"partial.json", "partial.npz"} <= set(os.listdir("cut"))


def test_kept_paths_of_other_code_are_refused(config, capsys, monkeypatch):
    keep_nothing(config)
    monkeypatch.setattr(rundir, "code_hash", lambda: "other")
    assert run(config, "--resume", "cut") == 2
    assert "another version" in capsys.readouterr().err


def test_what_was_kept_but_cannot_be_read_is_refused(config, capsys):
    Path("cut").mkdir()
    Path("cut/partial.json").write_text("{")
    assert run(config, "--resume", "cut") == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_finished_run_is_not_resumed(config, capsys):
    run(config, "--out", "run")
    assert run(config, "--resume", "run") == 2
    assert "finished" in capsys.readouterr().err
