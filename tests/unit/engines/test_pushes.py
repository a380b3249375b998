"""What cohorts add to the price: worked examples of the profile, its cost, its times, and what it costs a fund."""

import math
from pathlib import Path

import numpy as np
import pytest

import stress
from stress.agents.push import Push
from stress.engines.blocks import World
from stress.engines.desks import SeveralWorld
from stress.engines.pushes import add_profile, cost_usd, costs, extremes, first_move, profile_of, reach
from stress.engines.steps import NEVER

TINY = Path(__file__).parents[3] / "configs" / "tiny.toml"
CROWD = {"kind": "trader", "name": "unlevered longs", "count": 20, "long_share": 1.0, "short_share": 0.0}
CROWD |= {"leverage_median": 1.0, "leverage_sigma": 0.0, "holding_hours": 0.0, "largest_share": 0.2}
MAKERS = {"kind": "maker", "name": "makers", "collateral_usd": 100e6}
ATTACKER = {"name": "attacker", "share": 0.1, "leverage": 5.0, "attacks_per_year": 30_000.0}
LAW = {"kind": "square_root", "vol_daily": 0.08}


def scenario(*cohorts, **overrides):
    population = [CROWD, *cohorts, MAKERS]
    tables = stress.Scenario.load(TINY).tables()
    tables["market"] = {"kind": "scripted", "price_usd": 50_000.0}
    return stress.Scenario.from_tables({**tables, "population": population}, overrides=overrides)


def test_the_profile_of_a_push_is_its_move_at_the_ends_of_steps():
    push = Push(move=-0.4, rise_minutes=10.0, hold_minutes=5.0, fade_minutes=10.0, kept=0.5)
    assert profile_of(push, math.inf, 5.0) == pytest.approx([-0.2, -0.4, -0.4, -0.3, -0.2])


def test_a_push_within_a_step_is_all_there_at_its_end():
    assert profile_of(Push(move=0.7, rise_minutes=0.0, kept=1.0), math.inf, 60.0).tolist() == [0.7]


def test_the_reach_of_money_is_that_of_the_square_root_law():
    desk = scenario(**{"liquidity.volume_usd_per_day": 4e8, "liquidity.impact": LAW})
    assert reach(Push(move=9.0, rise_minutes=1.0, flow_usd=1e8), desk) == pytest.approx(0.08 * math.sqrt(0.25))
    assert reach(Push(move=9.0, rise_minutes=1.0), desk) == math.inf


def test_the_cost_of_a_push_is_the_flow_that_the_law_needs():
    desk = scenario(**{"liquidity.volume_usd_per_day": 4e8, "liquidity.impact": LAW})
    assert cost_usd(Push(move=-0.04, rise_minutes=1.0), desk) == pytest.approx(1e8)
    assert cost_usd(Push(move=9.0, rise_minutes=1.0, flow_usd=3e7), desk) == pytest.approx(3e7)


def test_what_a_push_takes_is_known_by_the_law_and_by_a_walk_of_the_book():
    wall = {"kind": "wall", **ATTACKER, "move": math.expm1(-0.04)}
    market = {"liquidity.volume_usd_per_day": 4e8, "liquidity.impact": LAW, "liquidity.depth_usd": 1e6}
    [row] = costs(scenario(wall, **market))
    assert (row.name, row.minutes) == ("attacker", 20.0)
    assert row.law_usd == pytest.approx(1e8)
    assert row.walk_usd == pytest.approx(1e6 * 4.0**1.16)


def test_a_profile_is_added_from_its_step_on_and_its_end_stays():
    path = np.zeros(6)
    add_profile(path, 2, np.array([0.5, 1.0, 0.25]))
    assert path.tolist() == [0.0, 0.0, 0.5, 1.0, 0.25, 0.25]
    add_profile(path, 5, np.array([1.0, 2.0]))
    assert path[5] == 1.25


def test_panic_begins_in_the_step_after_the_first_move():
    paths = np.array([[0.0, -0.05, -0.12, -0.3], [-0.04, -0.08, -0.11, -0.14]])
    assert first_move(paths, -0.1, 2).tolist() == [3, NEVER]
    assert first_move(-paths, 0.1, 2).tolist() == [3, NEVER]


def blocks(*cohorts, n=400, **overrides):
    s = scenario(*cohorts, **overrides)
    return s, World(s, seed=5, decay=np.ones(s.clock.n_steps + 1)).block(0, n)


def test_attackers_act_at_their_rate_and_only_then():
    s, block = blocks({"kind": "wall", **ATTACKER, "attacks_per_year": 4_000.0})
    hit = (block.shocks != 0.0).any(axis=1)
    expected = 1.0 - math.exp(-4_000.0 * s.run.horizon_hours / 8760.0)
    assert hit.mean() == pytest.approx(expected, abs=4.0 * math.sqrt(expected * (1.0 - expected) / hit.size))
    begins = np.argmax(block.shocks[hit] != 0.0, axis=1)
    ends = block.shocks[hit][begins + 20 < s.clock.n_steps, -1]
    assert ends == pytest.approx(math.log(0.62))


