from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from stress.exchange.collateral import Collateral, coin_price, coins_for, counted
from stress.exchange.portfolio import sell_all_coins, sell_coins_for_debt


def asset(tiers=((1e9, 0.95),), **settings):
    row = Collateral(asset="BNB", tiers=tiers, **settings)
    return SimpleNamespace(**row.numbers(-1, settings.pop("depeg_step", 10)))


def test_a_thousand_dollars_at_95_percent_count_950():
    assert counted(1_000.0, asset()) == 950.0  # worked example 4


@pytest.mark.parametrize(("debt", "sold"), [(20_000.0, 20_512.82), (5_000.0, 5_128.21)])
def test_a_debt_sells_what_raises_it_after_the_cut(debt, sold):
    assert round(coins_for(debt, 1.0, 1.0 - 0.025), 2) == sold  # worked example 5


def test_every_slice_counts_at_its_own_ratio():
    rows = asset(tiers=((100.0, 1.0), (300.0, 0.5)))
    assert [counted(v, rows) for v in (50.0, 100.0, 200.0, 300.0)] == [50.0, 100.0, 150.0, 200.0]


def test_beyond_the_last_cap_nothing_counts():
    assert counted(1e6, asset(tiers=((100.0, 1.0), (300.0, 0.5)))) == 200.0


def test_a_coin_follows_the_index_of_its_symbol():
    row = SimpleNamespace(**Collateral(asset="BTC", symbol="BTC", tiers=((1.0, 1.0),)).numbers(1, 0))
    assert coin_price(row, [SimpleNamespace(index=5.0), SimpleNamespace(index=7.0)], 0) == 7.0


def test_a_stable_coin_is_worth_one_until_it_depegs():
    row = asset(depeg_to=0.9)
    assert [coin_price(row, [], step) for step in (-1, 9, 10, 11)] == [1.0, 1.0, 0.9, 0.9]


def test_a_debt_within_the_threshold_sells_nothing():
    coins = [2.0]
    assert sell_coins_for_debt(-5_000.0, coins, [40_000.0], [asset()], 0.01) == 0.0
    assert coins == [2.0]


def test_a_debt_beyond_the_threshold_is_paid_in_full():
    coins = [2.0]
    assert sell_coins_for_debt(-20_000.0, coins, [40_000.0], [asset()], 0.01) == 20_000.0
    assert (2.0 - coins[0]) * 40_000.0 == pytest.approx(20_512.8205)


def test_coins_that_do_not_cover_a_debt_are_all_sold():
    coins = [0.1]
    assert sell_coins_for_debt(-20_000.0, coins, [40_000.0], [asset()], 0.01) == pytest.approx(3_900.0, abs=0.01)
    assert coins == [0.0]


def test_the_next_asset_pays_what_the_first_one_leaves():
    coins = [0.1, 0.5]
    raised = sell_coins_for_debt(-20_000.0, coins, [40_000.0, 40_000.0], [asset(), asset()], 0.01)
    assert raised == pytest.approx(20_000.0, abs=0.01)
    assert coins[0] == 0.0
    assert 0.0 < coins[1] < 0.5


def test_in_liquidation_all_coins_are_sold_at_the_cut():
    coins = [1.0]
    assert sell_all_coins(coins, [40_000.0], [asset()], 0.01) == pytest.approx(39_000.0, abs=0.01)
    assert coins == [0.0]


@pytest.mark.parametrize("tiers", [((2.0, 0.9), (1.0, 0.8)), ((1.0, 1.2),), ((0.0, 0.5),)])
def test_tiers_that_fall_or_leave_the_range_are_refused(tiers):
    with pytest.raises(ValidationError):
        Collateral(asset="BNB", tiers=tiers)
