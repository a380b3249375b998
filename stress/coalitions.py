"""Who makes the fund need what it needs: the worst paths without some cohorts, on common random numbers.

Losses at each path's worst moment add up by cohort, but with market impact a cohort also makes the losses of others
larger.  So cohorts are left out, one at a time or in every combination; makers take the other side of what is left.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import comb
from typing import Any

import numpy as np

from stress.engines.base import Progress
from stress.engines.population import Population, draw_population
from stress.engines.results import by_cohort
from stress.scenario import Scenario, ScenarioError
from stress.size import check_inside
from stress.summary import Clusters, order_statistic
from stress.variants import POPULATIONS, Runner, clusters_of, spread

__all__ = [
    "CoalitionShare",
    "Coalitions",
    "attribute",
    "check_level",
    "jackknife_error",
    "only",
    "shapley_values",
    "worst_shares",
]

MOST_PLAYERS = 8
PATHS = 2_000
FEWEST_BEYOND = 10


@dataclass(frozen=True)
class CoalitionShare:
    """What one cohort has to do with the expected shortfall.

    Parameters
    ----------
    cohort : str
        Its name.
    present, present_error : float
        Its loss at the worst moments, as a share of all (Euler); standard error.
    left_out, left_out_error : float
        By which share of itself the shortfall is smaller without the cohort.
    shapley, shapley_error : float or None
        Shapley's value as a share; None unless asked for.
    """

    cohort: str
    present: float
    present_error: float
    left_out: float
    left_out_error: float
    shapley: float | None = None
    shapley_error: float | None = None


@dataclass(frozen=True)
class Coalitions:
    """The expected shortfall of a scenario, shared among its cohorts.

    Parameters
    ----------
    level : float
        The shortfall is the mean of the worst ``1 - level`` of the paths.
    horizon_hours : float
        Length of a path.
    n_paths, n_populations : int
        Paths of every run, and draws of the accounts.
    shortfall, shortfall_error : float
        Of all cohorts; quote currency.
    shares : tuple of CoalitionShare
        By cohort.  Those of `shapley` add up to 1, those of `present` to 1 with the income, those of `left_out` need
        not.
    unit : str
        Name of the money.
    """

    level: float
    horizon_hours: float
    n_paths: int
    n_populations: int
    shortfall: float
    shortfall_error: float
    shares: tuple[CoalitionShare, ...]
    unit: str

    def to_dict(self) -> dict[str, Any]:
        """Return the ``fundstress.attribution/1`` document: plain, JSON-ready values."""
        return {"schema": "fundstress.attribution/1", **asdict(self)}


def shapley_values(worth: np.ndarray) -> np.ndarray:
    """Return each player's share of what all are worth together.

    Parameters
    ----------
    worth : ndarray, shape (2^k, ...)
        Worth of every coalition, player i being in coalition c if bit i of c is set; further axes are alternatives.

    Returns
    -------
    ndarray, shape (k, ...)
        What a player adds, on average over all orders in which the players might come (Shapley 1953); adds up to
        ``worth[-1] - worth[0]``.
    """
    n, coalitions = len(worth).bit_length() - 1, np.arange(len(worth))
    weight = np.array([1.0 / (n * comb(n - 1, c.bit_count())) if c.bit_count() < n else 0.0 for c in range(len(worth))])
    shares = []
    for i in range(n):
        without = coalitions[coalitions >> i & 1 == 0]
        shares.append(np.tensordot(weight[without], worth[without | 1 << i] - worth[without], axes=1))
    return np.array(shares)


def only(population: Population, members: Sequence[int], lot: float) -> Population:
    """Return a population with some cohorts alone.

    Accounts that leave at set times keep their rows, with a position of one lot and margin in proportion.
    """
    accounts, leavers = population.accounts.copy(), population.leavers
    stays = np.isin(accounts["cohort"], members)
    shrunk = leavers[~stays[leavers]]
    scale = lot / np.abs(accounts["qty"][shrunk])
    accounts["qty"][shrunk] *= scale
    accounts["collateral"][shrunk] *= scale
    kept = stays.copy()
    kept[leavers] = True
    rows = np.cumsum(kept) - 1
    return replace(population, accounts=accounts[kept], leavers=rows[leavers])


def attribute(
    scenario: Scenario,
    *,
    level: float = 0.99,
    n_paths: int = PATHS,
    shapley: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Coalitions:
    """Share the expected shortfall of a scenario among its cohorts.

    Parameters
    ----------
    scenario : Scenario
        Of one symbol, without renewal.
    level : float
        The shortfall is the mean of the worst ``1 - level`` of the paths.
    n_paths : int
        Paths of every run, spread over 25 populations.
    shapley : bool
        Run every combination of at most eight cohorts, for Shapley's values; otherwise all but one at a time.
    threads : int, optional
        Worker threads; all cores by default.  Results do not depend on it.
    progress : Progress, optional
        Told about finished paths, over all runs.

    Returns
    -------
    Coalitions
        Standard errors are of the delete-one-population jackknife, the same populations left out of every run.

    Raises
    ------
    ScenarioError
        When the scenario cannot be taken apart, or the paths are too few for the level.
    """
    every = max(1, n_paths // POPULATIONS)
    players = _check(scenario, level, n_paths, shapley)
    n = len(players)
    full = (1 << n) - 1
    wanted = list(range(1, full + 1)) if shapley else sorted({full, *(full ^ 1 << i for i in range(n))} - {0})
    runner, progress = Runner(scenario, every), progress or Progress()
    runner.warm()
    drawdown = {c: np.zeros(n_paths) for c in wanted}
    losses = np.zeros((n_paths, n))
    progress.total = n_paths * len(wanted)

    def work(first: int) -> int:
        """Run the paths of one population in all coalitions; return how many there were."""
        size, index = min(every, n_paths - first), runner.index(first)
        rows, whole = slice(first, first + size), runner.population(index, {})
        for c in wanted:
            members = [player for i, player in enumerate(players) if c >> i & 1]
            found = runner.engine.run(only(whole, members, scenario.venue.lot), index, first, size)
            drawdown[c][rows] = found.shadow["drawdown"]
            if c == full:
                losses[rows] = by_cohort(found.shadow, len(scenario.population))[:, players]
        return size * len(wanted)

    for done in spread(work, range(0, n_paths, every), threads):
        progress.add(done)
    clusters = clusters_of(runner.scenario, every, n_paths).replicates()
    worth = {c: _shortfalls(values, level, clusters) for c, values in drawdown.items()}
    names = [scenario.population[i].name for i in players]
    return Coalitions(
        level,
        scenario.run.horizon_hours,
        n_paths,
        clusters_of(runner.scenario, every, n_paths).n_clusters,
        float(worth[full][0]),
        jackknife_error(worth[full]),
        _shares(names, worth, worst_shares(drawdown[full], losses, level, clusters)),
        scenario.exchange.unit,
    )


def check_level(level: float, n_paths: int) -> None:
    """Raise a ScenarioError for a level outside (0, 1), or one beyond which fewer than ten paths lie."""
    check_inside(level)
    if n_paths * (1.0 - level) < FEWEST_BEYOND * (1.0 - 1e-9):
        needed = int(np.ceil(FEWEST_BEYOND / (1.0 - level) - 1e-6))
        raise ScenarioError(f"--paths {n_paths:,}: too few for level {level:g}; needs {needed:,}")


def _check(scenario: Scenario, level: float, n_paths: int, shapley: bool) -> list[int]:
    """Return the rows of the cohorts that hold accounts."""
    check_level(level, n_paths)
    if scenario.asset or scenario.renewal is not None:
        raise ScenarioError("attribution: neither several symbols ([[asset]]) nor [renewal] can be taken apart")
    drawn = draw_population(scenario, 0).accounts["cohort"]
    players = sorted(int(i) for i in np.unique(drawn))
    if shapley and len(players) > MOST_PLAYERS:
        raise ScenarioError(f"--shapley: {len(players)} cohorts hold accounts; at most {MOST_PLAYERS}")
    return players


def _samples(clusters: Clusters) -> list[np.ndarray]:
    """Return which paths count: all, then all but those of each population."""
    every = np.ones(clusters.n_paths, dtype=bool)
    return [every, *(clusters.labels != j for j in range(clusters.n_clusters))]


def _shortfalls(drawdown: np.ndarray, level: float, clusters: Clusters) -> np.ndarray:
    """Return the expected shortfall of all paths, and without each population, shape (1 + n_clusters,)."""
    found = []
    for sample in _samples(clusters):
        x = np.sort(drawdown[sample])
        q = order_statistic(x, level)
        found.append(q + float(np.maximum(x - q, 0.0).mean()) / (1.0 - level))
    return np.array(found)


def worst_shares(drawdown: np.ndarray, losses: np.ndarray, level: float, clusters: Clusters) -> np.ndarray:
    """Return each column's share of the losses of the worst paths, shape (n_columns, 1 + n_clusters).

    What stands first is of all paths, the others leave out one population each.
    """
    found = []
    for sample in _samples(clusters):
        worst = sample & (drawdown >= order_statistic(np.sort(drawdown[sample]), level)) & (drawdown > 0.0)
        found.append(losses[worst].sum(axis=0) / max(float(drawdown[worst].sum()), 1e-300))
    return np.array(found).T


def jackknife_error(samples: np.ndarray) -> Any:
    """Return the delete-one jackknife's standard error of what stands first, over the last axis (Efron 1982)."""
    without = samples[..., 1:]
    n = without.shape[-1]
    apart = without - without.mean(axis=-1, keepdims=True)
    return np.sqrt((n - 1) / n * np.square(apart).sum(axis=-1))


def _shares(names: list[str], worth: dict[int, np.ndarray], present: np.ndarray) -> tuple[CoalitionShare, ...]:
    n, full = len(names), max(worth)
    whole = np.maximum(worth[full], 1e-300)
    nothing = np.zeros_like(whole)
    left = np.array([(whole - worth.get(full ^ 1 << i, nothing)) / whole for i in range(n)])
    columns = [present[:n], left]
    if len(worth) == full:
        columns.append(shapley_values(np.array([nothing, *(worth[c] for c in range(1, full + 1))])) / whole)
    rows = [[float(x) for column in columns for x in (column[i, 0], jackknife_error(column[i]))] for i in range(n)]
    return tuple(CoalitionShare(name, *row) for name, row in zip(names, rows, strict=True))
