from pathlib import Path

import pytest

import stress
from stress.engines.cover import Cover, by_holder, cover_of
from stress.engines.population import draw_population

WHALE = stress.Scenario.load(Path(__file__).parents[3] / "configs" / "whale.toml")


def priced(**overrides):
    cover = Cover(WHALE.with_(**overrides))
    cover.price(0, draw_population(cover.scenario, 0))
    return {(row["n"], row["move"]): row["losses"][0] for row in cover.rows()}


def test_a_holder_defaults_on_all_of_its_wallets():
    split, whole = priced(), priced(**{"population.1.accounts": 1})
    assert split[1, -0.3] == pytest.approx(whole[1, -0.3], rel=1e-4)


def test_wallets_of_one_holder_are_merged_without_loss_of_equity():
    accounts = draw_population(WHALE, 0).accounts
    merged = by_holder(WHALE, accounts)
    for price in (60_000.0, 100_000.0):
        equity = [(a["collateral"] + a["qty"] * (price - a["entry"])).sum() for a in (accounts, merged)]
        assert equity[0] == pytest.approx(equity[1], rel=1e-12)


def test_the_crowd_stays_as_many_accounts_as_it_is():
    accounts = draw_population(WHALE, 0).accounts
    assert by_holder(WHALE, accounts).size == accounts.size - 19


def test_the_legs_of_a_holder_on_both_sides_do_not_save_each_other():
    pump = {"kind": "pump", "name": "whale", "share": 0.1, "kept_share": 0.1, "leverage": 10.0, "accounts": 2}
    crowd, _, makers = WHALE.tables()["population"]
    accounts = draw_population(WHALE.with_(population=[{**crowd, "short_share": 0.5}, pump, makers]), 0).accounts
    merged = by_holder(WHALE, accounts)
    legs = merged[merged["cohort"] == 1]["qty"]
    assert sorted(legs) == pytest.approx([-legs.max(), legs.max()])
    assert legs.size == 2


TINY = stress.Scenario.load(Path(__file__).parents[3] / "configs" / "inverse_tiny.toml")


def test_a_fall_of_the_price_costs_longs_in_coin_more_than_a_rise_costs_shorts():
    cover = Cover(TINY)
    cover.price(0, draw_population(TINY, 0))
    loss = {row["move"]: row["losses"][0] for row in cover.rows() if row["n"] == 1}
    assert loss[-0.5] > 2 * loss[-0.3] > loss[0.3]


@pytest.mark.parametrize(("assets", "worth"), [([], 3.0), ([{"name": "USDT", "share": 0.5}], 4.5)])
def test_the_fund_at_half_the_price_is_what_its_assets_are_worth_in_coin(assets, worth):
    assert Cover(TINY.with_(**{"fund.assets": assets})).fund_at(-0.5) == pytest.approx(worth)


SEVERAL = stress.Scenario.load(Path(__file__).parents[3] / "configs" / "cross_margin.toml")


def several(**overrides):
    scenario = SEVERAL.with_(**overrides)
    cover = cover_of(scenario)
    cover.price(0, draw_population(scenario, 0))
    return {(row["n"], row["move"]): row["losses"][0] for row in cover.rows()}


def test_a_symbol_that_jumps_further_than_it_drifts_is_priced_at_the_jump():
    plain, jumping, drifting = (several(**{"asset.2.jump_beta": b}) for b in (None, 2.0, 0.5))
    steep = several(**{"asset.2.beta": 2.0})
    assert jumping[1, -0.2] > plain[1, -0.2]
    assert jumping[1, -0.2] == pytest.approx(steep[1, -0.2], rel=0.02)  # whose volatility makes its sale dearer
    assert all(drifting[case] >= loss for case, loss in plain.items())
