from pathlib import Path

import numpy as np
import pytest

from stress.accounts import ACCOUNT, grid
from stress.agents.base import Cohort
from stress.engines.population import draw_population, shares
from stress.scenario import Scenario, ScenarioError

TINY = Path(__file__).parents[3] / "configs" / "tiny.toml"


def drawn(**overrides):
    scenario = Scenario.load(TINY, overrides={name.replace("__", "."): value for name, value in overrides.items()})
    return scenario, draw_population(scenario, 0)


@pytest.mark.parametrize("whale", [0.01, 0.1, 0.2])
def test_shares_are_reported_of_the_whole_side(whale):
    found = {(s.cohort, s.side): s.requested for s in shares(*drawn(population__2__share=whale))}
    assert found["whale", "long"] == pytest.approx(whale)
    assert found["isolated", "long"] == pytest.approx(0.5 * (1.0 - whale))
    assert found["isolated", "short"] == pytest.approx(0.45)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_coins_held_as_collateral_are_no_part_of_an_achieved_share(share):
    for found in shares(*drawn(exchange__collateral_in_coin=share)):
        assert found.achieved == pytest.approx(found.requested, rel=2e-3)


def test_no_coins_is_the_default():
    (_, plain), (_, none) = drawn(), drawn(exchange__collateral_in_coin=0.0)
    assert (plain.accounts == none.accounts).all()


def test_coins_are_a_long_position_of_everybody_but_the_makers():
    (_, cash), (_, coin) = drawn(), drawn(exchange__collateral_in_coin=0.4)
    coins = coin.accounts["qty"].sum() - cash.accounts["qty"].sum()
    assert coins == pytest.approx(0.4 * np.maximum(cash.accounts["collateral"], 0.0).sum() / cash.price, rel=0.02)


def test_the_deposits_of_a_book_do_not_depend_on_what_they_are_held_in():
    (_, cash), (_, coin) = drawn(), drawn(exchange__collateral_in_coin=0.4)
    assert coin.deposits == pytest.approx(cash.deposits, rel=1e-6)


# --- agent types of a user's own


class Own(Cohort):
    """One long of 1 BTC at 50,000, but for what is spoilt."""

    spoilt: str = ""
    number: float = 0.0

    def draw(self, rng, venue):
        accounts = np.zeros(1, ACCOUNT)
        accounts["qty"], accounts["entry"], accounts["collateral"] = 1.0, 50_000.0, 10_000.0
        if self.spoilt:
            accounts[self.spoilt] = self.number if np.isfinite(self.number) else np.nan
        return accounts


class Careless(Own):
    """Draws, and does not say so."""

    def draw(self, rng, venue):
        rng.random()
        return super().draw(rng, venue)


class Listed(Own):
    """Returns a list."""

    def draw(self, rng, venue):
        return [(1.0, 50_000.0, 10_000.0)]


def with_own(cohort):
    scenario = Scenario.load(TINY)
    return draw_population(scenario.model_copy(update={"population": (*scenario.population, cohort)}), 0)


def test_an_agent_type_of_ones_own_joins_the_population():
    assert with_own(Own(name="own")).accounts[-1]["qty"] == 1.0


@pytest.mark.parametrize("name", ["qty", "entry", "collateral"])
def test_an_account_between_the_grids_is_refused(name):
    step = grid(getattr(Scenario.load(TINY).venue, {"qty": "lot", "entry": "tick", "collateral": "cent"}[name]))
    with pytest.raises(ScenarioError, match=rf"^population\.4: 'own': draw\(\) returned {name} off the venue's grid"):
        with_own(Own(name="own", spoilt=name, number=50_000.0 + 0.3 * step))


def test_an_account_without_a_position_is_refused():
    with pytest.raises(ScenarioError, match="accounts without a position"):
        with_own(Own(name="own", spoilt="qty", number=0.0))


def test_a_number_that_is_not_finite_is_refused():
    own = Own(name="own", spoilt="entry").model_copy(update={"number": np.nan})
    with pytest.raises(ScenarioError, match="entry that is not finite"):
        with_own(own)


def test_what_is_no_array_of_accounts_is_refused():
    with pytest.raises(ScenarioError, match="returned list, not an array of accounts"):
        with_own(Listed(name="own"))


def test_laws_that_are_not_declared_are_refused():
    with pytest.raises(ScenarioError, match="must say laws = True"):
        with_own(Careless(name="own"))
