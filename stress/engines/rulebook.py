"""The scenario as engines read it: one nested record of numbers, and the rules closed over its choices."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from types import SimpleNamespace
from typing import Any

import numpy as np

from stress.accounts import grid
from stress.agents.base import Cohort
from stress.engines.turnover import turnover_numbers
from stress.exchange import settlement, waterfall
from stress.exchange.impact import ImpactLaw
from stress.exchange.liquidity import WINDOW_SECONDS
from stress.exchange.orders import compose_keeping, compose_orders
from stress.exchange.pool_guard import guard_numbers
from stress.exchange.settlement import NO_LIMIT
from stress.exchange.state import MAX_COHORTS
from stress.registry import Part
from stress.scenario import Scenario

SECONDS_PER_DAY, DAYS_PER_YEAR = 86400.0, 365.0
EXCHANGE = "stress.exchange."  # where the families are whose members become rules; agents and markets are numbers
USUAL_VOL = 0.55  # a year, for a market that has none of its own (docs/method.md, section 11)


_composed: dict[Any, SimpleNamespace] = {}
_composing = Lock()


@dataclass(frozen=True)
class Rulebook:
    """``numbers`` become a record; only the impact law's rules are composed: all else is picked by number."""

    numbers: dict[str, Any]
    law: type[ImpactLaw]
    whole: bool  # every order is for a whole position
    decay: np.ndarray  # (n_steps + 1,) share of the flow left after so many steps

    def compose(self) -> SimpleNamespace:
        """Return the settlement rules with the waterfall under ``absorb`` and whether the fund comes first.

        They are composed once for every set of rules, because numba keeps whatever it has ever been told of.
        """
        with _composing:
            if self.key not in _composed:
                _composed[self.key] = self._compose()
            return SimpleNamespace(**vars(_composed[self.key]))

    def _compose(self) -> SimpleNamespace:
        rules = settlement.compose(self.law)
        rules.absorb = waterfall.compose_waterfall()
        rules.whole = self.whole
        rules.order, kept_after, rules.reduce = compose_orders()
        rules.keeps = compose_keeping(kept_after)
        return rules

    @property
    def repeats(self) -> bool:
        """Say whether the configured waterfall may differ from the shadow run before the fund is ruined."""
        return self.numbers["top_up"] > 0.0 or self.numbers["limited"] == 1

    @property
    def key(self) -> tuple[Any, ...]:
        """What distinguishes one set of compiled rules from another; a kind that is defined anew is another class."""
        chosen = (family for family in Part.__subclasses__() if family.__module__.startswith(EXCHANGE))
        known = (tuple(family.family[kind] for kind in sorted(family.family)) for family in chosen)
        return (self.law, self.whole, *known)


def once_per_rules(build: Callable[[SimpleNamespace], Any]) -> Callable[[Rulebook], Any]:
    """Keep what ``build(rules)`` returns for every set of rules; threads wait for one to build it."""
    built: dict[Any, Any] = {}
    lock = Lock()

    def get(rulebook: Rulebook) -> Any:
        """Return what was built for these rules."""
        with lock:
            if rulebook.key not in built:
                built[rulebook.key] = build(rulebook.compose())
            return built[rulebook.key]

    get.__doc__ = build.__doc__
    return get


def rulebook(scenario: Scenario, open_interest: float) -> Rulebook:
    """Collect the numbers of a scenario.

    Parameters
    ----------
    scenario : Scenario
    open_interest : float
        One side's notional, quote: the unit of the conservation error.
    """
    e, run = scenario.exchange, scenario.run
    step_days = run.step_seconds / SECONDS_PER_DAY
    participation = e.disposal.participation
    volume = scenario.base_units(scenario.liquidity.volume_usd_per_day)
    income = scenario.fund.income_per_day(scenario.liquidity.volume_usd_per_day / scenario.money_usd)
    moving, still = scenario.fund.basket(e.contract, e.coin)
    numbers = {
        "open_interest": float(open_interest),
        "per_open_interest": float(1.0 / open_interest),
        "fund_initial": scenario.fund_initial,
        "coin_offset": still * scenario.price / moving if moving > 0.0 else 0.0,
        "fee": e.fee.as_numbers(),
        "disposal": e.disposal.as_numbers(),
        "partial": in_money(e.partial.as_numbers(), scenario.money_usd),
        "remainder_waits": int(e.remainder == "waits"),
        "backstop_margin": e.backstop_margin,
        "latency_steps": math.ceil(e.latency_seconds / run.step_seconds),
        "step_seconds": run.step_seconds,
        "fee_income_per_step": income * step_days,
        "lot": grid(scenario.venue.lot),
        "tick": grid(scenario.venue.tick),
        "cent": grid(scenario.venue.cent),
        "reactive": int(scenario.reacts),
        "turnover": turnover_numbers(scenario),
        "volume_room": NO_LIMIT if participation is None else participation * volume * step_days,
        "depth_room": NO_LIMIT if participation is None else _refill(scenario),
        "rehedge": e.adl_rehedge,
        "common": tuple(float(not cohort.explicit) for cohort in _padded(scenario.population)),
        "makers_deleverage": int(any(cohort.makers_deleverage for cohort in scenario.population)),
        "fund_first": int(scenario.layer[0].kind == "fund"),
        "monotone": int(e.monotone and e.pool_guard is None),  # a guard looks at everybody at every check
        "guarded": int(e.pool_guard is not None),
        "guard": guard_numbers(e.pool_guard),
        "max_rounds": run.max_rounds,
        "step_hours": run.step_seconds / 3600.0,
        "window_hours": max(layer.window_hours for layer in scenario.layer),
        "limited": int(scenario.fund_is_limited),
        **_top_up_numbers(scenario),
        "check_every": scenario.steps(e.check_seconds or run.step_seconds),
        "funding_every": scenario.steps(scenario.funding.interval_hours * 3600.0),
        "liquidity": liquidity_numbers(scenario, volume),
        "mark": e.mark.numbers(run.step_seconds, scenario.liquidity.pass_through),
        "band": e.band.as_numbers(),
        "tiers": _tier_numbers(scenario),
        "layers": in_money(waterfall.layer_numbers(scenario.layer), scenario.money_usd),
        "layer_order": waterfall.layer_order(scenario.layer),
        "n_layers": len(scenario.layer),
    }
    whole = e.orders_are_whole and scenario.layer[0].kind == "fund"  # others look at single accounts
    return Rulebook(numbers, type(scenario.liquidity.impact), whole, _decay(scenario))


