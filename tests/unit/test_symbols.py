from pathlib import Path

import numpy as np
import pytest

import stress
from stress import symbols
from stress.accounts import grid
from stress.engines.blocks import MAX_BLOCK, World
from stress.engines.desks import SeveralWorld
from stress.engines.population import draw_population
from stress.markets.scripted import Scripted
from stress.scenario import ScenarioError

CONFIG = Path(__file__).parents[2] / "configs" / "cross_margin.toml"


def load(**overrides):
    return stress.Scenario.load(CONFIG, overrides=overrides)


@pytest.fixture(scope="module")
def scenario():
    return load()


@pytest.fixture(scope="module")
def book(scenario):
    return draw_population(scenario, 0)


LEG = {"symbol": "ETH", "qty": 1.0, "entry_usd": 3_500.0}
CAP_IN_COIN = {"cap_coin": 10.0, "max_leverage": 50, "maintenance_margin_rate": 0.01}
NEW = {"pool.1.first_days": 30.0, "pool.1.then": "majors", "asset.2.listed_days_ago": 29.0}
STILL = {"market": {"kind": "scripted", "price_usd": 100_000.0}}
GIVEN = {"kind": "account", "name": "given", "qty": 1.0, "entry_usd": 1e5, "collateral_usd": 1e5}


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"asset.0.price_usd": 5.0}, r"asset\.0\.price_usd: 5 is not market\.price_usd"),
        ({"asset.0.beta": 0.9}, r"asset\.0\.beta: the first symbol is the market itself"),
        ({"asset.0.jump_beta": 1.0}, r"asset\.0\.jump_beta: the first symbol is the market itself"),
        ({"asset.1.jump_beta": 1.5, **STILL}, r"asset\.1\.jump_beta: is without effect: the market, 'scripted'"),
        ({"asset.1.crashes_per_year": 1e6}, r"asset\.1\.crashes_per_year"),
        ({"asset.1.funding_mean_rate": 1e-4, "funding.kind": "premium"}, r"is for funding\.kind = 'rate'"),
        ({"market.extremes": "bridge"}, r"market\.extremes: must be absent at a venue with"),
        ({"asset.2.symbol": "ETH"}, r"asset\.1\.symbol: 'ETH' is repeated"),
        ({"asset.1.tiers": [[5e4, 100, 0.005], [4e4, 50, 0.01]]}, r"asset\.1\.tiers\.1\.cap_usd: .* overlaps"),
        ({"asset.1.tiers": [[5e4, 100]]}, r"row .* should be \[cap_usd, max_leverage"),
        ({"asset.1.tiers": [[5e4, 100, 0.02]]}, r"is not below the initial margin 1/100"),
        ({"pool.0.symbols": ["BTC"]}, r"pool: no pool stands behind ETH"),
        ({"pool.0.symbols": ["BTC", "ETH", "XRP"]}, r"'XRP' is no contract of this venue, known: BTC, ETH, SOL"),
        ({"pool.1.symbols": ["SOL", "ETH"]}, r"'ETH' is in more than one pool"),
        ({"pool.1.share": 0.5}, r"pools' shares of the fund add up to 1\.35, not 1"),
        ({"collateral.0.symbol": "XRP"}, r"collateral\.0\.symbol: unknown symbol 'XRP'"),
        ({"collateral.0.share": 0.95}, r"collateral: the shares add up to 1\.05"),
        ({"collateral.0.tiers": [[5.0, 0.9], [4.0, 0.8]]}, r"cap 4 overlaps the tier before it"),
        ({"collateral.0.depeg_at_hours": 1.0}, r"depeg_at_hours: is for a stable coin"),
        ({"population.2.symbol": "XRP"}, r"population\.2\.symbol: unknown symbol 'XRP'"),
        ({"shock": [{"at_hours": 1.0, "symbol": "XRP", "move": -0.1}]}, r"shock\.0\.symbol: unknown symbol"),
        ({"shock": [{"at_hours": 1.0, "symbol": "SOL", "halt": True}]}, r"halts the whole venue"),
        ({"fund.in_coin": 0.5}, r"fund\.in_coin: 0\.5 must be 0 at a venue with \[\[asset\]\] tables"),
        ({"exchange.collateral_in_coin": 0.5}, r"use \[\[collateral\]\]"),
        ({"population.0.n_symbols": [0.5, 0.2]}, r"should be 0 or more and add up to 1"),
        ({"population.1": GIVEN | {"coins": {"DOGE": 1.0}}}, r"asset 'DOGE' has no price"),
        ({"population.1": GIVEN | {"legs": [LEG, LEG]}}, r"names a symbol twice"),
        ({"asset.1.tiers": [CAP_IN_COIN]}, r"asset\.1\.tiers\.0\.cap_usd: is required"),
        ({"pool.0.symbols": []}, r"pool\.0\.symbols: is empty: needs at least one of BTC, ETH, SOL"),
        ({"asset": []}, r"pool: is for a venue with \[\[asset\]\] tables"),
        ({"pool.1.then": "majors"}, r"pool\.1\.first_days: is needed by then = 'majors'"),
        ({"pool.1.first_days": 30.0}, r"pool\.1\.then: is needed by first_days = 30"),
        ({**NEW, "pool.1.then": "old"}, r"pool\.1\.then: unknown pool 'old', known: "),
        ({**NEW, "pool.0.first_days": 9.0, "pool.0.then": "sol"}, r"pool\.0\.then: 'sol' has first_days itself"),
        ({**NEW, "asset.2.listed_days_ago": 30.0}, r"asset\.2\.listed_days_ago: 30 must be below first_days = 30 of"),
        ({"pool.1.first_days": 30.0, "pool.1.then": "majors"}, r"asset\.2\.listed_days_ago: is needed: pool 'sol' has"),
        ({**NEW, "pool.1.first_days": 0.0}, r"pool\.1\.first_days: should be greater than 0"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(overrides, said):
    with pytest.raises(ScenarioError, match=said) as raised:
        load(**overrides)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"exchange.partial": "step_down"}, r"exchange\.partial: 'step_down' must be 'full' at a venue with \[\[asset"),
        ({"exchange.remainder": "waits"}, r"exchange\.remainder: 'waits' must be 'taken_over'"),
        ({"exchange.backstop_margin": 0.5}, r"exchange\.backstop_margin: 0\.5 must be 0"),
        ({"exchange.latency_seconds": 60.0}, r"exchange\.latency_seconds: 60 must be 0"),
        ({"exchange.disposal": "fillable_price"}, r"exchange\.disposal: 'fillable_price' is for one symbol"),
        ({"exchange.disposal": "oracle_close"}, r"exchange\.disposal: 'oracle_close' is for one symbol"),
        ({"exchange.band": {"kind": "fixed"}}, r"exchange\.band: 'fixed' must be 'none'"),
        ({"exchange.mark": "median_of_three"}, r"exchange\.mark: 'median_of_three' must be 'index'"),
        ({"exchange.margin_basis": "entry"}, r"exchange\.margin_basis: 'entry' must be 'mark'"),
        ({"exchange.pool_guard": {"max_factor": 0.9, "until_factor": 0.8}}, r"exchange\.pool_guard: must be absent"),
        ({"fund.assets": [{"name": "USDC", "share": 0.5}]}, r"fund\.assets: must be empty"),
        ({"fund.top_up_usd": 1e6, "fund.top_up_below_usd": 1e6}, r"fund\.top_up_usd: 1e\+06 must be 0"),
        ({"layer": [{"kind": "fund", "limits": [{"kind": "inventory_cap"}]}]}, r"layer\.0: the limits of 'fund'"),
        ({"layer": [{"kind": "fund", "payment": "all_or_nothing"}]}, r"layer\.0: the limits of 'fund'"),
        ({"layer": [{"kind": "fund"}, {"kind": "backstop"}]}, r"layer\.1: 'backstop' is for one symbol"),
        ({"layer": [{"kind": "fund"}, {"kind": "fee_pool", "usd": 1e6}]}, r"layer\.1: 'fee_pool' is for one symbol"),
        ({"layer": [{"kind": "fund"}, {"kind": "operator"}]}, r"layer\.1: 'operator' is for one symbol"),
        ({"exchange.preset": "hyperliquid"}, r"is for one symbol|at a venue with \[\[asset"),
    ],
)
def test_what_these_engines_do_for_one_symbol_only_is_refused_by_name(overrides, said):
    with pytest.raises(ScenarioError, match=said) as raised:
        load(**overrides)
    assert "\n" not in str(raised.value)


