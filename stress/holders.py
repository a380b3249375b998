"""Whose positions make the worst moments: shares by account, by leverage, by symbol.

An engine adds the fund's losses up by a label of every account, which is its cohort.  Here the same paths are run again
with other labels, a few groups at a time.  Nothing else depends on a label but whether what liquidates an account
liquidates others elsewhere, and a group's label keeps that; so every run has the same losses, and they add up.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from stress.census import Holdings, holdings
from stress.coalitions import check_level, jackknife_error, worst_shares
from stress.engines.base import Progress
from stress.engines.desks import Book
from stress.engines.population import Population
from stress.engines.results import by_cohort
from stress.exchange.state import MAX_COHORTS
from stress.scenario import Scenario, ScenarioError
from stress.variants import POPULATIONS, Runner, clusters_of, spread

__all__ = ["BY", "Group", "Holders", "Positions", "holders", "positions_of"]

PATHS = 20_000
RANKS = 10  # accounts that are told one by one, the largest first
BANDS = (100, 1_000)  # ranks up to which accounts are told together
LEVERAGES = (2.0, 3.0, 5.0, 10.0, 20.0, 50.0)
TOLD = MAX_COHORTS - 2  # groups of one run; two labels are for all others


@dataclass(frozen=True, eq=False)
class Positions:
    """The positions of a population; arrays of shape (n,).

    Parameters
    ----------
    accounts : Holdings
        Of whom they are, in the order of the accounts.
    account, symbol, cohort : ndarray of int
        Whose, of which symbol, and of which row of the scenario's population.
    notional : ndarray
        Its size today, in the money of the venue.
    """

    accounts: Holdings
    account: np.ndarray
    symbol: np.ndarray
    cohort: np.ndarray
    notional: np.ndarray


@dataclass(frozen=True)
class Group:
    """Accounts that are told together.

    Parameters
    ----------
    name : str
    share, standard_error : float
        Of the losses at the worst moments.
    of_notional : float
        Share of all notional, both sides, on average over the populations.
    leverage : float
        Notional over equity, all its accounts together.
    """

    name: str
    share: float
    standard_error: float
    of_notional: float
    leverage: float


@dataclass(frozen=True)
class Holders:
    """The worst moments of a scenario, shared among groups of positions.

    Parameters
    ----------
    by : {"account", "leverage", "symbol"}
    level : float
        The worst ``1 - level`` of the paths.
    horizon_hours : float
    n_paths, n_populations : int
    groups : tuple of Group
        Their shares and the income's add up to one.
    income : float
        Share of fees and other income, below zero where it bears losses.
    """

    by: str
    level: float
    horizon_hours: float
    n_paths: int
    n_populations: int
    groups: tuple[Group, ...]
    income: float

    def to_dict(self) -> dict[str, Any]:
        """Return the ``fundstress.holders/1`` document: plain, JSON-ready values."""
        return {"schema": "fundstress.holders/1", **asdict(self)}


def positions_of(scenario: Scenario, population: Any) -> Positions:
    """Return the positions of a population of one symbol or of several."""
    accounts = holdings(scenario, population)
    if not scenario.asset:
        n = accounts.cohort.size
        return Positions(accounts, np.arange(n), np.zeros(n, int), accounts.cohort, accounts.gross)
    legs, prices = population.portfolios.legs, np.array([desk.price for desk in population.desks])
    notional = np.abs(legs["qty"]) * prices[legs["symbol"]]
    return Positions(accounts, legs["account"], legs["symbol"], legs["cohort"], notional)


def _by_account(held: Positions, scenario: Scenario) -> tuple[list[str], np.ndarray]:
    """Group by rank: the largest account of each population, the second, and so on."""
    rank = np.empty(held.accounts.gross.size, dtype=int)
    rank[np.argsort(-held.accounts.gross, kind="stable")] = np.arange(rank.size)
    edges = [*range(1, RANKS + 1), *BANDS]
    names = [f"account #{i + 1}" for i in range(RANKS)]
    names += [f"#{a + 1:,} to #{b:,}" for a, b in pairwise((RANKS, *BANDS))] + [f"below #{BANDS[-1]:,}"]
    return names, np.searchsorted(edges, rank[held.account], side="right")


def _by_leverage(held: Positions, scenario: Scenario) -> tuple[list[str], np.ndarray]:
    """Group by the leverage of the account today."""
    inner = [f"{a:g}x to {b:g}x" for a, b in pairwise(LEVERAGES)]
    names = [f"below {LEVERAGES[0]:g}x", *inner, f"{LEVERAGES[-1]:g}x and more"]
    return names, np.searchsorted(LEVERAGES, held.accounts.leverage[held.account], side="right")


def _by_symbol(held: Positions, scenario: Scenario) -> tuple[list[str], np.ndarray]:
    """Group by symbol: the deficit of an account falls on its positions as the venue settles them."""
    if not scenario.asset:
        raise ScenarioError("--by symbol: the scenario has one symbol; needs [[asset]] tables")
    return [asset.symbol for asset in scenario.asset], held.symbol


BY: dict[str, Callable[[Positions, Scenario], tuple[list[str], np.ndarray]]] = {
    "account": _by_account,
    "leverage": _by_leverage,
    "symbol": _by_symbol,
}


def holders(
    scenario: Scenario,
    by: str,
    *,
    level: float = 0.99,
    n_paths: int = PATHS,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Holders:
    """Share the worst moments among groups of positions.

    Parameters
    ----------
    scenario : Scenario
        Of one symbol or several, without renewal.
    by : {"account", "leverage", "symbol"}
        Which positions are a group.
    level : float
        Shares are of the losses of the worst ``1 - level`` of the paths, each at its deepest moment (Tasche 1999).
    n_paths : int
        Paths, spread over 25 populations.
    threads : int, optional
        Worker threads; all cores by default.  Results do not depend on it.
    progress : Progress, optional
        Told about finished paths, over all runs.

    Returns
    -------
    Holders
        Standard errors are of the delete-one-population jackknife.

    Raises
    ------
    ScenarioError
        When the scenario cannot be taken apart, or the paths are too few for the level.
    """
    check_level(level, n_paths)
    if by not in BY:
        raise ScenarioError(f"--by {by}: is one of cohort, {', '.join(BY)}")
    if scenario.renewal is not None:
        raise ScenarioError("attribution: [renewal] cannot be taken apart: its seats change hands")
    every = max(1, n_paths // POPULATIONS)
    runner, progress = Runner(scenario, every), progress or Progress()
    runner.warm()
    names = BY[by](positions_of(scenario, runner.first), scenario)[0]
    drawdown, losses = np.zeros(n_paths), np.zeros((n_paths, len(names) + 1))
    facts = np.zeros((runner.index(n_paths - 1) + 1, 2, len(names)))
    progress.total = n_paths

    def work(first: int) -> int:
        """Run the paths of one population, once for every few groups; return how many there were."""
        size, index = min(every, n_paths - first), runner.index(first)
        population = runner.population(index, {})
        held = positions_of(scenario, population)
        group = BY[by](held, scenario)[1]
        rows = slice(first, first + size)
        drawdown[rows], losses[rows] = _losses(runner, population, held, group, len(names), (index, first, size))
        facts[index] = _facts(held, group, len(names))
        return size

    for done in spread(work, range(0, n_paths, every), threads):
        progress.add(done)
    clusters = clusters_of(runner.scenario, every, n_paths)
    shares = worst_shares(drawdown, losses, level, clusters.replicates())
    groups = tuple(_groups(names, shares, facts))
    return Holders(
        by, level, scenario.run.horizon_hours, n_paths, clusters.n_clusters, groups, float(shares[len(names), 0])
    )


def _losses(
    runner: Runner, population: Any, held: Positions, group: np.ndarray, n_groups: int, where: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the drawdowns of some paths, and the losses by group with the income last, shape (n, n_groups + 1)."""
    explicit = np.array([cohort.explicit for cohort in runner.scenario.population])[held.cohort]
    kinds, kind = np.unique(2 * group + explicit, return_inverse=True)  # of one group and one kind of account
    found, losses = np.empty(0), np.zeros((where[2], n_groups + 1))
    for start in range(0, kinds.size, TOLD):
        told = kinds[start : start + TOLD]
        label = np.where((kind >= start) & (kind < start + TOLD), kind - start, TOLD + explicit)
        common = np.append(1.0 - np.resize(told % 2, TOLD), (1.0, 0.0))
        states = runner.engine.labeled(common).run(relabeled(population, label), *where).shadow
        parts = by_cohort(states, MAX_COHORTS)
        found = states["drawdown"]
        for column, each in enumerate(told):
            losses[:, each // 2] += parts[:, column]
        losses[:, n_groups] = parts[:, MAX_COHORTS:].sum(axis=1)
    return found, losses


def relabeled(population: Any, label: np.ndarray) -> Any:
    """Return a population with other labels on its positions."""
    if not isinstance(population, Book):
        return replace(population, accounts=_with(population.accounts, label))
    legs = population.portfolios.legs
    desks = [_on_desk(desk, label[legs["symbol"] == s]) for s, desk in enumerate(population.desks)]
    return replace(population, portfolios=replace(population.portfolios, legs=_with(legs, label)), desks=tuple(desks))


def _on_desk(desk: Population, label: np.ndarray) -> Population:
    return replace(desk, accounts=_with(desk.accounts, label))


def _with(rows: np.ndarray, label: np.ndarray) -> np.ndarray:
    found = rows.copy()
    found["cohort"] = label
    return found


def _facts(held: Positions, group: np.ndarray, n_groups: int) -> np.ndarray:
    """Return each group's share of all notional and its leverage, shape (2, n_groups)."""
    notional = np.bincount(group, held.notional, n_groups)
    equity = np.bincount(group, held.notional / held.accounts.leverage[held.account], n_groups)
    leverage = np.divide(notional, equity, out=np.zeros(n_groups), where=equity > 0.0)
    return np.array([notional / notional.sum(), leverage])


def _groups(names: list[str], shares: np.ndarray, facts: np.ndarray) -> Iterator[Group]:
    of_notional, leverage = facts.mean(axis=0)
    for i, name in enumerate(names):
        if of_notional[i] > 0.0:
            error = float(jackknife_error(shares[i]))
            yield Group(name, float(shares[i, 0]), error, float(of_notional[i]), float(leverage[i]))
