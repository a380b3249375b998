"""The compiled engines as `base` drives them: blocks of paths through the ladders or the account loop."""

from collections.abc import Callable
from copy import copy
from functools import lru_cache
from typing import Any, Self

import numpy as np

from stress.engines import ladder, loop, moving
from stress.engines.blocks import MAX_BLOCK, World
from stress.engines.climb import climb_of
from stress.engines.population import Population
from stress.engines.rulebook import rulebook
from stress.engines.rungs import Rungs, build_rungs
from stress.engines.start import initial_state, runs_again
from stress.engines.steps import LEDGER, STATE, Block, Ledger, Rows, only, untraced
from stress.engines.survivors import survivors_of
from stress.rules import record
from stress.scenario import Scenario, ScenarioError

MANY_ORDERS = 64  # entries of the ledger for every account, where it may be liquidated in parts
REACH_SD = 4.0  # standard deviations of funding that the ladder's lists are built for


class CompiledEngine:
    """Common part: sampling, the loop for single paths, and the second run of ruined paths."""

    def __init__(self, scenario: Scenario, population: Population, keep_ledger: bool):
        self.scenario = scenario
        self.keep_ledger = keep_ledger
        self.ready: Callable[[], Any] | None = None  # waits for whoever compiles what ruined paths need
        self.rulebook = rulebook(scenario, population.open_interest)
        self.orders_each = 1 if self.rulebook.whole and not scenario.moves else MANY_ORDERS
        self.book = record(self.rulebook.numbers)
        self.world = World(scenario, seed=scenario.run.seed, decay=self.rulebook.decay)

    def labeled(self, common: np.ndarray) -> Self:
        """Return an engine for accounts with other labels than their cohorts.

        Parameters
        ----------
        common : ndarray, shape (MAX_COHORTS,)
            Of every label, 1 where what liquidates such accounts liquidates others at other venues, too.
        """
        other = copy(self)
        other.book = self.book.copy()
        other.book["common"] = common
        return other

    def warm(self, population: Population) -> None:
        """Compile by running one path."""
        self.shadow(population, self.world.block(0, 1), 0, self.ledger(population, 1), None)

    def prepare(self, population: Population) -> None:
        """Compile what ruined paths need ahead of the first one, while the kernels run without the GIL."""
        states = initial_state(population, self.scenario, 1, bottomless=0)
        self.run_loop(population, states, self.world.block(0, 1), 0, self.ledger(population, 0), untraced(1))

    def ledger(self, population: Population, n: int) -> Ledger:
        """Allocate a ledger for `n` paths: an account is liquidated at most once, or in a few parts."""
        size = n * population.accounts.size * self.orders_each if self.keep_ledger else 0
        return Ledger(np.zeros(size, LEDGER), np.zeros(1, np.int64))

    def run(self, population: Population, index: int, first: int, n: int) -> Rows:
        """Run paths `first` .. `first` + n - 1 on one population."""
        parts = []
        size = min(MAX_BLOCK, self.world.longest_block)
        size = max(1, size // self.orders_each) if self.keep_ledger else size
        for start in range(first, first + n, size):
            block = self.world.block(start, min(size, first + n - start))
            parts.append(self._run_block(population, block, start))
        shadow, configured, ledger = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Rows(shadow, configured, index, ledger)

    def _run_block(self, population: Population, block: Block, first: int):
        n = block.shocks.shape[0]
        ledger = self.ledger(population, n)
        shadow = self.shadow(population, block, first, ledger, None)
        rows = written(ledger)
        again = np.flatnonzero(shadow["needs_loop"]).tolist()
        for p in again:
            shadow[p], rows = self._one(population, block, first, p, rows, bottomless=1)
        configured = shadow.copy()
        for p in np.flatnonzero(runs_again(shadow, self.rulebook.repeats)).tolist():
            configured[p], rows = self._one(population, block, first, p, rows, bottomless=0)
        return shadow, configured, rows

    def _one(self, population: Population, block: Block, first: int, p: int, rows: np.ndarray, *, bottomless: int):
        """Run one path with the whole waterfall; its liquidations replace those already written down."""
        states = initial_state(population, self.scenario, 1, bottomless=bottomless)
        ledger = self.ledger(population, 1)
        self.run_loop(population, states, only(block, p), first + p, ledger, untraced(1))
        others = rows[rows["path"] != first + p]
        return states[0], np.concatenate([others, written(ledger)])

    def run_loop(self, population: Population, states, block: Block, first: int, ledger: Ledger, traces) -> None:
        """Run a block with the whole waterfall: in the account loop."""
        if self.ready is not None:
            self.ready()
        kernel = loop.compiled(self.rulebook)
        holdings = loop.holdings_of(population, self.rulebook.numbers["turnover"])
        kernel(states, self.book, block, first, population.accounts, holdings, ledger, traces)

    def trace(self, population: Population, first: int, n: int, n_times: int, *, bottomless: int = 1) -> np.ndarray:
        """Return the states at `n_times` equally spaced times, on the shadow fund by default, shape (n, n_times)."""
        traces, again = np.zeros((n, n_times), STATE), np.ones(n, dtype=bool)
        block, nothing = self.world.block(first, n), self.ledger(population, 0)
        if bottomless:
            again = self.shadow(population, block, first, nothing, traces)["needs_loop"] == 1
        for p in np.flatnonzero(again).tolist():
            start = initial_state(population, self.scenario, 1, bottomless=bottomless)
            self.run_loop(population, start, only(block, p), first + p, nothing, traces[p : p + 1])
        return traces

    def shadow(self, population: Population, block: Block, first: int, ledger: Ledger, traces: Any) -> np.ndarray:
        """Run a block on the shadow fund and return its states."""
        n = block.shocks.shape[0]
        states = initial_state(population, self.scenario, n)
        self.run_shadow(population, states, block, first, ledger, untraced(n) if traces is None else traces)
        return states

    run_shadow = run_loop


def written(ledger: Ledger) -> np.ndarray:
    """Return the liquidations in a ledger.

    Raises
    ------
    ScenarioError
        If there were more than it has room for.
    """
    if ledger.used[0] > ledger.rows.size:
        limit = f"more than {MANY_ORDERS} liquidations for every account of a path"
        raise ScenarioError(f"ledger: {limit}: run without it, or with a longer run.step_seconds")
    return ledger.rows[: ledger.used[0]]


class LoopEngine(CompiledEngine):
    """Every account."""


class MovingLadderEngine(CompiledEngine):
    """Only the accounts that are reached, of a book that changes."""

    def run_shadow(self, population: Population, states, block: Block, first: int, ledger: Ledger, traces) -> None:
        """Run a block on the shadow fund; paths that need the whole waterfall come back with ``needs_loop``."""
        self._run_kernel(moving.shadow, population, states, block, first, ledger, traces)

    def run_loop(self, population: Population, states, block: Block, first: int, ledger: Ledger, traces) -> None:
        """Run a block with the whole waterfall, on the shelves."""
        if self.ready is not None:
            self.ready()
        self._run_kernel(moving.whole, population, states, block, first, ledger, traces)

    def _run_kernel(self, compiled, population: Population, states, block: Block, first: int, ledger, traces) -> None:
        here = moving.standing_of(population, self.rulebook.numbers["turnover"])
        kernel = compiled(self.rulebook)
        kernel(states, self.book, block, first, population.accounts, here, ledger, traces)


class LadderEngine(MovingLadderEngine):
    """Only the accounts that are crossed, of a book that nobody joins."""

    def __init__(self, scenario: Scenario, population: Population, keep_ledger: bool):
        super().__init__(scenario, population, keep_ledger)
        self.rungs = lru_cache(maxsize=4)(self._rungs)

    def _rungs(self, population: Population) -> Rungs:
        largest = self.scenario.funding.largest(REACH_SD)
        reach = 1.5 * self.world.n_intervals * largest * population.price
        return build_rungs(population, self.scenario.tiers, reach)

    def run_shadow(self, population: Population, states, block: Block, first: int, ledger: Ledger, traces) -> None:
        """Run a block on the ladder; paths that it cannot finish exactly come back with ``needs_loop``."""
        climb = climb_of(self.rungs(population))
        here = survivors_of(climb, 0 if self.rulebook.whole else population.accounts.size)
        ladder.compiled(self.rulebook)(states, self.book, block, first, here, ledger, traces)
