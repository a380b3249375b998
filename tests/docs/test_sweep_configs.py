"""Every shipped sweep file has valid points, the name of its file, and a line in docs/sweeps.md."""

from pathlib import Path

import pytest

from stress.sweeps import Plan

ROOT = Path(__file__).parents[2]
SWEEPS = sorted((ROOT / "configs" / "sweeps").glob("*.toml"))
PAGE = (ROOT / "docs" / "sweeps.md").read_text()


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_a_sweep_file_is_a_plan_of_valid_points(path):
    needs = "saltelli" in path.read_text()
    if needs:
        pytest.importorskip("SALib", reason="the extra 'sensitivity' is not installed")
    plan = Plan.load(path)
    assert plan.settings.name == path.stem
    assert len(plan.rows) > 1
    assert path.read_text().startswith("# ")


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_the_page_of_sweeps_names_it(path):
    assert f"`{path.stem}.toml`" in PAGE
