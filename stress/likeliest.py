"""The most likely way to ruin the fund: the point nearest to the origin among standard normals that drive the price.

This is the design point of the first-order reliability method (Hasofer and Lind 1974; Rackwitz and Fiessler 1978).  The
fund's fall is a rough function of the path, so that no gradient leads there: rays in many directions find where ruin
begins, and the nearest of them are turned, step by step, while that brings it nearer.
"""

import math
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from stress.engines.blocks import MAX_BLOCK, extremes
from stress.markets.drivers import Driver
from stress.scenario import Scenario, ScenarioError
from stress.variants import Runner

__all__ = ["Likeliest", "likeliest", "nearest"]

FARTHEST = 8.0  # standard deviations
RAYS, STARTS, TURNS, TRIES = 24, 8, 10, 8  # rays by dimension
WIDEST, NARROWER = 0.5, 0.6  # how far a direction is turned at first, and what is left of that after a round in vain
SCAN, HALVINGS = 16, 7
POPULATIONS = 5  # an odd number: the middle one decides
NEVER, AT_ONCE = 1e-300, 1e300  # acts a step

Ruins = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Likeliest:
    """The most likely way to ruin the fund by one driver.

    Parameters
    ----------
    driver : str
        What drives the price.
    acting : str or None
        The cohort that acts at the beginning (leaves, pushes the price); None where all stay.
    beta : float or None
        Distance from the usual, in standard deviations: 0 where the usual ruins; None where nothing up to 8 does.
    chance : float or None
        First-order chance within the horizon: how often the way is open, times the normal probability beyond `beta`,
        times the probability that the cohort acts, or that none does.
    words : str
        The way.
    agreed : int
        How many of the starts ended within 5 % of `beta`.
    """

    driver: str
    acting: str | None
    beta: float | None
    chance: float | None
    words: str
    agreed: int


def nearest(ruins: Ruins, dimension: int, rng: np.random.Generator) -> tuple[np.ndarray | None, int]:
    """Return the point nearest to the origin that ruins, and how many starts agree on its distance within 5 %.

    Parameters
    ----------
    ruins : callable
        Of points (n, dimension), which ruin, bool (n,).
    dimension : int
    rng : Generator

    Returns
    -------
    point : ndarray, shape (dimension,), or None
        None where no ray meets ruin within eight standard deviations.
    agreed : int
    """
    axes = np.vstack([np.eye(dimension), -np.eye(dimension)])
    rays = _unit(np.vstack([axes, rng.standard_normal((RAYS * dimension, dimension))]))
    far = _first(ruins, rays)
    if not np.isfinite(far).any():
        return None, 0
    best = [_turned(ruins, rays[i], far[i], rng) for i in _apart(rays, far)]
    radius = np.array([r for _, r in best])
    direction, shortest = best[int(radius.argmin())]
    return shortest * direction, int(np.count_nonzero(radius <= 1.05 * shortest))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _first(ruins: Ruins, rays: np.ndarray) -> np.ndarray:
    """Return how far along each ray ruin begins, shape (n,); infinite where it does not."""
    found = np.full(len(rays), np.inf)
    for radius in np.arange(1, SCAN + 1) * (FARTHEST / SCAN):
        open_ = np.flatnonzero(np.isinf(found))
        if open_.size:
            found[open_[ruins(radius * rays[open_])]] = radius
    met = np.flatnonzero(np.isfinite(found))
    found[met] = _between(ruins, rays[met], found[met] - FARTHEST / SCAN, found[met])
    return found


