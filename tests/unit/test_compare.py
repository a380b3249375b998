"""Several rulebooks on the same accounts: what a preset replaces, what stays, and who must post more margin."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import stress
from stress import presets
from stress.accounts import grid
from stress.compare import check_settings, compare, contenders, in_money_of, post_margin, restate, under_preset
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


def test_a_scenario_in_the_money_of_another_contract_is_worth_the_same():
    linear, inverse = scenario(), in_money_of(scenario(), "inverse")
    assert inverse.fund_initial * inverse.money_usd == pytest.approx(linear.fund_initial)
    books = [draw_population(each, 0) for each in (linear, inverse)]
    assert books[1].open_interest * inverse.money_usd == pytest.approx(books[0].open_interest, rel=1e-3)


def test_a_preset_that_the_scenario_cannot_carry_is_named():
    with pytest.raises(ScenarioError, match=r"^preset kraken: liquidity.permanent_share: must be 0"):
        under_preset(scenario(**{"liquidity.permanent_share": 0.5}), "kraken")


# --- another contract


MINE = {"kind": "account", "name": "mine", "qty": -3.0, "entry_usd": 52_000.0, "collateral_usd": 9e3}


def test_a_preset_of_another_contract_settles_in_its_money():
    under = under_preset(scenario(), "bitmex_xbtusd")
    assert (under.exchange.unit, under.price) == ("BTC", 1.0 / 50_000.0)
    assert under.fund.initial_coin == pytest.approx(3.0)  # 150,000 at 50,000
    assert under.population[3].collateral_coin == pytest.approx(400.0)


def test_a_scenario_in_coin_is_worth_the_same_under_a_preset_in_dollars():
    there = under_preset(in_money_of(scenario(), "inverse"), "textbook")
    assert there.exchange.unit == "USD"
    assert there.fund.initial_usd == pytest.approx(150_000.0)


def test_accounts_keep_size_entry_and_leverage_under_another_contract_up_to_its_grids(drawn):
    own, there = scenario(), in_money_of(scenario(), "inverse")
    before, after = drawn.accounts, restate(drawn, own, there).accounts
    size = np.abs(before["qty"]) * 50_000.0
    np.testing.assert_array_equal(after["cohort"], before["cohort"])
    np.testing.assert_array_equal(np.sign(after["qty"]), -np.sign(before["qty"]))  # a long of the coin owes dollars
    np.testing.assert_allclose(np.abs(after["qty"]), size, rtol=0.0, atol=0.5)  # half a contract of 1 USD
    np.testing.assert_allclose(1.0 / after["entry"], before["entry"], rtol=0.0, atol=0.5)  # a tick
    for cross, leverage in ((0, at_entry), (1, leverage_now)):
        ours, theirs = (a["cross"] == cross for a in (before, after))
        found, wanted = leverage(after[theirs], there.price), leverage(before[ours], own.price)
        np.testing.assert_allclose(found, wanted, rtol=2e-3)


def at_entry(a, price):
    return np.abs(a["qty"]) * a["entry"] / a["collateral"]


def leverage_now(a, price):
    return np.abs(a["qty"]) * price / (a["collateral"] + a["qty"] * (price - a["entry"]))


def test_there_and_back_is_the_same_account(drawn):
    there = in_money_of(scenario(), "inverse")
    linear = in_money_of(there, "linear")
    back = restate(restate(drawn, scenario(), there), there, linear).accounts
    np.testing.assert_allclose(back["qty"], drawn.accounts["qty"], rtol=0.0, atol=2e-3)
    np.testing.assert_allclose(back["entry"], drawn.accounts["entry"], rtol=2e-5)


def test_an_account_given_by_hand_is_restated_and_admitted():
    own = scenario(**{"population": [MINE, {"kind": "maker", "name": "m", "collateral_usd": 1e7}]})
    account = in_money_of(own, "inverse").population[0]
    assert (account.qty, account.entry_usd) == (pytest.approx(-150_000.0), 52_000.0)  # contracts of 1 USD
    assert account.collateral_coin == pytest.approx(150_000 / 52_000 * 9_000 / (3 * 52_000))  # the same 17.3x
    assert under_preset(own, "eu_retail").population[0].collateral_usd == pytest.approx(78_000.0)  # 2:1
    found, _ = compare(own, ["plain_linear", "bitmex_xbtusd"], n_paths=4)
    assert [row.unit for row in found.rulebooks] == ["USD", "BTC"]


def test_what_has_no_counterpart_is_refused_by_its_key():
    for key in ("exchange.collateral_in_coin", "fund.in_coin"):
        with pytest.raises(ScenarioError, match=rf"^preset bitmex_xbtusd: tiny as inverse: {key}: must be 0") as found:
            under_preset(scenario(**{key: 0.3}), "bitmex_xbtusd")
        assert "\n" not in str(found.value)


def test_several_symbols_are_refused():
    several = Scenario.load(TINY.parent / "cross_margin.toml")
    with pytest.raises(ScenarioError, match=r"^asset: must be absent: presets are compared on one symbol, not on"):
        compare(several, ["plain_linear", "textbook"])


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


@pytest.fixture(scope="module")
def mixed():
    return compare(scenario(), ["plain_linear", "bitmex_xbtusd"], n_paths=12)


def test_a_coin_and_a_dollar_contract_stand_side_by_side(mixed):
    usd, coin = mixed[0].rulebooks
    assert (mixed[0].unit, usd.unit, coin.unit, coin.unit_usd) == ("USD", "USD", "BTC", 50_000.0)
    assert coin.in_unit["fund_initial"] == pytest.approx(3.0)
    draw = float(mixed[1][1].fund_draw.mean())
    assert coin.payers["fund"] == pytest.approx(50_000.0 * draw)
    assert coin.mean["liquidated_notional"] == pytest.approx(usd.mean["liquidated_notional"], rel=0.5)


def test_outcomes_stay_in_the_money_of_their_contract_and_balance(mixed):
    assert [rows.facts.unit for rows in mixed[1]] == ["USD", "BTC"]
    assert max(rows.conservation_error.max() for rows in mixed[1]) < 1e-9


def test_the_market_is_the_same_for_both_contracts(mixed):
    usd, coin = mixed[1]
    np.testing.assert_allclose(coin.price_min, usd.price_min, rtol=0.01)  # their own liquidations move it, too
    np.testing.assert_allclose(coin.price_max, usd.price_max, rtol=0.01)


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


# --- settings that a preset replaces


def refusal(names=("plain_linear", "binance_usdm"), **settings):
    """Return what is said of settings, empty if they are kept."""
    own = scenario(**settings)
    try:
        check_settings(own, contenders(own, names), tuple(settings))
    except ScenarioError as error:
        return str(error)
    return ""


def test_clocks_of_a_scenario_stay_where_the_preset_has_none():
    clocks = {"exchange.check_seconds": 300.0, "exchange.latency_seconds": 120.0}
    under = under_preset(scenario(**clocks), "bybit_linear").exchange
    assert (under.check_seconds, under.latency_seconds) == (300.0, 120.0)
    assert refusal(("plain_linear", "bybit_linear"), **clocks) == ""


def test_a_preset_with_a_clock_of_its_own_keeps_it(monkeypatch):
    rules = presets.load("bybit_linear")
    own = rules.tables | {"exchange": rules.tables["exchange"] | {"latency_seconds": 60.0}}
    monkeypatch.setattr(presets, "load", lambda name: replace(rules, tables=own))
    assert (
        under_preset(scenario(**{"exchange.latency_seconds": 120.0}), "bybit_linear").exchange.latency_seconds == 60.0
    )


@pytest.mark.parametrize(
    ("setting", "value", "preset"),
    [
        ("exchange.fee", "confiscate", "plain_linear"),
        ("exchange.backstop_margin", 0.5, "plain_linear"),
        ("exchange.partial", {"kind": "step_down"}, "plain_linear"),
        ("funding.clamp", 0.001, "plain_linear"),
        ("tier.0.max_leverage", 120, "plain_linear"),
        ("layer", ["fund", "socialize"], "plain_linear"),
        ("exchange.mark", "index", "binance_usdm"),
    ],
)
def test_a_setting_that_a_preset_replaces_is_refused_by_name(setting, value, preset):
    said = refusal(**{setting: value})
    assert said.startswith(f"--set {setting}: preset {preset} replaces it; kept of [exchange]: open_interest_usd, ")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("exchange.halt_minutes", 5.0),
        ("exchange.disposal.participation", 0.05),
        ("exchange.preset", "bybit_linear"),
        ("funding.mean_rate", 2e-4),
        ("market.vol_annual", 1.0),
        ("exchange.fee", {"kind": "capped_fee", "rate": 0.0125}),  # what both presets have
    ],
)
def test_a_setting_that_has_its_effect_is_kept(setting, value):
    assert refusal(**{setting: value}) == ""
