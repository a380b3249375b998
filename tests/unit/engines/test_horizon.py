"""At the horizon everybody is settled, whatever the engine was waiting for: no bankrupt account leaves the books."""

import math

import pytest

import stress
from stress.scenario import Scenario

LOSS = 20_000.0  # a long of one unit, 50,000 -> 25,000, with 5,000 of margin
TABLES = {
    "run": {"name": "horizon", "horizon_hours": 0.2, "step_seconds": 60.0, "n_paths": 1},
    "market": {"kind": "scripted", "price_usd": 50_000.0, "log_returns": [0.0] * 11 + [math.log(0.5)]},
    "liquidity": {
        "volume_usd_per_day": 2.0e12,
        "impact": {"kind": "linear", "log_price_per_daily_volume": 0.0},
        "source": "constant",
    },
    "exchange": {"lot": 2.0**-10, "tick": 0.25, "cent": 0.25, "fee": "confiscate", "disposal": "immediate"},
    "funding": {"interval_hours": 100.0, "mean_rate": 0.0, "sd_rate": 0.0},
    "fund": {"initial_usd": 1.0e6},
    "tier": [{"cap_usd": 1.0e12, "max_leverage": 100, "maintenance_margin_rate": 0.005}],
    "layer": ["fund", "adl", "socialize"],
    "population": [
        {"kind": "account", "name": "one", "qty": 1.0, "entry_usd": 50_000.0, "collateral_usd": 5_000.0},
        {"kind": "maker", "name": "makers", "collateral_usd": 1.0e6},
    ],
}
WAITING = {
    "a halt": {"shock": [{"at_hours": 0.18, "minutes": 2.0, "halt": True}]},
    "the next risk check": {"exchange.check_seconds": 300.0},
    "the order": {"exchange.latency_seconds": 120.0},
}


@pytest.mark.parametrize("engine", ["reference", "loop", "ladder"])
@pytest.mark.parametrize("what", list(WAITING))
def test_a_bankrupt_account_is_closed_at_the_horizon(what, engine):
    outcomes = stress.run(Scenario.from_tables(TABLES, overrides=WAITING[what]), engine=engine, threads=1)
    assert outcomes.bad_debt[0] == pytest.approx(LOSS)
    assert outcomes.liquidated_accounts[0] == 1


@pytest.mark.parametrize("engine", ["reference", "loop"])
@pytest.mark.parametrize("what", ["a halt", "the next risk check"])
def test_so_is_one_with_several_symbols(what, engine):
    asset = {"symbol": "BTC", "price_usd": 50_000.0, "beta": 1.0, "own": 0.0, "open_interest_usd": 1e6}
    scenario = Scenario.from_tables(TABLES | {"asset": [asset]}, overrides=WAITING[what])
    assert stress.run(scenario, engine=engine, threads=1).bad_debt[0] == pytest.approx(LOSS)