def test_a_contract_in_another_money_is_refused_before_its_amounts_are():
    with pytest.raises(ScenarioError, match=r"exchange\.contract: 'inverse' must be 'linear'"):
        load(**{"exchange.contract": "inverse"})


def test_a_given_account_that_is_liquidatable_at_the_start_is_refused():
    poor = GIVEN | {"collateral_usd": 0.0, "coins": {"BTC": 0.001}, "legs": [LEG]}
    with pytest.raises(ScenarioError, match=r"population\.5: 'given' is liquidatable at the start"):
        draw_population(load(population=[*load().tables()["population"][:5], poor]), 0)


def test_a_desk_is_the_scenario_of_its_symbol(scenario):
    sol = symbols.desk(scenario, 2)
    assert (sol.market.price_usd, sol.exchange.open_interest_usd, sol.exchange.lot) == (180.0, 0.3e9, 0.1)
    assert sol.tiers.max_leverage[0] == 100
    assert sol.liquidity.vol_annual == pytest.approx(0.69 * (1.2**2 + 1.0) ** 0.5)


def test_a_symbol_moves_at_the_first_step_that_begins_beyond_its_days():
    moves = [symbols.move_of(load(**NEW), s) for s in range(3)]
    assert moves == [(0, -1), (0, -1), (0, 1_440)]  # one day of minutes
    almost = load(**(NEW | {"asset.2.listed_days_ago": 30.0 - 90.5 / 1_440}))
    assert symbols.move_of(almost, 2) == (0, 91)


