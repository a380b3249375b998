"""A sweep file becomes points that are all valid, or one line that says what is wrong."""

from pathlib import Path

import numpy as np
import pytest

from stress.scenario import Scenario, ScenarioError
from stress.sweeps.plan import Plan
from stress.sweeps.refine import refined

ROOT = Path(__file__).parents[3]
TINY = ROOT / "configs" / "tiny.toml"
HEAD = f'[sweep]\nname = "s"\nscenario = "{TINY}"\n'


def plan_of(tmp_path, text, head=HEAD, **overrides):
    path = tmp_path / "sweep.toml"
    path.write_text(head + text)
    return Plan.load(path, overrides=overrides)


def said(tmp_path, text, head=HEAD):
    with pytest.raises(ScenarioError) as error:
        plan_of(tmp_path, text, head)
    message = str(error.value).removeprefix(f"{tmp_path}/")
    assert "\n" not in message
    return message


def axis(name, values):
    return f'[[axis]]\nname = "{name}"\nvalues = {values}\n'


def test_every_dotted_name_can_vary_presets_and_kinds_alike(tmp_path):
    text = axis("market.vol_annual", "[0.7]") + axis("market.kind", '["gbm"]')
    text += axis("population.2.share", "[0.05, 0.1]") + axis("exchange.disposal.participation", "[0.1, 0.2]")
    plan = plan_of(tmp_path, text)
    assert len(plan.rows) == 4
    changes = plan.changes(3)
    assert next(iter(changes)) == "market.kind"  # it clears the keys of another kind
    assert changes == {
        "market.kind": "gbm",
        "market.vol_annual": 0.7,
        "population.2.share": 0.1,
        "exchange.disposal.participation": 0.2,
        "run.seed": 5,
    }


def test_a_preset_lies_below_what_the_scenario_file_says(tmp_path):
    head = HEAD + "set = { liquidity.permanent_share = 0.0 }\n"
    plan = plan_of(tmp_path, axis("exchange.preset", '["plain_linear", "binance_usdm"]'), head)
    rows = [Scenario.from_tables(plan.tables, overrides=plan.changes(i)) for i in (0, 1)]
    assert [row.exchange.preset for row in rows] == ["plain_linear", "binance_usdm"]
    assert [row.exchange.band.kind for row in rows] == ["none", "market_take"]


def test_several_names_take_the_same_value(tmp_path):
    names = '["population.0.leverage_median", "population.1.leverage_median"]'
    plan = plan_of(tmp_path, f'[[axis]]\nnames = {names}\nlabel = "leverage"\nvalues = [5.0]\n')
    assert plan.columns == ("leverage",)
    found = Scenario.from_tables(plan.tables, overrides=plan.changes(0)).population
    assert [cohort.leverage_median for cohort in found[:2]] == [5.0, 5.0]


def test_points_share_their_random_numbers_unless_told_otherwise(tmp_path):
    text = axis("market.vol_annual", "[1.0, 2.0]")
    plan = plan_of(tmp_path, text)
    assert {plan.changes(i)["run.seed"] for i in (0, 1)} == {5}
    plan = plan_of(tmp_path, text, HEAD + "common_random_numbers = false\n")
    assert len({plan.changes(i)["run.seed"] for i in (0, 1)}) == 2


def test_the_uncertain_ranges_of_a_scenario_are_axes(tmp_path):
    head = f'[sweep]\nname = "s"\nscenario = "{ROOT / "configs" / "btc_perpetual.toml"}"\nuncertain = true\n'
    plan = plan_of(tmp_path, 'design = { kind = "latin_hypercube", points = 4 }\n', head)
    assert (len(plan.axes), len(plan.rows)) == (8, 4)


def test_another_question_is_another_plan(tmp_path):
    text = axis("market.vol_annual", "[1.0, 2.0]")
    plan = plan_of(tmp_path, text)
    assert plan.identity == plan_of(tmp_path, text).identity
    for other in ({"sweep.n_paths": 7}, {"sweep.set": {"market.tail_index": 4.0}}, {"axis.0.values": [1.0, 2.5]}):
        assert plan.identity["plan_sha256"] != plan_of(tmp_path, text, **other).identity["plan_sha256"]


def test_what_is_wrong_is_one_line_with_the_nearest_name(tmp_path):
    vol = axis("market.vol_annual", "[1.0]")
    lines = {
        "unknown key; did you mean 'vol_annual'?": axis("market.vol_anual", "[1.0, 2.0]"),
        "at least one": axis("market.vol_annual", "[]"),
        "is on two axes": vol + vol,
        "there is none": "",
        "sweep.n_path: unknown key; did you mean 'n_paths'?": "n_path = 5\n" + vol,
        "unknown column 'bad_dept'; did you mean 'bad_debt'?": 'means = ["bad_dept"]\n' + vol,
        "unknown kind 'latin', known:": 'design = "latin"\n' + vol,
        "needs 'values' or 'steps'": '[[axis]]\nname = "market.vol_annual"\nlow = 1.0\nhigh = 2.0\n',
    }
    for expected, text in lines.items():
        message = said(tmp_path, text)
        assert expected in message
        assert message.startswith("sweep.toml: ")


def test_points_that_are_no_scenario_are_reported_one_by_one_before_anything_runs(tmp_path):
    message = said(tmp_path, axis("market.vol_annual", "[1.0, -1.0, 2.0, -2.0]"))
    assert "2 of 4 points are no valid scenario: point 1 (market.vol_annual = -1): market.vol_annual:" in message
    assert "point 3 (market.vol_annual = -2)" in message


def test_a_missing_scenario_is_named(tmp_path):
    head = '[sweep]\nname = "s"\nscenario = "none.toml"\n'
    assert said(tmp_path, axis("market.vol_annual", "[1.0]"), head).endswith("none.toml: no such file")


def test_a_grid_is_refined_only_where_ruin_crosses_the_level(tmp_path):
    text = axis("market.vol_annual", "[1.0, 2.0, 3.0]") + axis("market.kind", '["gbm", "volatility_clock"]')
    plan = plan_of(tmp_path, text, HEAD + "refine = { ruin = 0.01 }\n")
    ruin = np.array([0.005, 0.005, 0.005, 0.02, 0.02, np.nan])
    assert refined(plan, ruin) == ((2.5, "gbm"), (1.5, "volatility_clock"))
