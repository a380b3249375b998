"""Variants share their random numbers; the table of model risk says what each of them needs."""

from pathlib import Path

import numpy as np
import pytest

import stress
from stress import toml, variants
from stress.engines.population import draw_population
from stress.scenario import Scenario, ScenarioError
from stress.summary import model_risk_from_dict

CONFIGS = Path(__file__).parents[2] / "configs"
TINY = toml.read(CONFIGS / "tiny.toml") | {"reserve": {"levels": [0.5, 0.9]}}
SAME = {"axis": "none", "name": "same", "set": {"market.vol_annual": 2.0}}
HOT = {"axis": "regime", "name": "hot", "set": {"market.vol_annual": 4.0}}
RICH = {"axis": "fund", "name": "rich", "set": {"fund.initial_usd": 1e12}}


def scenario(*overlays):
    return Scenario.from_tables({**TINY, "overlay": list(overlays)})


@pytest.fixture(scope="module")
def risk():
    return stress.model_risk(scenario(SAME, HOT, RICH), n_paths=200)


def test_an_overlay_that_changes_nothing_has_ratio_one(risk):
    assert risk.variants[0].ratio == 1.0


def test_variants_stand_in_the_order_of_the_file(risk):
    assert [(row.axis, row.name) for row in risk.variants] == [("none", "same"), ("regime", "hot"), ("fund", "rich")]


def test_the_ratio_is_the_reserve_over_that_of_the_scenario(risk):
    hot = risk.variants[1]
    assert hot.ratio == hot.reserve / risk.base.reserve > 1.0


def test_ruin_is_against_the_fund_of_the_variant(risk):
    assert risk.base.ruin > 0.0
    assert (risk.variants[2].ruin, risk.variants[2].ratio) == (0.0, 1.0)


def test_the_level_is_the_nearest_to_the_middle_that_the_paths_support(risk):
    assert risk.level == 0.9
    assert stress.model_risk(scenario(), n_paths=8).level == 0.5


def test_a_level_that_no_path_supports_has_no_reserve():
    few = stress.model_risk(scenario(SAME), n_paths=2)
    assert (few.base.reserve, few.variants[0].ratio) == (None, None)


def test_the_scenario_among_its_variants_is_the_scenario_run_alone(risk):
    alone = stress.run(scenario().with_(**{"run.redraw_every": 8}), 200)
    assert risk.base.reserve == stress.summarize(alone).reserve(0.9).value
    assert risk.base.ruin == np.mean(alone.drawdown > alone.facts.fund_initial)


def test_results_do_not_depend_on_threads(risk):
    assert stress.model_risk(scenario(SAME, HOT, RICH), n_paths=200, threads=1) == risk


def test_model_risk_reads_back_from_its_document(risk):
    assert model_risk_from_dict(risk.to_dict()) == risk


def test_a_fund_in_coin_is_run_as_large_as_it_is():
    coin = {"axis": "coin", "name": "half", "set": {"fund.in_coin": 0.5}}
    found = stress.model_risk(scenario(coin, RICH), n_paths=200)
    assert 0.0 < found.variants[0].reserve < 1e3 * found.base.reserve


def test_variants_that_share_a_key_draw_the_same_accounts():
    base = Scenario.load(CONFIGS / "btc_perpetual.toml").with_(**{"population.0.count": 400, "population.1.count": 400})
    drawn = {}
    for runner in variants.runners_of(base, 1):
        accounts = draw_population(runner.scenario, 1).accounts
        assert np.array_equal(drawn.setdefault(runner.key, accounts), accounts)
    assert len(drawn) < 1 + len(base.overlay)


def test_an_overlay_that_cannot_be_run_is_named(monkeypatch):
    def refuse(scenario, index):
        if scenario.market.vol_annual == 4.0:
            raise ScenarioError("population.0: is liquidatable at the start")
        return draw_population(scenario, index)

    monkeypatch.setattr(variants, "draw_population", refuse)
    with pytest.raises(ScenarioError, match=r"^overlay regime/hot: population.0: is liquidatable"):
        stress.model_risk(scenario(HOT), n_paths=10)
