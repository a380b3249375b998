"""Several symbols on one wallet: reference = loop, with and without skipping; one symbol = the ordinary loop.

Scenarios share two sets of rules: fund, adl, socialize and adl, fund, socialize.
"""

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import stress
from stress.engines.base import Job, Progress
from stress.engines.choose import choose_engine
from stress.outcomes import COLUMNS
from stress.scenario import ScenarioError

TINY = Path(__file__).parents[2] / "configs" / "tiny.toml"
SEEDS = (1, 2, 3)
SIZE = {"run.n_paths": 6, "run.redraw_every": 3}
COMPARED = [name for name in COLUMNS if name != "conservation_error"]
STEEP = [[20_000, 100, 0.005], [100_000, 50, 0.0065], [800_000, 40, 0.01], [4e6, 20, 0.02], [1e9, 5, 0.1]]
BTC = {"symbol": "BTC", "price_usd": 50_000.0}
ETH = {"symbol": "ETH", "price_usd": 2_500.0, "beta": 1.2, "own": 0.5, "open_interest_usd": 12e6}
SOL = {"symbol": "SOL", "price_usd": 150.0, "beta": 1.3, "own": 0.8, "open_interest_usd": 5e6, "tiers": STEEP}
ASSETS = [
    BTC,
    ETH | {"volume_usd_per_day": 2e8, "lot": 0.01, "tick": 0.01},
    SOL | {"volume_usd_per_day": 5e7, "lot": 0.1, "tick": 0.01},
]
COINS = [
    {"asset": "BTC", "symbol": "BTC", "share": 0.4, "tiers": [[50_000, 0.95], [1e9, 0.9]], "debt_usd": 500.0},
    {"asset": "USDX", "share": 0.2, "tiers": [[1e9, 0.98]], "depeg_at_hours": 1.0, "depeg_to": 0.9, "debt_usd": 100.0},
]
POOLS = [{"name": "main", "symbols": ["BTC", "ETH"], "share": 0.8}, {"name": "new", "symbols": ["SOL"], "share": 0.2}]
BARE = [{k: v for k, v in tier.items() if k != "deduction"} for tier in stress.Scenario.load(TINY).tables()["tier"]]
CLIFF = {"exchange.tier_mode": "cliff", "tier": BARE}
ADL_FIRST = [{"kind": "adl", "capacity": 0.2}, {"kind": "fund"}, {"kind": "socialize"}]


def trader(name, count, longs, shorts, leverage, **more):
    table = {"kind": "trader", "name": name, "count": count, "long_share": longs, "short_share": shorts}
    table |= {"leverage_median": leverage, "largest_share": 0.05, "entry_vol_annual": 2.0}
    return table | {"size": {"kind": "lognormal_pareto", "sigma": 1.5}} | more


CROSS = trader("cross", 120, 0.6, 0.55, 15.0) | {"kind": "portfolio", "hedged_share": 0.5}
CROWD = [
    CROSS,
    trader("btc", 60, 0.4, 0.4, 20.0),
    trader("eth", 40, 0.4, 0.4, 20.0, symbol="ETH"),
    trader("sol", 40, 0.4, 0.4, 15.0, symbol="SOL"),
    {"kind": "maker", "name": "makers", "collateral_usd": 20e6},
]
GIVEN = {
    "kind": "account",
    "name": "given",
    "qty": 20.0,
    "entry_usd": 51_000.0,
    "collateral_usd": 0.0,
    "legs": [{"symbol": "SOL", "qty": -2_000.0, "entry_usd": 149.0}],
    "coins": {"BTC": 3.0},
    "count": 3,
}
WHALE = {"kind": "whale", "name": "leaver", "symbol": "ETH", "share": 0.1, "leverage": 20.0, "exits_per_year": 3_000.0}
CRASHES = [
    {"at_hours": 0.5, "minutes": 20.0, "move": -0.15},
    {"at_hours": 1.5, "minutes": 10.0, "move": -0.25, "symbol": "SOL"},
    {"at_hours": 2.5, "minutes": 30.0, "move": 0.2, "halt": True},
]

SLOW = {"exchange.disposal.participation": 0.02}

# SOL has a pool of its own while it is new.
OF_NEW = [POOLS[0], POOLS[1] | {"first_days": 30.0, "then": "main"}]


def listed(hours_left):
    assets = [*ASSETS[:2], ASSETS[2] | {"listed_days_ago": 30.0 - hours_left / 24.0}]
    return {"pool": OF_NEW, "asset": assets}


