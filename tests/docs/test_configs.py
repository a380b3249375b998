"""Every shipped configuration validates, says what it is, and runs with balanced books."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

import stress

FOLDER = Path(__file__).parents[2] / "configs"
CONFIGS = sorted(path for path in FOLDER.rglob("*.toml") if path.parent.name != "sweeps")  # those are no scenarios
EVERY = pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
N_PATHS, MONTH = 100, 720.0  # a month, in hours, tells of a year's configuration
FEW_POPULATIONS = {"run.redraw_every": 10}  # drawing a population costs more than running a path


@cache
def outcomes(config):
    scenario = stress.Scenario.load(config, overrides=FEW_POPULATIONS)
    if scenario.run.horizon_hours > MONTH:
        scenario = scenario.with_(**{"run.horizon_hours": MONTH})
    return stress.run(scenario, n_paths=min(N_PATHS, scenario.run.n_paths))


@EVERY
def test_a_config_is_named_after_its_file(config):
    assert stress.Scenario.load(config).run.name == config.stem


@EVERY
def test_a_config_begins_by_saying_what_it_is_about(config):
    assert config.read_text().startswith("# ")


@EVERY
def test_a_config_survives_being_written_and_read(config, tmp_path):
    copy = tmp_path / "copy.toml"
    copy.write_text(stress.Scenario.load(config).to_toml())
    assert stress.Scenario.load(copy).sha256 == stress.Scenario.load(config).sha256


@EVERY
def test_a_config_runs(config):
    assert outcomes(config).n_paths == min(N_PATHS, stress.Scenario.load(config).run.n_paths)


@EVERY
def test_a_config_keeps_its_books_balanced(config):
    assert outcomes(config).conservation_error.max() < 1e-9


@EVERY
def test_a_config_never_leaves_the_fund_below_zero(config):
    run = outcomes(config)
    assert run.fund_end.min() >= -1e-9 * run.facts.open_interest


@EVERY
def test_ruin_is_a_drawdown_beyond_the_fund(config):
    run = outcomes(config)
    np.testing.assert_array_equal(run.ruin_step >= 0, run.drawdown > run.facts.fund_initial)


@EVERY
def test_a_config_can_be_summarized(config):
    assert config.stem in str(stress.summarize(outcomes(config)))


@pytest.mark.parametrize("name", ["tiny", "textbook_waterfall"])
def test_the_stressed_configs_liquidate_ruin_and_deleverage(name):
    run = outcomes(next(path for path in CONFIGS if path.stem == name))
    assert run.liquidated_accounts.sum() > 100
    assert (run.ruin_step >= 0).any()
    assert run.deleveraged_notional.sum() > 0


def test_the_page_of_the_textbook_order_says_side_by_side_who_pays():
    summary = stress.summarize(outcomes(next(path for path in CONFIGS if path.stem == "textbook_waterfall")))
    lines = str(summary).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("Who pays"))
    shown = " ".join(lines[at : at + 2])
    assert all(name in shown for name in ("fund draw", "deleveraged", "forgone", "broken hedges", "socialized"))
    named = ("fund_draw", "deleveraged_notional", "forgone_profit", "broken_hedges", "socialized_loss")
    assert min(summary.mean[name] for name in named) > 0.0