def test_positions_are_on_the_grids_of_their_symbols(scenario, book):
    legs = book.portfolios.legs
    for s, desk in enumerate(scenario.desks):
        mine = legs[legs["symbol"] == s]
        for name, step in (("qty", desk.exchange.lot), ("entry", desk.exchange.tick)):
            units = mine[name] / grid(step)
            assert (units == np.round(units)).all()
    units = book.portfolios.wallet / grid(scenario.exchange.cent)
    assert (units == np.round(units)).all()


def test_every_symbol_has_its_open_interest(scenario, book):
    for asset, desk in zip(scenario.asset, book.desks, strict=True):
        wanted = asset.open_interest_usd or scenario.exchange.open_interest_usd
        assert desk.open_interest == pytest.approx(wanted, rel=0.01)


def test_accounts_hold_one_two_or_three_symbols_in_the_asked_proportion(book):
    p = book.portfolios
    cohort, legs = p.legs["cohort"][p.starts[:-1]], np.diff(p.starts)
    drawn = legs[cohort == 0]
    assert np.bincount(drawn, minlength=4)[1:] / drawn.size == pytest.approx([0.5, 0.3, 0.2], abs=0.03)


def test_a_third_of_further_legs_are_hedges(book):
    p = book.portfolios
    first = np.repeat(p.legs["qty"][p.starts[:-1]], np.diff(p.starts))
    further = np.setdiff1d(np.arange(p.legs.size), p.starts[:-1])
    against = (p.legs["qty"] * first < 0)[further]
    assert 0.25 < against.mean() < 0.45


def test_coins_are_the_asked_share_of_equity(scenario, book):
    p, price = book.portfolios, {a.symbol: a.price_usd for a in scenario.asset}
    start = np.array([price[s] for s in symbols.names(scenario)])[p.legs["symbol"]]
    pnl = np.bincount(p.legs["account"], p.legs["qty"] * (start - p.legs["entry"]))
    coins = p.coins * np.array([100_000.0, 1.0])
    drawn = p.coins.any(axis=1)
    equity = (p.wallet + pnl + coins.sum(axis=1))[drawn]
    np.testing.assert_allclose(coins[drawn] / equity[:, None], np.tile([0.2, 0.1], (drawn.sum(), 1)), rtol=1e-3)


def test_makers_hold_what_balances_every_desk(book):
    for desk in book.desks:
        assert desk.accounts["qty"].sum() + desk.maker_qty == 0.0


def block_of(scenario, n=MAX_BLOCK):
    return SeveralWorld(scenario, decay=np.ones(scenario.clock.n_steps + 1)).block(0, n).shocks


