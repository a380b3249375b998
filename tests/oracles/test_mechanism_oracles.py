"""Worked examples of the mechanisms around a liquidation: other venues, halts, exits, coins, thin books.

Each through scenario files and the public API, by hand or against an equivalent scenario.
"""

import math
from pathlib import Path

import numpy as np
import pytest

import stress

HERE = Path(__file__).parent
ENGINES = ("reference", "loop", "ladder")


def load(name, **overrides):
    return stress.Scenario.load(HERE / f"{name}.toml", overrides=overrides)


def run(name, engine="auto", **overrides):
    return stress.run(load(name, **overrides), engine=engine, ledger=True)


# K identical venues, each with a share 1/K of the index, are one venue whose impact passes fully.


@pytest.fixture(scope="module")
def one_venue():
    return run("venues")


@pytest.mark.parametrize("k", [2, 5])
def test_identical_venues_liquidate_whom_one_venue_would(one_venue, k):
    many = run("venues", **{"liquidity.pass_through": 1.0 / k, "liquidity.common_liquidation": 1.0})
    np.testing.assert_array_equal(many.ledger, one_venue.ledger)


@pytest.mark.parametrize("k", [2, 5])
def test_identical_venues_have_the_price_of_one_venue(one_venue, k):
    many = run("venues", **{"liquidity.pass_through": 1.0 / k, "liquidity.common_liquidation": 1.0})
    np.testing.assert_allclose(many.price_min, one_venue.price_min, rtol=1e-12)


def test_identical_venues_are_one_venue_after_auto_deleveraging_too():
    small = {"fund.initial_usd": 0.0, "market.vol_annual": 4.0, "exchange.fee": "keep_residual"}
    one = run("venues", **small)
    many = run("venues", **small, **{"liquidity.pass_through": 0.25, "liquidity.common_liquidation": 1.0})
    assert one.deleveraged_notional.sum() > 0
    np.testing.assert_allclose(many.liquidated_notional, one.liquidated_notional, rtol=1e-9)
    np.testing.assert_allclose(many.price_min, one.price_min, rtol=1e-9)


def test_alone_a_venue_with_a_part_of_the_index_moves_it_less(one_venue):
    alone = run("venues", **{"liquidity.pass_through": 0.2})
    assert alone.liquidated_notional.mean() < 0.97 * one_venue.liquidated_notional.mean()


def test_a_whale_is_not_liquidated_elsewhere():
    whale = {"kind": "whale", "name": "whale", "share": 1.0, "leverage": 20.0, "exits_per_year": 50_000.0}
    alone = {"population": [whale], "liquidity.pass_through": 0.5, "market": {"kind": "scripted", "price_usd": 5e4}}
    both = [run("venues", **alone, **{"liquidity.common_liquidation": common}) for common in (0.0, 1.0)]
    np.testing.assert_array_equal(both[0].price_min, both[1].price_min)


# An account that withdraws its margin: one long at 20x of one unit at 50,000; maintenance is 250.

STILL = {"market": {"kind": "scripted", "price_usd": 50_000.0}, "run.n_paths": 400, "run.horizon_hours": 24.0}
LEAVER = {
    "population": [{"kind": "whale", "name": "whale", "share": 1.0, "leverage": 20.0, "exits_per_year": 365.0}],
    "exchange.open_interest_usd": 50_000.0,
}


@pytest.mark.parametrize("engine", ENGINES)
def test_the_chance_of_an_exit_within_a_day_is_that_of_a_poisson_time(engine):
    gone = run("one_account", engine, **STILL, **LEAVER).liquidated_accounts == 1
    p = 1.0 - math.exp(-1.0)
    assert gone.mean() == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / gone.size))


@pytest.mark.parametrize("engine", ENGINES)
def test_it_leaves_the_maintenance_margin_less_a_cent_to_the_fund(engine):
    left = run("one_account", engine, **STILL, **LEAVER)
    assert left.surplus[left.liquidated_accounts == 1] == pytest.approx(250.0 - 1.0)  # the cent here is a dollar


def test_engines_agree_on_who_leaves_when():
    ledgers = [run("one_account", engine, **STILL, **LEAVER).ledger for engine in ENGINES]
    np.testing.assert_array_equal(ledgers[0], ledgers[1])
    np.testing.assert_array_equal(ledgers[0], ledgers[2])


