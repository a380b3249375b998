"""Reference = loop = ladder: the ledger exactly, money to 1e-9, over scenarios x seeds.

The ladder settles long runs of accounts by prefix sums when nobody asks for a ledger, so the columns are compared
with and without one.

Every scenario is a small variant of ``configs/tiny.toml``.  Numbers never compile anew, choices of rules do, so
the scenarios share six sets of rules (impact law, fee model, disposal, waterfall).
"""

import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import stress
from stress.engines.base import Job, Progress
from stress.engines.choose import choose_engine
from stress.outcomes import COLUMNS
from stress.scenario import ScenarioError

TINY = Path(__file__).parents[2] / "configs" / "tiny.toml"
SEEDS, MORE_SEEDS = (1, 2), (3, 4, 5)  # the second ones where time allows
SIZE = {"run.n_paths": 6, "run.redraw_every": 3}
RELATIVE, ABSOLUTE = 1e-9, 5e-14  # of money columns: of the amount, and of open interest
COMPARED = [name for name in COLUMNS if name != "conservation_error"]

# Many narrow tiers, so that funding and prices carry accounts over edges, and accounts that start on one.
TIERS = [
    {"cap_usd": cap, "max_leverage": leverage, "maintenance_margin_rate": rate}
    for cap, leverage, rate in (
        (5_000, 125, 0.004),
        (10_000, 100, 0.006),
        (20_000, 75, 0.008),
        (40_000, 75, 0.010),
        (80_000, 60, 0.012),
        (150_000, 50, 0.015),
        (300_000, 50, 0.018),
        (1_000_000, 40, 0.02),
        (2_000_000, 30, 0.025),
        (1_000_000_000, 25, 0.03),
    )
]
MAKERS = {"kind": "maker", "name": "makers", "collateral_usd": 20.0e6}


def trader(name, longs, shorts, leverage, **more):
    table = {"kind": "trader", "name": name, "count": 90, "long_share": longs, "short_share": shorts}
    table |= {"leverage_median": leverage, "largest_share": 0.05, "entry_vol_annual": 2.0}
    return table | {"size": {"kind": "lognormal_pareto", "sigma": 1.5}} | more


def whale(name, share, side, leverage, **more):
    return {"kind": "whale", "name": name, "share": share, "side": side, "leverage": leverage, **more}


def on_edge(name, qty, entry, leverage):
    margin = abs(qty) * entry / leverage
    return {"kind": "account", "name": name, "qty": qty, "entry_usd": entry, "collateral_usd": margin, "count": 4}


def layers(*rows):
    return {"layer": [{"kind": row} if isinstance(row, str) else row for row in rows]}


TIGHT = {
    "tier": TIERS,
    "population": [
        trader("crowd", 0.9, 0.9, 20.0),
        on_edge("at_10k", 0.2, 50_000.0, 20.0),
        on_edge("at_20k", -0.4, 50_000.0, 15.0),
        on_edge("at_80k", 1.6, 50_000.0, 25.0),
        on_edge("at_150k", -3.0, 50_000.0, 30.0),
        trader("cross", 0.06, 0.06, 8.0, count=40, margin="cross"),
        MAKERS,
    ],
}
CASCADE = {
    "liquidity.impact": {"kind": "linear", "log_price_per_daily_volume": 6.0},
    "liquidity.pass_through": 1.0,
    "exchange.fee": {"kind": "confiscate"},
    "exchange.disposal": {"kind": "immediate"},
}
LIMIT = {
    "liquidity.impact": {"kind": "book", "shape": 1.16},
    "liquidity.depth_usd": 0.5e6,
    "liquidity.permanent_share": 0.0,
    "exchange.fee": {"kind": "keep_residual"},
    "exchange.disposal": {"kind": "limit_at_bankruptcy", "participation": 0.1},
    **layers("fund", "socialize", {"kind": "adl", "ranking": "pro_rata", "capacity": 0.5}),
}
NO_MEMORY = {"liquidity.permanent_share": 0.0, "liquidity.depth_usd": 0.5e6}
SQUEEZE = {
    "market.jump_down_share": 0.0,
    "market.jumps_per_year": 4_000.0,
    "population.0.long_share": 0.3,
    "population.0.short_share": 0.65,
    "population.1.long_share": 0.3,
    "population.2.side": "short",
}
HALTS = [
    {"at_hours": 1.0, "minutes": 40.0, "move": -0.12, "halt": True},
    {"at_hours": 2.5, "minutes": 5.5, "move": 0.15, "halt": True},
    {"at_hours": 3.4, "move": -0.05},
]
ONWARD = [{"at_hours": 0.55, "minutes": 10.0, "move": 1.5}, {"at_hours": 3.2, "minutes": 7.0, "move": -0.7}]

# After the book: choices are numbers, so that three orders of layers are three kernels, whatever is chosen.
POOR = {"fund.initial_usd": 20_000.0}


