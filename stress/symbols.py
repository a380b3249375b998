"""A scenario with several symbols as several scenarios of one: what each desk of the venue sees.

A *desk* is the part of the venue that trades one symbol.  Its rulebook is that of the scenario in which nothing
else is traded, so every rule of one symbol is a rule of a desk.
"""

import math
from collections.abc import Iterator
from typing import Any

from stress.agents.base import Venues
from stress.exchange.margin import tier_problems
from stress.exchange.pools import PoolSettings
from stress.markets.jumps import MOST_EXPECTED
from stress.markets.several import crash_drift

SECONDS_PER_DAY = 86_400.0
ROUNDING = 1e-9  # of shares that should add up to one, and of days in steps
ONLY = "fund"  # name of the pool of a venue that names none


def names(scenario: Any) -> tuple[str, ...]:
    """Return the symbols, in the order of the file."""
    return tuple(asset.symbol for asset in scenario.asset)


def pools(scenario: Any) -> tuple[PoolSettings, ...]:
    """Return the pools of the fund; a venue that names none has one behind all symbols."""
    if scenario.pool:
        return scenario.pool
    return (PoolSettings(name=ONLY, symbols=names(scenario), share=1.0),)


def pool_starts(scenario: Any) -> list[float]:
    """Return what every pool starts with, quote."""
    return [pool.share * scenario.fund_initial for pool in pools(scenario)]


def pool_of(scenario: Any, symbol: str) -> int:
    """Return the number of the pool behind a symbol."""
    return next(i for i, pool in enumerate(pools(scenario)) if symbol in pool.symbols)


def move_of(scenario: Any, s: int) -> tuple[int, int]:
    """Return the pool that symbol `s` moves to with age, and at which step; the one it is in and -1 if it stays."""
    first = pool_of(scenario, names(scenario)[s])
    pool, age = pools(scenario)[first], scenario.asset[s].listed_days_ago
    if pool.first_days is None:
        return first, -1
    left = (pool.first_days - age) * SECONDS_PER_DAY / scenario.run.step_seconds
    later = next(i for i, other in enumerate(pools(scenario)) if other.name == pool.then)
    return later, max(1, math.ceil(left - ROUNDING * left))


def desk(scenario: Any, s: int, *, only_its_own: bool = False) -> Any:
    """Return the scenario of symbol `s` alone, with all cohorts or with those whose shares are of it."""
    asset, first = scenario.asset[s], scenario.asset[0].symbol
    e, liquidity, market = scenario.exchange, scenario.liquidity, scenario.market
    changed = {
        "market": market.model_copy(update={"price_usd": asset.price_usd}),
        "exchange": e.model_copy(
            update={
                "open_interest_usd": asset.open_interest_usd or e.open_interest_usd,
                "lot": asset.lot or e.lot,
                "tick": asset.tick or e.tick,
            }
        ),
        "liquidity": liquidity.model_copy(
            update={
                "volume_usd_per_day": asset.volume_usd_per_day or liquidity.volume_usd_per_day,
                "depth_usd": asset.depth_usd or liquidity.depth_usd,
                "vol_annual": _volatility(scenario, s),
            }
        ),
        "tier": asset.tiers or scenario.tier,
        "population": tuple(c for c in scenario.population if not only_its_own or c.trades(asset.symbol, first)),
        "asset": (),
        "pool": (),
        "collateral": (),
    }
    same = {name: getattr(scenario, name) for name in type(scenario).model_fields}
    return type(scenario).model_construct(**(same | changed))


def _volatility(scenario: Any, s: int) -> float | None:
    """Return the volatility that a symbol's liquidity is used to; a year, None for the market's own."""
    asset, vol = scenario.asset[s], getattr(scenario.market, "vol_annual", None)
    usual = scenario.liquidity.vol_annual or vol
    if s == 0 or not usual:
        return scenario.liquidity.vol_annual
    return usual * (asset.beta * asset.beta + asset.own * asset.own) ** 0.5


