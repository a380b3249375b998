"""Several rulebooks on the same accounts, shocks and random numbers.

A preset replaces the scenario's rulebook: contract, prices, liquidation, tiers, waterfall and the formula of funding.
Population, market, liquidity, the fund's size and the law of funding stay.  The accounts are drawn once, on the
scenario's own venue; a venue that settles in another money takes them over with size, entry and leverage, and one that
admits less leverage asks them for more margin (docs/presets.md).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from stress import presets
from stress.accounts import grid, quantize
from stress.agents.restate import Restatement
from stress.engines.base import Progress
from stress.engines.choose import choose_engine
from stress.engines.population import Population, check_exact, draw_population, leavers_of
from stress.engines.results import Results
from stress.exchange.contract import Contract
from stress.exchange.disposal import Disposal
from stress.exchange.margin import Tier, TierTable
from stress.outcomes import Outcomes
from stress.registry import Settings
from stress.scenario import Scenario, ScenarioError
from stress.summary import Comparison, compare_outcomes
from stress.toml import value_at
from stress.variants import POPULATIONS, spread

__all__ = [
    "Contender",
    "check_settings",
    "compare",
    "contenders",
    "in_money_of",
    "post_margin",
    "restate",
    "under_preset",
]

#: Keys of ``[exchange]`` that describe the scenario and not the rulebook: scale, grids, and what the world does to it.
KEPT = (
    *("open_interest_usd", "lot", "tick", "cent", "collateral_in_coin"),
    *("halt_minutes", "adl_rehedge"),
)
#: Those that stay where the preset has none of its own: how fast a venue is, which few of them publish.
KEPT_IF_ABSENT = ("check_seconds", "latency_seconds")
FORMULA = ("interest", "damping", "clamp")
# What a preset replaces, and of that what still has its effect: the venue on which the accounts are drawn, and depth.
REPLACED = ("exchange", "tier", "layer", "funding.interval_hours", *(f"funding.{key}" for key in FORMULA))
USED = ("exchange.preset", "exchange.disposal.participation")


def under_preset(scenario: Scenario, name: str) -> Scenario:
    """Return the scenario with the rulebook of a preset in place of its own, in the money of its contract.

    Raises
    ------
    ScenarioError
        One line, for an unknown preset or one that this scenario cannot be run under.
    """
    preset = presets.load(name)
    scenario = counterpart(scenario, preset)
    tables = scenario.plain().tables()
    rules = preset.tables
    venue = replace(scenario.venue, tiers=_tiers(rules))
    tables |= {"tier": rules["tier"], "layer": rules["layer"], "exchange": _exchange(scenario, preset)}
    tables["funding"] = _funding(scenario, rules["funding"])
    tables["population"] = [_plain(cohort.admitted(venue)) for cohort in scenario.population]
    try:
        return Scenario.from_tables(tables, source=f"preset {name}")
    except ScenarioError as error:
        raise ScenarioError(f"{error} (under this preset's rulebook)") from None


def counterpart(scenario: Scenario, preset: presets.Preset) -> Scenario:
    """Return the scenario with the contract of a preset and nothing else of it.

    Raises
    ------
    ScenarioError
        One line that names the key which has no counterpart.
    """
    if preset.contract == scenario.exchange.contract.kind:
        return scenario
    try:
        return in_money_of(scenario, preset.contract)
    except ScenarioError as error:
        raise ScenarioError(f"preset {preset.name}: {error}") from None


def in_money_of(scenario: Scenario, contract: str) -> Scenario:
    """Return the scenario with another kind of contract: amounts in its money at today's price, grids its own.

    Raises
    ------
    ScenarioError
        If the scenario holds something that has no counterpart, such as collateral in coins beside a coin's contract.
    """
    tables = scenario.plain().tables()
    change = Restatement(scenario.exchange.contract, Contract.choose(contract), scenario.market.price_usd)
    for key in ("lot", "tick", "cent", "preset"):
        tables["exchange"].pop(key, None)
    tables["exchange"]["contract"] = contract
    tables["fund"] = _restated(scenario.fund, "initial", change)
    stated = {"floor_usd": None, "deduction": None}  # follow from caps and rates
    tables["tier"] = [_restated(tier, "cap", change, **stated) for tier in scenario.tier]
    tables["population"] = [_plain(cohort.restated(change)) for cohort in scenario.population]
    return Scenario.from_tables(tables, source=f"{scenario.run.name} as {contract}")


def _restated(table: Settings, name: str, change: Restatement, **more: Any) -> dict[str, Any]:
    """Return a table with an amount in the other contract's money."""
    amount = table.amount(name) * change.rate
    return _plain(table.model_copy(update=change.named(name, amount) | more))


def _plain(table: Settings) -> dict[str, Any]:
    return table.model_dump(mode="json", exclude_none=True)