def adl_then_social(ranking, price, basis, **more):
    return POOR | layers("fund", {"kind": "adl", "ranking": ranking, "price": price, "capacity": 0.5} | more, basis)


def basis(kind, **more):
    return {"kind": "socialize", "basis": kind, **more}


PROVIDERS = {"kind": "backstop", "usd_per_minute": 5e4, "usd_per_hour": 1e5, "required_edge": -0.05}


def limited(*limits, payment="partial", **more):
    fund = {"kind": "fund", "limits": list(limits), "payment": payment}
    pool = {"kind": "fee_pool", "usd": 1_000.0}
    adl = {"kind": "adl", "price": "mark", "capacity": 0.7}
    return layers(fund, PROVIDERS, adl, pool, basis("notional"), "operator") | more


AFTER_THE_BOOK = {
    "binance_rank": adl_then_social("binance", "mark", basis("notional")),
    "hyperliquid_rank": adl_then_social("hyperliquid", "previous_mark", basis("positive_equity")),
    "literal_rank": adl_then_social("hyperliquid_literal", "bankruptcy", basis("liquidity_pool")),
    "random_rank": adl_then_social("random", "blend", basis("collateral"), max_accounts=5, losers=True),
    "cube_rank": adl_then_social("cube", "oracle", basis("open_interest"), losers=True),
    "size_weighted": adl_then_social("size_weighted", "blend", basis("profit")),
    "keeper_choice": adl_then_social("keeper_choice", "mark", basis("profit_cap", pool_share=0.01)),
    "limits_that_look_back": limited("rolling_loss", {"kind": "fund_drawdown", "share": 0.2}),
    "limit_with_a_stop": limited({"kind": "pnl_drawdown", "trigger": -0.1, "stop": -0.05, "hours": 1.0}),
    "limits_of_use": limited(
        {"kind": "per_step", "usd": 900.0},
        {"kind": "lifetime", "usd": 20_000.0},
        {"kind": "per_position", "share_of_notional": 0.005},
        {"kind": "floor", "usd": 100_000.0},
        {"kind": "vault_loss", "share": 0.5},
    ),
    "limits_of_inventory": limited(
        {"kind": "inventory_cap", "share_of_fund": 2.0},
        {"kind": "inventory_loss", "share_of_fund": 0.005},
        **{"exchange.disposal.participation": 0.02, "exchange.adl_rehedge": 0.5, "liquidity.permanent_share": 0.0},
    ),
    "refused_in_part": limited("negative_equity", payment="all_or_nothing", **POOR),
    "providers_first_and_top_ups": {
        **layers(PROVIDERS | {"price": "blend"}, {"kind": "adl", "capacity": 0.1}, "fund", basis("collateral")),
        **POOR,
        "fund.top_up_usd": 10_000.0,
        "fund.top_up_below_usd": 15_000.0,
        "fund.top_up_total_usd": 25_000.0,
    },
}

# Every mark rule with what its skips must survive: crashes, halts, funding that is owed, hedges, other venues.
MARKED = {
    "fund.initial_usd": 20_000.0,
    "funding.mean_rate": 2e-3,
    "funding.sd_rate": 3e-3,
    "funding.clamp": 0.01,
    "liquidity.permanent_share": 0.0,
    "liquidity.common_liquidation": 0.7,
    "exchange.adl_rehedge": 0.5,
    "exchange.disposal.participation": 0.1,
    "fund.in_coin": 0.2,
    "shock": HALTS,
}
MARKS = {
    "mark_median_of_three": {**MARKED, "exchange.mark": {"kind": "median_of_three", "window_seconds": 200.0}},
    "mark_ema_basis": {**MARKED, "exchange.mark": {"kind": "ema_basis", "window_seconds": 600.0}},
    "mark_fair_price": {**MARKED, "exchange.mark": "fair_price", "run.step_seconds": 30.0},
    "mark_oracle": {**MARKED, "exchange.mark": {"kind": "oracle", "delay_seconds": 150.0}},
    "mark_oracle_median": {
        **MARKED,
        "exchange.mark": {"kind": "oracle_median", "delay_seconds": 60.0},
        "liquidity.common_liquidation": 0.0,
        "liquidity.permanent_share": 0.4,
    },
}

# The same book as a contract margined in coin: sums of dollars at the price 1/P (docs/method.md, section 2).
COIN_MAKERS = {"kind": "maker", "name": "makers", "collateral_coin": 400.0}
COIN_TIERS = [
    {"cap_coin": tier["cap_usd"] / 50_000.0, **{key: tier[key] for key in ("max_leverage", "maintenance_margin_rate")}}
    for tier in TIERS
]


def in_coin(*cohorts, **more):
    tables = {
        "exchange.contract": "inverse",
        "exchange.lot": 1.0,
        "exchange.tick": 0.5,
        "exchange.cent": 1e-8,
        "fund.initial_coin": 3.0,
        "tier": COIN_TIERS,
        "population": [*cohorts, COIN_MAKERS],
    }
    return {**tables, **more}