def funding(scenario: Any, asset: Any) -> Any:
    """Return the table ``[funding]`` as it is for one symbol."""
    own = {"mean_rate": asset.funding_mean_rate, "sd_rate": asset.funding_sd_rate}
    return scenario.funding.model_copy(update={key: rate for key, rate in own.items() if rate is not None})


def crashes(asset: Any, clock: Any) -> tuple[float, ...]:
    """Return what `add_crashes` needs of a symbol: crashes a step, log size, length in steps, drift; else nothing."""
    if asset.crashes_per_year is None:
        return ()
    per_step, size = asset.crashes_per_year * clock.step_years, math.log1p(asset.crash_move)
    length = max(asset.crash_minutes * 60.0 / clock.step_seconds, ROUNDING)
    return per_step, size, length, crash_drift(per_step, size)


def venues(scenario: Any) -> Venues:
    """Return what the population needs to know of all desks."""
    index = {asset.symbol: asset.price_usd for asset in scenario.asset}
    return Venues(
        symbols=names(scenario),
        of=tuple(desk.venue for desk in scenario.desks),
        assets=tuple(row.asset for row in scenario.collateral),
        asset_prices=tuple(index[row.symbol] if row.symbol else 1.0 for row in scenario.collateral),
        asset_shares=tuple(row.share for row in scenario.collateral),
    )


def problems(scenario: Any) -> Iterator[tuple[str, str]]:
    """Yield (key, message) for what the tables ``[[asset]]``, ``[[pool]]`` and ``[[collateral]]`` get wrong."""
    for i, cohort in enumerate(scenario.population):
        yield from ((f"population.{i}.{key}", text) for key, text in cohort.symbol_problems(names(scenario)))
    if not scenario.asset:
        yield from _without_symbols(scenario)
        return
    yield from _beyond_these_engines(scenario)
    yield from _asset_problems(scenario)
    for i, asset in enumerate(scenario.asset):
        yield from ((f"asset.{i}.{key}", text) for key, text in _price_problems(scenario, asset))
    yield from _unknown_symbols(scenario)
    yield from _pool_problems(scenario)
    yield from _age_problems(scenario)
    yield from _shock_problems(scenario)
    yield from _collateral_problems(scenario)


def _without_symbols(scenario: Any):
    for key in ("pool", "collateral"):
        if getattr(scenario, key):
            yield key, "is for a venue with [[asset]] tables: this one has none"
    for i, cohort in enumerate(scenario.population):
        for key in ("symbol", "legs", "coins"):
            if getattr(cohort, key, None):
                yield f"population.{i}.{key}", "is for a venue with [[asset]] tables: this one has none"
    for i, shock in enumerate(scenario.shock):
        if shock.symbol is not None:
            yield f"shock.{i}.symbol", "is for a venue with [[asset]] tables: this one has none"


def _asset_problems(scenario: Any):
    first, known = scenario.asset[0], names(scenario)
    if first.price_usd != scenario.market.price_usd:
        yield "asset.0.price_usd", f"{first.price_usd:g} is not market.price_usd = {scenario.market.price_usd:g}"
    if (first.beta, first.own) != (1.0, 0.0):
        yield "asset.0.beta", "the first symbol is the market itself: beta must be 1 and own 0"
    if first.jump_beta is not None or first.crashes_per_year is not None:
        yield "asset.0.jump_beta", "the first symbol is the market itself: leave jump_beta and crashes_per_year out"
    for i, asset in enumerate(scenario.asset):
        if known.count(asset.symbol) > 1:
            yield f"asset.{i}.symbol", f"{asset.symbol!r} is repeated"
        yield from _tier_problems(scenario, i)


