"""Whose positions make the worst moments: the same losses under other labels, and by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from stress.census import holdings
from stress.cli import main
from stress.coalitions import attribute
from stress.engines.population import draw_population
from stress.engines.results import by_cohort
from stress.exchange.state import MAX_COHORTS
from stress.holders import BY, _losses, holders, positions_of, relabeled
from stress.scenario import Scenario, ScenarioError
from stress.variants import Runner

CONFIGS = Path(__file__).parents[2] / "configs"
TINY = str(CONFIGS / "tiny.toml")


@pytest.fixture(scope="module")
def tiny():
    return Scenario.load(TINY)


@pytest.fixture(scope="module")
def several():
    return Scenario.load(CONFIGS / "cross_margin.toml").with_(**{"run.horizon_hours": 24.0})


def test_ranks_and_bands_of_accounts(tiny):
    held = positions_of(tiny, draw_population(tiny, 0))
    names, group = BY["account"](held, tiny)
    order = np.argsort(-held.accounts.gross, kind="stable")
    assert names[:2] == ["account #1", "account #2"]
    assert names[10:] == ["#11 to #100", "#101 to #1,000", "below #1,000"]
    assert group[order].tolist() == [*range(10), *[10] * 90, *[11] * (order.size - 100)]


def test_leverage_is_notional_over_equity(tiny):
    population = draw_population(tiny, 0)
    held, a = positions_of(tiny, population), population.accounts
    equity = a["collateral"] + a["qty"] * (population.price - a["entry"])
    assert held.accounts.leverage == pytest.approx(np.abs(a["qty"]) * population.price / equity)
    names, group = BY["leverage"](held, tiny)
    assert all((held.accounts.leverage[group == names.index("5x to 10x")] - 7.5) ** 2 <= 2.5**2)


@pytest.mark.parametrize("by", ["account", "leverage"])
def test_losses_by_group_are_those_of_the_cohorts_taken_apart(tiny, by):
    # Path by path: they add up to the drawdown, and where a group is a whole cohort they are the cohort's.
    runner = Runner(tiny, 200)
    population = runner.first
    states = runner.engine.run(population, 0, 0, 200).shadow
    held = positions_of(tiny, population)
    names, group = BY[by](held, tiny)
    found, losses = _losses(runner, population, held, group, len(names), (0, 0, 200))
    assert np.array_equal(found, states["drawdown"])
    assert found.max() > 1e5
    assert losses.sum(axis=1) == pytest.approx(found, abs=1e-9 * found.max())
    cohort = held.cohort
    _, by_row = _losses(runner, population, held, cohort, MAX_COHORTS, (0, 0, 200))
    assert by_row[:, :3] == pytest.approx(by_cohort(states, 3)[:, :3], abs=1e-9 * found.max())


def test_more_groups_than_labels_are_told_a_few_at_a_time(tiny):
    runner = Runner(tiny, 100)
    held = positions_of(tiny, runner.first)
    single = np.arange(held.account.size)
    found, losses = _losses(runner, runner.first, held, single, single.size, (0, 0, 100))
    assert losses.sum(axis=1) == pytest.approx(found, abs=1e-8 * found.max())
    rank = np.argsort(-held.accounts.gross)[0]
    _, first = _losses(runner, runner.first, held, BY["account"](held, tiny)[1], 13, (0, 0, 100))
    assert first[:, 0] == pytest.approx(losses[:, rank], abs=1e-9 * found.max())


def test_several_symbols_share_what_a_portfolio_loses(several):
    runner = Runner(several, 40)
    held = positions_of(several, runner.first)
    names, group = BY["symbol"](held, several)
    found, losses = _losses(runner, runner.first, held, group, len(names), (0, 0, 40))
    assert np.array_equal(found, runner.engine.run(runner.first, 0, 0, 40).shadow["drawdown"])
    assert losses.sum(axis=1) == pytest.approx(found, abs=1e-9 * max(found.max(), 1.0))


def test_coins_are_part_of_a_portfolios_equity(several):
    population = Runner(several, 40).first
    assert population.portfolios.coins.any()
    held = positions_of(several, population)
    assert np.array_equal(held.accounts.leverage, holdings(several, population).leverage)
    assert np.bincount(held.account, held.notional) == pytest.approx(held.accounts.gross)


def test_shares_add_up_and_agree_with_the_cohorts(tiny):
    found = holders(tiny, "leverage", level=0.9, n_paths=500)
    assert sum(group.share for group in found.groups) + found.income == pytest.approx(1.0)
    assert sum(group.of_notional for group in found.groups) == pytest.approx(1.0)
    assert all(group.standard_error > 0.0 for group in found.groups if group.share != 0.0)
    cohorts = attribute(tiny, level=0.9, n_paths=500)
    assert 1.0 - found.income == pytest.approx(sum(row.present for row in cohorts.shares))


def test_a_label_changes_nothing_but_itself(tiny):
    population = draw_population(tiny, 0)
    label = np.arange(population.accounts.size) % 7
    other = relabeled(population, label)
    assert other.accounts["cohort"].tolist() == label.tolist()
    names = [name for name in other.accounts.dtype.names if name != "cohort"]
    assert (other.accounts[names] == population.accounts[names]).all()


@pytest.mark.parametrize(
    ("changes", "by", "said"),
    [
        ({}, "symbol", "needs \\[\\[asset\\]\\]"),
        ({}, "color", "is one of cohort, account, leverage, symbol"),
        ({"renewal": {}}, "account", "renewal"),
    ],
)
def test_what_cannot_be_shared_is_one_line(tiny, changes, by, said):
    with pytest.raises(ScenarioError, match=said):
        holders(tiny.with_(**changes), by, n_paths=2_000)


def test_the_command_prints_a_table(capsys):
    asked = ["attribute", TINY, "--by", "leverage", "--level", "0.9", "--paths", "500", "--no-progress"]
    assert main(asked) == 0
    page = capsys.readouterr().out
    assert "5x to 10x" in page
    assert "income of the fund" in page
    assert main([*asked, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["schema"] == "fundstress.holders/1"
    assert main([*asked, "--shapley"]) == 2
    assert "--shapley is of cohorts" in capsys.readouterr().err