SCENARIOS = {
    "offsetting_legs": {},
    "wrong_way_coins": {"collateral": COINS, "shock": CRASHES},
    "pools": {"pool": POOLS, "fund.initial_usd": 50_000.0, "collateral": COINS},
    "new_until_a_crash": {**listed(1.5), "fund.initial_usd": 50_000.0, "collateral": COINS, "shock": CRASHES},
    "new_until_a_halt": {**listed(2.6), "fund.initial_usd": 50_000.0, "shock": CRASHES, **SLOW},
    "three_pools": {
        "pool": [
            {"name": s, "symbols": [s], "share": share} for s, share in (("BTC", 0.5), ("ETH", 0.25), ("SOL", 0.25))
        ],
        "fund.initial_usd": 20_000.0,
        "exchange.adl_rehedge": 0.5,
    },
    "inventory_of_a_small_fund": {"fund.initial_usd": 20_000.0, "exchange.disposal.participation": 0.02},
    "given_and_leaving": {"collateral": COINS, "population": [GIVEN, *CROWD, WHALE], "shock": CRASHES},
    "funding": {"funding.mean_rate": 4e-3, "funding.sd_rate": 3e-3, "funding.clamp": 0.01},
    "storms_and_crashes": {
        "asset": [
            BTC | {"funding_sd_rate": 1e-3},
            ASSETS[1] | {"own_volatility": "market", "jump_beta": 1.5, "funding_correlation": 0.5},
            ASSETS[2] | {"own_volatility": "market", "crashes_per_year": 1_000.0, "crash_minutes": 10.0},
        ],
        "fund.initial_usd": 50_000.0,
        "funding.mean_rate": 1e-3,
        "funding.interval_hours": 1.0,
        "funding.clamp": 0.01,
    },
    "cliff": CLIFF,
    "adl_before_the_fund": {"fund.initial_usd": 20_000.0, "layer": ADL_FIRST},
    "rules_of_other_venues": {
        "fund.initial_usd": 20_000.0,
        "exchange.fee": {"kind": "keep_residual"},
        "exchange.disposal": {"kind": "limit_at_bankruptcy"},
        "liquidity.permanent_share": 0.0,
        "layer": [
            {"kind": "fund"},
            {"kind": "adl", "ranking": "binance", "price": "mark", "capacity": 0.5},
            {"kind": "socialize", "basis": "positive_equity"},
        ],
    },
    "pro_rata_at_the_mark_before": {
        "layer": [
            {"kind": "adl", "ranking": "pro_rata", "price": "previous_mark", "capacity": 0.2, "losers": True},
            {"kind": "fund"},
            {"kind": "socialize", "basis": "notional"},
        ],
        "fund.initial_usd": 20_000.0,
    },
}


def with_seeds(names):
    """Parametrize by name and seed; the later seeds only where time allows."""
    later = [pytest.param(name, seed, marks=pytest.mark.more) for name in names for seed in SEEDS[1:]]
    return pytest.mark.parametrize(("name", "seed"), [(name, SEEDS[0]) for name in names] + later)


CASES = with_seeds(SCENARIOS)


def scenario_of(name, seed, engine):
    overrides = {**SIZE, "asset": ASSETS, "population": CROWD, **SCENARIOS[name]}
    return stress.Scenario.load(TINY, overrides={**overrides, "run.seed": seed, "run.engine": engine})


def run(scenario, *, skips=1, ledger=True):
    job = Job(scenario, ledger=ledger)
    if hasattr(job.engine, "skips"):
        job.engine.skips = skips
    job.run(1, Progress())
    results = job.results
    return SimpleNamespace(columns=results.columns, ledger=results.liquidations(), pools=results.pools, job=job)


@cache
def result(name, seed, engine, **how):
    return run(scenario_of(name, seed, engine), **how)


def assert_same(a, b):
    np.testing.assert_array_equal(a.ledger, b.ledger)
    for name in COMPARED:
        tolerance = {"rtol": 1e-9, "atol": 1e-6} if COLUMNS[name].kind == "f" else {"rtol": 0.0, "atol": 0.0}
        np.testing.assert_allclose(a.columns[name], b.columns[name], **tolerance, err_msg=name)
    for name in a.pools.dtype.names if a.pools.size else ():
        np.testing.assert_allclose(a.pools[name], b.pools[name], rtol=1e-9, atol=1e-6, err_msg=name)


@CASES
def test_ledger_and_money_are_those_of_the_reference(name, seed):
    assert_same(result(name, seed, "loop"), result(name, seed, "reference"))


@CASES
def test_looking_at_everybody_at_every_step_changes_nothing(name, seed):
    assert_same(result(name, seed, "loop", skips=0), result(name, seed, "loop"))


