"""Several rulebooks on the same accounts: what a preset replaces, what stays, and who must post more margin."""

from pathlib import Path

import numpy as np
import pytest

import stress
from stress import presets
from stress.accounts import grid
from stress.compare import compare, in_money_of, post_margin, under_preset
from stress.engines.population import draw_population
from stress.scenario import Scenario, ScenarioError

TINY = Path(__file__).parents[2] / "configs" / "tiny.toml"
PLAIN = {"liquidity.permanent_share": 0.0, "reserve.levels": [0.5], "run.engine": "reference", "run.redraw_every": 4}


def scenario(**overrides):
    return Scenario.load(TINY, overrides={**PLAIN, **overrides})


@pytest.fixture(scope="module")
def found():
    return compare(scenario(), ["plain_linear", "textbook", "eu_retail"], n_paths=12)


# --- what a preset replaces, and what stays


every_linear = pytest.mark.parametrize(
    "name", [name for name in presets.names() if presets.load(name).contract == "linear"]
)


@every_linear
def test_a_preset_replaces_tiers_waterfall_and_fee(name):
    under, rules = under_preset(scenario(), name), presets.load(name).tables
    assert [tier.cap_usd for tier in under.tier] == [row["cap_usd"] for row in rules["tier"]]
    assert [layer.kind for layer in under.layer] == [row["kind"] for row in rules["layer"]]
    assert under.exchange.fee.kind == rules["exchange"]["fee"]["kind"]


@every_linear
def test_market_liquidity_fund_and_scale_stay(name):
    base = scenario(**{"exchange.adl_rehedge": 0.3, "exchange.halt_minutes": 5.0})
    under = under_preset(base, name)
    for table in ("market", "liquidity", "fund", "run", "reserve", "shock"):
        assert getattr(under, table) == getattr(base, table)
    for key in ("open_interest_usd", "lot", "tick", "cent", "adl_rehedge", "halt_minutes"):
        assert getattr(under.exchange, key) == getattr(base.exchange, key)


def test_a_share_of_volume_is_the_markets_and_stays():
    base = scenario(**{"exchange.disposal.participation": 0.07})
    assert {under_preset(base, name).exchange.disposal.participation for name in ("hyperliquid", "textbook")} == {0.07}


def test_the_law_of_funding_is_paid_at_the_venues_interval_within_its_cap():
    base = scenario()  # hourly, 1 bp
    assert under_preset(base, "hyperliquid").funding.mean_rate == pytest.approx(1e-4)
    eight = under_preset(base, "bybit_linear").funding
    assert (eight.mean_rate, eight.clamp, eight.interval_hours) == (pytest.approx(8e-4), 37.5e-4, 8.0)


def test_a_contract_without_funding_has_none():
    funding = under_preset(in_money_of(scenario(), "inverse"), "okex_2018_clawback").funding
    assert (funding.mean_rate, funding.sd_rate) == (0.0, 0.0)


def test_a_contract_in_another_unit_says_what_it_needs():
    with pytest.raises(ScenarioError, match=r"preset bitmex_xbtusd: needs exchange.contract = 'inverse'; .* 'linear'"):
        under_preset(scenario(), "bitmex_xbtusd")


def test_a_scenario_in_the_money_of_another_contract_is_worth_the_same():
    linear, inverse = scenario(), in_money_of(scenario(), "inverse")
    assert inverse.fund_initial * inverse.money_usd == pytest.approx(linear.fund_initial)
    books = [draw_population(each, 0) for each in (linear, inverse)]
    assert books[1].open_interest * inverse.money_usd == pytest.approx(books[0].open_interest, rel=1e-3)


def test_a_preset_that_the_scenario_cannot_carry_is_named():
    with pytest.raises(ScenarioError, match=r"^preset kraken: liquidity.permanent_share: must be 0"):
        under_preset(scenario(**{"liquidity.permanent_share": 0.5}), "kraken")


# --- the population


@pytest.fixture(scope="module")
def drawn():
    return draw_population(scenario(), 0)


def test_on_the_scenarios_own_venue_nobody_posts_more(drawn):
    same = post_margin(drawn, scenario(), under_preset(scenario(), "plain_linear"))
    np.testing.assert_array_equal(same.accounts, drawn.accounts)


@every_linear
def test_positions_and_entries_are_the_same_everywhere_and_margin_never_falls(drawn, name):
    there = post_margin(drawn, scenario(), under_preset(scenario(), name)).accounts
    for column in ("qty", "entry", "cohort", "cross"):
        np.testing.assert_array_equal(there[column], drawn.accounts[column])
    assert (there["collateral"] >= drawn.accounts["collateral"]).all()


@every_linear
def test_nobody_is_liquidatable_at_the_start_and_all_margin_is_in_whole_cents(drawn, name):
    under = under_preset(scenario(), name)
    a = post_margin(drawn, scenario(), under).accounts
    size = np.abs(a["qty"]) * drawn.price
    equity = a["collateral"] + a["qty"] * (drawn.price - a["entry"])
    assert (equity > size * under.venue.maintenance_rate(size)).all()
    cents = a["collateral"] / grid(under.exchange.cent)
    np.testing.assert_array_equal(cents, np.round(cents))


def test_retail_accounts_of_two_to_one_hold_half_of_their_position(drawn):
    a = post_margin(drawn, scenario(), under_preset(scenario(), "eu_retail")).accounts
    isolated = a[a["cross"] == 0]
    assert (isolated["collateral"] * 2.0 >= np.abs(isolated["qty"]) * isolated["entry"]).all()


def test_a_whale_above_the_venues_leverage_posts_more_instead_of_stopping_the_comparison():
    assert scenario().population[2].leverage == 20.0
    assert under_preset(scenario(), "eu_retail").population[2].leverage == 2.0


# --- the comparison


def test_the_preset_of_the_scenario_is_its_own_run(found):
    alone = stress.run(under_preset(scenario(), "plain_linear"), 12)
    for name, column in found[1][0].columns.items():
        np.testing.assert_array_equal(column, alone.columns[name])


def test_it_says_who_had_to_post_more(found):
    one, two, retail = found[0].rulebooks
    assert one.posting_more == two.posting_more == 0.0
    assert retail.posting_more > 0.9
    assert retail.more_margin > 1.0


def test_at_two_to_one_the_fund_needs_less(found):
    at_venue, _, at_two_to_one = found[1]
    assert at_two_to_one.drawdown.mean() < at_venue.drawdown.mean()


def test_books_balance_under_every_rulebook(found):
    assert max(rows.conservation_error.max() for rows in found[1]) < 1e-9


def test_results_do_not_depend_on_threads(found):
    again, _ = compare(scenario(), ["plain_linear", "textbook", "eu_retail"], n_paths=12, threads=1)
    assert again == found[0]


@pytest.mark.parametrize("names", [[], ["textbook"], ["textbook", "textbook"]])
def test_fewer_than_two_presets_are_refused(names):
    with pytest.raises(ScenarioError, match="needs at least two presets, each once"):
        compare(scenario(), names)