def contracts(name, usd, entry, leverage):
    coin = abs(usd) / entry / leverage
    return {"kind": "account", "name": name, "qty": usd, "entry_usd": entry, "collateral_coin": coin, "count": 4}


CROWDS = (trader("crowd", 0.9, 0.9, 20.0), trader("cross", 0.1, 0.1, 8.0, count=40, margin="cross"))
EDGES = (
    contracts("at_10k", 10_000.0, 50_000.0, 20.0),
    contracts("at_20k", -20_000.0, 50_000.0, 15.0),
    contracts("at_80k", 80_000.0, 50_000.0, 25.0),
    contracts("at_150k", -150_000.0, 50_000.0, 30.0),
)
AT_ENTRY = {"exchange.margin_basis": "entry", "exchange.tier_mode": "cliff"}
DOLLARS = [{"name": "USDT", "share": 0.6}, {"name": "ETH", "share": 0.3, "follows": "index", "beta": 0.5}]
WILD = [{"name": "BNB", "share": 0.7, "follows": "index", "beta": 1.3, "sale_haircut": 0.2}]

SCENARIOS = {
    **MARKS,
    # square root, capped fee, participation; fund, adl, socialize
    "base": {},
    "longs_crowded": {
        "market.jump_down_share": 1.0,
        "market.jumps_per_year": 3_000.0,
        "population.0.leverage_median": 35.0,
        "population.0.short_share": 0.15,
    },
    "laws_of_the_crowd": {
        "population.0.leverage": {"kind": "popular", "factor": 2.0},
        "population.0.copula": "t",
        "population.0.rank_correlation": -0.3,
        "population.0.long_skew": 1.0,
        "population.0.age": "lognormal",
    },
    "shorts_squeezed": SQUEEZE,
    "longs_pay_funding": {"funding.mean_rate": 4e-3, "funding.sd_rate": 3e-3, "funding.clamp": 0.01},
    "shorts_pay_funding": {"funding.mean_rate": -4e-3, "funding.sd_rate": 3e-3, "funding.clamp": 0.01},
    "funding_by_premium": {
        "funding": {"kind": "premium", "interval_hours": 0.5, "mean_premium": 0.02, "sd_premium": 0.02, "clamp": 0.02}
    },
    "funding_beyond_reach": {
        "funding": {"interval_hours": 0.5, "mean_rate": 0.02, "sd_rate": 0.0, "clamp": 0.02},
        "shock": ONWARD,
    },
    "whales": {
        "population": [
            trader("crowd", 1.0, 1.0, 15.0),
            whale("long_in_profit", 0.15, "long", 20.0, entry_move=0.05),
            whale("long_in_loss", 0.10, "long", 30.0, entry_move=-0.01, margin="cross"),
            whale("short", 0.2, "short", 15.0),
            MAKERS | {"deleverageable": False},
        ]
    },
    "extremes_between_marks": {"market.extremes": "bridge", "shock": HALTS},
    "inventory_and_halts": {"exchange.disposal.participation": 0.02, "shock": HALTS, "fund.share_of_fees": 0.1},
    "fund_exhausted_then_adl": {"fund.initial_usd": 5_000.0, "liquidity.permanent_share": 0.6},
    "tier_edges_and_cross": {**TIGHT, "funding.mean_rate": 2e-3},
    "margin_in_coin": {"exchange.collateral_in_coin": 0.7},
    "check_every_five_minutes": {"exchange.check_seconds": 300.0},
    "whales_leave": {
        "population": [
            trader("crowd", 1.0, 1.0, 15.0),
            whale("often", 0.15, "long", 20.0, entry_move=0.05, accounts=3, exits_per_year=2_000.0),
            whale("in_halts", 0.10, "long", 5.0, margin="cross", exits_per_year=5_000.0),
            whale("short", 0.2, "short", 15.0, exits_per_year=3_000.0),
            MAKERS,
        ],
        "funding.mean_rate": 2e-3,
        "shock": HALTS,
    },
    "leavers_survive_a_check": {
        "population": [
            trader("crowd", 1.0, 1.0, 15.0),
            whale("often", 0.15, "long", 20.0, accounts=3, exits_per_year=4_000.0),
            whale("rarely_found", 0.10, "long", 5.0, exits_per_year=9_000.0),
            whale("short", 0.2, "short", 15.0, accounts=2, exits_per_year=4_000.0),
            MAKERS,
        ],
        "exchange.check_seconds": 600.0,
        "shock": HALTS,
        "fund.initial_usd": 20_000.0,
    },
    "coins_of_a_small_fund": {"fund.in_coin": 1.0, "fund.initial_usd": 20_000.0, "exchange.halt_minutes": 20.0},
    "gross_falls_with_coins": {
        "fund.in_coin": 0.1,
        "fund.initial_usd": 1.0e6,
        "fund.share_of_fees": 1.0,
        "market": {"kind": "scripted", "price_usd": 50_000.0},
        "population": [trader("crowd", 1.0, 1.0, 3.0), whale("short", 0.1, "short", 10.0), MAKERS],
        "shock": [
            {"at_hours": 0.5, "move": -0.2},
            {"at_hours": 1.0, "move": 0.5},
            {"at_hours": 2.0, "move": -0.33},
            {"at_hours": 3.0, "move": 0.3},
        ],
    },
    "halted_at_the_worst": {"exchange.halt_minutes": 30.0, "exchange.disposal.participation": 0.05},
    "fund_in_coin": {"fund.in_coin": 0.8, "fund.share_of_fees": 0.1, "market.jumps_per_year": 300.0},
    "others_liquidate_too": {"liquidity.common_liquidation": 1.0, "liquidity.permanent_share": 0.0},
    "thin_book_of_makers": {
        "liquidity.source": "makers",
        "liquidity.depth_stress": 0.7,
        "liquidity.depth_usd": 30_000.0,
        "population.3.collateral_usd": 3.0e6,
    },
    "deleveraged_hedge_anew": {
        "exchange.adl_rehedge": 0.7,
        "fund.initial_usd": 5_000.0,
        "liquidity.common_liquidation": 0.5,
        "liquidity.permanent_share": 0.0,
    },
    # contracts, and what margin is measured on
    "inverse": in_coin(*CROWDS),
    "inverse_at_tier_edges": in_coin(*CROWDS, *EDGES),
    "inverse_cliffs_at_entry": in_coin(*CROWDS, *EDGES, **AT_ENTRY),
    "inverse_longs_pay_funding": in_coin(
        *CROWDS, **AT_ENTRY, **{"funding.mean_rate": 4e-3, "funding.sd_rate": 3e-3, "funding.clamp": 0.01}
    ),
    "inverse_fund_exhausted_then_adl": in_coin(
        *CROWDS, **{"fund.initial_coin": 0.1, "liquidity.permanent_share": 0.6, "market.jumps_per_year": 3_000.0}
    ),
    "inverse_whales_leave": in_coin(
        trader("crowd", 1.0, 1.0, 15.0),
        whale("often", 0.15, "long", 20.0, entry_move=0.05, accounts=3, exits_per_year=2_000.0),
        whale("short", 0.2, "short", 15.0, exits_per_year=3_000.0),
        **AT_ENTRY,
        **{"shock": HALTS, "tier": COIN_TIERS[:1]},
    ),
    "inverse_fund_in_dollars": in_coin(*CROWDS, **{"fund.assets": DOLLARS, "fund.initial_coin": 1.0}),
    "quanto": in_coin(
        *CROWDS,
        **{
            "exchange.contract": {"kind": "quanto", "multiplier": 1e-6, "settlement_price_usd": 25_000.0},
            "exchange.tick": 0.05,
        },
    ),
    "cliffs_at_entry": {**TIGHT, **AT_ENTRY, "funding.mean_rate": 2e-3},
    "fund_of_wild_assets": {"fund.assets": WILD, "fund.initial_usd": 20_000.0, "exchange.halt_minutes": 20.0},
    # adl, fund, socialize
    "adl_first_partly": {**layers({"kind": "adl", "capacity": 0.2}, "fund", "socialize"), "fund.initial_usd": 20_000.0},
    "adl_first_fully": {**layers({"kind": "adl", "capacity": 1.0}, "fund", "socialize"), "fund.initial_usd": 0.0},
    # linear, confiscate, immediate
    "cascade": CASCADE,
    "cascade_cut_off": {**CASCADE, "run.max_rounds": 3, "liquidity.half_life_minutes": 2.0},
    "pro_rata_adl_first": {
        **CASCADE,
        **layers({"kind": "adl", "ranking": "pro_rata", "capacity": 0.5}, "fund", "socialize"),
        "fund.initial_usd": 50_000.0,
    },
    # square root, confiscate, participation
    "confiscate": {"exchange.fee": {"kind": "confiscate"}, "liquidity.source": "constant"},
    "crash_in_one_step": {
        "exchange.fee": {"kind": "confiscate"},
        "shock": [{"at_hours": 1.0, "move": -0.12}],
        "population.0.count": 300,
    },
    # book, keep residual, limit; fund, socialize, adl
    "limit_at_bankruptcy": LIMIT,
    "limit_in_a_squeeze": {**LIMIT, **SQUEEZE, "liquidity.depth_usd": 0.1e6, "fund.initial_usd": 4.0e6},
    **AFTER_THE_BOOK,
}
DEEP = {"fund.initial_usd": 50.0e6, "tier": TIERS, "population": TIGHT["population"]}  # the waterfall never acts
SCENARIOS |= {
    # orders for parts of positions
    "step_down": {
        **DEEP,
        "exchange.partial": "step_down",
        "exchange.fee": "confiscate",
        "exchange.disposal": "immediate",
    },
    "step_down_killed": {**DEEP, "exchange.partial": "step_down", "funding.mean_rate": 2e-3},
    "smart_ioc": {**DEEP, "exchange.partial": "smart_ioc", "exchange.fee": {"kind": "capped_fee", "rate": 0.003}},
    "two_tiers": {**DEEP, "exchange.partial": "two_tiers", "exchange.disposal": "limit_at_bankruptcy", **NO_MEMORY},
    "pct_cooldown": {
        **DEEP,
        "exchange.partial": {"kind": "pct_cooldown", "large_usd": 5_000.0, "cooldown_seconds": 150.0},
        "exchange.backstop_margin": 2 / 3,
        "exchange.fee": "keep_residual",
    },
    "block_limits": {
        **DEEP,
        "exchange.partial": {"kind": "block_limits", "slice_seconds": 20.0},
        "exchange.disposal": "fillable_price",
        "exchange.remainder": "waits",
        **NO_MEMORY,
    },
    "margin_shortage": {
        **DEEP,
        "exchange.partial": "margin_shortage",
        "exchange.disposal": "keeper_transfer",
        "exchange.fee": {"kind": "keeper_split", "other_rate": 0.0},
        "exchange.remainder": "waits",
        "funding.mean_rate": -2e-3,
        **NO_MEMORY,
    },
    "volume_limited": {**DEEP, "exchange.partial": {"kind": "volume_limited", "cap_usd": 2_000.0}, "shock": HALTS},
    "orders_take_time": {**DEEP, "exchange.latency_seconds": 150.0, "exchange.fee": "fixed_fee"},
    "leavers_in_parts": {
        "population": [
            trader("crowd", 1.0, 1.0, 15.0),
            whale("often", 0.15, "long", 20.0, accounts=3, exits_per_year=4_000.0),
            whale("short", 0.2, "short", 15.0, accounts=2, exits_per_year=4_000.0),
            MAKERS,
        ],
        "exchange.partial": {"kind": "pct_cooldown", "cooldown_seconds": 300.0},
        "exchange.disposal": "mm_floor_limit",
        "exchange.remainder": "waits",
        "fund.initial_usd": 50.0e6,
        "shock": HALTS,
        **NO_MEMORY,
    },
    # and the waterfall after them
    "parts_of_the_ruined": {
        **DEEP,
        "exchange.partial": "smart_ioc",
        "exchange.fee": {"kind": "capped_fee", "rate": 0.003},
        "fund.initial_usd": 5_000.0,
    },
    "killed_and_ruined": {
        **DEEP,
        "exchange.partial": "step_down",
        "exchange.fee": "confiscate",
        "fund.initial_usd": 0.0,
    },
    "waiting_and_ruined": {
        **DEEP,
        "exchange.partial": {"kind": "block_limits", "slice_seconds": 20.0},
        "exchange.remainder": "waits",
        **layers({"kind": "adl", "capacity": 0.4}, "fund", {"kind": "socialize", "basis": "notional"}),
        "fund.initial_usd": 1_000.0,
    },
    "oracle_close": {**DEEP, "exchange.disposal": "oracle_close", "exchange.fee": "lp_pool"},
    "providers_are_paid": {**DEEP, "exchange.fee": "blp_bonus"},
    "providers_and_a_poor_fund": {
        **DEEP,
        "exchange.fee": "blp_bonus",
        "exchange.disposal": "immediate",
        "fund.initial_usd": 20_000.0,
        "fund.top_up_usd": 5_000.0,
        "fund.top_up_below_usd": 10_000.0,
    },
    "refused_by_account": limited(
        {"kind": "per_account", "usd": 50.0, "block_seconds": 60.0}, payment="all_or_nothing", **POOR
    ),
}