def _tiers(rules: dict[str, Any]) -> TierTable:
    tiers = tuple(Tier.model_validate(row) for row in rules["tier"])
    return TierTable.of(tiers, continuous=rules["exchange"]["tier_mode"] == "continuous")


def _exchange(scenario: Scenario, preset: presets.Preset) -> dict[str, Any]:
    """Return the preset's table with what belongs to the scenario; where it has no disposal, the scenario's."""
    own = scenario.exchange.model_dump(mode="json", exclude_none=True)
    table = {key: value for key, value in preset.tables["exchange"].items() if key not in KEPT}
    table |= {key: own[key] for key in KEPT if key in own}
    table = {key: own[key] for key in KEPT_IF_ABSENT if key in own} | table
    disposal, ours = dict(table.get("disposal", own["disposal"])), own["disposal"]
    if "participation" in ours and Disposal.choose(disposal).participation is not None:
        disposal.setdefault("participation", ours["participation"])  # how deep the market is, not what the venue does
    return table | {"disposal": disposal, "preset": preset.name}


def _funding(scenario: Scenario, formula: dict[str, Any]) -> dict[str, Any]:
    """Return the scenario's law of funding at the venue's interval and through its formula."""
    law = scenario.funding.paid_every(formula["interval_hours"])
    table = law.model_dump(exclude_none=True) | {key: formula[key] for key in FORMULA if key in formula}
    if formula.get("sd_rate") == formula.get("mean_rate") == 0.0:  # a contract without funding
        table |= {"kind": "rate", "mean_rate": 0.0, "sd_rate": 0.0}
    return table


def restate(population: Population, scenario: Scenario, other: Scenario) -> Population:
    """Return the same accounts under another contract, on its grids.

    Parameters
    ----------
    population : Population
        As drawn under `scenario`.
    scenario, other : Scenario
        The scenario, and what `in_money_of` made of it.

    Returns
    -------
    Population
        Account by account the same cohort, size and entry in USD, and leverage (isolated: at entry; cross: now); who is
        smaller than a lot of the other contract is left out.

    Raises
    ------
    ScenarioError
        If the sums are too large to be exact on the other contract's grids.
    """
    ours, theirs = scenario.exchange.contract, other.exchange.contract
    if ours.kind == theirs.kind:
        return population
    accounts = Restatement(ours, theirs, scenario.market.price_usd).accounts(population.accounts)
    grids = {"qty": other.venue.lot, "entry": other.venue.tick, "collateral": other.venue.cent}
    for name, step in grids.items():
        accounts[name] = quantize(accounts[name], step)
    accounts = accounts[accounts["qty"] != 0.0]
    margin = sum(cohort.maker_collateral for cohort in other.population)
    found = Population(accounts, other.price, margin, population.makers_deleverage, leavers_of(other, accounts))
    check_exact(other, found)
    return found


def post_margin(population: Population, scenario: Scenario, venue: Scenario) -> Population:
    """Return the population as a venue admits it: who has more leverage than it allows posts more margin.

    Parameters
    ----------
    population : Population
        As drawn under `scenario`.
    scenario, venue : Scenario
        The scenario with its own tiers, and with the venue's.

    Returns
    -------
    Population
        The same positions and entries.  Where the venue's highest leverage at an account's size is lower, its margin
        (isolated: at entry; cross: its equity now) is the venue's initial margin at least; so it is where the account
        would be liquidatable at the start.
    """
    accounts, price = population.accounts.copy(), population.price
    size = np.abs(accounts["qty"]) * price
    equity = accounts["collateral"] + accounts["qty"] * (price - accounts["entry"])
    limit, cross = venue.venue.max_leverage(size), accounts["cross"] == 1
    value = np.where(cross, size, np.abs(accounts["qty"]) * accounts["entry"])
    missing = value / limit - np.where(cross, equity, accounts["collateral"])
    missing = np.where(limit < scenario.venue.max_leverage(size), missing, 0.0)
    maintenance = size * venue.venue.maintenance_rate(size)
    missing = np.where(equity + np.maximum(missing, 0.0) <= maintenance, size / limit - equity, missing)
    unit = grid(venue.venue.cent)
    accounts["collateral"] += np.ceil(np.maximum(missing, 0.0) / unit) * unit
    return Population(
        accounts, price, population.maker_collateral, population.makers_deleverage, leavers=population.leavers
    )


