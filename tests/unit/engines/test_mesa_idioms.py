"""What Mesa users do with a model, on Mesa 3.3 and 3.5 alike, with every warning an error."""

import inspect
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import mesa
import numpy as np
import pytest

import stress

TINY = Path(__file__).parents[3] / "configs" / "tiny.toml"
RUNS_EVENTS = hasattr(mesa.Model, "run_for")  # Mesa 3.5
pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def scenario():
    """One hour of the little venue, with a fall of 6 % in its middle."""
    fall = {"at_hours": 0.5, "minutes": 10.0, "move": -0.06}
    return stress.Scenario.load(TINY, overrides={"run.horizon_hours": 1.0, "shock": [fall]})


@pytest.fixture
def model(scenario):
    return stress.InsuranceFundModel(scenario, path=7)


@pytest.fixture(scope="module")
def finished(scenario):
    return stress.InsuranceFundModel(scenario, path=7).run_path()


def outcome(model):
    return (model.fund, model.mark, model.state.liquidated_accounts, model.ledger, model.accounts().tobytes())


# --- construction


def test_every_argument_has_a_default_and_none_is_positional_only():
    parameters = inspect.signature(stress.InsuranceFundModel).parameters.values()
    assert {p.kind.name for p in parameters} == {"POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY", "VAR_KEYWORD"}
    assert [p.name for p in parameters if p.default is inspect.Parameter.empty] == ["kwargs"]


def test_a_model_needs_no_arguments():
    model = stress.InsuranceFundModel()
    model.step()
    assert len(model.population.accounts) > 1_000
    assert model.hours == pytest.approx(1.0 / 12.0)


def test_flat_arguments_make_another_venue(scenario):
    model = stress.InsuranceFundModel(scenario, n_traders=100, fund_usd=5.0e5, **{"run.step_seconds": 120.0})
    assert {len(model.agents), model.fund, model.n_steps} == {101, 5.0e5, 30}


def test_tables_make_a_model(scenario):
    assert len(stress.InsuranceFundModel(scenario.tables()).agents) == 200


# --- randomness


def test_a_seed_gives_the_paths_of_a_run_with_that_seed(scenario):
    outcomes = stress.run(scenario, n_paths=2, rng=11, engine="reference", threads=1)
    fixed = scenario.with_(**{"run.n_paths": 2})
    models = [stress.InsuranceFundModel(fixed, path=p, rng=11, bottomless=True).run_path() for p in (0, 1)]
    np.testing.assert_array_equal([m.state.drawdown for m in models], outcomes.drawdown)


@pytest.mark.parametrize("root", [np.random.SeedSequence, np.random.default_rng])
def test_generators_and_seed_sequences_are_roots_of_randomness(scenario, root):
    first, second, other = (stress.InsuranceFundModel(scenario, rng=root(s)).accounts().tobytes() for s in (1, 1, 2))
    assert first == second != other


def test_no_generator_of_mesa_is_shared_between_paths(scenario):
    draws = [stress.InsuranceFundModel(scenario, path=p).rng.random() for p in (0, 1, 0)]
    assert draws[0] == draws[2] != draws[1]


# --- time


def test_a_model_runs_until_its_horizon_and_no_further(scenario, finished):
    model = stress.InsuranceFundModel(scenario, path=7)
    model.run_model()
    assert (model.running, model.steps, model.time, model.hours) == (False, 60, 60.0, 1.0)
    model.step()
    assert outcome(model) == outcome(finished)
    assert len(model.datacollector.get_model_vars_dataframe()) == 60


@pytest.mark.skipif(not RUNS_EVENTS, reason="Mesa 3.5 schedules events")
def test_steps_are_events_of_mesa(model, finished):
    model.run_for(20)
    model.run_until(60.0)
    assert (model.clock, model.running) == (60, False)
    assert outcome(model) == outcome(finished)


@pytest.mark.skipif(not RUNS_EVENTS, reason="Mesa 3.5 hands a scenario of its own to a model")
def test_the_dashboard_may_reset_a_model_with_mesas_own_scenario(model):
    again = stress.InsuranceFundModel(path=7, fund_usd=5.0e5, scenario=type(model.scenario)())
    assert again.accounts().tobytes() == model.accounts().tobytes()
    assert again.fund == 5.0e5


@pytest.mark.skipif(not RUNS_EVENTS, reason="Mesa 3.5 hands a scenario of its own to a model")
def test_a_scenario_of_mesa_holds_flat_arguments():
    from mesa.experimental.scenarios import Scenario

    class Small(Scenario):
        n_traders: int = 100
        horizon_hours: float = 1.0

    told = Small(rng=3)
    model = stress.InsuranceFundModel(scenario=told)
    assert model.scenario is told
    assert (model.n_steps, model.fund_scenario.run.seed) == (12, 3)


# --- data


def test_a_run_of_a_batch_has_a_row_for_every_choice(scenario):
    parameters = {"scenario": [scenario], "path": [6, 7], "fund_usd": [1.0e5, 2.0e5], "exchange.backstop_margin": 0.0}
    rows = mesa.batch_run(stress.InsuranceFundModel, parameters, display_progress=False)
    assert [(row["path"], row["fund_usd"]) for row in rows] == [(6, 1e5), (6, 2e5), (7, 1e5), (7, 2e5)]
    chosen = stress.InsuranceFundModel(scenario, path=7, fund_usd=2.0e5).run_path()
    assert (rows[3]["fund"], rows[3]["mark"]) == (chosen.fund, chosen.mark)