def test_who_never_leaves_stays():
    assert run("one_account", **STILL, **{"population.0.name": "stays"}).liquidated_accounts.sum() == 0


# A halt at the worst moment: the index falls 2 % an hour for ten hours, and 5 % in the fifth.

FALL = [-0.02] * 4 + [-0.05] + [-0.02] * 5
DEAF = {"market": {"kind": "scripted", "price_usd": 50_000.0, "log_returns": FALL}, "run.n_paths": 1}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("minutes", "step"), [(0.0, 2), (60.0, 2), (180.0, 5)])
def test_nobody_is_liquidated_while_the_engine_stands_still(engine, minutes, step):
    # Liquidation at 47,739, after the third hour; the worst three hours are the third to the fifth.
    found = run("one_account", engine, **DEAF, **{"exchange.halt_minutes": minutes})
    assert found.ledger["step"].tolist() == [step]


def test_a_halt_costs_the_fund_what_the_price_fell_meanwhile():
    lost = run("one_account", **DEAF, **{"exchange.halt_minutes": 180.0}).bad_debt[0]
    assert lost == pytest.approx(47_500.0 - 50_000.0 * math.exp(-0.15), rel=1e-9)


# A fund held in the coin falls with the index.


@pytest.mark.parametrize("engine", ENGINES)
def test_a_fund_in_coin_falls_by_its_share_of_the_fall(engine):
    coin = {"fund.in_coin": 0.3, "population.0.collateral_usd": 50_000.0}
    found = run("one_account", engine, **DEAF, **coin)
    assert found.drawdown[0] == pytest.approx(0.3 * 1e9 * (1.0 - math.exp(-0.23)), rel=1e-12)


def test_the_deepest_fall_is_found_between_liquidations():
    coin = {"fund.in_coin": 1.0, "population.0.collateral_usd": 50_000.0, "run.n_paths": 300, "run.step_seconds": 60.0}
    found = run("one_account", "ladder", **coin)
    assert found.drawdown == pytest.approx(1e9 * (1.0 - found.price_min / 50_000.0), rel=1e-9)


def test_gains_in_coin_are_no_credit_in_the_gross_drawdown():
    rise = {"market": {"kind": "scripted", "price_usd": 50_000.0, "log_returns": [0.2]}, "run.n_paths": 1}
    assert run("one_account", **rise, **{"fund.in_coin": 1.0}).drawdown_gross[0] == 0.0


def test_coins_that_were_spent_fall_no_further():
    # 20x long, liquidated in the first crash beyond bankruptcy; the fund of 1,500 is in coin and pays 5,000.
    crash = {"market": {"kind": "scripted", "price_usd": 50_000.0, "log_returns": [math.log(0.85), math.log(0.7)]}}
    found = run("one_account", **crash, **{"run.n_paths": 1, "fund.in_coin": 1.0, "fund.initial_usd": 1_500.0})
    assert found.fund_end[0] == pytest.approx(0.0, abs=1e-6)


# Forced sales take no more than the book refills.

ORDER = {"exchange.disposal.participation": 0.2, "liquidity.volume_usd_per_day": 1e15}


@pytest.mark.parametrize("share", [0.1, 0.01])
def test_a_thin_book_stretches_the_order_to_the_days_that_it_takes_to_refill(share):
    # Refilled a day: 20 % a minute of depth, 1,440 minutes; the order is 4,169,000 units entered at 125.
    depth = share * 4_169_000.0 * 125.0 / (0.2 * 1440.0)
    scenario = load("d27_one_order", **ORDER, **{"liquidity.depth_usd": depth, "liquidity.source": "constant"})
    model = stress.InsuranceFundModel(scenario).run_path()
    held = model.datacollector.get_model_vars_dataframe()["inventory"]
    assert (held > 1e-3).sum() == round(1.0 / share) - 1


def test_the_largest_position_taken_over_is_remembered():
    found = run("d27_one_order", **{"exchange.disposal.participation": 0.0104225})
    assert found.inventory_peak[0] == pytest.approx(0.9 * 416.9e6, rel=0.01)