def _price_problems(scenario: Any, asset: Any):
    """Refuse what a symbol asks of a market that has nothing of the kind."""
    market, clock, kind = scenario.market, scenario.clock, scenario.market.kind
    if asset.own_volatility is not None and type(market).deviations is None:
        yield "own_volatility", f"needs a market that says what its noise is: {kind!r} does not"
    if asset.jump_beta is not None and getattr(market, "jumps_per_year", 0.0) == 0.0:
        yield "jump_beta", f"is without effect: the market, {kind!r}, does not jump"
    expected = (asset.crashes_per_year or 0.0) * clock.step_years * clock.n_steps
    if expected > MOST_EXPECTED:
        yield "crashes_per_year", f"makes {expected:,.0f} crashes a path, above {MOST_EXPECTED:g}"
    if scenario.funding.kind != "rate":
        for key in ("funding_mean_rate", "funding_sd_rate"):
            if getattr(asset, key) is not None:
                yield key, f"is for funding.kind = 'rate', not {scenario.funding.kind!r}"


def _tier_problems(scenario: Any, i: int):
    tiers, continuous = scenario.asset[i].tiers, scenario.exchange.tier_mode == "continuous"
    for k, tier in enumerate(tiers):
        if tier.cap_usd is None:
            yield f"asset.{i}.tiers.{k}.cap_usd", "is required"
        if tier.cap_coin is not None:
            yield f"asset.{i}.tiers.{k}.cap_coin", "must be cap_usd: the money of these contracts is USD"
    for key, text in tier_problems(tiers, continuous=continuous) if tiers else ():
        yield f"asset.{i}.tiers.{key.removeprefix('tier.')}", text


def _unknown_symbols(scenario: Any):
    known, assets = names(scenario), [row.asset for row in scenario.collateral]
    asked = [(f"population.{i}.symbol", cohort.symbol) for i, cohort in enumerate(scenario.population)]
    asked += [(f"shock.{i}.symbol", shock.symbol) for i, shock in enumerate(scenario.shock)]
    asked += [(f"collateral.{i}.symbol", row.symbol) for i, row in enumerate(scenario.collateral)]
    for i, cohort in enumerate(scenario.population):
        asked += [(f"population.{i}.legs.{k}.symbol", leg.symbol) for k, leg in enumerate(getattr(cohort, "legs", ()))]
        for asset in getattr(cohort, "coins", {}):
            if asset not in assets:
                yield f"population.{i}.coins", f"asset {asset!r} has no price: no [[collateral]] table names it"
    for key, symbol in asked:
        if symbol is not None and symbol not in known:
            yield key, f"unknown symbol {symbol!r}, known: {', '.join(known)}"
    for i, cohort in enumerate(scenario.population):
        held = [cohort.symbol or known[0], *(leg.symbol for leg in getattr(cohort, "legs", ()))]
        if len(set(held)) < len(held):
            yield f"population.{i}.legs", "names a symbol twice: an account has one position a symbol"


def _pool_problems(scenario: Any):
    known, held = names(scenario), [symbol for pool in scenario.pool for symbol in pool.symbols]
    for i, pool in enumerate(scenario.pool):
        if not pool.symbols:
            yield f"pool.{i}.symbols", f"is empty: needs at least one of {', '.join(known)}"
        for symbol in pool.symbols:
            if symbol not in known:
                yield f"pool.{i}.symbols", f"{symbol!r} is no contract of this venue, known: {', '.join(known)}"
            elif held.count(symbol) > 1:
                yield f"pool.{i}.symbols", f"{symbol!r} is in more than one pool"
        if [other.name for other in scenario.pool].count(pool.name) > 1:
            yield f"pool.{i}.name", f"{pool.name!r} is repeated"
    if scenario.pool:
        without = [symbol for symbol in known if symbol not in held]
        if without:
            yield "pool", f"no pool stands behind {', '.join(without)}"
        total = sum(pool.share for pool in scenario.pool)
        if abs(total - 1.0) > ROUNDING:
            yield "pool", f"the pools' shares of the fund add up to {total:g}, not 1"


def _age_problems(scenario: Any):
    """Refuse pools that change with age without saying to which, or of symbols that are too old for them."""
    by_name = {pool.name: pool for pool in scenario.pool}
    for i, pool in enumerate(scenario.pool):
        if pool.first_days is None:
            if pool.then is not None:
                yield f"pool.{i}.first_days", f"is needed by then = {pool.then!r}"
        elif pool.then is None:
            yield f"pool.{i}.then", f"is needed by first_days = {pool.first_days:g}"
        elif pool.then not in by_name:
            yield f"pool.{i}.then", f"unknown pool {pool.then!r}, known: {', '.join(by_name)}"
        elif by_name[pool.then].first_days is not None:
            yield f"pool.{i}.then", f"{pool.then!r} has first_days itself: a symbol moves once"
        else:
            yield from _too_old(scenario, pool)


