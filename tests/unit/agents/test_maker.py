from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

import stress
from stress.agents.maker import Maker
from stress.exchange.liquidity import makers_capacity
from stress.scenario import ScenarioError

TINY = Path(__file__).parents[3] / "configs" / "tiny.toml"


def test_makers_hold_what_the_others_leave_and_are_not_drawn(venue, rng):
    maker = Maker(name="makers", collateral_usd=1e6)
    assert maker.is_maker
    assert maker.draw(rng, venue).size == 0


def test_makers_ask_for_no_share_of_open_interest():
    assert Maker(name="makers", collateral_usd=1e6).shares() == (0.0, 0.0)


def test_makers_are_deleveraged_unless_exempt():
    assert Maker(name="makers", collateral_usd=1e6).deleverageable


def test_makers_need_money():
    with pytest.raises(ValidationError, match="collateral_usd"):
        Maker(name="makers", collateral_usd=0.0)


def capacity(qty, **limit):
    state = SimpleNamespace(maker_collateral=1e6, maker_qty=qty, maker_cost=qty * 50_000.0, mark=50_000.0, funding=0.0)
    return makers_capacity(state, SimpleNamespace(per_maker_margin=1e-6, per_maker_limit=limit.get("per", 0.0)))


@pytest.mark.parametrize(("qty", "quoted"), [(0.0, 1.0), (5.0, 0.75), (-5.0, 0.75), (20.0, 0.01), (40.0, 0.01)])
def test_makers_quote_in_proportion_to_what_is_left_of_their_limit(qty, quoted):
    assert capacity(qty, per=1e-6) == pytest.approx(quoted)  # a limit of USD 1 m, 20 coins


def test_without_a_limit_inventory_alone_takes_nothing_off_the_quotes():
    assert capacity(40.0) == 1.0


def test_a_limit_that_nothing_reads_is_refused():
    makers = {"kind": "maker", "name": "makers", "collateral_usd": 1e6, "inventory_limit_usd": 1e6}
    scenario = stress.Scenario.load(TINY)
    with pytest.raises(ScenarioError, match=r"population.1.inventory_limit_usd: has no effect unless liquidity"):
        scenario.with_(population=[scenario.tables()["population"][0] | {"long_share": 1.0}, makers])
