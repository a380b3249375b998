"""The Mesa model is the same model: records become agents and records again; one path is its row of a run."""

import sys
from pathlib import Path

import mesa
import numpy as np
import pytest

import stress
from stress.outcomes import COLUMNS

TINY = Path(__file__).parents[2] / "configs" / "tiny.toml"


@pytest.fixture(scope="module")
def scenario():
    return stress.Scenario.load(TINY, overrides={"run.n_paths": 20, "run.redraw_every": 10})


@pytest.fixture(scope="module")
def outcomes(scenario):
    return stress.run(scenario, engine="loop", threads=1)


def test_records_to_agents_to_records_is_exact(scenario):
    model = stress.InsuranceFundModel(scenario, path=13)
    assert model.accounts().tobytes() == model.population.accounts.tobytes()


def test_agents_are_instances_of_classes_named_after_their_type(scenario):
    model = stress.InsuranceFundModel(scenario)
    assert {type(agent).__name__ for agent in model.agents} == {"Trader", "Whale"}


def test_agents_hold_python_floats(scenario):
    agent = next(iter(stress.InsuranceFundModel(scenario).agents))
    assert {type(agent.qty), type(agent.entry), type(agent.collateral)} == {float}


@pytest.mark.parametrize("path", [0, 7, 15])
def test_a_model_of_one_path_is_that_row_of_a_run(scenario, outcomes, path):
    ruined = outcomes.ruin_step[path] >= 0
    state = stress.InsuranceFundModel(scenario, path=path, bottomless=not ruined, collect=False).run_path().state
    for name in ("surplus", "bad_debt", "liquidated_notional", "deleveraged_notional", "price_min", "rounds_max"):
        np.testing.assert_allclose(getattr(state, name), outcomes.columns[name][path], rtol=1e-9, atol=1e-6)


def test_the_model_and_the_run_disagree_on_no_fund(scenario, outcomes):
    models = [stress.InsuranceFundModel(scenario, path=p, collect=False).run_path() for p in range(5)]
    np.testing.assert_allclose([m.fund for m in models], outcomes.fund_end[:5], rtol=1e-9, atol=1e-6)


def test_batch_run_runs_the_model_and_reports_the_fund(scenario, outcomes):
    rows = mesa.batch_run(
        stress.InsuranceFundModel,
        parameters={"scenario": [scenario], "path": [0, 1, 2]},
        number_processes=1,
        display_progress=False,
    )
    np.testing.assert_allclose([row["fund"] for row in rows], outcomes.fund_end[:3], rtol=1e-9, atol=1e-6)


def test_batch_run_takes_the_path_of_a_scenario_file():
    parameters = {"scenario": str(TINY), "path": 4}
    rows = mesa.batch_run(stress.InsuranceFundModel, parameters, number_processes=1, display_progress=False)
    assert rows[0]["mark"] > 0


def test_every_column_has_a_counterpart_in_the_state_of_the_model(scenario):
    state = stress.InsuranceFundModel(scenario).state
    derived = {"population", "weight", "fund_end", "fund_cash_end", "backstop_loss", "fund_draw"}
    assert {name for name in COLUMNS if not hasattr(state, name)} == derived


def test_a_subclass_that_changes_the_step_is_still_a_model(scenario):
    class Halted(stress.InsuranceFundModel):
        def liquidate(self):
            """Never liquidate anybody."""

    model = Halted(scenario, path=13).run_path()
    assert model.state.liquidated_accounts == 0
    assert len(model.agents) == model.population.accounts.size


def test_the_model_can_be_given_a_seed(scenario):
    models = [stress.InsuranceFundModel(scenario, rng=seed) for seed in (1, 1, 2)]
    first, second, other = (model.accounts().tobytes() for model in models)
    assert first == second != other


def test_mesa_is_not_needed_by_the_compiled_engines():
    import subprocess

    code = (
        "import sys, stress;"
        f"s = stress.Scenario.load({str(TINY)!r}, overrides={{'run.n_paths': 2, 'run.redraw_every': 2}});"
        "stress.run(s, engine='ladder', threads=1);"
        "assert 'mesa' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