def test_whoever_withdraws_at_the_top_does_so_when_the_rise_is_over():
    _, block = blocks({"kind": "oracle_push", **ATTACKER, "rise_minutes": 7.0})
    rows = np.flatnonzero(block.exits[:, 0] < block.shocks.shape[1])
    begins = np.argmax(block.shocks[rows] != 0.0, axis=1)
    assert rows.size > 100
    assert (block.exits[rows, 0] == begins + 6).all()  # the first minute of seven ends with the first step that moved


def test_a_pushed_path_has_the_extremes_of_what_it_has_become():
    _, block = blocks({"kind": "pump", **ATTACKER}, n=20)
    for i in range(20):
        low, high = extremes(block.shocks[i])
        assert block.lows[i].tolist() == low.tolist()
        assert block.highs[i].tolist() == high.tolist()


def test_pushes_do_not_depend_on_the_block_that_a_path_is_in():
    s, block = blocks({"kind": "pump", **ATTACKER}, n=8)
    alone = World(s, seed=5, decay=np.ones(s.clock.n_steps + 1)).block(6, 1)
    assert (alone.shocks[0] == block.shocks[6]).all()
    assert (alone.exits[0] == block.exits[6]).all()


def test_panic_moves_the_index_after_a_fall_by_what_the_law_gives_and_not_without_one():
    panic = {"kind": "panic", "name": "panic", "flow_usd": 1e8, "after_move": -0.09, "minutes": 10.0, "kept": 1.0}
    fall = [{"at_hours": 0.5, "minutes": 10.0, "move": -0.10}]
    liquidity = {"liquidity.volume_usd_per_day": 4e8, "liquidity.impact": LAW}
    _, calm = blocks(panic, n=1, **liquidity)
    _, block = blocks(panic, n=1, shock=fall, **liquidity)
    assert (calm.shocks == 0.0).all()
    assert block.shocks[0, -1] == pytest.approx(math.log(0.9) - 0.04)


# A fund that takes over and cannot sell: volume so small that nothing trades, in a market without impact.
STUCK = {"liquidity.volume_usd_per_day": 1.0, "exchange.disposal": {"kind": "participation", "participation": 0.01}}
STUCK |= {"liquidity.impact": {"kind": "linear", "log_price_per_daily_volume": 0.0}, "run.horizon_hours": 4.0}
STUCK |= {"funding.mean_rate": 0.0, "funding.sd_rate": 0.0}
ONCE = {"attacks_per_year": 1e5, "rise_minutes": 10.0}


def loss(attacker, **overrides):
    """Return the fund's loss at the end over the attacker's notional at the start, mean over paths that were hit."""
    tiers = [{"cap_usd": 1e12, "max_leverage": 10, "maintenance_margin_rate": 0.05}]
    free = {"tier": tiers, "exchange.fee": {"kind": "capped_fee", "rate": 0.0}, "fund.initial_usd": 1e12}
    s = scenario(attacker, **{**STUCK, **free, "run.n_paths": 2, "run.engine": "reference", **overrides})
    run = stress.run(s, threads=1)
    held = s.venue.open_interest * attacker["share"]
    return (s.fund_initial - run.fund_end) / held


def test_a_pump_costs_whoever_takes_over_the_short_the_rise_beyond_the_bankruptcy_price():
    pump = {"kind": "pump", **ATTACKER, **ONCE, "move": 3.0, "hold_minutes": 5_000.0}
    assert loss(pump) == pytest.approx(4.0 - 1.05, abs=0.01)


def test_an_oracle_push_costs_what_the_top_less_maintenance_is_above_the_start():
    push = {"kind": "oracle_push", **ATTACKER, **ONCE, "move": 1.0, "hold_minutes": 1.0, "fade_minutes": 5.0}
    assert loss(push) == pytest.approx(2.0 * 0.95 - 1.0, abs=0.02)


def test_a_pulled_wall_costs_the_fall_beyond_the_margin():
    wall = {"kind": "wall", **ATTACKER, **ONCE, "move": -0.4}
    assert loss(wall) == pytest.approx(0.4 - 0.2, abs=0.01)


def test_an_attack_on_one_symbol_moves_that_symbol_alone():
    quiet = stress.Scenario.load(TINY.with_name("cross_margin.toml"), overrides={"run.horizon_hours": 4.0})
    table = quiet.tables()["population"]
    at = next(i for i, row in enumerate(table) if row["kind"] == "whale")
    table[at] = {"kind": "wall", **ATTACKER, "symbol": "SOL", "share": 0.1, "leverage": 2.0}
    calm, hit = (
        SeveralWorld(s, decay=np.ones(s.clock.n_steps + 1)).block(0, 20).shocks
        for s in (quiet, quiet.with_(population=table))
    )
    assert (hit[:, :2] == calm[:, :2]).all()
    moved = hit[:, 2, -1] - calm[:, 2, -1]
    assert moved.min() == pytest.approx(math.log(0.62))