class Contender:
    """One rulebook in a comparison: its scenario, engine and results."""

    def __init__(self, base: Scenario, preset: presets.Preset, first: Population):
        self.drawn_on, self.base, self.preset = base, counterpart(base, preset), preset
        self.scenario = under_preset(base, preset.name)
        self.choice = choose_engine(self.scenario)
        self.first = self.population(first)
        self.engine = self.choice.make(self.scenario, self.first, False)
        self.results = Results(self.scenario, self.choice)
        self.before = restate(first, base, self.base).accounts["collateral"]

    def population(self, drawn: Population) -> Population:
        """Return the accounts that were drawn on the scenario's own venue as this one has them."""
        return post_margin(restate(drawn, self.drawn_on, self.base), self.base, self.scenario)

    def run(self, drawn: Population, index: int, first: int, n: int) -> Any:
        """Run `n` paths on a population that was drawn on the scenario's own venue."""
        return self.engine.run(self.population(drawn), index, first, n)

    def outcomes(self) -> Outcomes:
        """Return the outcomes of all paths."""
        return self.results.outcomes(self.first, elapsed_s={}, cover=())

    def about(self) -> dict[str, Any]:
        """Return what the comparison says of the rulebook; margins are those of the first population."""
        before, after = self.before, self.first.accounts["collateral"]
        return {
            "name": self.preset.name,
            "venue": self.preset.venue,
            "as_of": self.preset.as_of,
            "waterfall": tuple(layer.kind for layer in self.scenario.layer),
            "unverified": self.preset.unverified,
            "posting_more": float(np.mean(after > before)),
            "more_margin": float(after.sum() / before.sum()) - 1.0,
        }


def contenders(scenario: Scenario, names: Sequence[str]) -> list[Contender]:
    """Return the rulebooks of some presets, ready to run.

    Raises
    ------
    ScenarioError
        One line: fewer than two presets, one twice, an unknown one, or one that cannot be run; several symbols.
    """
    if len(set(names)) < 2 or len(set(names)) < len(names):
        raise ScenarioError(f"--presets {','.join(names)}: needs at least two presets, each once")
    if scenario.asset:
        raise ScenarioError(f"asset: must be absent: presets are compared on one symbol, not on {len(scenario.asset)}")
    chosen = [presets.load(name) for name in names]
    first = draw_population(scenario, 0)
    return [Contender(scenario, preset, first) for preset in chosen]


def check_settings(scenario: Scenario, found: Sequence[Contender], names: Sequence[str]) -> None:
    """Refuse settings that a preset replaces by another value: they would be without effect.

    Parameters
    ----------
    scenario : Scenario
    found : sequence of Contender
        The rulebooks that stand in for its own.
    names : sequence of str
        Dotted names of what was set.

    Raises
    ------
    ScenarioError
        One line that names the setting and the preset.
    """
    tables, under = scenario.tables(), [(contender.preset.name, contender.scenario.tables()) for contender in found]
    for name in names:
        if name in USED or not any(name == key or name.startswith(f"{key}.") for key in REPLACED):
            continue
        for preset, theirs in under:
            if value_at(theirs, name) != value_at(tables, name):
                kept = ", ".join((*KEPT, *KEPT_IF_ABSENT))
                raise ScenarioError(f"--set {name}: preset {preset} replaces it; kept of [exchange]: {kept}")


def compare(
    scenario: Scenario,
    names: Sequence[str],
    *,
    n_paths: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> tuple[Comparison, list[Outcomes]]:
    """Run a scenario under the rulebooks of several presets.

    Parameters
    ----------
    scenario : Scenario
        Population, market, liquidity and fund; ``run.engine`` holds for all.
    names : sequence of str
        Presets; the first is what the others are measured against.
    n_paths : int, optional
        Paths of each; the scenario's own number by default, spread over at least 25 populations.
    threads : int, optional
        Worker threads; all cores by default.  Results do not depend on it.
    progress : Progress, optional
        Told about finished paths, over all rulebooks.

    Returns
    -------
    Comparison, list of Outcomes
        The summary, and one set of outcomes a preset.

    Raises
    ------
    ScenarioError
        If a preset is unknown, or the scenario cannot be run under it.
    """
    n = n_paths or scenario.run.n_paths
    changes: dict[str, Any] = {"run.n_paths": n}
    if not scenario.conditional_on_book and scenario.run.redraw_every is None:
        changes["run.redraw_every"] = max(1, n // max(POPULATIONS, min(100, n // 100)))
    base = scenario.plain(**changes)
    found = contenders(base, names)
    for contender in found:
        contender.engine.warm(contender.first)
    progress = progress or Progress()
    progress.total = n * len(found)
    every = base.redraw_every

    def work(first: int) -> tuple[int, int, list[Any]]:
        """Run the paths of one population under all rulebooks."""
        index, count = first // every, min(every, n - first)
        drawn = draw_population(base, index)
        return first, count, [contender.run(drawn, index, first, count) for contender in found]

    for first, count, rows in spread(work, range(0, n, every), threads):
        for contender, part in zip(found, rows, strict=True):
            contender.results.put(first, count, part)
        progress.add(count * len(found))
    outcomes = [contender.outcomes() for contender in found]
    about = [contender.about() for contender in found]
    return compare_outcomes(outcomes, about, scenario=scenario.run.name, config_sha256=scenario.sha256), outcomes
