"""Every preset file: dated, sourced, labeled value by value, valid now and in its final form."""

from datetime import date

import pytest

from stress import presets, toml
from stress.exchange.margin import Tier, TierTable
from stress.scenario import Scenario
from stress.toml import ScenarioError

EVERY = pytest.mark.parametrize("name", presets.names())
DEEP = {"binance_usdm", "bybit_linear", "bitmex_xbtusd", "hyperliquid", "dydx_v4", "drift_v2", "textbook"}
AS_DATA = {"okx_swap", "gmx_like", "kraken", "deribit", "paradex", "cube", "ftx_historic", "okex_2018_clawback"}
REST = {
    "run": {"name": "desk", "horizon_hours": 8.0},
    "market": {"kind": "scripted", "price_usd": 50_000.0},
    "liquidity": {"volume_usd_per_day": 2.0e9},
    "fund": {"initial_usd": 1e6},
    "population": [
        {"kind": "account", "name": "one", "qty": 1.0, "entry_usd": 50_000.0, "collateral_usd": 30_000.0},
        {"kind": "maker", "name": "makers", "collateral_usd": 1e6},
    ],
}
IN_COIN = [
    {"kind": "account", "name": "one", "qty": 50_000.0, "entry_usd": 50_000.0, "collateral_coin": 0.6},
    {"kind": "maker", "name": "makers", "collateral_coin": 20.0},
]


def keys_of(tables):
    """Yield every dotted key that holds a value; layers by their kind, tiers as one."""
    for table, entries in tables.items():
        if table == "layer":
            yield from (f"layer.{row['kind']}.{key}" for row in entries for key in row if key != "kind")
            yield from (f"layer.{row['kind']}" for row in entries)
        elif table == "tier":
            yield "tier"
        elif table != "about":
            yield from (f"{table}.{key}" for key in entries)


def test_all_the_venues_are_there():
    assert set(presets.names()) >= DEEP | AS_DATA | {"eu_retail"}


@EVERY
def test_a_preset_is_valid_with_any_scenario_that_leaves_the_rulebook_to_it(name):
    fund = {"initial_usd": 1e6} if presets.load(name).contract == "linear" else {"initial_coin": 20.0}
    population = REST["population"] if "initial_usd" in fund else IN_COIN
    scenario = Scenario.from_tables({**REST, "fund": fund, "population": population, "exchange": {"preset": name}})
    assert scenario.tier
    assert scenario.exchange.preset == name


@EVERY
def test_a_preset_is_dated_by_a_day(name):
    assert date(2017, 1, 1) < date.fromisoformat(presets.load(name).as_of) < date(2027, 1, 1)


@EVERY
def test_every_value_has_a_label(name):
    confidence = presets.load(name).confidence
    for key in keys_of(presets.load(name).tables):
        assert key in confidence or key.rpartition(".")[0] in confidence or key.split(".")[0] in confidence, key


@EVERY
def test_every_label_is_of_a_value_that_is_there(name):
    assert set(presets.load(name).confidence) - {"layer"} <= set(keys_of(presets.load(name).tables))


@EVERY
def test_stated_deductions_are_those_of_the_recursion(name):
    tables = presets.load(name).tables
    tiers = tuple(Tier(**row) for row in tables["tier"])
    continuous = tables["exchange"]["tier_mode"] == "continuous"
    right = TierTable.of(tiers, continuous=continuous).deduction
    linear = presets.load(name).contract == "linear"
    assert [tier.deduction is not None for tier in tiers] == [continuous and linear] * len(tiers)
    stated = [(tier.deduction, right[i]) for i, tier in enumerate(tiers) if tier.deduction is not None]
    assert all(found == pytest.approx(wanted, abs=0.5) for found, wanted in stated)


def test_the_deductions_of_bybit_are_the_published_ones():
    published = [0, 1_200, 3_020, 4_300, 5_820, 8_460, 15_460, 20_500, 46_000, 66_000, 80_000, 160_000, 300_000]
    published += [452_000, 502_000, 777_000, 837_000, 967_000, 1_107_000, 1_482_000]
    assert [row["deduction"] for row in presets.load("bybit_linear").tables["tier"]] == published


def test_what_could_not_be_verified_is_known():
    assert {"tier", "layer.adl.price"} <= set(presets.load("cube").unverified)


def test_a_run_is_told_in_one_line_what_is_unverified():
    assert presets.notice("okx_swap").startswith("warning: preset okx_swap: 5 values are unverified: exchange.mark, ")
    assert "\n" not in presets.notice("okx_swap")
    assert presets.notice("dydx_v4") == presets.notice(None) == ""


def test_what_the_scenario_says_otherwise_is_not_called_unverified():
    tables = {**REST, "fund": {"initial_usd": 1e6}, "exchange": {"preset": "drift_v2", "fee": "keep_residual"}}
    scenario = Scenario.from_tables({**tables, "funding": {"clamp": 0.01}})
    given = presets.notice("drift_v2", scenario.tables()).split(": ")[-1].split(" (")[0]
    assert given == "exchange.disposal, tier, layer.fee_pool"


@EVERY
def test_a_scenario_that_says_nothing_of_its_own_has_all_of_a_presets_values(name):
    fund = {"initial_usd": 1e6} if presets.load(name).contract == "linear" else {"initial_coin": 100.0}
    population = REST["population"] if "initial_usd" in fund else IN_COIN
    scenario = Scenario.from_tables({**REST, "fund": fund, "population": population, "exchange": {"preset": name}})
    assert presets.notice(name, scenario.tables()) == presets.notice(name)


def test_the_page_of_a_preset_names_rules_labels_and_sources():
    page = str(presets.load("hyperliquid"))
    assert page.startswith(
        "hyperliquid: Hyperliquid, BTC perpetual, as of 2026-03-01\nlinear contract; who pays: fund > adl"
    )
    assert "  D  exchange.mark = oracle_median (window_seconds 150.0" in page
    assert "150,000,000      40x   1.25 %" in page
    assert "  - liquidations, vault, ADL" in page


def test_the_page_says_the_terms_of_a_table_without_a_kind():
    assert "  C  exchange.pool_guard = { max_factor = 0.85, until_factor = 0.77, " in str(presets.load("gmx_like"))


def test_the_list_has_a_line_for_every_preset():
    lines = presets.list_text().splitlines()
    assert [line.split()[0] for line in lines[1:]] == presets.names()


@pytest.mark.parametrize(
    ("about", "message"), [({}, "about.venue: is required"), ({"confidence": {"tier": "X"}}, "got 'X'")]
)
def test_a_preset_without_its_labels_is_refused_in_one_line(monkeypatch, about, message):
    whole = {"venue": "v", "as_of": "2020-01-01", "rules": "r", "sources": ["s"], "confidence": {"tier": "D"}}
    monkeypatch.setattr(toml, "preset", lambda name, where: {"about": {**whole, **about} if about else {}})
    with pytest.raises(ScenarioError, match=message) as raised:
        presets.load.__wrapped__("any")
    assert "\n" not in str(raised.value)


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(ScenarioError, match=r"unknown preset 'bybit', .*did you mean 'bybit_linear'"):
        presets.load("bybit")


def test_the_page_writes_tables_as_toml_and_not_as_python():
    page = str(presets.load("binance_usdm"))
    assert 'fund.assets = [{ name = "USDT", share = 0.72 }, { name = "USDC", share = 0.27 }, {' in page
    assert "layer.fund.limits = inventory_cap (share_of_fund 1.0)" in page
    for name in presets.names():
        assert "{'" not in str(presets.load(name))
        assert "True" not in str(presets.load(name))
