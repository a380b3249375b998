"""``fundstress uncertainty`` and what ``fundstress run`` takes from it: folders, streams, exit codes."""

import json
import os
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stress import launch, launch_draws
from stress.cli import main
from stress.engines.base import Progress
from stress.launch_draws import DrawOptions

TINY = Path(__file__).parents[2] / "configs" / "tiny.toml"
TEXT = f"""extends = "{TINY}"
[run]
name = "small"
n_paths = 60
[reserve]
levels = [0.5]
[[overlay]]
axis = "regime"
name = "hot"
set = {{ market.vol_annual = 3.0 }}
[[uncertain]]
name = "market.vol_annual"
low = 1.0
high = 3.0
source = "illustrative"
"""
DRAW = ["uncertainty", "small.toml", "--draws", "3", "--paths", "50", "--quiet"]
RUN = ["run", "small.toml", "--no-figures", "--quiet", "--json"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """One scenario in an otherwise empty current folder."""
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(TEXT)


@contextmanager
def stopped(options, description=""):
    """Make Ctrl-C arrive with the first finished part."""

    def update(progress):
        if progress.done > 0:
            raise KeyboardInterrupt

    yield Progress(update=update)


def said(capsys):
    return json.loads(capsys.readouterr().out)


def test_a_study_writes_its_interval_its_draws_and_its_figure():
    assert main(DRAW) == 0
    folder = next(Path("runs").glob("small-*-uncertainty"))
    names = ["config.toml", "draws.parquet", "figures", "manifest.json", "uncertainty.json"]
    assert sorted(os.listdir(folder)) == names
    assert os.listdir(folder / "figures") == ["parameters.png"]
    table = pq.read_table(folder / "draws.parquet")
    assert table.column_names == ["draw", "market.vol_annual", "ruin", "reserve_0.5", "log_error_0.5"]
    assert table.num_rows == 3


def test_json_is_exactly_one_document(capsys):
    main([*DRAW, "--json"])
    document = said(capsys)
    assert (document["schema"], document["n_draws"], document["n_paths"]) == ("fundstress.uncertainty/1", 3, 50)
    assert (document["quotable"], document["ranges"][0]["source"]) == (False, "illustrative")


def test_a_finished_study_is_not_overwritten(capsys):
    main([*DRAW, "--out", "study"])
    before = {path: path.stat().st_mtime_ns for path in Path("study").rglob("*")}
    assert main([*DRAW, "--out", "study"]) == 2
    assert "study: exists already" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in Path("study").rglob("*")} == before


def test_a_second_study_has_a_folder_of_its_own():
    main(DRAW)
    main(DRAW)
    assert len(list(Path("runs").glob("small-*-uncertainty*/manifest.json"))) == 2


def test_an_interrupted_study_goes_on_to_the_same_draws(capsys, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(launch_draws, "shown", stopped)
        assert main([*DRAW, "--out", "cut"]) == 130
    assert "continue with: fundstress uncertainty small.toml --draws 3 --paths 50 --out cut" in capsys.readouterr().err
    assert sorted(os.listdir("cut")) == ["draws.json", "kept"]
    assert main([*DRAW, "--out", "cut"]) == 0
    assert main([*DRAW, "--out", "whole"]) == 0
    assert Path("cut/draws.parquet").read_bytes() == Path("whole/draws.parquet").read_bytes()
    assert Path("cut/uncertainty.json").read_bytes() == Path("whole/uncertainty.json").read_bytes()
    assert sorted(os.listdir("cut")) == sorted(os.listdir("whole"))


def test_an_unfinished_study_of_another_size_is_left_alone(capsys, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(launch_draws, "shown", stopped)
        main([*DRAW, "--out", "cut"])
    assert main([*DRAW, "--out", "cut", "--draws", "4"]) == 2
    assert "unfinished draws of another configuration, code or size" in capsys.readouterr().err


def test_a_scenario_without_ranges_is_exit_2_and_nothing_is_written(capsys):
    assert main(["uncertainty", str(TINY)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert os.listdir() == ["small.toml"]


def test_a_run_quotes_the_draws_of_exactly_its_configuration(capsys):
    main(DRAW)
    main(RUN)
    assert said(capsys)["parameters"]["n_draws"] == 3
    main([*RUN, "--seed", "6"])
    assert said(capsys)["parameters"] is None


def test_an_unfinished_study_is_not_quoted(capsys):
    main([*DRAW, "--out", "runs/study"])
    Path("runs/study/manifest.json").unlink()
    main(RUN)
    assert said(capsys)["parameters"] is None


def test_a_run_of_enough_paths_has_its_model_risk(capsys, monkeypatch):
    monkeypatch.setattr(launch, "PATHS", 60)
    main([*RUN, "--out", "run"])
    risk = said(capsys)["model_risk"]
    assert [row["name"] for row in risk["variants"]] == ["hot"]
    assert json.loads(Path("run/summary.json").read_text())["model_risk"] == risk


def test_a_run_may_go_without_model_risk(capsys, monkeypatch):
    monkeypatch.setattr(launch, "PATHS", 60)
    main([*RUN, "--no-model-risk"])
    assert said(capsys)["model_risk"] is None


def test_an_interruption_during_model_risk_leaves_a_complete_run(capsys, monkeypatch):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(launch, "PATHS", 60)
    monkeypatch.setattr(launch, "model_risk", stop)
    assert main([*RUN, "--out", "run"]) == 130
    heard = capsys.readouterr()
    assert json.loads(heard.out) == json.loads(Path("run/summary.json").read_text())
    assert "the run is complete, without its model risk and its figures" in heard.err
    assert main(["check", "run", "--require", "0.5"]) in (0, 3)


def test_an_overlay_is_run_by_its_name(capsys):
    main([*RUN, "--out", "run", "--overlay", "hot"])
    assert json.loads(Path("run/manifest.json").read_text())["config"]["market"]["vol_annual"] == 3.0


def test_an_unknown_overlay_is_one_line(capsys):
    assert main([*RUN, "--overlay", "hott"]) == 2
    assert "small.toml: unknown overlay 'hott'; did you mean 'hot'?\n" in capsys.readouterr().err


def test_check_finds_an_overlay_that_is_not_valid(capsys):
    Path("small.toml").write_text(TEXT.replace("market.vol_annual = 3.0", "market.vol_annual = -3.0"))
    assert main(["check", "small.toml"]) == 2
    assert "overlay.0 (regime/hot): market.vol_annual" in capsys.readouterr().err


def test_show_has_the_model_risk_of_the_run(capsys, monkeypatch):
    from stress.check import finished_summary

    monkeypatch.setattr(launch, "PATHS", 60)
    main([*RUN, "--out", "run"])
    shown = finished_summary(Path("run")).model_risk.to_dict()
    assert json.loads(json.dumps(shown)) == said(capsys)["model_risk"]


def test_processes_give_the_same_interval(capsys):
    answers = []
    for executor in ("threads", "processes"):
        assert main([*DRAW, "--json", "--executor", executor, "--out", executor]) == 0
        answers.append(said(capsys))
    assert answers[0] == answers[1]


def test_the_command_that_goes_on_names_the_scheduler():
    options = DrawOptions(Path("venue.toml"), executor="dask", scheduler="tcp://10.0.0.1:8786")
    assert options.words()[3:7] == ["--executor", "dask", "--scheduler", "tcp://10.0.0.1:8786"]


def test_a_scheduler_needs_dask(capsys):
    assert main([*DRAW, "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert "--scheduler tcp://127.0.0.1:1: needs --executor dask" in capsys.readouterr().err
