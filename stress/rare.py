"""Ruin that counting does not reach: paths drawn from laws under which it is common, each with its weight.

A pilot moves the laws, stage by stage, towards the paths with the deepest falls (cross-entropy; Rubinstein & Kroese
2004).  The run then draws every population's paths from all of these laws and, always, from the model's own: a
defensive mixture (Hesterberg 1995), weighted by the balance heuristic (Veach & Guibas 1995; Owen & Zhou 2000), so that
no weight exceeds the inverse of the share drawn from the model itself.  The rulebook and the accounts are the model's.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stress.engines.base import Progress
from stress.engines.choose import choose_engine
from stress.engines.population import Population, draw_population
from stress.engines.results import Results
from stress.outcomes import Outcomes
from stress.scenario import Scenario, ScenarioError
from stress.variants import AMPLE, spread

__all__ = ["Law", "Stage", "WeightedRun", "importance", "is_rare", "mixture_weights"]

DEFENSIVE = 0.2  # share of the paths that is drawn from the model itself
ELITE = 0.1  # share of a stage's paths that the next law is fitted to
EXPLORED = 0.25  # share of the first stage's paths that is drawn such that all modes of the market are seen
MOST_STAGES = 8
PILOT_PATHS, PILOT_POPULATIONS = 2_000, 10
FEWEST_ELITE, FEWEST_OF_A_SIDE = 30, 10  # a side of which a stage sees fewer keeps the law that it had
N_BLOCKS, FEWEST_OF_A_BLOCK = 100, 20
COUNTED_ENOUGH = 100  # ruined paths, from which counting has an error of a tenth
PILOT = 1 << 40  # paths of the pilot are numbered from here, so that the run meets none of them


@dataclass(frozen=True)
class Law:
    """Numbers of the price process and rates of exit that paths are drawn with; which part of the losses is its."""

    numbers: Mapping[str, float]
    acts_per_step: np.ndarray
    part: float = 1.0


@dataclass(frozen=True)
class Stage:
    """One stage of the pilot: how deep its elite fell, how likely that is, and the laws fitted to it by direction."""

    drawdown: float
    probability: float
    laws: tuple[Law, ...]


@dataclass(frozen=True)
class WeightedRun:
    """A run by importance sampling.

    Parameters
    ----------
    outcomes : Outcomes
        With the weight of every path.
    stages : tuple of Stage
        Of the pilot.
    n_pilot : int
        Paths of the pilot.
    """

    outcomes: Outcomes
    stages: tuple[Stage, ...]
    n_pilot: int


def mixture_weights(log_density: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return the weights of paths drawn from a mixture of laws, the first being the model's.

    Parameters
    ----------
    log_density : ndarray, shape (n_laws, n)
        Log-density of every path under every law, up to a term that all laws share.
    share : ndarray, shape (n_laws,)
        Share of the paths drawn from each law.

    Returns
    -------
    ndarray, shape (n,)
        ``p / sum_k share_k q_k``, at most ``1 / share[0]``.
    """
    ratio = log_density - log_density[0]
    top = ratio.max(axis=0)
    return np.exp(-top) / (share[:, None] * np.exp(ratio - top)).sum(axis=0)


def importance(
    scenario: Scenario,
    *,
    level: float | None = None,
    n_pilot: int = PILOT_PATHS,
    threads: int | None = None,
    progress: Progress | None = None,
) -> WeightedRun:
    """Simulate a scenario by importance sampling.

    Parameters
    ----------
    scenario : Scenario
        Its ``run.n_paths`` are the weighted paths.
    level : float, optional
        Level of the reserve that the pilot aims at; otherwise both the ruin of the initial fund and the scenario's
        highest level.
    n_pilot : int
        Paths of every stage of the pilot.
    threads : int, optional
        Worker threads; all cores by default.  Results do not depend on it.
    progress : Progress, optional
        Told about finished paths.

    Returns
    -------
    WeightedRun
        Its columns other than the shadow fund's (``drawdown``, ``ruin_step``) are those of a fund without bottom.

    Raises
    ------
    ScenarioError
        When the market or the engine cannot be drawn otherwise, or the pilot saw too few losses to aim at.
    """
    sampler = _Sampler(scenario)
    fund = scenario.fund_initial if level is None else 0.0
    stages = tuple(sampler.pilot(fund, 1.0 - (level or max(scenario.reserve.levels)), n_pilot, threads))
    before, last = [law for stage in stages[:-1] for law in stage.laws], stages[-1].laws
    results = sampler.run([sampler.own, *before, *last], _shares(before, last), threads, progress or Progress())
    outcomes = results.outcomes(sampler.population(0), elapsed_s={}, cover=())
    facts = replace(outcomes.facts, fund_initial=scenario.fund_initial, config_sha256=scenario.sha256)
    columns = dict(outcomes.columns) | {"ruin_step": _ruined(outcomes, scenario.fund_initial)}
    return WeightedRun(Outcomes(columns, facts), stages, n_pilot * len(stages))


