"""What the outside world does, block by block: shocks, pushes, halts and funding rates of a run of paths."""

import math
from collections.abc import Mapping
from copy import copy
from typing import Self

import numpy as np

from stress.engines.pushes import add_pushes, extremes, pushes_of
from stress.engines.steps import NEVER, Block
from stress.engines.turnover import ROOM_SD, draw_turns, room_for, turnover_numbers
from stress.markets.base import CHUNK, deviation_sampler, funding_normals, sampler
from stress.markets.extremes import visit_extremes
from stress.randomness import EXITS, stream_key, uniforms_of_paths
from stress.rules import kernel, record
from stress.scenario import Scenario

MAX_BLOCK = 64  # paths whose shocks are held at once; small enough to stay in cache
MOST_NUMBERS = 8_000_000  # drawn at once, where paths are long


class World:
    """Samples blocks of paths; the same numbers for every engine, block size and thread."""

    def __init__(self, scenario: Scenario, *, seed: int, decay: np.ndarray):
        clock, market = scenario.clock, scenario.market
        self.n_steps = clock.n_steps
        self.side = scenario.exchange.contract.side
        self.key = stream_key(seed)
        self.funding = scenario.funding
        self.n_intervals = clock.n_steps // scenario.steps(scenario.funding.interval_hours * 3600.0)
        self.numbers = record(market.numbers(clock))
        self.table = market.table(clock)
        self.sample = sampler(type(market).increments)
        self.noise_of, self.meets_extremes = type(market).deviations, market.extremes is not None
        self.overlay, halts = scripted(scenario)
        self.halts = np.tile(halts, (MAX_BLOCK, 1))
        self.halt_steps = math.ceil(scenario.exchange.halt_minutes * 60.0 / scenario.run.step_seconds)
        acting = [cohort for cohort in scenario.population if cohort.act_rate > 0.0]
        self.acts_per_step = np.array([cohort.act_rate for cohort in acting]) * clock.step_years
        self.n_leavers = np.array([cohort.n_leavers for cohort in acting], dtype=np.int64)
        self.leaves_after = np.array([cohort.leaves_after_minutes for cohort in acting]) * 60.0 / clock.step_seconds
        self.n_acts = 1 if scenario.renewal is None else times_of(self.acts_per_step.max(initial=0.0) * self.n_steps)
        self.pushes = [] if scenario.asset else pushes_of(scenario)
        self.turns_per_step = turnover_numbers(scenario)["per_step"]
        self.decay = decay

    @property
    def longest_block(self) -> int:
        """Return how many paths may be drawn at once."""
        return max(
            1, min(MAX_BLOCK, MOST_NUMBERS // (2 * self.n_steps + 3 * room_for(self.turns_per_step, self.n_steps)))
        )

    def block(self, first: int, n: int) -> Block:
        """Draw `n` paths from path `first` on, in the coordinates of the contract."""
        shocks = np.empty((n, self.n_steps))
        lows = np.empty((n, -(-self.n_steps // CHUNK)))
        highs = np.empty_like(lows)
        self.sample(self.numbers, self.table, self.overlay, self.key, first, shocks, lows, highs)
        if self.meets_extremes:
            visit_extremes(self.key, first, self.deviations(first, n), shocks)
        acts = self._acts(first, n)
        pushed = add_pushes(self.pushes, acts, shocks)
        for p in range(n) if self.meets_extremes else np.flatnonzero(pushed):
            lows[p], highs[p] = extremes(shocks[p])
        if self.side < 0.0:
            shocks, lows, highs = -shocks, -highs, -lows
        normals = np.empty((n, self.n_intervals))
        funding_normals(self.key, first, normals)
        halts, exits = self._halts(shocks), self._exits(acts)
        turns = draw_turns(self.key, first, n, self.turns_per_step, self.n_steps)
        rates = self.side * self.funding.rates(normals)
        return Block(shocks, lows, highs, halts, exits, rates, *turns, self.decay)

    def deviations(self, first: int, n: int) -> np.ndarray:
        """Draw the standard deviations of every step's noise, shape (n, n_steps)."""
        found = np.empty((n, self.n_steps))
        deviation_sampler(self.noise_of)(self.numbers, self.table, self.key, first, found)
        return found

    def _halts(self, shocks: np.ndarray) -> np.ndarray:
        """Return the scripted halts and, if asked for, one at each path's worst moment, shape (n, n_steps)."""
        n = len(shocks)
        if self.halt_steps == 0 and n <= MAX_BLOCK:
            return self.halts[:n]
        halts = np.tile(self.halts[0], (n, 1))
        if self.halt_steps > 0:
            halt_worst(shocks, self.halt_steps, halts)
        return halts

    def _acts(self, first: int, n: int) -> np.ndarray:
        """Draw the steps at which cohorts act: exponential gaps, shape (n, n_acts, cohorts that act).

        Where nobody takes an empty seat, a cohort acts once.
        """
        steps = self.act_times(first, n)
        return np.where(steps < self.n_steps, steps, NEVER).astype(np.int64)

    def act_times(self, first: int, n: int) -> np.ndarray:
        """Return when cohorts would act, in steps, shape (n, n_acts, cohorts that act), within the horizon or not."""
        uniforms = np.empty((n, self.n_acts * self.acts_per_step.size))
        uniforms_of_paths(self.key, EXITS, first, uniforms)
        gaps = -np.log(uniforms).reshape(n, self.n_acts, self.acts_per_step.size) / self.acts_per_step
        return np.cumsum(gaps, axis=1)

    def _exits(self, acts: np.ndarray) -> np.ndarray:
        """Return the steps at which leavers withdraw their margin, shape (n, n_acts x n_leavers)."""
        exits = acts + self.leaves_after.astype(np.int64)
        exits = np.where(exits < self.n_steps, exits, NEVER)
        return np.repeat(exits, self.n_leavers, axis=2).reshape(len(acts), -1)

    def drawn_with(self, numbers: Mapping[str, float], acts_per_step: np.ndarray) -> Self:
        """Return a world with other numbers of the price process and other rates of acts, on the same streams."""
        other = copy(self)
        other.numbers, other.acts_per_step = record(numbers), acts_per_step
        if self.n_acts > 1:
            other.n_acts = times_of(acts_per_step.max(initial=0.0) * self.n_steps)
        return other


def times_of(mean: float) -> int:
    """Return how many times are drawn of something that happens `mean` times a path, so that none is missing."""
    return 1 + math.ceil(mean + ROOM_SD * math.sqrt(mean))


@kernel
def halt_worst(shocks, length, halts):
    """Halt every path (n, n_steps) for `length` steps while its index moves most."""
    for p in range(shocks.shape[0]):
        worst, at = -1.0, 0
        for t in range(shocks.shape[1] - length + 1):
            before = shocks[p, t - 1] if t > 0 else 0.0
            moved = abs(shocks[p, t + length - 1] - before)
            if moved > worst:
                worst, at = moved, t
        halts[p, at : at + length] = 1


def scripted(scenario: Scenario, symbol: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return log-returns (n_steps,) and halts (n_steps,) of the ``[[shock]]`` tables, of the market or of a symbol."""
    n, seconds = scenario.clock.n_steps, scenario.run.step_seconds
    overlay, halts = np.zeros(n), np.zeros(n, dtype=np.int64)
    for shock in (shock for shock in scenario.shock if shock.symbol == symbol):
        start = shock.at_hours * 3600.0 / seconds
        first, last = math.floor(start), math.ceil(start + shock.minutes * 60.0 / seconds)
        for t in range(first, min(max(last, first + 1), n)):
            overlay[t] += math.log1p(shock.move) * _share(t, start, shock.minutes * 60.0 / seconds)
            halts[t] |= int(shock.halt)
    return overlay, halts


def _share(step: int, start: float, length: float) -> float:
    """Return which share of a move over [start, start + length) falls into a step."""
    if length == 0.0:
        return 1.0
    return (min(step + 1.0, start + length) - max(float(step), start)) / length
