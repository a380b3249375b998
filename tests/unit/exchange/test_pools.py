from types import SimpleNamespace

import pytest

from stress.exchange.pools import (
    PoolState,
    add_up,
    draw_on_pool,
    inventory_loss,
    move_desks,
    open_pools,
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


# Two symbols, two pools of 100 and 20: the second symbol leaves the second pool for the first after step 4.


@pytest.fixture
def listing():
    places = [(0, 0, -1), (1, 0, 5)]
    rows = [
        SimpleNamespace(pool=first, first_pool=first, later_pool=later, leaves_at=step, pool_initial=0, fund_initial=0)
        for first, later, step in places
    ]
    open_pools(rows, [100.0, 20.0])
    found = SimpleNamespace(books=rows, pools=[PoolState(), PoolState()], initials=[100.0, 20.0])

    def event(step, values):
        desks = [ExchangeState(value=value) for value in found.values]
        move_desks(step, desks, rows, found.pools, found.initials)
        record_pools(found.pools, found.initials, rows, values, step)
        found.values = values
        return [pool.value for pool in found.pools]

    found.values, found.event = [0.0, 0.0], event
    return found


def test_until_its_age_a_symbol_is_in_the_pool_of_its_listing(listing):
    assert listing.event(4, [-30.0, -15.0]) == [-30.0, -15.0]


def test_what_a_symbol_has_made_stays_with_the_pool_that_it_leaves(listing):
    listing.event(4, [-30.0, -15.0])
    assert listing.event(5, [-30.0, -15.0]) == [-30.0, -15.0]


def test_what_it_makes_afterwards_is_the_other_pools(listing):
    listing.event(4, [-30.0, -15.0])
    assert listing.event(5, [-40.0, -90.0]) == [-115.0, -15.0]
    assert listing.event(6, [-40.0, 5.0]) == [-20.0, -15.0]


def test_the_venues_total_does_not_know_of_the_move(listing):
    for step, values in ((4, [-30.0, -15.0]), (5, [-40.0, -90.0]), (6, [7.0, -2.0])):
        assert sum(listing.event(step, values)) == sum(values)


def test_desks_draw_on_what_their_new_pool_has(listing):
    listing.event(4, [-30.0, -15.0])
    listing.event(5, [-40.0, -35.0])
    for d in range(2):
        draw_on_pool(d, listing.books, [-40.0, -35.0])
    fund = 100.0 - 40.0 - 20.0  # 20 lost by the newcomer since it came
    assert [listing.books[0].fund_initial - 40.0, listing.books[1].fund_initial - 35.0] == [fund, fund]


def test_each_pool_is_ruined_by_what_happens_in_its_time(listing):
    listing.event(4, [-30.0, -25.0])
    listing.event(5, [-40.0, -90.0])
    assert [pool.ruin_step for pool in listing.pools] == [5, 4]
    assert [pool.drawdown for pool in listing.pools] == [105.0, 25.0]


def test_the_pool_that_was_left_is_not_ruined_afterwards(listing):
    listing.event(4, [-30.0, -15.0])
    listing.event(5, [-30.0, -1_000.0])
    assert [pool.ruin_step for pool in listing.pools] == [5, -1]


def test_every_path_begins_in_the_pool_of_the_listing(listing):
    listing.event(5, [-30.0, -15.0])
    assert listing.books[1].pool == 0
    open_pools(listing.books, listing.initials)
    assert (listing.books[1].pool, listing.books[1].pool_initial) == (1, 20.0)
