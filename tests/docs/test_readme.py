"""The README and the guides do what they say: commands, code, links, figures, scenarios, recipes."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import stress

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
CONFIGS = sorted((ROOT / "configs").glob("*.toml"))

COMMANDS = (
    "python3 -m venv .venv && .venv/bin/pip install -q -e . && .venv/bin/fundstress run configs/btc_perpetual.toml",
    'python3 -m venv .venv && .venv/bin/pip install -q -e ".[test]" && .venv/bin/pytest',
)

RUN_RECIPES = """
import miner, storm, power, stress
scenario = stress.Scenario.load("recipes.toml", overrides={"run.horizon_hours": 1.0})
outcomes = stress.run(scenario, n_paths=2, engine="reference")
assert outcomes.conservation_error.max() < 1e-9
assert outcomes.liquidated_accounts.min() > 0
print(sorted(cohort.kind for cohort in scenario.population))
"""


def code_blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def links(page: Path) -> list[str]:
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    return [target for target in targets if not urlsplit(target).scheme and not target.startswith("#")]


@pytest.fixture
def fresh_folder(tmp_path, monkeypatch):
    """Somewhere to run examples from: configs are in sight, results are not left in the project."""
    (tmp_path / "configs").symlink_to(ROOT / "configs", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_both_commands_stand_word_for_word():
    lines = README.read_text(encoding="utf-8").splitlines()
    assert [command for command in COMMANDS if command not in lines] == []


def test_the_python_example_runs(fresh_folder, capsys):
    (example,) = code_blocks(README, "python")
    quicker, replaced = re.subn(r"n_paths=[\d_]+", "n_paths=200", example)
    assert replaced == 1
    exec(compile(quicker, "README.md", "exec"), {})
    assert "Fund exhausted" in capsys.readouterr().out
    assert (fresh_folder / "ruin_curve.png").stat().st_size > 10_000


def test_the_scenario_of_the_readme_is_valid(fresh_folder):
    (ours,) = code_blocks(README, "toml")
    Path("ours.toml").write_text(ours, encoding="utf-8")
    scenario = stress.Scenario.load("ours.toml")
    assert (scenario.run.name, scenario.fund.initial_usd) == ("ours", 40.0e6)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page):
    missing = [target for target in links(page) if not (page.parent / unquote(urlsplit(target).path)).exists()]
    assert missing == []


def test_the_figure_is_small_enough_for_a_repository():
    assert 10_000 < (ROOT / "docs" / "img" / "ruin_curve.png").stat().st_size < 200_000


def test_the_result_is_a_page_of_the_default_scenario():
    (block,) = re.findall("<!-- result -->\n```text\n(.*?)```\n<!-- /result -->", README.read_text("utf-8"), flags=re.S)
    scenario = stress.Scenario.load(ROOT / "configs" / "btc_perpetual.toml")
    assert block.startswith(f"{scenario.run.name}: fund ")
    assert f"seed {scenario.run.seed};" in block
    assert block.endswith("No rule prescribes this figure.\n")


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.stem)
def test_every_shipped_scenario_is_in_the_table(config):
    assert f"| [`{config.stem}`](configs/{config.name}) |" in README.read_text(encoding="utf-8")


def test_the_recipes_run_as_shown(fresh_folder):
    guide = ROOT / "CONTRIBUTING.md"
    pattern = r"^`stress/\w+/(\w+\.py)`:\n\n```python\n(.*?)^```$"
    recipes = dict(re.findall(pattern, guide.read_text(encoding="utf-8"), flags=re.M | re.S))
    assert list(recipes) == ["miner.py", "storm.py", "power.py"]
    for name, source in recipes.items():
        Path(name).write_text(source, encoding="utf-8")
    (scenario,) = code_blocks(guide, "toml")
    Path("recipes.toml").write_text(scenario, encoding="utf-8")
    # In a process of its own: the kinds that it registers are not those of the other tests.
    command = [sys.executable, "-W", "error", "-c", RUN_RECIPES]
    found = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip() == "['maker', 'miner', 'trader']"


@pytest.mark.filterwarnings("error")
def test_the_page_about_mesa_runs(capsys):
    page = "\n".join(code_blocks(ROOT / "docs" / "mesa.md", "python"))
    exec(compile(page, "mesa.md", "exec"), {"__name__": "mesa_page"})
    assert "'cross_low': 60" in capsys.readouterr().out