@CASES
def test_the_books_balance_on_every_desk_and_in_the_whole(name, seed):
    for engine in ("loop", "reference"):
        assert result(name, seed, engine).columns["conservation_error"].max() <= 1e-9


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_comparison_is_not_weak(name):
    found = [result(name, seed, "loop") for seed in SEEDS]
    assert sum(one.ledger.size for one in found) > 100
    assert sum(one.columns["drawdown"].sum() for one in found) > 0
    assert sum((one.pools["ruin_step"] >= 0).sum() for one in found) > 0
    assert sum(one.columns["deleveraged_notional"].sum() for one in found) > 0


def test_losses_are_socialized_over_several_symbols():
    assert sum(result("adl_before_the_fund", seed, "loop").columns["socialized_loss"].sum() for seed in SEEDS) > 0


def test_with_one_pool_its_record_is_that_of_the_whole_fund():
    for seed in SEEDS:
        found = result("offsetting_legs", seed, "loop")
        np.testing.assert_array_equal(found.pools["drawdown"][:, 0], found.columns["drawdown"])
        np.testing.assert_array_equal(found.pools["ruin_step"][:, 0], found.columns["ruin_step"])


SOL_CRASHES = [{"at_hours": 2.0, "minutes": 10.0, "move": -0.3, "symbol": "SOL"}]
STILL = {"market": {"kind": "scripted", "price_usd": 50_000.0}, "shock": SOL_CRASHES, "fund.initial_usd": 20_000.0}


@cache
def crash(hours_left):
    """SOL falls by 30 % from 2 h on and nothing else happens; it is new for `hours_left`."""
    overrides = {**SIZE, "asset": ASSETS, "population": CROWD, **listed(hours_left), **STILL}
    return run(stress.Scenario.load(TINY, overrides={**overrides, "run.seed": 1, "run.engine": "loop"}))


def test_a_crash_before_the_move_ruins_the_pool_of_new_listings():
    main, new = crash(3.0).pools["ruin_step"].T
    assert (new >= 0).all()
    assert new.max() < 180
    assert (main == -1).all()


def test_a_crash_after_the_move_ruins_the_pool_that_it_has_moved_to():
    main, new = crash(1.0).pools["ruin_step"].T
    assert (new == -1).all()
    assert (main >= 120).all()


def test_pools_that_change_with_age_leave_the_whole_fund_as_it_is():
    for name in ("new_until_a_crash", "new_until_a_halt"):
        changed = SCENARIOS[name] | {"pool": POOLS}
        plain = run(stress.Scenario.load(TINY, overrides={**SIZE, "population": CROWD, **changed, "run.seed": 1}))
        found = result(name, 1, "loop")
        for column in ("drawdown", "drawdown_step", "ruin_step"):
            np.testing.assert_array_equal(found.columns[column], plain.columns[column])
        totals = [one.pools["value"].sum(axis=1) for one in (found, plain)]
        np.testing.assert_allclose(*totals, rtol=1e-9, atol=1e-6)
        assert not np.array_equal(found.pools, plain.pools)


def test_a_pool_may_be_ruined_while_the_whole_fund_is_not():
    found = [result("pools", seed, "loop") for seed in SEEDS]
    pools = np.concatenate([(one.pools["ruin_step"] >= 0).any(axis=1) for one in found])
    whole = np.concatenate([one.columns["ruin_step"] >= 0 for one in found])
    assert (pools & ~whole).any()


def test_legs_of_one_account_are_liquidated_together():
    found = result("offsetting_legs", 1, "loop", ledger=True)
    legs = found.job.population(0).portfolios.legs
    rows = found.ledger[found.ledger["path"] == 0]
    when = {}
    for row in rows:
        when.setdefault(legs["account"][row["account"]], set()).add((row["step"], row["round"]))
    assert all(len(moments) == 1 for moments in when.values())
    assert len(when) < rows.size


# One symbol, one leg: the same venue as ever.

ORDINARY = {
    "base": {},
    "halts_and_inventory": {"exchange.disposal.participation": 0.02, "shock": CRASHES[::2], "fund.share_of_fees": 0.1},
    "exhausted": {"fund.initial_usd": 5_000.0, "liquidity.permanent_share": 0.6},
    "others_too": {"liquidity.common_liquidation": 1.0, "liquidity.permanent_share": 0.0, "exchange.adl_rehedge": 0.7},
    "checked_rarely": {"exchange.check_seconds": 300.0, "funding.mean_rate": 4e-3, "funding.clamp": 0.01},
    "cliff": CLIFF,
    "leaving": {"population.2.exits_per_year": 3_000.0, "exchange.halt_minutes": 20.0},
    "adl_before_the_fund": {"fund.initial_usd": 20_000.0, "layer": ADL_FIRST},
}