# What the ladder cannot do exactly, and what it says then.
TURNOVER = {"renewal": {"pace": 40.0, "reentry_hours": 0.4, "leave_after_adl": 0.3}}
SCENARIOS |= {
    # a book that people join and leave
    "turnover": TURNOVER,
    "turnover_on_tiers": {**TIGHT, **TURNOVER, "funding.mean_rate": 5e-3, "funding.clamp": 0.02},
    "turnover_at_entry": {**TIGHT, **AT_ENTRY, **TURNOVER, "funding.mean_rate": 2e-3},
    "turnover_after_adl": {**TURNOVER, **POOR, **layers("fund", {"kind": "adl", "capacity": 0.5}, "socialize")},
    "turnover_adl_first": {**TURNOVER, **layers({"kind": "adl", "capacity": 0.4}, "fund", "socialize")},
    "turnover_while_orders_take_time": {**TURNOVER, "exchange.latency_seconds": 150.0},
    "turnover_in_coin": in_coin(*CROWDS, **TURNOVER),
    "turnover_of_leavers_in_parts": {
        "population": [
            trader("crowd", 1.0, 1.0, 15.0, holding_hours=12.0),
            whale("often", 0.15, "long", 20.0, accounts=3, exits_per_year=9_000.0),
            whale("short", 0.2, "short", 15.0, accounts=2, exits_per_year=4_000.0),
            MAKERS,
        ],
        "exchange.partial": {"kind": "pct_cooldown", "cooldown_seconds": 300.0},
        "exchange.disposal": "mm_floor_limit",
        "exchange.remainder": "waits",
        "shock": HALTS,
        **NO_MEMORY,
        **TURNOVER,
    },
}
REACTING = {
    "stop_loss": {"share": 0.5, "least": 0.1, "most": 0.9},
    "take_profit": {"share": 0.5, "least": 0.1},
    "top_up": {"share": 0.5, "at": 0.4},
}
HOLDERS = [
    trader("crowd", 0.8, 0.8, 20.0, **REACTING),
    trader("cross", 0.2, 0.2, 8.0, count=40, margin="cross", **REACTING),
    MAKERS,
]
SCENARIOS |= {
    # holders who act for themselves
    "holders": {"population": HOLDERS, "funding.mean_rate": 3e-3, "funding.clamp": 0.02},
    "holders_on_tiers": {"tier": TIERS, "population": HOLDERS, **TURNOVER},
    "holders_at_entry": {"tier": TIERS, "population": HOLDERS, **AT_ENTRY, **layers({"kind": "adl"}, "fund")},
    "holders_in_coin": in_coin(*HOLDERS[:2], **TURNOVER),
    "holders_in_parts": {
        "population": HOLDERS,
        "exchange.partial": {"kind": "pct_cooldown", "cooldown_seconds": 300.0},
        "exchange.remainder": "waits",
        "shock": HALTS,
        **NO_MEMORY,
        **TURNOVER,
    },
    "holders_while_orders_take_time": {"population": HOLDERS, **TURNOVER, "exchange.latency_seconds": 150.0},
    "holders_after_adl": {
        "population": HOLDERS,
        **TURNOVER,
        **POOR,
        **layers("fund", {"kind": "adl", "capacity": 0.5}, "socialize"),
    },
}
CLIFF = {**TIGHT, "exchange.tier_mode": "cliff"}
LOOP_ONLY = {
    "cliff": CLIFF,
    "holders_on_cliffs": {"tier": TIERS, "population": HOLDERS, "exchange.tier_mode": "cliff", **TURNOVER},
    "pool_guard": {
        "exchange.pool_guard": {"max_factor": 0.05, "until_factor": 0.03},
        "exchange.adl_rehedge": 0.5,
        "liquidity.permanent_share": 0.0,
        **POOR,
    },
    "pool_guard_of_contracts_in_coin": in_coin(
        *CROWDS,
        whale("in_profit", 0.15, "long", 20.0, entry_move=0.05),
        **{
            "exchange.pool_guard": {"max_factor": 0.02, "until_factor": 0.01, "ranking": "pro_rata"},
            "exchange.check_seconds": 300.0,
            "exchange.partial": "step_down",
            "fund.initial_coin": 0.5,
            "shock": HALTS,
        },
    ),
}
REFUSED = {"cliff": r"exchange\.tier_mode = 'cliff'", "pool_guard": r"exchange\.pool_guard adds up"}
CASES = pytest.mark.parametrize(
    ("name", "seed"),
    [(name, seed) for name in SCENARIOS for seed in SEEDS]
    + [pytest.param(name, seed, marks=pytest.mark.more) for name in SCENARIOS for seed in MORE_SEEDS],
)