def _between(ruins: Ruins, rays: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return where ruin begins between two distances, by halving; `high` ruins."""
    low, high = low.copy(), high.copy()
    for _ in range(HALVINGS if len(rays) else 0):
        middle = 0.5 * (low + high)
        hit = ruins(middle[:, None] * rays)
        high, low = np.where(hit, middle, high), np.where(hit, low, middle)
    return high


def _apart(rays: np.ndarray, far: np.ndarray) -> list[int]:
    """Return the rays to start from: the shortest, each at least 45 degrees from those before."""
    chosen: list[int] = []
    for i in np.argsort(far)[: np.count_nonzero(np.isfinite(far))]:
        if len(chosen) < STARTS and all(rays[i] @ rays[j] < math.sqrt(0.5) for j in chosen):
            chosen.append(int(i))
    return chosen


def _turned(ruins: Ruins, ray: np.ndarray, radius: float, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Turn a ray while ruin comes nearer."""
    width = WIDEST
    for _ in range(TURNS):
        tried = _unit(ray + width * rng.standard_normal((TRIES, ray.size)) / math.sqrt(ray.size))
        nearer = tried[ruins(0.999 * radius * tried)]
        if len(nearer) == 0:
            width *= NARROWER
            continue
        found = _between(ruins, nearer, np.zeros(len(nearer)), np.full(len(nearer), 0.999 * radius))
        ray, radius = nearer[int(found.argmin())], float(found.min())
    return ray, radius


def likeliest(scenario: Scenario) -> Iterator[Likeliest]:
    """Yield the most likely way to ruin the fund, driver by driver of its market, without and with each who may act.

    Parameters
    ----------
    scenario : Scenario
        Of one symbol, without renewal.  Its shocks come as scripted, who acts does so at the beginning, funding is at
        its mean, the price goes straight between marks, and the middle one of five populations decides.

    Raises
    ------
    ScenarioError
        When the market does not say what drives it.
    """
    if scenario.asset or scenario.renewal is not None:
        raise ScenarioError("reverse: neither several symbols ([[asset]]) nor [renewal] are supported")
    drivers = scenario.market.drivers(scenario.clock)
    if not drivers:
        raise ScenarioError(f"reverse: market {scenario.market.kind!r} does not say what drives it")
    told = _Told(scenario)
    for acting in (None, *told.rates):
        for driver in drivers:
            yield _likeliest(driver, told, acting, np.random.default_rng(scenario.run.seed))


def _likeliest(driver: Driver, told: "_Told", acting: str | None, rng: np.random.Generator) -> Likeliest:
    def ruins(points: np.ndarray) -> np.ndarray:
        """Say which points ruin the fund."""
        return told.ruins(driver.log_returns(points), acting)

    usual = np.zeros(driver.dimension)
    if ruins(usual[None, :])[0]:
        return Likeliest(driver.name, acting, 0.0, told.chance_of(acting), "nothing unusual", STARTS)
    point, agreed = nearest(ruins, driver.dimension, rng)
    if point is None:
        return Likeliest(driver.name, acting, None, None, "", 0)
    beta = float(np.linalg.norm(point))
    chance = -math.expm1(-driver.expected * float(norm.sf(beta))) * told.chance_of(acting)
    return Likeliest(driver.name, acting, beta, chance, driver.words(point), agreed)


class _Told:
    """Paths that are told, through the venue of a scenario."""

    def __init__(self, scenario: Scenario):
        self.runner = Runner(scenario.with_(**{"funding.sd_rate": 0.0}), 1)
        world = self.runner.engine.world
        names = [cohort.name for cohort in scenario.population if cohort.act_rate > 0.0]
        self.rates = dict(zip(names, world.acts_per_step * world.n_steps, strict=True))
        self.fund = scenario.fund_initial
        n = 1 if self.runner.scenario.conditional_on_book else POPULATIONS
        self.populations = [self.runner.population(index, {}) for index in range(n)]
        self.runner.warm()

    def chance_of(self, acting: str | None) -> float:
        """Return the probability that a cohort acts within the horizon, or that none does."""
        rate = sum(self.rates.values()) if acting is None else self.rates[acting]
        return math.exp(-rate) if acting is None else -math.expm1(-rate)

    def ruins(self, log_returns: np.ndarray, acting: str | None) -> np.ndarray:
        """Say of each path (n, n_steps) whether it ruins the fund of the middle population."""
        blocks = (log_returns[i : i + MAX_BLOCK] for i in range(0, len(log_returns), MAX_BLOCK))
        parts = [self._drawdowns(block, acting) for block in blocks]
        return np.median(np.hstack(parts), axis=0) > self.fund

    def _drawdowns(self, log_returns: np.ndarray, acting: str | None) -> np.ndarray:
        engine = copy(self.runner.engine)
        engine.world = world = copy(engine.world)
        world.sample, world.meets_extremes = _teller(log_returns), False
        world.acts_per_step = np.array([AT_ONCE if name == acting else NEVER for name in self.rates])
        n = len(log_returns)
        return np.array([engine.run(p, i, 0, n).shadow["drawdown"] for i, p in enumerate(self.populations)])


def _teller(log_returns: np.ndarray) -> Callable[..., None]:
    """Return a sampler whose paths are given, with what is scripted on top."""
    path = np.cumsum(log_returns, axis=1)

    def sample(numbers, table, overlay, key, first, shocks, lows, highs) -> None:
        """Fill a block with the given paths."""
        shocks[:] = path[first : first + len(shocks)] + np.cumsum(overlay)
        for p in range(len(shocks)):
            lows[p], highs[p] = extremes(shocks[p])

    return sample
