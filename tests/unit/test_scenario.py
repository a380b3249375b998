import copy
import json
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from pydantic import Field, ValidationError

from stress.agents.base import Cohort, build_accounts
from stress.engines.population import draw_population, shares
from stress.exchange.impact import ImpactLaw, linear_cost, linear_flow, linear_impact
from stress.exchange.liquidation import FeeModel
from stress.exchange.payers import operator_absorbs
from stress.exchange.ranking import Ranking, no_preference, take_in_order
from stress.exchange.waterfall import Layer
from stress.markets.base import Market
from stress.markets.scripted import given_increments
from stress.scenario import Scenario, ScenarioError

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.toml"))

TABLES = {
    "run": {"name": "small", "n_paths": 1_000, "horizon_hours": 2.0},
    "market": {"kind": "gbm", "price_usd": 50_000.0, "vol_annual": 0.6},
    "liquidity": {"volume_usd_per_day": 1e9},
    "exchange": {"open_interest_usd": 1e7},
    "funding": {"interval_hours": 1.0},
    "fund": {"initial_usd": 1e5},
    "tier": [
        {"cap_usd": 1e6, "max_leverage": 100, "maintenance_margin_rate": 0.005},
        {"cap_usd": 1e8, "max_leverage": 20, "maintenance_margin_rate": 0.02},
    ],
    "layer": ["fund", {"kind": "adl", "capacity": 0.5}, "socialize"],
    "population": [
        {
            "kind": "trader",
            "name": "crowd",
            "count": 300,
            "long_share": 1.0,
            "short_share": 0.5,
            "leverage_median": 10.0,
        },
        {"kind": "maker", "name": "makers", "collateral_usd": 1e7},
    ],
}


def whale(name, share, side="long"):
    return {"kind": "whale", "name": name, "share": share, "side": side, "leverage": 5.0}


def build(overrides=None, *, source="a.toml"):
    return Scenario.from_tables(copy.deepcopy(TABLES), source=source, overrides=overrides)


def without(*names):
    return {name: table for name, table in copy.deepcopy(TABLES).items() if name not in names}


# --- round trips


def test_a_scenario_survives_toml():
    scenario = build()
    assert Scenario.from_tables(tomllib.loads(scenario.to_toml())) == scenario


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_survives_toml(path):
    scenario = Scenario.load(path)
    again = Scenario.from_tables(tomllib.loads(scenario.to_toml()))
    assert (again, again.sha256) == (scenario, scenario.sha256)


def test_a_scenario_can_be_built_in_python_from_the_same_names():
    assert Scenario(**copy.deepcopy(TABLES)) == build()


def test_a_scenario_built_in_python_is_validated_as_a_whole():
    tables = copy.deepcopy(TABLES)
    tables["tier"][1]["cap_usd"] = 1.0
    with pytest.raises(ValidationError, match=r"tier\.1\.cap_usd"):
        Scenario(**tables)


def test_a_variant_of_nothing_is_the_scenario_itself():
    scenario = build()
    assert scenario.with_() == scenario


def test_a_variant_changes_what_it_names_and_nothing_else():
    variant = build().with_(**{"market.vol_annual": 0.9})
    assert (variant.market.vol_annual, variant.with_(**{"market.vol_annual": 0.6})) == (0.9, build())


def test_a_variant_may_change_a_row():
    assert build().with_(**{"layer.1.capacity": 0.25}).layer[1].capacity == 0.25


def test_a_variant_is_validated():
    with pytest.raises(ScenarioError, match=r"run\.step_seconds"):
        build().with_(**{"run.step_seconds": 7.0})


def test_an_absent_half_life_is_no_value_because_toml_could_not_write_it():
    with pytest.raises(ScenarioError, match=r"liquidity\.half_life_minutes"):
        build({"liquidity.half_life_minutes": None})


# --- the hash


def reordered(value):
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return [reordered(entry) for entry in value] if isinstance(value, list) else value