def scenario_of(overrides, seed, engine):
    return stress.Scenario.load(TINY, overrides={**SIZE, **overrides, "run.seed": seed, "run.engine": engine})


def run(scenario, *, ledger=True):
    job = Job(scenario, ledger=ledger)
    job.run(1, Progress())
    return SimpleNamespace(columns=job.results.columns, ledger=job.results.liquidations(), job=job)


@cache
def result(name, seed, engine, *, ledger=True):
    found = run(scenario_of((SCENARIOS | LOOP_ONLY)[name], seed, engine), ledger=ledger)
    return SimpleNamespace(columns=found.columns, ledger=found.ledger, size=found.job.population(0).open_interest)


def assert_same_ledger(a, b):
    np.testing.assert_array_equal(a.ledger, b.ledger)


def assert_same_columns(a, b):
    for name in COMPARED:
        tolerance = (
            {"rtol": RELATIVE, "atol": ABSOLUTE * a.size} if COLUMNS[name].kind == "f" else {"rtol": 0.0, "atol": 0.0}
        )
        np.testing.assert_allclose(a.columns[name], b.columns[name], **tolerance, err_msg=name)


def total(name, column):
    return sum(result(name, seed, "loop").columns[column].sum() for seed in SEEDS)


@CASES
@pytest.mark.parametrize("engine", ["loop", "ladder"])
def test_the_ledger_is_that_of_the_reference_exactly(name, seed, engine):
    assert_same_ledger(result(name, seed, engine), result(name, seed, "reference"))