def _too_old(scenario: Any, pool: PoolSettings):
    for j, asset in enumerate(scenario.asset):
        age, key = asset.listed_days_ago, f"asset.{j}.listed_days_ago"
        if asset.symbol not in pool.symbols:
            continue
        if age is None:
            yield key, f"is needed: pool {pool.name!r} has first_days = {pool.first_days:g}"
        elif age >= pool.first_days:
            yield key, f"{age:g} must be below first_days = {pool.first_days:g} of pool {pool.name!r}"


def _beyond_these_engines(scenario: Any):
    """Refuse what is told of one symbol only, before anything reads it."""
    e, fund, several = scenario.exchange, scenario.fund, "at a venue with [[asset]] tables"
    plain = {"contract": "linear", "partial": "full", "mark": "index", "band": "none"}
    chosen = {f"exchange.{key}": (getattr(e, key).kind, only) for key, only in plain.items()}
    chosen["exchange.remainder"] = (e.remainder, "taken_over")
    chosen["exchange.margin_basis"] = (e.margin_basis, "mark")
    for key, (value, only) in chosen.items():
        if value != only:
            yield key, f"{value!r} must be {only!r} {several}"
    if e.pool_guard is not None:
        yield "exchange.pool_guard", f"must be absent {several}: makers have one margin behind all symbols"
    if e.disposal.own_limit:
        yield "exchange.disposal", f"{e.disposal.kind!r} is for one symbol: its limit is not the bankruptcy price"
    absent = {f"exchange.{key}": getattr(e, key) for key in ("backstop_margin", "latency_seconds")}
    absent |= {f"fund.{key}": getattr(fund, key) for key in ("in_coin", "top_up_usd")}
    for key, amount in absent.items():
        if amount > 0.0:
            yield key, f"{amount:g} must be 0 {several}"
    if e.collateral_in_coin > 0.0:
        yield "exchange.collateral_in_coin", f"must be 0 {several}: use [[collateral]]"
    if scenario.market.extremes is not None:
        yield "market.extremes", f"must be absent {several}: symbols have their extremes at different times"
    if scenario.renewal is not None:
        yield "renewal", f"is for one symbol: leave it out {several}"
    if scenario.reacts:
        yield "population", f"holds holders with orders or money of their own, who are for one symbol {several}"
    if fund.assets:
        yield "fund.assets", f"must be empty {several}"
    yield from _layers_of_one_symbol(scenario)


def _layers_of_one_symbol(scenario: Any):
    """Refuse layers with an amount of money of their own: every desk would count it once."""
    for i, layer in enumerate(scenario.layer):
        if layer.limits_fund:
            yield f"layer.{i}", f"the limits of {layer.kind!r} are for one symbol: a fund behind several has none"
        if any("usd" in name.split("_") for name in type(layer).model_fields):
            yield f"layer.{i}", f"{layer.kind!r} is for one symbol: its money would count once for each of several"


def _shock_problems(scenario: Any):
    for i, shock in enumerate(scenario.shock):
        if shock.symbol is not None and shock.halt:
            yield f"shock.{i}.halt", "halts the whole venue: leave symbol out"


def _collateral_problems(scenario: Any):
    for i, row in enumerate(scenario.collateral):
        if row.symbol is not None and row.depeg_at_hours is not None:
            yield f"collateral.{i}.depeg_at_hours", "is for a stable coin, without a symbol"
        if [other.asset for other in scenario.collateral].count(row.asset) > 1:
            yield f"collateral.{i}.asset", f"{row.asset!r} is repeated"
    total = sum(row.share for row in scenario.collateral)
    if total > 1.0 + ROUNDING:
        yield "collateral", f"the shares add up to {total:g}, above 1"
