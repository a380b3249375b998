"""The account loop is compiled ahead on the first run of a version, and only where it pays."""

import io
import json
from pathlib import Path

import pytest

from stress import ahead
from stress.scenario import Scenario

TINY = Scenario.load(Path(__file__).parents[2] / "configs" / "tiny.toml")
LONG = TINY.with_(**{"run.n_paths": ahead.LONG_RUN})


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """Return a cache folder in which nothing is compiled."""
    monkeypatch.setattr(ahead, "cache_folder", lambda: tmp_path)
    return tmp_path


def test_nothing_compiled_is_a_first_run(cache):
    (cache / "decorated").mkdir()
    assert ahead.is_first_run()


def test_one_kernel_compiled_is_not(cache):
    (cache / "ladder.run_block-1.py311.nbi").touch()
    assert not ahead.is_first_run()


def test_a_short_run_does_not_start_a_process(cache):
    with ahead.compiling_ahead(TINY) as ready:
        assert ready is None


def test_nor_does_a_long_one_whose_kernels_are_there(cache):
    (cache / "kernel.nbi").touch()
    with ahead.compiling_ahead(LONG) as ready:
        assert ready is None


def test_a_long_first_run_waits_for_its_helper(cache, monkeypatch):
    monkeypatch.setattr(ahead.sys, "executable", "/bin/true")
    with ahead.compiling_ahead(LONG) as ready:
        assert ready() == 0


def test_the_helper_compiles_for_the_scenario_that_it_reads(monkeypatch):
    prepared = []
    monkeypatch.setattr(
        "stress.engines.compiled.CompiledEngine.prepare", lambda self, _: prepared.append(self.scenario)
    )
    ahead.compile_loop(io.StringIO(json.dumps(TINY.tables())))
    assert [scenario.sha256 for scenario in prepared] == [TINY.sha256]