def test_the_hash_does_not_depend_on_the_order_of_keys():
    assert Scenario.from_tables(reordered(TABLES)).sha256 == build().sha256


def test_the_hash_does_not_depend_on_whether_a_default_is_spelled_out():
    assert build({"run.seed": 7, "liquidity.pass_through": 0.3}).sha256 == build().sha256


def test_the_hash_sees_every_change():
    changes = [{"run.seed": 8}, {"layer.1.capacity": 0.4}, {"population.0.count": 301}, {"exchange.lot": 0.002}]
    assert len({build(change).sha256 for change in changes} | {build().sha256}) == 5


def test_the_hash_is_of_canonical_json():
    text = json.dumps(build().tables(), sort_keys=True, separators=(",", ":"))
    assert json.loads(text) == build().tables()
    assert len(build().sha256) == 64


# --- presets, extends and overrides


def test_a_preset_gives_tiers_and_waterfall():
    scenario = Scenario.from_tables(without("tier", "layer"), overrides={"exchange.preset": "plain_linear"})
    assert (len(scenario.tier), [layer.kind for layer in scenario.layer]) == (12, ["fund", "adl", "socialize"])


def test_what_stands_beside_a_preset_wins():
    scenario = build({"exchange.preset": "plain_linear"})
    assert len(scenario.tier) == 2


def test_a_row_of_a_preset_can_be_overridden():
    overrides = {"exchange.preset": "plain_linear", "layer.1.capacity": 0.5, "tier.0.max_leverage": 125}
    scenario = Scenario.from_tables(without("tier", "layer"), overrides=overrides)
    assert (scenario.layer[1].capacity, scenario.tier[0].max_leverage, len(scenario.tier)) == (0.5, 125, 12)


def test_a_number_of_a_presets_table_can_be_overridden():
    overrides = {"exchange.preset": "plain_linear", "exchange.fee.rate": 0.005}
    scenario = Scenario.from_tables(without("tier", "layer"), overrides=overrides)
    assert (scenario.exchange.fee.kind, scenario.exchange.fee.rate) == ("capped_fee", 0.005)


def test_a_bare_word_chooses_a_kind():
    scenario = build({"exchange.fee": "confiscate", "exchange.disposal": "immediate", "liquidity.impact": "linear"})
    kinds = scenario.exchange.fee.kind, scenario.exchange.disposal.kind, scenario.liquidity.impact.kind
    assert kinds == ("confiscate", "immediate", "linear")


def test_a_word_can_be_set_to_another_kind():
    assert build({"liquidity.impact": "linear", "liquidity.impact.kind": "square_root"}).liquidity.impact.kind


