"""What the outside world does, block by block: shocks, halts and funding rates of a run of paths."""

import math

import numpy as np

from stress.engines.steps import Block
from stress.markets.base import CHUNK, funding_normals, sampler
from stress.randomness import stream_key
from stress.rules import record
from stress.scenario import Scenario

MAX_BLOCK = 64  # paths whose shocks are held at once; small enough to stay in cache


class World:
    """Samples blocks of paths; the same numbers for every engine, block size and thread."""

    def __init__(self, scenario: Scenario, *, seed: int, decay: np.ndarray):
        clock, market = scenario.clock, scenario.market
        self.n_steps = clock.n_steps
        self.key = stream_key(seed)
        self.funding = scenario.funding
        self.n_intervals = clock.n_steps // scenario.steps(scenario.funding.interval_hours * 3600.0)
        self.numbers = record(market.numbers(clock))
        self.table = market.table(clock)
        self.sample = sampler(type(market).increments)
        self.overlay, self.halts = scripted(scenario)
        self.decay = decay

    def block(self, first: int, n: int) -> Block:
        """Draw `n` paths from path `first` on."""
        shocks = np.empty((n, self.n_steps))
        lows = np.empty((n, -(-self.n_steps // CHUNK)))
        highs = np.empty_like(lows)
        self.sample(self.numbers, self.table, self.overlay, self.key, first, shocks, lows, highs)
        normals = np.empty((n, self.n_intervals))
        funding_normals(self.key, first, normals)
        return Block(shocks, lows, highs, self.funding.rates(normals), self.halts, self.decay)


def scripted(scenario: Scenario) -> tuple[np.ndarray, np.ndarray]:
    """Return the scripted log-returns (n_steps,) and halts (n_steps,) of the ``[[shock]]`` tables."""
    n, seconds = scenario.clock.n_steps, scenario.run.step_seconds
    overlay, halts = np.zeros(n), np.zeros(n, dtype=np.int64)
    for shock in scenario.shock:
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
