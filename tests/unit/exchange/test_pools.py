from types import SimpleNamespace

import pytest

from stress.exchange.pools import (
    PoolState,
    add_up,
    draw_on_pool,
    inventory_loss,
    record_pool,
    record_pools,
    share_deficits,
)
from stress.exchange.settlement import balance_error
from stress.exchange.state import ExchangeState


def books(*pools, initial=100.0):
    return [SimpleNamespace(pool=pool, pool_initial=initial, fund_initial=initial) for pool in pools]


def test_a_desk_draws_on_what_the_other_desks_of_its_pool_leave():
    rows = books(0, 0, 1)
    for d in range(3):
        draw_on_pool(d, rows, [-30.0, 10.0, -5.0])
    assert [row.fund_initial for row in rows] == [110.0, 70.0, 100.0]


def test_isolated_pools_do_not_see_each_other():
    rows = books(0, 1)
    for d in range(2):
        draw_on_pool(d, rows, [-300.0, 10.0])
    assert [row.fund_initial for row in rows] == [100.0, 100.0]


def test_a_deficit_is_seen_in_proportion_to_what_the_inventories_have_lost():
    rows = books(0, 0, 0)
    values = [-90.0, -60.0, 10.0]  # 40 below zero
    share_deficits(rows, values, [90.0, 30.0, 0.0])
    seen = [-(row.fund_initial + value) for row, value in zip(rows, values, strict=True)]
    assert seen == pytest.approx([30.0, 10.0, 0.0])


def test_a_solvent_pool_shows_no_deficit_to_anybody():
    rows, values = books(0, 0), [-90.0, 20.0]
    share_deficits(rows, values, [90.0, 0.0])
    assert all(row.fund_initial + value >= 0.0 for row, value in zip(rows, values, strict=True))


def test_an_inventory_has_lost_what_the_fund_has_and_its_cash_has_not():
    state = ExchangeState(surplus=10.0, bad_debt=4.0)
    assert inventory_loss(state, -14.0) == 20.0
    assert inventory_loss(state, 9.0) == 0.0


def test_pools_are_recorded_one_by_one():
    pools = [PoolState(), PoolState()]
    record_pools(pools, [100.0, 20.0], books(0, 0, 1), [-30.0, -20.0, -25.0], 7)
    assert [(pool.drawdown, pool.drawdown_step, pool.ruin_step) for pool in pools] == [(50.0, 7, -1), (25.0, 7, 7)]


def test_a_pool_remembers_its_deepest_fall_and_its_first_ruin():
    pool = PoolState()
    for step, value in enumerate((-5.0, -12.0, -3.0, -11.0)):
        record_pool(pool, 10.0, value, step)
    assert (pool.drawdown, pool.drawdown_step, pool.ruin_step, pool.value) == (12.0, 1, 1, -11.0)


def test_the_venue_adds_up_balanced_desks_to_a_balanced_whole():
    desks = [
        ExchangeState(
            mark=90.0, alive_qty=2.0, alive_cost=200.0, alive_collateral=50.0, maker_qty=-2.0, maker_cost=-200.0
        )
        for _ in range(2)
    ]
    for each in desks:
        each.deposits = 50.0
    total = ExchangeState(mark=90.0)
    add_up(total, desks, 2)
    assert balance_error(total) == sum(balance_error(each) for each in desks) == 0.0


def test_a_cent_that_a_desk_lost_is_missed_in_the_whole():
    desks, total = [ExchangeState(deposits=0.01), ExchangeState()], ExchangeState()
    add_up(total, desks, 2)
    assert balance_error(total) == pytest.approx(0.01)
