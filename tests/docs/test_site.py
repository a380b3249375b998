"""The site builds without a warning: internal links lead somewhere, docstrings are well-formed."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def rows_of(page):
    lines = (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")][2:]


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    for needed in ("sphinx", "numpydoc", "myst_nb", "pydata_sphinx_theme"):
        pytest.importorskip(needed, reason="the extra `docs` is not installed")
    words = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", "docs", ".", str(tmp_path)]
    built = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "docs" / "reference.html").read_text(encoding="utf-8").count("stress.Scenario") > 0


def test_the_glossary_is_in_order_and_every_word_has_its_chinese():
    rows = rows_of("glossary.md")
    words = [row[0] for row in rows]
    assert words == sorted(words, key=str.lower)
    assert len(set(words)) == len(words)
    assert all(len(row) == 4 and any("\u4e00" <= sign <= "\u9fff" for sign in row[1]) for row in rows)
