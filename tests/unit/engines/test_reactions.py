"""What holders do themselves, by hand: stops, targets and margin from a budget."""

from types import SimpleNamespace

import numpy as np
import pytest

import stress
from stress.engines.reactions import sold_by_holder
from stress.scenario import ScenarioError

TIER = {"cap_usd": 1.0e12, "max_leverage": 50, "maintenance_margin_rate": 0.005}
MAKERS = {"kind": "maker", "name": "makers", "collateral_usd": 1.0e9}
ENGINES = ("reference", "loop", "ladder")


def account(qty=1.0, **keys):
    """Ten times leverage at 100,000: a margin of 10,000 a coin."""
    return {"kind": "account", "name": "a", "qty": qty, "entry_usd": 1e5, "collateral_usd": 1e4 * abs(qty), **keys}


def outcome(moves, *accounts, engine="ladder", **changes):
    """Run a book at 100,000 through scripted moves, one a step, without fees, impact or funding."""
    population = [*({**a, "name": f"a{i}"} for i, a in enumerate(accounts)), MAKERS]
    market = {"kind": "scripted", "price_usd": 1e5, "log_returns": tuple(np.log1p(moves))}
    run = {"run.n_paths": 1, "run.engine": engine, "run.horizon_hours": 1.0}
    still = {"funding.mean_rate": 0.0, "funding.sd_rate": 0.0, "liquidity.volume_usd_per_day": 1e18}
    tables = {"population": population, "tier": [TIER], "market": market, **run, **still, **changes}
    return stress.run(stress.Scenario.load("configs/tiny.toml", overrides=tables))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("qty", [1.0, -1.0])
def test_a_stop_sells_before_the_engine_does(engine, qty):
    moved = outcome([-0.06 * qty, -0.05 * qty], account(qty, stop_usd=1e5 - 5e3 * qty), engine=engine)
    assert moved.liquidated_accounts[0] == 0
    assert moved.stopped_notional[0] == pytest.approx(1e5 - 6e3 * qty)
    assert moved.conservation_error[0] < 1e-9


@pytest.mark.parametrize("engine", ENGINES)
def test_a_gap_through_stop_and_maintenance_is_a_liquidation(engine):
    moved = outcome([-0.098], account(stop_usd=95e3), engine=engine)
    assert moved.liquidated_accounts[0] == 1
    assert moved.stopped_notional[0] == 0.0


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("qty", [1.0, -1.0])
def test_a_target_takes_the_profit_and_leaves_nothing_to_liquidate(engine, qty):
    moved = outcome([0.06 * qty, -0.3 * qty], account(qty, target_usd=1e5 + 5e3 * qty), engine=engine)
    assert moved.stopped_notional[0] == pytest.approx(1e5 + 6e3 * qty)
    assert moved.liquidated_accounts[0] == 0


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("qty", [1.0, -1.0])
def test_margin_makes_good_the_loss_while_there_is_money(engine, qty):
    """A loss of 7,500 is made good at once; the next call comes at 0.7 x 17,500, and only 500 are left for it."""
    falls = np.array([1e5, 92.5e3, 87.7e3])
    moves = np.diff(np.log(1e5 + (falls - 1e5) * qty))
    first = outcome(np.expm1(moves[:1]), account(qty, spare_usd=8e3), engine=engine)
    assert first.margin_added[0] == pytest.approx(7.5e3, abs=0.1)
    second = outcome(np.expm1(moves), account(qty, spare_usd=8e3), engine=engine)
    assert second.margin_added[0] == pytest.approx(8e3)
    assert second.liquidated_accounts[0] == 0
    assert second.conservation_error[0] < 1e-9


@pytest.mark.parametrize("engine", ENGINES)
def test_without_money_the_same_fall_liquidates(engine):
    assert outcome([-0.075, -0.05], account(), engine=engine).liquidated_accounts[0] == 1


def test_margin_comes_too_late_for_a_gap():
    moved = outcome([-0.098], account(spare_usd=1e6))
    assert moved.liquidated_accounts[0] == 1
    assert moved.margin_added[0] == 0.0


def test_a_stop_moves_the_price():
    """Its impact liquidates a neighbor whom the fall alone would not have reached."""
    neighbor = {**account(), "collateral_usd": 7e3}
    stops = account(400.0, stop_usd=94e3)
    quiet = outcome([-0.062], neighbor, account(400.0))
    loud = outcome([-0.062], neighbor, stops, **{"liquidity.volume_usd_per_day": 4e9})
    assert quiet.liquidated_accounts[0] == 0
    assert loud.liquidated_accounts[0] >= 1


def test_a_stop_that_would_end_below_zero_is_cancelled():
    """At a fill of 89,000 a margin of 10,000 does not cover the loss of 11,000: the engine will have to act."""
    holder = SimpleNamespace(qty=1.0, entry=1e5, collateral=1e4, stop=95e3, target=0.0, wait=0)
    state = SimpleNamespace(funding=0.0)
    assert sold_by_holder(holder, state, None, 1.0, 89e3, 7) == 0.0
    assert (holder.qty, holder.stop) == (1.0, 0.0)


def test_holders_with_orders_are_for_one_symbol():
    tables = {"population.0.stop_loss": {"share": 0.5}}
    with pytest.raises(ScenarioError, match=r"population.*one symbol"):
        stress.Scenario.load("configs/cross_margin.toml", overrides=tables)


def test_a_cohort_that_sets_stops_must_say_so():
    class Quiet(type(stress.Scenario.load("configs/tiny.toml").population[0])):
        @property
        def reacts(self):
            return False

    cohort = {**stress.Scenario.load("configs/tiny.toml").population[0].model_dump(), "stop_loss": {"share": 1.0}}
    from stress.engines.population import draw_cohort

    scenario = stress.Scenario.load("configs/tiny.toml")
    with pytest.raises(ScenarioError, match="reacts = True"):
        draw_cohort(Quiet(**cohort), np.random.default_rng(1), scenario.venue, "here")


# Laws


def drawn(**keys):
    tables = {f"population.0.{key}": value for key, value in keys.items()}
    scenario = stress.Scenario.load("configs/tiny.toml", overrides=tables)
    from stress.engines.population import draw_population

    found = draw_population(scenario, 0)
    return found.accounts[found.accounts["cohort"] == 0], found.price


def test_stops_lie_where_the_law_says_and_never_beyond_todays_price():
    accounts, price = drawn(stop_loss={"share": 1.0, "least": 0.3, "most": 0.3})
    lost = accounts["qty"] * (accounts["stop"] - accounts["entry"]) / accounts["collateral"]
    long = accounts["qty"] > 0
    assert np.where(long, accounts["stop"] < price, accounts["stop"] > price).all()
    kept = np.isclose(lost, -0.3)
    from_today = accounts["qty"] * (accounts["stop"] - price) / accounts["collateral"]
    assert np.isclose(from_today[~kept], -0.3).all()
    assert kept.mean() > 0.5


def test_a_share_of_holders_leaves_orders():
    accounts, _ = drawn(take_profit={"share": 0.4})
    assert (accounts["target"] > 0).mean() == pytest.approx(0.4, abs=0.2)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("stop_loss", {"share": 1.5}, "share"),
        ("stop_loss", {"share": 0.5, "least": 0.9, "most": 0.1}, "above most"),
        ("top_up", {"share": 0.5, "at": 0.9}, "at"),
        ("take_profit", {"share": 0.5, "most": -1.0}, "most"),
    ],
)
def test_bad_laws_are_one_line(key, value, words):
    with pytest.raises(ScenarioError, match=words) as error:
        drawn(**{key: value})
    assert "\n" not in str(error.value)