@with_seeds(ORDINARY)
def test_with_one_symbol_it_is_the_ordinary_loop(name, seed):
    overrides = {**SIZE, **ORDINARY[name], "run.seed": seed, "run.engine": "loop"}
    ordinary = stress.Scenario.load(TINY, overrides=overrides)
    one, other = run(ordinary), run(ordinary.with_(asset=[BTC]))
    assert one.ledger.size > 30
    assert_same(SimpleNamespace(columns=one.columns, ledger=one.ledger, pools=np.zeros(0)), other)


# Choice of engine, repeatability.


def test_the_ladder_refuses_several_symbols_and_names_them():
    with pytest.raises(ScenarioError, match=r"ladder.*\[\[asset\]\]"):
        choose_engine(scenario_of("offsetting_legs", 1, "ladder"))


def test_auto_takes_the_loop_and_says_why():
    choice = choose_engine(scenario_of("offsetting_legs", 1, "auto"))
    assert choice.name == "loop"
    assert "several prices" in choice.why


def test_threads_and_blocks_do_not_change_the_digest():
    scenario = scenario_of("pools", 1, "loop")
    assert len({stress.run(scenario, threads=threads).digest() for threads in (1, 2)}) == 1


def test_facts_name_the_pools_with_their_ruin():
    outcomes = stress.run(scenario_of("pools", 1, "loop"))
    assert [(pool["name"], pool["initial_usd"]) for pool in outcomes.facts.pools] == [
        ("main", 40_000.0),
        ("new", 10_000.0),
    ]
    summary = stress.summarize(outcomes)
    main, new = summary.to_dict()["pools"]
    assert main["symbols"] == ["BTC", "ETH"]
    assert new["ruin_probability"]["value"] == (outcomes.pools.ruin_step[:, 1] >= 0).mean() > 0.0
    either = (outcomes.pools.ruin_step >= 0).any(axis=1).mean()
    assert summary.any_pool_ruined.value == either > summary.ruin_probability.value  # the total hides a pool


def test_an_imported_book_is_the_same_accounts_given_by_hand_in_both_engines(tmp_path):
    """Forty cross accounts of three legs and forty isolated ones, under crashes that empty the fund."""
    rng = np.random.default_rng(9)
    given = [account_at_random(rng, f"u{i}", cross=i < 40) for i in range(80)]
    write_book(tmp_path / "book.parquet", given)
    makers = CROWD[-1]
    ours = [{"kind": "book", "name": "book", "file": str(tmp_path / "book.parquet")}, makers]
    changes = {"shock": CRASHES, "fund.initial_usd": 20_000.0, "asset": ASSETS, "run.n_paths": 4, "run.seed": 1}
    by_hand, *books = (
        run(stress.Scenario.load(TINY, overrides={**changes, "population": population, "run.engine": engine}))
        for population, engine in (([*given, makers], "loop"), (ours, "loop"), (ours, "reference"))
    )
    assert by_hand.columns["liquidated_accounts"].sum() > 50
    for book in books:
        assert (book.ledger == by_hand.ledger).all()
        for name in COMPARED:
            np.testing.assert_allclose(book.columns[name], by_hand.columns[name], rtol=1e-9, atol=1e-6, err_msg=name)


def account_at_random(rng, name, *, cross):
    """Return an account near 10x: in all symbols on one wallet, or isolated in one."""
    legs = []
    for asset in ASSETS:
        size, price = rng.uniform(1e4, 1e5), asset["price_usd"]
        qty = float(rng.choice([-1.0, 1.0])) * round(size / price, 3)
        legs.append({"symbol": asset["symbol"], "qty": qty, "entry_usd": float(round(price * rng.uniform(0.99, 1.01)))})
    if not cross:
        legs = [legs[rng.integers(3)]]
    gross = sum(abs(leg["qty"]) * leg["entry_usd"] for leg in legs)
    table = {"kind": "account", "name": name, "margin": "cross" if cross else "isolated", **legs[0]}
    return table | {"legs": legs[1:], "collateral_usd": round(gross / rng.uniform(4.0, 15.0), 2)}


def write_book(path, given):
    """Write accounts as a book; the wallet of a cross account stands on its second leg."""
    rows = []
    for account in given:
        for k, leg in enumerate((account, *account["legs"])):
            collateral = account["collateral_usd"] if k == len(account["legs"]) // 2 else 0.0
            rows.append((account["name"], leg["symbol"], leg["qty"], leg["entry_usd"], collateral, account["margin"]))
    columns = zip(*rows, strict=True)
    names = ("account", "symbol", "qty", "entry", "collateral", "mode")
    pq.write_table(pa.table({name: list(column) for name, column in zip(names, columns, strict=True)}), path)
