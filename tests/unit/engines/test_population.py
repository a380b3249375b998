from pathlib import Path

import numpy as np
import pytest

from stress.engines.population import draw_population, shares
from stress.scenario import Scenario

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
