"""The command line: streams, exit codes, and one clear line for whatever is typed wrong."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

import stress
from stress import launch
from stress.cli import main
from stress.engines.base import Progress

ROOT = Path(__file__).parents[2]
TINY = ROOT / "configs" / "tiny.toml"


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A scenario of 60 paths on three populations, in an otherwise empty current folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.toml"
    path.write_text(f'extends = "{TINY}"\n[run]\nname = "small"\nn_paths = 60\n[reserve]\nlevels = [0.5]\n')
    return path.name


@pytest.fixture
def interrupt():
    """Make Ctrl-C arrive when 20 paths are finished; call the fixture to let runs go on again."""

    @contextmanager
    def interrupted(options):
        def update(progress):
            if progress.done >= 20:
                raise KeyboardInterrupt

        yield Progress(update=update)

    patch = pytest.MonkeyPatch()
    patch.setattr(launch, "shown", interrupted)
    yield patch.undo
    patch.undo()


def digest(folder):
    return json.loads(Path(folder, "manifest.json").read_text())["outcomes_digest"]


def tier(cap, leverage=100, rate=0.004):
    return f"{{cap_usd={cap}, max_leverage={leverage}, maintenance_margin_rate={rate}}}"


BAD_SETTINGS = {
    "unknown key": ("fund.initail_usd=5", "initial_usd"),
    "unknown table": ("fnud.initial_usd=5", "fnud"),
    "NaN money": ("fund.initial_usd=nan", "initial_usd"),
    "infinite money": ("fund.initial_usd=inf", "initial_usd"),
    "negative money": ("fund.initial_usd=-1", "initial_usd"),
    "text for money": ("fund.initial_usd=lots", "initial_usd"),
    "unknown market": ("market.kind=brwonian", "brwonian"),
    "no equals sign": ("fund.initial_usd", "fund.initial_usd"),
    "leverage above the tier's maximum": ("population.0.leverage_median=180", "leverage_median"),
    "maintenance at the initial margin": (f"tier=[{tier(1e12, 100, 0.01)}]", "maintenance_margin_rate"),
    "overlapping tiers": (f"tier=[{tier(1e9)}, {tier(1e6)}]", "overlaps"),
    "empty population": ("population=[]", "population"),
    "makers only": ('population=[{kind="maker", name="m", collateral_usd=1e9}]', "population"),
    "steps that do not divide": ("run.step_seconds=7", "step_seconds"),
    "unknown layer": ('layer=[{kind="fund"}, {kind="adll"}]', "adll"),
    "repeated layer": ('layer=[{kind="fund"}, {kind="fund"}]', "repeated"),
    "missing layer": ('layer=[{kind="adl"}]', "fund"),
    "level outside (0, 1)": ("reserve.levels=[1.5]", "level"),
}

BAD_ARGUMENTS = {
    "missing file": (["run", "nosuch.toml"], "nosuch.toml"),
    "bad TOML": (["run", "bad.toml"], "bad.toml"),
    "empty file": (["run", "empty.toml"], "empty.toml"),
    "binary file": (["run", "binary.toml"], "binary.toml"),
    "folder as a scenario": (["run", "folder"], "folder"),
    "check of a bad file": (["check", "bad.toml"], "bad.toml"),
    "check of a folder": (["check", "folder"], "--require"),
    "no paths": (["run", "small.toml", "--paths", "0"], "paths"),
    "negative paths": (["run", "small.toml", "--paths", "-5"], "paths"),
    "no threads": (["run", "small.toml", "--threads", "0"], "threads"),
    "unknown engine": (["run", "small.toml", "--engine", "warp"], "warp"),
    "unknown option": (["run", "small.toml", "--bogus"], "bogus"),
    "text for a number": (["run", "small.toml", "--paths", "many"], "paths"),
    "unknown command": (["rnu", "small.toml"], "rnu"),
    "no command": ([], "command"),
    "no scenario": (["run"], "CONFIG"),
    "setting for a finished run": (["check", "folder", "--require", "0.9", "--set", "run.seed=1"], "--set"),
    "level above 1": (["check", "folder", "--require", "1.5"], "level"),
    "level is not a number": (["check", "folder", "--require", "nan"], "level"),
    "no run in the folder": (["check", "folder", "--require", "0.9"], "manifest.json"),
    "no such run": (["show", "nosuch"], "nosuch"),
    "nothing to resume": (["run", "small.toml", "--resume", "folder"], "folder"),
    "out and resume": (["run", "small.toml", "--resume", "folder", "--out", "new"], "--out"),
    "nothing to warm": (["doctor", "--warm"], "configs"),
}


@pytest.mark.parametrize(("setting", "word"), BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_a_bad_setting_is_one_line_that_names_it_and_nothing_is_written(config, capsys, setting, word):
    assert main(["run", config, "--paths", "10", "--set", setting]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert word in said.err
    assert said.err.startswith("fundstress: ")
    assert said.err.count("\n") == 1
    assert os.listdir() == [config]


@pytest.mark.parametrize(("arguments", "word"), BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS)
def test_a_bad_argument_is_one_line_that_names_it_and_nothing_is_written(config, capsys, arguments, word):
    Path("bad.toml").write_text("a = [1,")
    Path("empty.toml").touch()
    Path("binary.toml").write_bytes(b"\xff\xfe\x00")
    Path("folder").mkdir()
    before = sorted(Path().rglob("*"))
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert word in said.err
    assert "Traceback" not in said.err
    assert said.err.startswith("fundstress: ")
    assert said.err.count("\n") == 1
    assert sorted(Path().rglob("*")) == before


def test_debug_shows_the_traceback_wherever_it_stands(config, capsys):
    assert main(["run", "nosuch.toml", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_an_unforeseen_error_is_one_line_and_exit_1(config, capsys, monkeypatch):
    monkeypatch.setattr(launch, "summarize", lambda outcomes: 1 / 0)
    assert main(["run", config, "--quiet"]) == 1
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert said.count("\n") == 1
    assert os.listdir() == [config]


def test_results_go_to_stdout_and_the_log_to_stderr(config, capsys):
    assert main(["run", config, "--no-figures"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("small: fund USD 150 k")
    assert "open interest: isolated long 45 %" in said.err
    assert "saved in runs/small-" in said.err


def test_json_is_exactly_one_document(config, capsys):
    assert main(["run", config, "--no-figures", "--json", "--seed", "3", "--paths", "40"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["seed"], document["n_paths"]) == ("fundstress.summary/1", 3, 40)
    assert json.loads(next(Path("runs").glob("*/summary.json")).read_text()) == document


def test_quiet_says_nothing(config, capsys):
    assert main(["run", config, "--no-figures", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_share_that_misses_the_request_is_a_warning(config, capsys, monkeypatch):
    share = stress.engines.population.Share("whales", "long", 0.2, 0.1)
    monkeypatch.setattr(launch, "shares", lambda scenario, population: [share])
    main(["run", config, "--no-figures"])
    assert "warning: open interest misses the request by more than 5 %: whales long asked 20 %" in (
        capsys.readouterr().err
    )


def test_options_win_over_settings_and_settings_over_the_file(config):
    main(["run", config, "--quiet", "--no-figures", "--out", "run", "--set", "run.seed=1", "--seed", "2"])
    found = json.loads(Path("run/manifest.json").read_text())
    assert (found["seed"], found["n_paths"]) == (2, 60)


def test_check_says_what_a_valid_scenario_holds(config, capsys):
    assert main(["check", config]) == 0
    assert "60 paths of 4 h (240 steps), engine ladder" in capsys.readouterr().out
    assert os.listdir() == [config]


def test_check_validates_what_settings_make_of_a_scenario(config, capsys):
    assert main(["check", config, "--set", "run.n_paths=70", "--set", "run.engine=loop"]) == 0
    assert "70 paths of 4 h (240 steps), engine loop" in capsys.readouterr().out
    assert main(["check", config, "--set", "run.n_paths=0"]) == 2
    assert "run.n_paths" in capsys.readouterr().err


@pytest.mark.parametrize(("fund", "level", "code", "verdict"), [(1e9, 0.5, 0, "met"), (0, 0.9, 3, "NOT met")])
def test_check_compares_the_fund_with_the_reserve_of_a_level(config, capsys, fund, level, code, verdict):
    settings = ["--set", f"fund.initial_usd={fund}", "--set", "run.redraw_every=1", "--paths", "200"]
    main(["run", config, "--quiet", "--no-figures", "--out", "run", *settings])
    assert main(["check", "run", "--require", str(level)]) == code
    assert f" %: {verdict}: fund USD" in capsys.readouterr().out


def test_check_refuses_a_level_that_the_paths_cannot_answer(config, capsys):
    main(["run", config, "--quiet", "--no-figures", "--out", "run"])
    assert main(["check", "run", "--require", "0.999"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "too few" in said.err


def test_show_prints_the_page_of_the_run(config, capsys):
    main(["run", config, "--no-figures", "--out", "run"])
    page = capsys.readouterr().out
    assert main(["show", "run"]) == 0
    assert capsys.readouterr().out == page


def test_an_interrupted_run_resumes_to_the_same_outcomes(config, capsys, interrupt):
    arguments = ["run", config, "--no-figures", "--ledger"]
    assert main([*arguments, "--out", "cut", "--threads", "1"]) == 130
    said = capsys.readouterr()
    assert said.out == ""
    assert "continue with: fundstress run small.toml --resume cut --threads 1 --ledger --no-figures" in said.err
    assert sorted(os.listdir("cut")) == ["partial.json", "partial.npz"]
    interrupt()
    assert main([*arguments, "--resume", "cut"]) == 0
    assert main([*arguments, "--out", "whole"]) == 0
    assert digest("cut") == digest("whole")
    assert Path("cut/ledger.parquet").read_bytes() == Path("whole/ledger.parquet").read_bytes()
    assert sorted(os.listdir("cut")) == sorted(os.listdir("whole"))


def test_a_resumption_must_have_the_same_configuration(config, capsys, interrupt):
    main(["run", config, "--out", "cut"])
    interrupt()
    kept = sorted(os.listdir("cut"))
    for words, reason in ((["--seed", "9"], "another configuration"), (["--ledger"], "--ledger")):
        assert main(["run", config, "--resume", "cut", *words]) == 2
        assert reason in capsys.readouterr().err
    assert sorted(os.listdir("cut")) == kept


def test_an_interruption_before_the_first_path_leaves_nothing(config, capsys, monkeypatch):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(launch, "run", stop)
    assert main(["run", config]) == 130
    assert "nothing is kept" in capsys.readouterr().err
    assert os.listdir() == [config]


def test_doctor_names_versions_and_the_cache(config, capsys):
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    for word in (stress.__version__, "python", "mesa", "cores", "cache"):
        assert word in said


def test_doctor_warms_the_kernels_of_a_scenario(config, capsys):
    assert main(["doctor", "--warm", config]) == 0
    assert f"warmed {config} in" in capsys.readouterr().out


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"fundstress {stress.__version__}\n"


def test_help_imports_nothing_heavy():
    said = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "stress", "--help"], capture_output=True, text=True, check=True
    )
    assert "doctor" in said.stdout
    modules = {line.rpartition("|")[2].strip() for line in said.stderr.splitlines()}
    assert not modules & {"numpy", "numba", "mesa", "matplotlib", "pandas", "pyarrow", "scipy"}