def is_rare(scenario: Scenario, *, n_pilot: int = PILOT_PATHS, threads: int | None = None) -> tuple[bool, str]:
    """Say whether importance sampling is worth it, and why: counting would give fewer than 100 ruined paths."""
    try:
        sampler = _Sampler(scenario)
    except ScenarioError as error:
        return False, str(error)
    drawdown = sampler.stage([sampler.own], np.ones(1), 0, n_pilot, threads)[0]
    expected = float(np.mean(drawdown > scenario.fund_initial)) * scenario.run.n_paths
    said = f"a pilot of {n_pilot:,} paths promises about {expected:,.0f} ruined ones"
    return expected < COUNTED_ENOUGH, f"{said}, {COUNTED_ENOUGH} are enough to count"


def _ruined(outcomes: Outcomes, fund: float) -> np.ndarray:
    """Return the step of the deepest fall of the ruined paths; the fund without bottom does not know the first."""
    return np.where(outcomes.drawdown > fund, outcomes.drawdown_step, -1).astype(np.int32)


def _shares(before: Sequence[Law], last: Sequence[Law]) -> np.ndarray:
    """Return the share of each law: the model's own is defensive, those of the last stage take half of the rest."""
    rest = 1.0 - DEFENSIVE
    if not before:
        return np.array([DEFENSIVE, *_divided(rest, last)])
    return np.array([DEFENSIVE, *_divided(0.5 * rest, before), *_divided(0.5 * rest, last)])


def _divided(share: float, laws: Sequence[Law]) -> np.ndarray:
    """Divide a share among laws, half of it evenly and half by the part of the losses that each is for."""
    part = np.array([law.part for law in laws])
    return share * 0.5 * (1.0 / len(laws) + part / part.sum())


