"""Every agent type as Mesa agents: the records go in and come out, and who is closed has gone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stress
from stress.accounts import ACCOUNT, LEG
from stress.agents.base import Cohort
from stress.engines.population import draw_population
from stress.engines.portfolio_model import PortfolioReference

TINY = Path(__file__).parents[2] / "configs" / "tiny.toml"
FALL = {"at_hours": 0.5, "minutes": 20.0, "move": -0.2}
RISE = {"at_hours": 1.25, "minutes": 20.0, "move": 0.45}
every_cohort = pytest.mark.parametrize("kind", sorted(Cohort.family))


def crowd(cohort):
    """Return traders who hold what a cohort leaves."""
    taken = (0.0, 0.0) if cohort.explicit else cohort.shares()
    table = {"kind": "trader", "name": "crowd", "count": 60, "leverage_median": 15.0, "largest_share": 0.2}
    left = {name: max(0.0, 1.0 - share) for name, share in zip(("long_share", "short_share"), taken, strict=True)}
    return [table | left] if max(left.values()) > 0.0 else []


@pytest.fixture
def scenario(example):
    """Put a cohort beside a crowd and makers, through a fall and a rise that liquidate both sides."""

    def make(kind):
        cohort = example(Cohort.family[kind], **({"count": 100} if kind == "trader" else {}))
        makers = [] if cohort.is_maker else [{"kind": "maker", "name": "makers", "collateral_usd": 20.0e6}]
        population = [*crowd(cohort), cohort.model_dump(exclude_none=True), *makers]
        overrides = {"run.horizon_hours": 2.0, "run.n_paths": 4, "run.redraw_every": 2, "shock": [FALL, RISE]}
        return stress.Scenario.load(TINY, overrides={**overrides, "population": population})

    return make


@pytest.fixture
def model(scenario):
    return lambda kind: stress.InsuranceFundModel(scenario(kind), path=1)


@every_cohort
def test_records_to_agents_to_records_is_exact(model, kind):
    fresh = model(kind)
    assert fresh.accounts().tobytes() == fresh.population.accounts.tobytes()


@every_cohort
def test_agents_are_of_a_class_named_after_their_type(model, kind, example):
    names = {Cohort.family["trader"].__name__, Cohort.family[kind].__name__}
    without = set() if example(Cohort.family[kind]).n_seats else {Cohort.family[kind].__name__}
    assert {type(agent).__name__ for agent in model(kind).agents} == names - without


@every_cohort
def test_whoever_is_closed_never_acts_again(model, kind):
    m = model(kind)
    living, done = {agent.account for agent in m.agents}, 0
    while m.running:
        m.step()
        assert {row[3] for row in m.ledger[done:]} <= living
        living, done = {agent.account for agent in m.agents} & living, len(m.ledger)
    assert done > 0


@every_cohort
def test_whoever_is_left_has_finite_numbers_of_the_same_types(model, kind):
    m = model(kind).run_path()
    left = m.accounts()
    assert left.dtype == ACCOUNT
    assert all(np.isfinite(left[name]).all() for name in ACCOUNT.names)
    kinds = {np.dtype(np.float64): float, np.dtype(np.int64): int}
    assert all(type(getattr(agent, name)) is kinds[ACCOUNT[name]] for agent in m.agents for name in ACCOUNT.names)


@every_cohort
def test_the_books_balance(model, kind):
    assert model(kind).run_path().state.conservation_error < 1e-9


@every_cohort
@pytest.mark.parametrize("engine", ["loop", "auto"])
def test_all_engines_liquidate_the_same_accounts(scenario, kind, engine):
    order = ["path", "step", "round", "account"]
    runs = [stress.run(scenario(kind), engine=e, threads=1, ledger=True) for e in ("reference", engine)]
    first, second = (np.sort(run.ledger, order=order) for run in runs)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(runs[0].drawdown, runs[1].drawdown, rtol=1e-9, atol=1e-6)


def test_portfolios_to_agents_to_portfolios_is_exact():
    scenario = stress.Scenario.load(TINY.with_name("cross_margin.toml"), overrides={"run.horizon_hours": 1.0})
    population: Any = draw_population(scenario, 0)
    engine = PortfolioReference(scenario, population, keep_ledger=False)
    model = engine.model(population, engine.world.block(0, 1), 0, 0, bottomless=True)
    legs = [tuple(getattr(leg, name) for name in LEG.names) for agent in model.agents for leg in agent.legs]
    assert np.array(legs, LEG).tobytes() == population.portfolios.legs.tobytes()
    assert model.agents.get("wallet") == population.portfolios.wallet.tolist()
    assert model.agents.get("coins") == population.portfolios.coins.tolist()
