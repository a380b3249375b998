"""The account loop of several symbols as `base` drives it."""

from collections.abc import Callable
from copy import copy
from typing import Any, Self

import numpy as np

from stress import symbols
from stress.engines import portfolio_loop, portfolio_queue
from stress.engines.blocks import MAX_BLOCK
from stress.engines.desks import Book, SeveralWorld, Start, collateral_numbers, rulebooks
from stress.engines.start import opening
from stress.engines.steps import LEDGER, STATE, Block, Ledger, Rows, only, untraced
from stress.exchange.collateral import Collateral
from stress.exchange.pools import PoolState
from stress.exchange.state import ExchangeState
from stress.rules import record, record_dtype
from stress.scenario import Scenario

POOL = record_dtype(PoolState())
NO_COLLATERAL = record_dtype(Collateral(asset="none", tiers=((1.0, 1.0),)).numbers(-1, 0))


def open_desks(scenario: Scenario, book: Book, *, bottomless: int) -> list[ExchangeState]:
    """Return the state of every desk before the first step, and of the venue as a whole at the end."""
    states = [opening(desk, symbols.desk(scenario, s), bottomless=bottomless) for s, desk in enumerate(book.desks)]
    for state in states:
        state.touched = 0  # by nobody since the first anchor
    price = states[0].initial_price
    whole = ExchangeState(
        initial_price=price,
        index=price,
        mark=price,
        price_min=price,
        price_max=price,
        bottomless=bottomless,
        open_interest=book.open_interest,
    )
    return [*states, whole]


class SeveralEngine:
    """Every account of a venue with several symbols."""

    def __init__(self, scenario: Scenario, population: Book, keep_ledger: bool):
        self.scenario, self.keep_ledger = scenario, keep_ledger
        self.ready: Callable[[], Any] | None = None  # waits for whoever compiles the account loop
        self.skips = 1
        self.rulebook, self.numbers, self.whole = rulebooks(scenario, population)
        self.starts = symbols.pool_starts(scenario)
        self.assets = np.array([record(row)[0] for row in collateral_numbers(scenario)], dtype=NO_COLLATERAL)
        self.world = SeveralWorld(scenario, decay=self.rulebook.decay)

    def labeled(self, common: np.ndarray) -> Self:
        """Return an engine for legs with other labels than their cohorts; `common` is as for one symbol."""
        other, told = copy(self), {"common": tuple(map(float, common))}
        other.numbers, other.whole = [{**numbers, **told} for numbers in self.numbers], {**self.whole, **told}
        return other

    def warm(self, population: Book) -> None:
        """Compile by running one path."""
        self.shadow(population, self.world.block(0, 1), 0, self.ledger(population, 1), untraced(1))

    def prepare(self, population: Book) -> None:
        """Do nothing: ruined paths are run by the same kernel."""

    def ledger(self, population: Book, n: int) -> Ledger:
        """Allocate a ledger for `n` paths: a leg is liquidated at most once."""
        size = n * population.portfolios.legs.size if self.keep_ledger else 0
        return Ledger(np.zeros(size, LEDGER), np.zeros(1, np.int64))

    def run(self, population: Book, index: int, first: int, n: int) -> Rows:
        """Run paths `first` .. `first` + n - 1 on one population."""
        parts = []
        for start in range(first, first + n, MAX_BLOCK):
            block = self.world.block(start, min(MAX_BLOCK, first + n - start))
            parts.append(self._run_block(population, block, start))
        shadow, configured, pools, ledger = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Rows(shadow, configured, index, ledger, pools)

    def _run_block(self, population: Book, block: Block, first: int):
        n = len(block.shocks)
        ledger = self.ledger(population, n)
        shadow, pools = self.shadow(population, block, first, ledger, untraced(n))
        rows, configured = ledger.rows[: ledger.used[0]], shadow.copy()
        for p in np.flatnonzero((pools["ruin_step"] >= 0).any(axis=1)).tolist():
            ledger = self.ledger(population, 1)
            again, _ = self.shadow(population, only(block, p), first + p, ledger, untraced(1), bottomless=0)
            configured[p] = again[0]
            rows = np.concatenate([rows[rows["path"] != first + p], ledger.rows[: ledger.used[0]]])
        return shadow, configured, pools, rows

    def shadow(self, population: Book, block: Block, first: int, ledger: Ledger, traces, *, bottomless: int = 1):
        """Run a block, on the shadow fund by default; return the venue's states and those of the pools."""
        n = len(block.shocks)
        opened = open_desks(self.scenario, population, bottomless=bottomless)
        states = np.repeat(np.concatenate([record(state) for state in opened])[None, :], n, axis=0)
        pools = np.repeat(np.repeat(record(PoolState()), len(self.starts))[None, :], n, axis=0)
        start, accounts = (portfolio_queue.accounts_of(population) for _ in range(2))
        fresh, queue = (portfolio_queue.queue_of(population) for _ in range(2))
        venue, room = self.venue(population), portfolio_loop.room_of(population)
        if self.ready is not None:
            self.ready()
        kernel = portfolio_loop.compiled(self.rulebook)
        kernel(states, pools, block, first, start, accounts, fresh, queue, venue, room, ledger, traces)
        assert states.dtype == STATE
        return states[:, -1], pools

    def venue(self, population: Book) -> portfolio_queue.Venue:
        """Return what the desks of a population share."""
        n_symbols = len(self.numbers)
        prices = np.array(Start.of(self.scenario).prices)
        return portfolio_queue.Venue(
            books=np.concatenate([record(numbers) for numbers in self.numbers]),
            whole=record(self.whole),
            initials=np.array(self.starts),
            assets=self.assets,
            prices=prices,
            values=np.zeros(n_symbols),
            lost=np.zeros(n_symbols),
            starts=population.portfolios.starts,
            by_desk=population.by_desk,
            desk_starts=population.desk_starts,
            skips=np.array([self.skips]),
        )

    def trace(self, population: Book, first: int, n: int, n_times: int) -> np.ndarray:
        """Return the venue's states on the shadow fund at `n_times` equally spaced times, shape (n, n_times)."""
        traces = np.zeros((n, n_times), STATE)
        self.shadow(population, self.world.block(first, n), first, self.ledger(population, 0), traces)
        return traces
