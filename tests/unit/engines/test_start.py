import numpy as np
import pytest

from stress.engines.results import one_run_curve
from stress.engines.rulebook import rulebook
from stress.engines.start import is_watchful, runs_again
from stress.engines.steps import STATE
from stress.scenario import Scenario

TINY = "configs/tiny.toml"


def scenario(*layers, **overrides):
    layers = [{"kind": "fund"} if layer == "fund" else layer for layer in layers]
    return Scenario.load(TINY, overrides={"layer": layers, **overrides})


LIMITED = {"kind": "fund", "limits": [{"kind": "floor", "usd": 1.0}]}
LOOKING_BACK = {"kind": "fund", "limits": ["fund_drawdown"]}
TOP_UP = {"fund.top_up_usd": 1.0, "fund.top_up_below_usd": 5.0}


@pytest.fixture
def shadow():
    """Five shadow runs: nothing, ruin, bad debt, inventory, coins that fell."""
    states = np.zeros(5, STATE)
    states["ruin_step"] = [-1, 3, -1, -1, -1]
    states["bad_debt"][2] = states["inventory_peak"][3] = states["drawdown"][4] = 1.0
    return states


def test_only_ruined_paths_run_again(shadow):
    assert runs_again(shadow, repeats=False).tolist() == [False, True, False, False, False]


def test_with_limits_every_path_runs_again_on_which_the_fund_had_to_do_anything(shadow):
    assert runs_again(shadow, repeats=True).tolist() == [False, True, True, True, True]


@pytest.mark.parametrize(
    ("layer", "overrides", "repeats"),
    [
        ("fund", {}, False),
        (LIMITED, {}, True),
        ({"kind": "fund", "payment": "all_or_nothing"}, {}, True),
        ("fund", TOP_UP, True),
    ],
)
def test_limits_and_top_ups_repeat_paths(layer, overrides, repeats):
    assert rulebook(scenario(layer, "adl", **overrides), 1e6).repeats == repeats


@pytest.mark.parametrize(
    ("layers", "overrides", "shadow", "configured"),
    [
        (["fund", "adl"], {}, False, False),
        ([LIMITED], {}, False, False),
        ([LOOKING_BACK], {}, False, True),
        (["fund"], TOP_UP, False, True),
        (["fund", {"kind": "adl", "price": "previous_mark"}], {}, False, True),
        ([{"kind": "adl", "price": "previous_mark"}, "fund"], {}, True, True),
    ],
)
def test_a_run_that_remembers_looks_at_every_step(layers, overrides, shadow, configured):
    found = scenario(*layers, **overrides)
    assert (is_watchful(found, 1), is_watchful(found, 0)) == (shadow, configured)


def test_with_limits_one_run_does_not_answer_every_reserve_and_ruin_is_of_the_configured_run():
    exact, why = one_run_curve(scenario(LIMITED))
    assert (exact, scenario(LIMITED).fund_is_limited) == (False, True)
    assert "limits on the use of the fund" in why


def test_top_ups_leave_the_curve_exact():
    assert one_run_curve(scenario("fund", **TOP_UP))[0]