def test_the_first_symbol_is_the_market(scenario):
    btc = {"symbol": "BTC", "price_usd": 100_000.0}
    one = load(asset=[btc], pool=[], collateral=[], population=[GIVEN])
    np.testing.assert_array_equal(block_of(scenario, 2)[:, 0], block_of(one, 2)[:, 0])


def test_correlations_and_volatilities_follow_from_beta_and_own():
    plain = {"kind": "gbm", "price_usd": 100_000.0, "vol_annual": 0.7}
    returns = np.diff(block_of(load(market=plain)), axis=2).transpose(1, 0, 2).reshape(3, -1)
    sd, found = returns.std(axis=1), np.corrcoef(returns)
    assert sd[1:] / sd[0] == pytest.approx([(1.05**2 + 0.7**2) ** 0.5, (1.2**2 + 1.0) ** 0.5], rel=0.01)
    assert found[0, 1:] == pytest.approx([0.832, 0.768], abs=0.01)
    assert found[1, 2] == pytest.approx(0.832 * 0.768, abs=0.01)


def test_a_common_shock_moves_all_by_their_beta_and_one_of_a_symbol_that_symbol():
    still = {"kind": "scripted", "price_usd": 100_000.0}
    shocks = [{"at_hours": 1.0, "move": -0.2}, {"at_hours": 2.0, "move": -0.5, "symbol": "SOL"}]
    end = block_of(load(market=still, shock=shocks), 1)[0, :, -1]
    fall, own = np.log(0.8), np.log(0.5)
    assert end == pytest.approx([fall, 1.05 * fall, 1.2 * fall + own])


def test_jumps_move_a_symbol_by_their_own_beta():
    jumping = {"kind": "merton", "price_usd": 100_000.0, "vol_annual": 0.0, "jumps_per_year": 2_000.0}
    alts = {"asset.1.own": 0.0, "asset.2.own": 0.0, "asset.1.jump_beta": 1.5}
    paths = block_of(load(market=jumping, **alts), 4)
    np.testing.assert_allclose(paths[:, 1], 1.5 * paths[:, 0], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(paths[:, 2], 1.2 * paths[:, 0], rtol=1e-12, atol=1e-15)


def test_noise_moves_a_symbol_by_its_beta_whatever_that_of_jumps():
    law = {"kind": "garch", "price_usd": 100_000.0, "jump_sd": 0.05}
    alts = {"asset.1.own": 0.0, "asset.1.jump_beta": 0.0}
    with_jumps = block_of(load(market=law | {"jumps_per_year": 2_000.0}, **alts), 4)[:, 1]
    without = block_of(load(market=law), 4)[:, 0]
    np.testing.assert_allclose(with_jumps, 1.05 * without, rtol=1e-9, atol=1e-12)


def test_funding_is_common_unless_a_symbol_says_otherwise():
    changed = {"asset.1.funding_mean_rate": 5e-4, "asset.2.funding_correlation": 0.0, "funding.interval_hours": 1.0}
    scenario = load(**changed)
    world = SeveralWorld(scenario, decay=np.ones(scenario.clock.n_steps + 1))
    rates = world.block(0, MAX_BLOCK).rates
    np.testing.assert_array_equal(rates[:, 0], World.block(world, 0, MAX_BLOCK).rates)
    np.testing.assert_allclose(rates[:, 1] - rates[:, 0], 5e-4 - scenario.funding.mean_rate, rtol=1e-9)
    flat = rates.transpose(1, 0, 2).reshape(3, -1)
    assert abs(np.corrcoef(flat)[0, 2]) < 0.15
    assert flat[2].std() == pytest.approx(flat[0].std(), rel=0.15)


def test_a_market_that_does_not_say_what_its_noise_is_has_no_volatility_to_share(monkeypatch):
    monkeypatch.setattr(Scripted, "deviations", None)
    with pytest.raises(ScenarioError, match=r"asset\.1\.own_volatility: needs a market that says what its noise is"):
        load(**STILL, **{"asset.1.own_volatility": "market"})


def test_where_nothing_is_random_a_symbol_follows_the_market():
    shock = [{"at_hours": 1.0, "move": -0.2}]
    end = block_of(load(shock=shock, **STILL, **{"asset.1.own_volatility": "market"}), 1)[0, :, -1]
    assert end == pytest.approx(np.log(0.8) * np.array([1.0, 1.05, 1.2]))