class Reporting(stress.InsuranceFundModel):
    """More columns."""

    model_reporters = stress.InsuranceFundModel.model_reporters | {"living": lambda model: len(model.agents)}
    agent_reporters: ClassVar = {"equity": "equity", "cohort": "cohort_name"}


def test_a_subclass_collects_what_it_names(scenario):
    model = Reporting(scenario, path=7).run_path()
    table, agents = model.datacollector.get_model_vars_dataframe(), model.datacollector.get_agent_vars_dataframe()
    assert list(table.columns) == ["mark", "fund", "open_interest", "inventory", "living"]
    assert table["living"].iloc[-1] == len(model.agents)
    assert agents.loc[60]["equity"].sum() == pytest.approx(model.agents.agg("equity", sum))
    assert set(agents["cohort"]) == {"isolated", "cross", "whale"}


def test_agents_are_reported_by_a_batch(scenario):
    parameters = {"scenario": [scenario.with_(shock=[])], "horizon_hours": 0.1}
    rows = mesa.batch_run(Reporting, parameters, display_progress=False)
    assert len({row["AgentID"] for row in rows}) == len(rows) > 100


def test_a_collector_of_ones_own_takes_over(model):
    model.datacollector = mesa.DataCollector(model_reporters={"hours": "hours"})
    model.run_path()
    assert model.datacollector.get_model_vars_dataframe()["hours"].iloc[-1] == 1.0


def test_collecting_changes_nothing(scenario, finished):
    assert outcome(stress.InsuranceFundModel(scenario, path=7, collect=False).run_path()) == outcome(finished)


# --- agents


def test_agents_can_be_selected_grouped_and_summed(model):
    risky = model.agents.select(lambda agent: agent.leverage > 30.0)
    assert 0 < len(risky) < len(model.agents)
    held = {name: agents.agg("notional", sum) for name, agents in model.agents.groupby("cohort_name")}
    assert sum(held.values()) == pytest.approx(model.agents.agg("notional", sum))
    assert model.agents.groupby("cohort_name").count() == {"isolated": 140, "cross": 59, "whale": 1}
    assert {kind.__name__: len(agents) for kind, agents in model.agents_by_type.items()} == {"Trader": 199, "Whale": 1}


def test_asking_agents_in_random_order_leaves_the_path_as_it_is(model, finished):
    while model.running:
        model.agents.shuffle_do(lambda agent: agent.equity)
        model.agents.do(lambda agent: agent.is_breached)
        model.step()
    assert outcome(model) == outcome(finished)


def test_an_agent_knows_its_leverage(model):
    agent = next(iter(model.agents))
    assert agent.leverage == pytest.approx(abs(agent.qty) * model.state.mark / agent.equity)


class Rescuer(stress.AccountAgent):
    """Posts a tenth of its notional, once, as soon as it has lost half of its margin."""

    def __init__(self, model, **fields):
        super().__init__(model, **fields)
        self.start = self.equity
        self.rescued = 0.0

    def rescue(self):
        if self.rescued == 0.0 and self.equity < 0.5 * self.start:
            self.rescued = self.deposit(0.1 * self.notional)


class Rescued(stress.InsuranceFundModel):
    """Traders act before every step."""

    account_class = Rescuer

    def step(self):
        self.agents.shuffle_do("rescue")
        super().step()


def test_agents_of_ones_own_act_and_the_books_balance(scenario, finished):
    model = Rescued(scenario, path=7).run_path()
    assert model.agents.agg("rescued", sum) > 0.0
    assert model.state.liquidated_accounts < finished.state.liquidated_accounts
    assert model.state.conservation_error < 1e-9
    assert {type(agent).__mro__[1] for agent in model.agents} == {Rescuer}


def test_agents_that_do_nothing_change_nothing(scenario, finished):
    class Idle(stress.InsuranceFundModel):
        account_class = Rescuer

    assert outcome(Idle(scenario, path=7).run_path()) == outcome(finished)


def test_whoever_stops_a_model_has_stopped_it(scenario):
    class Cautious(stress.InsuranceFundModel):
        def step(self):
            super().step()
            if self.state.liquidated_accounts > 0:
                self.running = False

    model = Cautious(scenario, path=7).run_path()
    assert (model.running, model.clock < model.n_steps) == (False, True)


# --- processes

BATCH = """
import mesa
import numpy as np
import stress


class Bots(stress.Cohort, kind="bots"):
    share: float = 0.2
    count: int = 20

    def shares(self):
        return self.share, 0.0

    def draw(self, rng, venue):
        qty = np.full(self.count, self.share * venue.crowd_long / venue.price / self.count)
        return stress.build_accounts(venue, qty, venue.price, 10.0, "isolated")


class Living(stress.InsuranceFundModel):
    model_reporters = {"fund": "fund", "living": lambda model: len(model.agents)}


if __name__ == "__main__":
    tables = stress.Scenario.load(%r, overrides={"run.horizon_hours": 0.5}).tables()
    tables["population"][0]["long_share"] = 0.3
    tables["population"].append({"kind": "bots", "name": "bots"})
    parameters = {"scenario": [stress.Scenario.from_tables(tables)], "path": [0, 1], "leverage_median": [5.0, 20.0]}
    one, two = (mesa.batch_run(Living, parameters, number_processes=n, display_progress=False) for n in (1, 2))
    strip = lambda rows: sorted((r["RunId"], r["path"], r["leverage_median"], r["fund"], r["living"]) for r in rows)
    assert strip(one) == strip(two)
    print(len(two))
"""


def test_a_batch_runs_in_several_processes_without_a_warning(tmp_path):
    script = tmp_path / "batch.py"
    script.write_text(BATCH % str(TINY))
    done = subprocess.run([sys.executable, "-W", "error", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "4\n", "")
