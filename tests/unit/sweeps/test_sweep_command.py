"""``fundstress sweep``: the same rows for every executor, through interruptions, kills and failures."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import qmc

import stress
from stress import launch_sweep
from stress.cli import main
from stress.engines.base import Progress
from stress.sweeps.point import Paths
from stress.sweeps.store import PARTS

TINY = Path(__file__).parents[3] / "configs" / "tiny.toml"
TEXT = f"""[sweep]
name = "small"
scenario = "{TINY}"
n_paths = 40
populations = 10
set = {{ run.horizon_hours = 1.0, reserve.levels = [0.5] }}
[[axis]]
name = "market.vol_annual"
low = 1.0
high = 3.0
steps = 3
[[axis]]
name = "population.2.share"
values = [0.05, 0.1]
"""
SWEEP = ["sweep", "small.toml", "--no-figures", "--workers", "2"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """One sweep file in an otherwise empty current folder."""
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(TEXT)


@pytest.fixture(scope="module")
def rows():
    """The rows, once, as any way of running them must give them."""
    grid = {"market.vol_annual": [1.0, 2.0, 3.0], "population.2.share": [0.05, 0.1]}
    more = {"set": {"run.horizon_hours": 1.0, "reserve.levels": [0.5]}, "populations": 10, "name": "small"}
    return stress.sweep(TINY, grid, n_paths=40, workers=2, **more)


@contextmanager
def stopped(options, workers):
    """Make Ctrl-C arrive with the second finished point."""

    def update(progress):
        if progress.done > 1:
            raise KeyboardInterrupt

    yield Progress(update=update)


def test_the_answers_are_those_of_a_run(rows):
    scenario = stress.Scenario.load(TINY).plain(
        **{"market.vol_annual": 3.0, "population.2.share": 0.1, "run.horizon_hours": 1.0, "run.redraw_every": 4}
    )
    outcomes = stress.run(scenario, n_paths=40)
    assert rows.outcome("ruin")[5] == np.mean(outcomes.ruin_step >= 0)
    assert rows.outcome("reserve_0.5")[5] == pytest.approx(np.sort(outcomes.drawdown)[19], rel=1e-12)


def test_a_sweep_writes_its_folder_and_prints_its_table(rows, capsys):
    assert main([*SWEEP, "--out", "made", "--json", "--quiet"]) == 0
    names = ["catalogue.sqlite", "config.toml", "manifest.json", "parts", "sweep.json"]
    assert sorted(os.listdir("made")) == names
    said = json.loads(capsys.readouterr().out)
    manifest = json.loads(Path("made/manifest.json").read_text())
    assert rows.digest() == said["digest"] == manifest["rows_digest"] == stress.load_sweep("made").digest()
    assert [row["point"] for row in said["rows"]] == list(range(6))
    assert (manifest["done"], manifest["failed"], manifest["n_points"]) == (6, 0, 6)


def test_threads_and_processes_give_the_same_rows(rows):
    assert main([*SWEEP, "--out", "made", "--executor", "processes", "--quiet"]) == 0
    assert stress.load_sweep("made").digest() == rows.digest()


@pytest.mark.slow
def test_dask_gives_the_same_rows(rows):
    pytest.importorskip("distributed", reason="the extra 'distributed' is not installed")
    script = "import sys\nfrom stress.cli import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
    Path("go.py").write_text(script)
    done = subprocess.run([sys.executable, "go.py", *SWEEP, "--out", "made", "--executor", "dask"], check=False)
    assert done.returncode == 0
    assert stress.load_sweep("made").digest() == rows.digest()


def test_an_interrupted_sweep_says_how_to_go_on_and_ends_the_same(rows, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        patch.setattr(launch_sweep, "_shown", stopped)
        assert main([*SWEEP, "--quiet"]) == 130
    said = capsys.readouterr().err
    folder = next(Path("runs").glob("small-*-sweep"))
    words = said.partition("go on with: ")[2].split()
    assert words[:2] == ["fundstress", "sweep"]
    assert "--resume" in words
    kept = len(stress.load_sweep(folder))
    assert 0 < kept < 6
    assert main(words[1:]) == 0
    assert stress.load_sweep(folder).digest() == rows.digest()
    assert json.loads((folder / "manifest.json").read_text())["n_kept"] == kept


def test_a_finished_sweep_is_neither_overwritten_nor_resumed(capsys):
    assert main([*SWEEP, "--out", "made", "--quiet"]) == 0
    assert main([*SWEEP, "--out", "made", "--quiet"]) == 2
    assert "made: holds a sweep already" in capsys.readouterr().err
    assert main([*SWEEP, "--out", "made", "--quiet", "--resume"]) == 2
    assert "the sweep is finished" in capsys.readouterr().err
    assert main([*SWEEP, "--out", "made", "--set", "sweep.n_paths=30", "--resume"]) == 2
    assert "holds another sweep" in capsys.readouterr().err


def test_points_that_fail_are_rows_and_exit_4(rows, monkeypatch, capsys):
    answer = Paths.answer

    def fail(self):
        if self.task.changes["population.2.share"] == 0.1:
            raise MemoryError("no room\nfor this")
        return answer(self)

    with monkeypatch.context() as patch:
        patch.setattr(Paths, "answer", fail)
        assert main([*SWEEP, "--out", "made"]) == 4
    said = capsys.readouterr().err
    assert "point 1 failed: MemoryError: no room for this\n" in said
    assert "3 of 6 points failed; try them again with: fundstress sweep small.toml" in said
    found = stress.load_sweep("made")
    assert [point for point, _ in found.failed] == [1, 3, 5]
    assert np.isnan(found.outcome("ruin")[[1, 3, 5]]).all()
    assert main([*SWEEP, "--out", "made", "--resume", "--quiet"]) == 0
    assert stress.load_sweep("made").digest() == rows.digest()


def children(pid):
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text()]


def until(true, seconds=120):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["worker", "program"])
def test_a_kill_in_the_middle_loses_nothing_and_changes_nothing(victim):
    Path("small.toml").write_text(TEXT.replace("n_paths = 40", "n_paths = 4000").replace("steps = 3", "steps = 6"))
    command = [sys.executable, "-m", "stress", *SWEEP, "--executor", "processes"]
    assert main([*SWEEP, "--quiet", "--out", "whole"]) == 0
    with subprocess.Popen([*command, "--out", "hit"]) as program:
        until(lambda: len(children(program.pid)) == 2)
        time.sleep(2.0)
        os.kill(children(program.pid)[0] if victim == "worker" else program.pid, signal.SIGKILL)
        program.wait()
    if victim == "program":
        assert main([*SWEEP, "--quiet", "--out", "hit", "--resume"]) == 0
    assert stress.load_sweep("hit").digest() == stress.load_sweep("whole").digest()


def test_a_dry_run_prints_points_paths_time_and_disk_and_runs_nothing(capsys):
    assert main([*SWEEP, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("small: 6 points x 40 paths = 240 paths\ntime: about ")
    assert "point 0 (market.vol_annual = 1, population.2.share = 0.05)" in said
    assert not Path("runs").exists()


def test_paths_are_added_until_the_reserve_is_known_well_enough():
    precision = {"level": 0.5, "half_width": 0.3, "most_paths": 640}
    more = {"set": {"run.horizon_hours": 1.0, "reserve.levels": [0.5]}, "populations": 2, "precision": precision}
    found = stress.sweep(TINY, {"market.vol_annual": [3.0], "fund.initial_usd": [1e5, 2e5]}, n_paths=20, **more)
    paths = found.outcome("n_paths")
    width = (found.outcome("reserve_0.5_high") - found.outcome("reserve_0.5_low")) / 2.0
    assert set(paths) <= {20, 40, 80, 160, 320, 640}
    assert ((width <= 0.3 * found.outcome("reserve_0.5")) | (paths == 640)).all()


def test_a_grid_is_refined_where_ruin_crosses_the_level(rows):
    ruin = rows.outcome("ruin")
    level = float(np.quantile(ruin, 0.5))
    more = {"set": {"run.horizon_hours": 1.0, "reserve.levels": [0.5]}, "populations": 2}
    grid = {"fund.initial_usd": {"values": [1e3, 1e9], "scale": "log"}}
    found = stress.sweep(TINY, grid, n_paths=20, refine={"ruin": max(level, 0.05), "rounds": 3}, **more)
    assert found.outcome("fund.initial_usd")[:3] == pytest.approx([1e3, 1e9, 1e6])
    assert len(found) == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--scheduler", "tcp://127.0.0.1:1"], "needs --executor dask"),
        (["--resume"], "--resume: there is no runs/small-"),
        (["--set", "sweep.design.kind=grit"], "unknown kind 'grit'"),
        (["--set", "axis.0.name=market.vol_anual"], "did you mean 'vol_annual'"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_2(words, said, capsys):
    assert main([*SWEEP, *words]) == 2
    message = capsys.readouterr().err
    assert said in message
    assert message.count("\n") == 1


@pytest.mark.slow
def test_a_scheduler_that_is_not_there_is_one_line(monkeypatch, capsys):
    pytest.importorskip("distributed", reason="the extra 'distributed' is not installed")
    monkeypatch.setattr("stress.sweeps.workers.CONNECT_SECONDS", 1)
    assert main([*SWEEP, "--executor", "dask", "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert "--scheduler tcp://127.0.0.1:1: cannot be reached" in capsys.readouterr().err
    assert not Path("runs").exists()


def test_points_of_other_samplers_come_back_in_their_order():
    # A problem of SALib with points of scipy's Sobol sequence, as in docs/sweeps.md.
    problem = {"num_vars": 2, "names": ["market.vol_annual", "population.2.share"], "bounds": [[1, 3], [0.05, 0.1]]}
    points = qmc.scale(qmc.Sobol(2, seed=1).random(4), *np.array(problem["bounds"]).T)
    found = stress.sweep(TINY, problem, points=points, n_paths=40, populations=2, rng=7, workers=1)
    assert np.column_stack([found.outcome(name) for name in problem["names"]]) == pytest.approx(points)
    assert found.outcome("ruin").shape == (4,)


def test_a_grid_becomes_a_labeled_array(rows):
    pytest.importorskip("xarray", reason="the extra 'sweeps' is not installed")
    cube = rows.to_xarray()
    assert dict(cube.sizes) == {"market.vol_annual": 3, "population.2.share": 2}
    at = {"market.vol_annual": 2.0, "population.2.share": 0.1}
    assert float(cube["ruin"].sel(at)) == rows.outcome("ruin")[3]
    assert list(rows.to_pandas().columns[:5]) == ["point", "status", "error", *rows.axes]


def test_what_is_stored_opens_in_duckdb():
    duckdb = pytest.importorskip("duckdb", reason="the extra 'sweeps' is not installed")
    assert main([*SWEEP, "--out", "made", "--quiet"]) == 0
    found = duckdb.sql(f"select count(*), max(ruin) <= 1 from 'made/{PARTS}/*.parquet'").fetchall()
    assert found == [(6, True)]


@pytest.mark.slow
def test_a_scheduler_that_dies_costs_nothing_but_time():
    """The command ends with exit 1 and says how to go on; threads finish what the cluster began."""
    pytest.importorskip("distributed", reason="the extra 'distributed' is not installed")
    Path("small.toml").write_text(TEXT.replace("n_paths = 40", "n_paths = 8000").replace("steps = 3", "steps = 2"))
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port)]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--death-timeout", "60"]
    command = [sys.executable, "-m", "stress", *SWEEP, "--quiet", "--out", "hit", "--executor", "dask"]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with (
        subprocess.Popen([*dask, "--no-dashboard"], **silent) as scheduler,
        subprocess.Popen([*worker, "--no-dashboard"], **silent) as at_work,
        subprocess.Popen([*command, "--scheduler", address], stderr=subprocess.PIPE, text=True) as program,
    ):
        until(lambda: Path("hit/catalogue.sqlite").exists() or program.poll() is not None)
        time.sleep(1.0)
        scheduler.kill()
        said = program.communicate()[1]
        at_work.kill()
    assert program.returncode == 1, said
    assert "the scheduler went away" in said
    assert main([*SWEEP, "--quiet", "--out", "hit", "--resume"]) == 0
    assert main([*SWEEP, "--quiet", "--out", "whole"]) == 0
    assert stress.load_sweep("hit").digest() == stress.load_sweep("whole").digest()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