@CASES
@pytest.mark.parametrize("engine", ["loop", "ladder"])
def test_every_column_is_that_of_the_reference(name, seed, engine):
    assert_same_columns(result(name, seed, engine), result(name, seed, "reference"))


@CASES
@pytest.mark.parametrize("engine", ["loop", "ladder"])
def test_without_a_ledger_every_column_is_that_of_the_reference_too(name, seed, engine):
    assert_same_columns(result(name, seed, engine, ledger=False), result(name, seed, "reference"))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", LOOP_ONLY)
def test_where_the_ladder_cannot_the_loop_keeps_the_ledger_of_the_reference(name, seed):
    assert_same_ledger(result(name, seed, "loop"), result(name, seed, "reference"))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", LOOP_ONLY)
def test_where_the_ladder_cannot_the_loop_keeps_the_columns_of_the_reference(name, seed):
    assert_same_columns(result(name, seed, "loop"), result(name, seed, "reference"))


@pytest.mark.parametrize("name", ["pool_guard", "pool_guard_of_contracts_in_coin"])
def test_a_guarded_pool_reduces_winners_and_the_books_balance(name):
    assert total(name, "deleveraged_notional") > 0.0
    for engine in ("loop", "reference"):
        assert max(result(name, seed, engine).columns["conservation_error"].max() for seed in SEEDS) <= 1e-9


