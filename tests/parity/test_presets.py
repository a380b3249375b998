"""Every preset on one stressed population, in every engine that can run it: the same ledger, money and balanced books.

A new preset file is covered by itself.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

import stress
from stress import presets
from stress.compare import in_money_of, post_margin, under_preset
from stress.engines.base import Job, Progress
from stress.engines.choose import choose_engine, ladder_obstacle
from stress.engines.population import draw_population
from stress.outcomes import COLUMNS

TINY = Path(__file__).parents[2] / "configs" / "tiny.toml"
SIZE = {"run.n_paths": 6, "run.redraw_every": 3, "liquidity.permanent_share": 0.0, "fund.initial_usd": 40_000.0}
COMPARED = [name for name in COLUMNS if name != "conservation_error"]
EVERY = pytest.mark.parametrize("name", presets.names())


class Posted(Job):
    """A run whose accounts post what the preset's venue asks for."""

    def _draw(self, index):
        own = base(self.scenario.exchange.contract.kind)
        return post_margin(draw_population(own, index), own, self.scenario)


@cache
def base(contract="linear"):
    scenario = stress.Scenario.load(TINY, overrides=SIZE)
    return scenario if contract == "linear" else in_money_of(scenario, contract)


def under(name):
    return under_preset(base(presets.load(name).contract), name)


@cache
def result(name, engine):
    job = Posted(under(name).with_(**{"run.engine": engine}), ledger=True)
    job.run(1, Progress())
    return job.results


def engines(name):
    """Return the compiled engines that can run a preset."""
    return ["loop"] if ladder_obstacle(under(name)) else ["loop", "ladder"]


@EVERY
def test_every_engine_that_can_run_a_preset_keeps_the_ledger_of_the_reference(name):
    for engine in engines(name):
        np.testing.assert_array_equal(result(name, engine).liquidations(), result(name, "reference").liquidations())


@EVERY
def test_every_engine_that_can_run_a_preset_gives_the_same_money(name):
    for engine in engines(name):
        for column in COMPARED:
            found, wanted = result(name, engine).columns[column], result(name, "reference").columns[column]
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-6, err_msg=f"{engine}: {column}")


@EVERY
def test_books_balance_and_the_fund_ends_at_zero_at_worst(name):
    for engine in ("reference", *engines(name)):
        columns = result(name, engine).columns
        assert columns["conservation_error"].max() <= 1e-9
        assert columns["fund_end"].min() >= -1e-9 * result(name, engine).scenario.exchange.open_interest_usd


@EVERY
def test_auto_runs_every_preset(name):
    assert choose_engine(under(name)).name in ("loop", "ladder")


def test_most_presets_liquidate_somebody():
    quiet = [name for name in presets.names() if result(name, "loop").columns["liquidated_accounts"].sum() == 0]
    assert set(quiet) <= {"eu_retail"}