class _Sampler:
    """Draws paths of one scenario under any law."""

    def __init__(self, scenario: Scenario):
        _check(scenario)
        self.scenario = scenario.plain(**scenario.with_fund(AMPLE))
        self.tilts = self.scenario.market.tilts(self.scenario.clock)
        choice = choose_engine(self.scenario)
        self.engine = choice.make(self.scenario, self.population(0), False)
        self.results = Results(self.scenario, choice)
        self.engine.warm(self.population(0))
        world = self.engine.world
        self.own = Law(self.scenario.market.numbers(self.scenario.clock), world.acts_per_step)

    def population(self, index: int) -> Population:
        """Return one draw of the accounts."""
        return draw_population(self.scenario, index)

    def draw(self, law: Law, laws: list[Law], population: Population, index: int, first: int, n: int) -> Any:
        """Return the rows of some paths under `law`, what they drew, and its log-density under all `laws`."""
        engine = copy(self.engine)
        engine.world = world = self.engine.world.drawn_with(law.numbers, law.acts_per_step)
        rows = engine.run(population, index, first, n)
        drawn = self.tilts.drawn(law.numbers, world.key, first, n), _exits(world, first, n)
        return rows, drawn, np.stack([self.log_density(each, drawn) for each in laws])

    def log_density(self, law: Law, drawn: Any) -> np.ndarray:
        """Return the log-density of what was drawn, shape (n,)."""
        market, (left, waited) = drawn
        rate = law.acts_per_step
        return self.tilts.log_density(law.numbers, market) + left @ np.log(rate) - waited @ rate

    def fitted(self, law: Law, drawn: Any, weight: np.ndarray) -> Law:
        """Return the law nearest to weighted paths."""
        market, (left, waited) = drawn
        rate = np.maximum(weight @ left, 1e-3 * weight.sum()) / np.maximum(weight @ waited, 1e-300)
        return Law(self.tilts.fitted(law.numbers, market, weight), np.maximum(rate, law.acts_per_step))

    def pilot(self, fund: float, least: float, n: int, threads: int | None) -> Iterator[Stage]:
        """Yield stage after stage, each fitted to the deepest tenth of what the one before drew."""
        explored = replace(self.own, numbers=self.tilts.explored(self.own.numbers))
        drawn_from, share, laws = [self.own, explored], np.array([1.0 - EXPLORED, EXPLORED]), dict[Any, Law]()
        for stage in range(MOST_STAGES):
            drawdown, weight, fell, drawn = self.stage(drawn_from, share, stage, n, threads)
            aim = max(fund, _beyond(drawdown, weight, least))
            reached = min(aim, float(np.quantile(drawdown, 1.0 - ELITE)))
            elite = drawdown > reached
            found = np.count_nonzero(elite)
            if found < FEWEST_ELITE and laws:
                return
            if found < FEWEST_ELITE:
                raise ScenarioError(
                    f"importance sampling: a pilot of {n:,} paths saw {found} losses; needs {FEWEST_ELITE}"
                )
            laws |= self.refitted(elite, fell, drawn, weight)
            yield Stage(reached, float(np.mean(np.where(elite, weight, 0.0))), tuple(laws.values()))
            if reached == aim:
                return
            drawn_from = [self.own, *laws.values()]
            share = _shares((), list(laws.values()))

    def refitted(self, elite: np.ndarray, fell: np.ndarray, drawn: Any, weight: np.ndarray) -> dict[Any, Law]:
        """Return a law of the elite's paths of each direction and mode of the market of which there are enough."""
        sides = np.column_stack([self.tilts.modes(drawn[0]), fell])
        found = {}
        for side, n in zip(*np.unique(sides[elite], axis=0, return_counts=True), strict=True):
            if n >= FEWEST_OF_A_SIDE:
                rows = elite & (sides == side).all(axis=1)
                law = self.fitted(self.own, _rows(drawn, rows), weight[rows])
                found[tuple(side)] = replace(law, part=float(weight[rows].sum() / weight[elite].sum()))
        return found

    def stage(
        self, laws: list[Law], share: np.ndarray, stage: int, n: int, threads: int | None
    ) -> tuple[Any, Any, Any, Any]:
        """Return drawdown, weight, whether the price fell more than it rose, and what was drawn, of `n` paths."""
        each = n // PILOT_POPULATIONS
        edges = _edges(share, each)

        def work(index: int) -> Any:
            """Draw the paths of one population, law by law."""
            first, population = PILOT + (stage * PILOT_POPULATIONS + index) * each, self.population(index)
            slices = zip(laws, edges, edges[1:], strict=False)
            return index, [self.draw(law, laws, population, index, first + a, b - a) for law, a, b in slices if b > a]

        found = [part for _, parts in sorted(spread(work, range(PILOT_POPULATIONS), threads)) for part in parts]
        states = np.concatenate([rows.shadow for rows, _, _ in found])
        weight = mixture_weights(np.concatenate([density for _, _, density in found], axis=1), np.diff(edges) / each)
        fell = states["price_min"] * states["price_max"] < self.scenario.price**2
        return states["drawdown"], weight, fell, _joined([drawn for _, drawn, _ in found])

    def run(self, laws: list[Law], share: np.ndarray, threads: int | None, progress: Progress) -> Results:
        """Run all paths, every population with the same shares of laws, and write their weights."""
        every, n = paths_of_a_block(self.scenario), self.scenario.run.n_paths
        edges = _edges(share, every)
        exact = np.diff(edges) / every
        progress.total = n

        def work(index: int) -> int:
            """Run the paths of one block, law by law; return how many there were."""
            drawn = 0 if self.scenario.conditional_on_book else index
            population, done = self.population(drawn), 0
            for law, low, high in zip(laws, edges, edges[1:], strict=False):
                first, last = index * every + low, index * every + high
                if first == last:
                    continue
                rows, _, density = self.draw(law, laws, population, drawn, first, last - first)
                self.results.put(first, last - first, rows)
                self.results.columns["weight"][first:last] = mixture_weights(density, exact)
                done += last - first
            return done

        for done in spread(work, range(n // every), threads):
            progress.add(done)
        return self.results


def _beyond(drawdown: np.ndarray, weight: np.ndarray, chance: float) -> float:
    """Return the least observed drawdown beyond which lies at most `chance`; the largest where none is so rare."""
    order = np.argsort(-drawdown, kind="stable")
    within = int(np.searchsorted(np.cumsum(weight[order]) / len(weight), chance, side="right"))
    return float(drawdown[order[min(within, len(order) - 1)]])


def _check(scenario: Scenario) -> None:
    if scenario.asset:
        raise ScenarioError("importance sampling: several symbols ([[asset]]) are not supported; use --method crude")
    if scenario.market.tilts(scenario.clock) is None:
        kind = scenario.market.kind
        raise ScenarioError(f"importance sampling: market {kind!r} cannot be drawn otherwise; use --method crude")
    n, every = scenario.run.n_paths, paths_of_a_block(scenario)
    if n % every or every < FEWEST_OF_A_BLOCK:
        raise ScenarioError(
            f"importance sampling: run.n_paths = {n:,} in blocks of {every:,}: needs whole blocks of at least "
            f"{FEWEST_OF_A_BLOCK}, {N_BLOCKS} of them by default"
        )


def paths_of_a_block(scenario: Scenario) -> int:
    """Return the paths among which all laws are drawn: those of a population, a hundredth of them for one book."""
    return scenario.run.n_paths // N_BLOCKS if scenario.conditional_on_book else scenario.redraw_every


def _exits(world: Any, first: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return how often each leaver left within the horizon, and how long it was waited for, both (n, n_leavers)."""
    times = world.act_times(first, n)
    left = (times < world.n_steps).sum(axis=1)
    waited = np.minimum(times[:, 0], world.n_steps) if world.n_acts == 1 else np.full(left.shape, float(world.n_steps))
    return left.astype(float), waited


def _edges(share: np.ndarray, n: int) -> list[int]:
    """Return where each law's paths begin among `n`, and the end."""
    return [round(float(x)) for x in np.concatenate([[0.0], np.cumsum(share)]) * n]


def _rows(drawn: Any, rows: np.ndarray) -> Any:
    market, exits = drawn
    return [part[rows] for part in market], tuple(part[rows] for part in exits)


def _joined(parts: list[Any]) -> Any:
    market = [np.concatenate(part) for part in zip(*(market for market, _ in parts), strict=True)]
    return market, tuple(np.concatenate(part) for part in zip(*(exits for _, exits in parts), strict=True))