def test_a_guard_takes_part_whether_or_not_the_fund_is_asked():
    rich = {**LOOP_ONLY["pool_guard"], "fund.initial_usd": 50.0e6}
    assert run(scenario_of(rich, 1, "loop")).columns["deleveraged_notional"].sum() > 0.0


def test_cliff_tiers_change_who_is_liquidated():
    continuous = run(scenario_of(TIGHT, 1, "loop"))
    assert not np.array_equal(result("cliff", 1, "loop").ledger, continuous.ledger)


@pytest.mark.parametrize("name", REFUSED)
def test_the_ladder_refuses_what_it_cannot_do_and_names_it(name):
    with pytest.raises(ScenarioError, match=rf"ladder.*{REFUSED[name]}"):
        choose_engine(scenario_of(LOOP_ONLY[name], 1, "ladder"))


@pytest.mark.parametrize("name", REFUSED)
def test_auto_takes_the_loop_then_and_says_why(name):
    choice = choose_engine(scenario_of(LOOP_ONLY[name], 1, "auto"))
    assert choice.name == "loop"
    assert re.search(REFUSED[name], choice.why)


@pytest.mark.parametrize("bottomless", [0, 1])
def test_followed_over_time_all_engines_are_in_the_same_states(bottomless):
    states = {}
    for engine in ("reference", "loop", "ladder"):
        job = Job(scenario_of({"exchange.disposal.participation": 0.01}, 1, engine))
        states[engine] = job.engine.trace(job.population(0), 0, 3, 16, bottomless=bottomless)
    assert np.abs(states["reference"]["inventory"]).max() > 0.0
    for name in ("mark", "inventory", "value", "deleveraged_notional"):
        expected = states["reference"][name]
        for engine in ("loop", "ladder"):
            np.testing.assert_allclose(states[engine][name], expected, rtol=RELATIVE, atol=1e-4)


def test_auto_takes_the_ladder_otherwise():
    assert choose_engine(scenario_of({}, 1, "auto")).name == "ladder"


# The comparison is not weak.


@pytest.mark.parametrize("name", [name for name in SCENARIOS | LOOP_ONLY if name.startswith("holders")])
def test_holders_sell_and_add_margin(name):
    assert total(name, "stopped_notional") > 0.0
    assert total(name, "margin_added") > 0.0


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_liquidates_more_than_40_accounts(name):
    assert sum(result(name, seed, "loop").ledger.size for seed in SEEDS) > 40


# Orders that find buyers above bankruptcy leave the fund nothing to pay on these two seeds.
PAINLESS = {"step_down", "two_tiers", "oracle_close"}


@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - PAINLESS))
def test_every_scenario_draws_on_the_fund(name):
    assert total(name, "drawdown") > 0


@pytest.mark.parametrize("name", ["base", "fund_exhausted_then_adl", "adl_first_partly", "limit_in_a_squeeze"])
def test_the_fund_is_ruined_on_some_paths_and_not_on_others(name):
    ruined = np.concatenate([result(name, seed, "loop").columns["ruin_step"] >= 0 for seed in SEEDS])
    assert 0 < ruined.sum() < ruined.size