def in_money(numbers: dict[str, Any], money_usd: float) -> dict[str, Any]:
    """Return nested numbers with amounts in USD, by their names, turned into the contract's money of today."""
    return {
        name: in_money(value, money_usd)
        if isinstance(value, dict)
        else value / money_usd
        if "usd" in name.split("_") and value < NO_LIMIT
        else value
        for name, value in numbers.items()
    }


def _top_up_numbers(scenario: Scenario) -> dict[str, float]:
    fund = scenario.fund
    amounts = {"top_up_usd": fund.top_up_usd, "top_up_below_usd": fund.top_up_below_usd or 0.0}
    amounts["top_up_total_usd"] = NO_LIMIT if fund.top_up_total_usd is None else fund.top_up_total_usd
    return {name.removesuffix("_usd"): value for name, value in in_money(amounts, scenario.money_usd).items()}


def _padded(cohorts: tuple[Cohort, ...]) -> tuple[Cohort, ...]:
    """Return as many cohorts as are told apart; the last one stands for all that follow."""
    return (cohorts + cohorts[-1:] * MAX_COHORTS)[:MAX_COHORTS]


def _refill(scenario: Scenario) -> float:
    """Return what a book of normal depth refills in one step, base units."""
    liquidity, minutes = scenario.liquidity, scenario.run.step_seconds / 60.0
    if liquidity.depth_usd is None:
        return NO_LIMIT
    return liquidity.recovery_per_minute * minutes * scenario.base_units(liquidity.depth_usd)


def volatility(scenario: Scenario) -> float:
    """Return the volatility that liquidity is used to: its own, else the market's, else a usual one; a year."""
    return scenario.liquidity.vol_annual or getattr(scenario.market, "vol_annual", 0.0) or USUAL_VOL


def liquidity_numbers(scenario: Scenario, volume: float) -> dict[str, Any]:
    """Return what the impact law and the depth curve read; `volume` is a day's, base units."""
    liquidity, step = scenario.liquidity, scenario.run.step_seconds
    depth = scenario.base_units(liquidity.depth_usd or 0.0)
    vol = volatility(scenario)
    scale, size, exponent = liquidity.impact.numbers(volume, depth, vol / DAYS_PER_YEAR**0.5)
    window = max(1, scenario.steps(WINDOW_SECONDS))
    sigma = vol * np.sqrt(window * scenario.clock.step_years)
    return {
        "scale": float(scale),
        "size": float(size),
        "per_size": float(1.0 / size),
        "exponent": float(exponent),
        "pass_through": liquidity.pass_through,
        "permanent_share": liquidity.permanent_share,
        "volume_response": liquidity.volume_response,
        "others": (1.0 - liquidity.pass_through) * liquidity.common_liquidation,
        "reacts": int(liquidity.source != "constant"),
        "makers": int(liquidity.source == "makers"),
        "per_maker_margin": 1.0 / max(1.0, sum(cohort.maker_collateral for cohort in scenario.population)),
        "per_maker_limit": scenario.money_usd / (sum(row.maker_limit_usd for row in scenario.population) or math.inf),
        "missing": liquidity.missing(),
        "window": window,
        "per_sigma": float(1.0 / sigma),
        "keep": float((1.0 - liquidity.recovery_per_minute) ** (step / 60.0)),
    }


def _tier_numbers(scenario: Scenario) -> dict[str, Any]:
    tiers = scenario.tiers
    table = {name: getattr(tiers, name) for name in ("count", "cap", "rate", "deduction", "max_leverage")}
    return {**table, "at_mark": tiers.at_mark, "at_entry": tiers.at_entry}


def _decay(scenario: Scenario) -> np.ndarray:
    """Return the share of a flow that is left after 0, 1, 2, ... steps."""
    ages = np.arange(scenario.clock.n_steps + 1)
    return 0.5 ** (ages * (scenario.run.step_seconds / 60.0 / scenario.liquidity.half_life_minutes))


def as_namespace(numbers: dict[str, Any]) -> SimpleNamespace:
    """Return the same nested numbers as plain Python attributes, for the reference engine."""
    return SimpleNamespace(
        **{key: as_namespace(value) if isinstance(value, dict) else value for key, value in numbers.items()}
    )
