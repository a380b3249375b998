"""Attackers and panics are the same price for every engine: the ledger and the money agree, several symbols too."""

from pathlib import Path

import numpy as np
import pytest

import stress

CONFIGS = Path(__file__).parents[2] / "configs"
OFTEN = {"leverage": 5.0, "attacks_per_year": 20_000.0}
COHORTS = [
    {"kind": "trader", "name": "crowd", "count": 60, "long_share": 0.9, "short_share": 0.5, "leverage_median": 12.0},
    {"kind": "desk", "name": "desks", "share": 0.1},
    {"kind": "hedger", "name": "hedgers", "short_share": 0.2, "coin_share": 0.5},
    {"kind": "pump", "name": "pump", "share": 0.05, "kept_share": 0.05, "move": 0.3, **OFTEN},
    {"kind": "wall", "name": "wall", "share": 0.1, "accounts": 3, "move": -0.2, **OFTEN},
    {"kind": "oracle_push", "name": "oracle", "share": 0.1, "move": 0.25, **OFTEN},
    {"kind": "panic", "name": "panic", "after_move": -0.05},
    {"kind": "maker", "name": "makers", "collateral_usd": 20.0e6},
]
COHORTS[0] |= {"largest_share": 0.2, "holding_hours": 2.0}
OVERRIDES = {"run.horizon_hours": 2.0, "run.n_paths": 12, "run.redraw_every": 6, "population": COHORTS}


def runs(config, overrides, engines):
    scenario = stress.Scenario.load(CONFIGS / config, overrides=overrides)
    return [stress.run(scenario, engine=engine, threads=1, ledger=True) for engine in engines]


@pytest.mark.parametrize("engine", ["loop", "ladder"])
def test_attacked_paths_agree_with_the_reference(engine):
    first, second = runs("tiny.toml", OVERRIDES, ("reference", engine))
    rows = [np.sort(run.ledger, order=["path", "step", "round", "account"]) for run in (first, second)]
    np.testing.assert_array_equal(*rows)
    np.testing.assert_allclose(first.drawdown, second.drawdown, rtol=1e-9, atol=1e-6)
    assert (first.columns["price_max"] > 1.2 * first.columns["price_min"]).any()
    assert second.conservation_error.max() < 1e-9