@pytest.mark.parametrize(
    "name", ["base", "fund_exhausted_then_adl", "adl_first_partly", "adl_first_fully", "pro_rata_adl_first"]
)
def test_winners_are_deleveraged(name):
    assert total(name, "deleveraged_notional") > 0


@pytest.mark.parametrize("name", AFTER_THE_BOOK)
def test_winners_are_deleveraged_by_every_venue(name):
    assert total(name, "deleveraged_notional") > 0


@pytest.mark.parametrize("name", [name for name in AFTER_THE_BOOK if name.endswith(("rank", "weighted", "choice"))])
def test_losses_are_shared_on_every_basis(name):
    assert total(name, "socialized_loss") > 0


@pytest.mark.parametrize("name", [name for name in AFTER_THE_BOOK if "limit" in name or "refused" in name])
def test_a_limit_acts_before_the_fund_is_ruined(name):
    plain = {**AFTER_THE_BOOK[name], **layers({"kind": "fund"}, *AFTER_THE_BOOK[name]["layer"][1:])}
    columns = result(name, SEEDS[0], "loop").columns
    without = run(scenario_of(plain, SEEDS[0], "loop")).columns
    assert columns["bad_debt"].sum() < without["bad_debt"].sum() or "inventory" in name
    assert columns["drawdown"].sum() == without["drawdown"].sum()


@pytest.mark.parametrize("column", ["backstop_loss", "topped_up"])
def test_providers_and_operators_pay_where_they_exist(column):
    assert total("providers_first_and_top_ups", column) > 0
    assert total("base", column) == 0


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_fund_never_ends_below_zero_after_the_waterfall(name):
    assert min(result(name, seed, "loop").columns["fund_end"].min() for seed in SEEDS) >= -1e-9 * 40.0e6


@pytest.mark.parametrize("name", SCENARIOS)
def test_books_balance_in_the_loop_and_on_the_ladder(name):
    errors = [result(name, seed, e).columns["conservation_error"] for seed in SEEDS for e in ("loop", "ladder")]
    assert np.max(errors) <= 1e-9


def test_every_mark_rule_liquidates_other_accounts():
    rules = [None, *(scenario["exchange.mark"] for scenario in MARKS.values())]
    marked = [MARKED if rule is None else {**MARKED, "exchange.mark": rule} for rule in rules]
    found = [run(scenario_of(overrides, 1, "loop")).ledger.tobytes() for overrides in marked]
    assert len(set(found)) == len(rules)


@pytest.mark.parametrize("name", ["limit_in_a_squeeze"])
def test_winners_are_charged(name):
    assert total(name, "socialized_loss") > 0


@pytest.mark.parametrize("name", ["cascade", "pro_rata_adl_first"])
def test_a_cascade_runs_for_many_rounds(name):
    assert max(result(name, seed, "loop").columns["rounds_max"].max() for seed in SEEDS) >= 5


def test_a_cascade_is_cut_off_at_the_largest_number_of_rounds():
    assert max(result("cascade_cut_off", seed, "loop").columns["rounds_max"].max() for seed in SEEDS) == 3


@pytest.mark.parametrize(("name", "side"), [("longs_crowded", 1), ("shorts_squeezed", -1)])
def test_the_crowded_side_is_the_one_that_is_liquidated(name, side):
    qty = np.concatenate([result(name, seed, "loop").ledger["qty"] for seed in SEEDS])
    assert (side * qty > 0).mean() > 0.8


def test_liquidations_wait_for_the_risk_check_at_the_end_of_its_interval():
    steps = np.concatenate([result("check_every_five_minutes", seed, "loop").ledger["step"] for seed in SEEDS])
    assert set(steps % 5) == {4}


def test_a_crash_crosses_long_runs_of_rungs_at_once():
    rows = result("crash_in_one_step", 1, "ladder").ledger
    _, together = np.unique(rows[["path", "step", "round"]], return_counts=True)
    assert together.max() > 100


def handed_over(name):
    """Return on how many paths of the first seed the ladder gives up, shadow runs only."""
    job = Job(scenario_of(SCENARIOS[name], SEEDS[0], "ladder"))
    block = job.engine.world.block(0, 3)
    population = job.population(0)
    return job.engine.shadow(population, block, 0, job.engine.ledger(population, 0), None)["needs_loop"].sum()


def test_paths_whose_funding_leaves_the_reach_of_the_ladder_go_on_in_the_loop():
    assert handed_over("funding_beyond_reach") == 3


def test_paths_on_which_a_layer_acts_before_the_fund_go_on_in_the_loop():
    assert handed_over("adl_first_partly") > 0


def test_ordinary_paths_stay_on_the_ladder():
    assert handed_over("base") == 0


def test_accounts_near_a_tier_edge_are_tested_directly():
    job = Job(scenario_of(SCENARIOS["tier_edges_and_cross"], 1, "ladder"))
    assert job.engine.rungs(job.population(0)).aside.size > 5