def test_a_file_is_loaded_with_overrides(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(build().to_toml())
    assert Scenario.load(path, overrides={"fund.initial_usd": 5.0}).fund.initial_usd == 5.0


# --- what is wrong is said in one line that names file, key, value and what is allowed

NAN, INF = math.nan, math.inf
COIN = {
    "exchange.contract": "inverse",
    "fund.initial_coin": 3.0,
    "tier.0.cap_coin": 20.0,
    "tier.1.cap_coin": 2_000.0,
    "population.1.collateral_coin": 100.0,
}
WRONG = {
    "nan": ({"fund.initial_usd": NAN}, "fund.initial_usd: should be a finite number, got nan"),
    "inf": ({"market.vol_annual": INF}, "market.vol_annual: should be a finite number, got inf"),
    "infinite count": ({"run.n_paths": INF}, "run.n_paths: should be a"),
    "negative": ({"fund.initial_usd": -1.0}, "fund.initial_usd: should be greater than or equal to 0, got -1.0"),
    "too large": (
        {"liquidity.pass_through": 1.5},
        "liquidity.pass_through: should be less than or equal to 1, got 1.5",
    ),
    "text": ({"fund.initial_usd": "much"}, "got 'much'"),
    "fraction": ({"run.n_paths": 1.5}, "run.n_paths: should be a valid integer"),
    "choice": ({"run.engine": "mesa"}, "run.engine: should be 'auto', 'reference', 'loop' or 'ladder', got 'mesa'"),
    "name": ({"run.name": "a b"}, "run.name: string should match pattern"),
    "unknown key": ({"fund.inital_usd": 1.0}, "fund.inital_usd: unknown key; did you mean 'initial_usd'?"),
    "far from any key": ({"fund.xyz": 1.0}, "fund.xyz: unknown key; known: assets, fee_rate, in_coin, initial_coin"),
    "key of a kind": ({"market.vol_anual": 1.0}, "market.vol_anual: unknown key; did you mean 'vol_annual'?"),
    "key of a word": ({"exchange.fee": {"kind": "capped_fee", "rat": 1}}, "did you mean 'rate'?"),
    "key of a row": ({"tier.1.cap_us": 1.0}, "tier.1.cap_us: unknown key; did you mean 'cap_usd'?"),
    "key of a cohort": ({"population.0.long_shar": 1.0}, "row 0: long_shar: unknown key; did you mean 'long_share'?"),
    "key of a layer": ({"layer.1.capacit": 1.0}, "row 1: capacit: unknown key; did you mean 'capacity'?"),
    "unknown table": ({"funds.x": 1.0}, "funds: unknown key; did you mean 'fund'?"),
    "table as number": ({"run": 5}, "run: should be a valid dictionary"),
    "part as number": ({"market": 5}, "market: expected a table with a 'kind', got 5"),
    "unknown kind": (
        {"market.kind": "gmb"},
        "unknown kind 'gmb', known: bates, bootstrap, filtered, garch, gbm, hawkes,",
    ),
    "kind as array": ({"market.kind": ["gbm"]}, "market: unknown kind ['gbm'], known: bates, bootstrap"),
    "missing": ({"fund": {}}, "fund.initial_usd: is required"),
    "coins for a linear contract": (
        {"fund.initial_coin": 3.0},
        "fund.initial_coin: must be initial_usd: the money of exchange.contract = 'linear' is USD",
    ),
    "dollars for an inverse contract": (
        {"exchange.contract": "inverse"},
        "fund.initial_usd: must be initial_coin: the money of exchange.contract = 'inverse' is BTC",
    ),
    "a tier in dollars": (
        {**COIN, "tier.1": {"cap_usd": 5e8, "max_leverage": 20, "maintenance_margin_rate": 0.02}},
        "tier.1.cap_usd: must be cap_coin",
    ),
    "tiers in coin that overlap": ({**COIN, "tier.1.cap_coin": 5.0}, "tier.1.cap_coin: 5 overlaps the tier before it"),
    "makers in dollars": (
        {**COIN, "population.1.collateral_usd": 1e7},
        "population.1.collateral_usd: must be collateral_coin",
    ),
    "coins as collateral of a contract in coin": (
        {**COIN, "exchange.collateral_in_coin": 0.5},
        "exchange.collateral_in_coin: must be 0: all collateral of this contract is BTC",
    ),
    "unknown contract": (
        {"exchange.contract": "invers"},
        "unknown kind 'invers', known: inverse, linear, quanto; did you",
    ),
    "quanto without multiplier": ({"exchange.contract": "quanto"}, "exchange.contract.multiplier: is required"),
    "asset without a price": ({"fund.assets": [{"name": "BNB", "share": 0.1}]}, "fund.assets.0: 'BNB' has no price"),
    "asset of all": (
        {"fund.assets": [{"name": "BTC", "share": 1.1}]},
        "fund.assets.0.share: should be less than or equal",
    ),
    "unknown key of an asset": (
        {"fund.assets": [{"name": "BTC", "share": 0.1, "shar": 1}]},
        "shar: unknown key; did you mean 'share'?",
    ),
    "margin basis": ({"exchange.margin_basis": "last"}, "exchange.margin_basis: should be 'mark' or 'entry'"),
    "too fine a lot": ({**COIN, "exchange.lot": 0.0}, "exchange.lot: should be greater than 0"),
    "two wrong": ({"fund.a": 1, "fund.b": 1}, "(and 1 more)"),
    "step": ({"run.step_seconds": 7.0}, "run.horizon_hours: 7200 s is not a multiple of run.step_seconds = 7"),
    "funding": ({"funding.interval_hours": 0.51}, "funding.interval_hours: 1836 s is not a multiple of"),
    "check": ({"exchange.check_seconds": 90.0}, "exchange.check_seconds: 90 s is not a multiple of"),
    "check below step": ({"exchange.check_seconds": 30.0}, "exchange.check_seconds: 30 s is not a multiple of"),
    "late shock": ({"shock": [{"at_hours": 2.0}]}, "shock.0.at_hours: 2 is beyond run.horizon_hours"),
    "market clock": (
        {"market.kind": "volatility_clock", "market.noise_clock_seconds": 70.0},
        "market.noise_clock_seconds",
    ),
    "tier overlap": ({"tier.1.cap_usd": 5e5}, "tier.1.cap_usd: 500000 overlaps the tier before it: caps must rise"),
    "tier overlap by floor": ({"tier.1.floor_usd": 5e5}, "tier.1.floor_usd: 500000 overlaps the tier before it"),
    "tier gap": ({"tier.1.floor_usd": 2e6}, "tier.1.floor_usd: 2e+06 leaves a gap to the tier before it"),
    "rising leverage": ({"tier.0.max_leverage": 10.0}, "tier.1.max_leverage: rises above the tier before it"),
    "deduction": ({"tier.1.deduction": 1.0}, "tier.1.deduction: 1.00 does not match: the rates and caps give"),
    "deduction of a cliff": (
        {"tier.1.deduction": 1.0, "exchange.tier_mode": "cliff"},
        "tier.1.deduction: 1.00 does not match: tier_mode = 'cliff' has 0.00",
    ),
    "unknown mark": ({"exchange.mark": "median"}, "exchange.mark: unknown kind 'median'"),
    "key without a kind": (
        {"exchange.mark.window_seconds": 30.0},
        "exchange.mark: needs a 'kind', known: ema_basis, fair_price, index, median_of_three, oracle, oracle_median; "
        "window_seconds would be of ema_basis, median_of_three, oracle_median",
    ),
    "portion without a kind": ({"exchange.partial.portion": 0.3}, "exchange.partial: needs a 'kind', known: block_"),
    "layer without a kind": ({"layer": [{}]}, "layer: row 0: needs a 'kind', known: adl, backstop,"),
    "limit of a row": (
        {"layer": [{"kind": "fund", "limits": ["inventory_cap", {"kind": "floor", "usd": -1}]}]},
        "layer: row 0: limits.1.usd: should be greater than or equal to 0, got -1",
    ),
    "unknown limit": ({"layer": [{"kind": "fund", "limits": ["flor"]}]}, "row 0: limits.0: unknown kind 'flor'"),
    "key of a limit": (
        {"layer": [{"kind": "fund", "limits": [{"kind": "inventory_cap", "share": 1.0}]}]},
        "layer: row 0: limits.0.share: unknown key; known: kind, share_of_fund",
    ),
    "limits as text": ({"layer": [{"kind": "fund", "limits": "floor"}]}, "row 0: limits: should be a valid tuple"),
    "unknown band": ({"exchange.band.kind": "twosided"}, "did you mean 'two_sided'?"),
    "falling rate": ({"tier.1.maintenance_margin_rate": 0.001}, "tier.1.maintenance_margin_rate: falls below"),
    "margin above initial": (
        {"tier.1.maintenance_margin_rate": 0.05},
        "tier.1.maintenance_margin_rate: 0.05 is not below the initial margin 1/20",
    ),
    "no tier": ({"tier": []}, "tier: should have at least 1 entry, got 0"),
    "tiers as text": ({"tier": "many"}, "tier: should be a valid tuple, got 'many'"),
    "leverage": (
        {"population.0.leverage_median": 150.0},
        "population.0.leverage_median: 150 is above the first tier's",
    ),
    "account leverage": (
        {"population.0": {"kind": "account", "name": "a", "qty": 1, "entry_usd": 5e4, "collateral_usd": 400}},
        "population.0.collateral_usd: leverage 125 is above the tier's maximum 100",
    ),
    "no population": ({"population": []}, "population: should have at least 1 entry, got 0"),
    "makers only": ({"population": TABLES["population"][1:]}, "population: is empty"),
    "no accounts": ({"population.0.long_share": 0.0, "population.0.short_share": 0.0}, "the cohort holds nothing"),
    "population as table": (
        {"population": {"kind": "maker"}},
        "population: expected an array of tables [[population]]",
    ),
    "same name": ({"population.1.name": "crowd"}, "population.0.name: 'crowd' is repeated"),
    "two makers": (
        {"population": [*TABLES["population"], {"kind": "maker", "name": "more", "collateral_usd": 1.0}]},
        "holds more than one 'maker'",
    ),
    "unknown layer": (
        {"layer": ["fund", "adll"]},
        "layer: row 1: unknown kind 'adll', known: adl, backstop, fee_pool, fund, operator, socialize",
    ),
    "repeated layer": ({"layer": ["fund", "adl", "adl"]}, "layer: 'adl' is repeated in the waterfall"),
    "no fund": ({"layer": ["adl", "socialize"]}, "layer: 'fund' is missing in the waterfall ['adl', 'socialize']"),
    "no layer": ({"layer": []}, "layer: should have at least 1 entry, got 0"),
    "unknown ranking": ({"layer.1.ranking": "size"}, "row 1: ranking: unknown kind 'size', known: binance, cube"),
    "level of one": ({"reserve.levels": [0.99, 1.0]}, "reserve.levels: level 1 is outside (0, 1)"),
    "level in percent": ({"reserve.levels": [99.5]}, "reserve.levels: level 99.5 is outside (0, 1)"),
    "no level": ({"reserve.levels": []}, "reserve.levels: should have at least 1 entry, got 0"),
    "confidence": ({"reserve.confidence": 95.0}, "reserve.confidence: should be less than 1, got 95.0"),
    "shares above one": (
        {"population": [*TABLES["population"], {**TABLES["population"][0], "name": "more", "long_share": 0.25}]},
        "population: the long shares of what the whales leave add up to 1.25, above 1",
    ),
    "whales above one": (
        {"population": [*TABLES["population"], whale("a", 0.7), whale("b", 0.6)]},
        "population: the long shares of the whales add up to 1.3, above 1",
    ),
    "nothing left": (
        {"population": [*TABLES["population"], whale("a", 1.0)]},
        "population: the whales leave nothing of the long side to share",
    ),
    "shares below one": ({"population.0.long_share": 0.6}, "neither side's shares of open interest add up to 1"),
    "no open interest": ({"exchange": {}}, "exchange.open_interest_usd: is needed by cohorts that are given as shares"),
    "book without depth": ({"liquidity.impact": "book"}, "liquidity.depth_usd: is needed by liquidity.impact = 'book'"),
    "limit and permanent": (
        {"exchange.disposal": "limit_at_bankruptcy", "liquidity.permanent_share": 0.1},
        "liquidity.permanent_share: must be 0",
    ),
    "guard without a pool": (
        {"population": TABLES["population"][:1], "exchange.pool_guard": {"max_factor": 0.85, "until_factor": 0.77}},
        "exchange.pool_guard: needs a 'maker' in [[population]]: makers are the pool",
    ),
    "guard that never ends": (
        {"exchange.pool_guard": {"max_factor": 0.5, "until_factor": 0.6}},
        "exchange.pool_guard.until_factor: 0.6 is above max_factor = 0.5",
    ),
    "guard with half its terms": (
        {"exchange.pool_guard": {"max_factor": 0.5}},
        "exchange.pool_guard.until_factor: is required",
    ),
    "key of a guard": (
        {"exchange.pool_guard": {"max_factor": 0.5, "until_facto": 0.4}},
        "exchange.pool_guard.until_factor: is required",
    ),
    "preset": ({"exchange.preset": "binance"}, "exchange.preset: unknown preset 'binance', known: "),
    "row": ({"population.9.count": 1}, "population.9.count: '9' is not a row of 0..1"),
}


@pytest.mark.parametrize(("overrides", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_in_one_line_that_names_the_file(overrides, message):
    with pytest.raises(ScenarioError) as raised:
        build(overrides)
    said = str(raised.value)
    assert message in said
    assert said.startswith("a.toml: ")
    assert "\n" not in said


@pytest.mark.parametrize("table", ["run", "market", "liquidity", "fund", "tier", "layer", "population"])
def test_a_missing_table_is_required(table):
    with pytest.raises(ScenarioError, match=rf"^a\.toml: {table}: is required$"):
        Scenario.from_tables(without(table), source="a.toml")


# --- what follows from the numbers


def test_the_key_that_is_set_last_says_in_which_money_an_amount_is():
    assert build(COIN).with_(**{"fund.initial_coin": 7.0}).fund.amount("initial") == 7.0
    assert build(COIN).fund.initial_usd is None


def test_sizes_in_dollars_become_coordinates_of_the_contract():
    linear, inverse = build(), build(COIN)
    assert linear.base_units(1e6) == pytest.approx(20.0)
    assert inverse.base_units(1e6) == pytest.approx(1e6)
    assert inverse.price == pytest.approx(2e-5)
    assert inverse.venue.open_interest == pytest.approx(200.0)
    assert inverse.venue.tick == pytest.approx(0.5 / 50_000.0**2)


def test_a_contract_survives_being_written_and_read():
    scenario = build(COIN)
    assert Scenario.from_tables(scenario.tables()).sha256 == scenario.sha256


def test_an_inverse_population_holds_what_the_linear_one_would_in_dollars():
    """The same draws: side, size in dollars, leverage, distance of the entry."""
    venues = [build(overrides) for overrides in ({}, COIN)]
    linear, inverse = (draw_population(scenario, 0) for scenario in venues)
    for population, scenario in ((linear, venues[0]), (inverse, venues[1])):
        assert population.open_interest * scenario.money_usd == pytest.approx(1e7, rel=0.01)
    assert (linear.accounts["qty"] > 0).sum() == pytest.approx((inverse.accounts["qty"] < 0).sum(), abs=3)
    for found in shares(venues[1], inverse):
        assert found.achieved == pytest.approx(found.requested, rel=0.02)


def test_the_clock_counts_steps():
    assert (build().clock.n_steps, build({"run.step_seconds": 30.0}).clock.n_steps) == (120, 240)


@pytest.mark.parametrize(("mode", "deduction"), [("continuous", 15_000.0), ("cliff", 0.0)])
def test_the_tier_mode_decides_on_deductions(mode, deduction):
    assert build({"exchange.tier_mode": mode}).tiers.deduction[1] == pytest.approx(deduction)


def test_a_population_is_redrawn_for_every_hundredth_of_the_paths():
    assert build().redraw_every == 10


def test_redrawing_can_be_set():
    assert build({"run.redraw_every": 25}).redraw_every == 25


def test_a_given_book_is_one_population():
    account = {"kind": "account", "name": "a", "qty": 1.0, "entry_usd": 5e4, "collateral_usd": 5e3}
    scenario = build({"population.0": account})
    assert scenario.conditional_on_book
    assert scenario.redraw_every == 1_000


def test_levels_are_sorted():
    assert build({"reserve.levels": [0.999, 0.9]}).reserve.levels == (0.9, 0.999)


def test_without_a_funding_table_no_funding_is_paid():
    funding = Scenario.from_tables(without("funding"), overrides={"run.horizon_hours": 8.0}).funding
    assert not funding.rates(np.ones((1, 3))).any()


def test_a_scenario_is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        build().run = None


@pytest.mark.parametrize("share", [0.01, 0.05, 0.20, 0.99])
def test_a_whale_of_any_size_leaves_the_rest_to_the_crowd(share):
    venue = build({"population": [*TABLES["population"], whale("w", share)]}).venue
    assert (venue.crowd_long, venue.crowd_short) == (pytest.approx((1.0 - share) * 1e7), 1e7)


def test_whales_on_one_side_may_be_the_side_that_is_complete():
    crowd = {**TABLES["population"][0], "long_share": 0.0}
    assert build({"population": [crowd, whale("a", 0.7), whale("b", 0.3)]}).venue.crowd_long == 0.0


def test_durations_are_rounded_to_steps():
    assert build().steps(300.0) == 5


# --- adding a thing is one file: a class defined here can be used by name


@pytest.fixture
def forget():
    """Take what a test registers out of its family again."""
    kept = [(family, dict(family.family)) for family in (Market, Cohort, FeeModel, ImpactLaw, Layer, Ranking)]
    yield
    for family, members in kept:
        family.family.clear()
        family.family.update(members)


def test_a_new_market_is_usable_by_its_kind(forget):
    class Staircase(Market, kind="staircase"):
        """Steps of given height."""

        height: float = Field(default=0.1, gt=0)
        increments = given_increments

        def numbers(self, clock):
            return {"given": 0.0}

    scenario = build({"market.kind": "staircase", "market.height": 0.2})
    assert isinstance(scenario.market, Staircase)
    assert scenario.with_() == scenario


def test_a_new_cohort_is_usable_by_its_kind(forget):
    class Pair(Cohort, kind="pair"):
        """A long and a short of equal size."""

        leverage: float = 5.0

        def draw(self, rng, venue):
            return build_accounts(venue, [10.0, -10.0], [venue.price] * 2, self.leverage, "isolated")

    scenario = build({"population.0": {"kind": "pair", "name": "p"}})
    assert isinstance(scenario.population[0], Pair)
    assert scenario.population[0].draw(None, scenario.venue).size == 2


def test_a_new_fee_model_is_usable_by_its_kind(forget):
    class Half(FeeModel, kind="half"):
        """Half of the gain."""

        split = staticmethod(lambda gain, traded_notional, book: (0.5 * gain, 0.0))

    assert isinstance(build({"exchange.fee": "half"}).exchange.fee, Half)


def test_a_new_impact_law_is_usable_by_its_kind(forget):
    class Twice(ImpactLaw, kind="twice"):
        """Twice the linear law."""

        impact, cost, flow_at = staticmethod(linear_impact), staticmethod(linear_cost), staticmethod(linear_flow)

        def numbers(self, volume, depth):
            return 0.2, volume, 1.0

    assert isinstance(build({"liquidity.impact": "twice"}).liquidity.impact, Twice)


def test_a_new_layer_and_a_new_ranking_are_usable_by_their_kinds(forget):
    class Treasury(Layer, kind="treasury"):
        """The operator pays."""

        absorb = staticmethod(operator_absorbs)

    class Oldest(Ranking, kind="oldest"):
        """Account order."""

        score, allocate = staticmethod(no_preference), staticmethod(take_in_order)

    scenario = build({"layer": ["fund", {"kind": "adl", "ranking": "oldest"}, "treasury"]})
    assert [layer.kind for layer in scenario.layer] == ["fund", "adl", "treasury"]


def test_an_unknown_kind_names_the_new_one(forget):
    class Half(FeeModel, kind="half_of_it"):
        """Half of the gain."""

    with pytest.raises(ScenarioError, match=r"did you mean 'half_of_it'\?"):
        build({"exchange.fee": "half_of_itt"})
