"""The desks of a venue with several symbols: their books of numbers, their accounts, and the world outside."""

import math
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Self

import numpy as np

from stress import symbols
from stress.accounts import Portfolios
from stress.engines.blocks import World, scripted
from stress.engines.population import Population, Share, check_exact, leavers_of
from stress.engines.pushes import add_pushes, pushes_of
from stress.engines.rulebook import Rulebook, rulebook
from stress.engines.steps import Block
from stress.exchange.collateral import NEVER, coin_price
from stress.exchange.portfolio import portfolio_is_breached
from stress.markets.base import CHUNK, funding_normals
from stress.markets.noise import noise_numbers
from stress.markets.several import add_crashes, combine, share_volatility, symbol_key
from stress.randomness import POPULATION, generator
from stress.rules import record
from stress.scenario import Scenario, ScenarioError

NEAR = 1e-6  # of gross exposure: who is so near liquidation is tested by the rule itself


@dataclass(frozen=True, eq=False)
class Book:
    """One population of a venue with several symbols.

    Parameters
    ----------
    portfolios : Portfolios
    desks : tuple of Population
        What each symbol's desk sees: its positions and its makers.  The wallet of an account is on the desk of its
        first leg.
    leavers : ndarray
        Accounts that may withdraw their margin.
    """

    portfolios: Portfolios
    desks: tuple[Population, ...]
    leavers: np.ndarray

    @property
    def accounts(self) -> np.ndarray:
        """One entry an account: its wallet, quote."""
        return self.portfolios.wallet

    @cached_property
    def open_interest(self) -> float:
        """Notional of one side, all symbols, quote."""
        return sum(desk.open_interest for desk in self.desks)

    @cached_property
    def by_desk(self) -> np.ndarray:
        """Rows of the legs, symbol by symbol, in the order of the accounts."""
        return np.argsort(self.portfolios.legs["symbol"], kind="stable")

    @cached_property
    def desk_starts(self) -> np.ndarray:
        """Where each symbol begins in `by_desk`, and its end, shape (n_symbols + 1,)."""
        sorted_symbols = self.portfolios.legs["symbol"][self.by_desk]
        return np.searchsorted(sorted_symbols, np.arange(len(self.desks) + 1)).astype(np.int64)


def draw_book(scenario: Scenario, index: int, seed: int) -> Book:
    """Draw population `index` of a scenario with several symbols from a root seed.

    Raises
    ------
    ScenarioError
        If an account is liquidatable before the first step, or the sums are too large to be exact.
    """
    venues, parts = symbols.venues(scenario), []
    for i, cohort in enumerate(scenario.population):
        rng = generator(seed, POPULATION, index * len(scenario.population) + i)
        part = cohort.draw_portfolios(rng, venues)
        part.legs["cohort"] = i
        parts.append(part)
    portfolios = Portfolios.join(parts)
    return _book(scenario, portfolios.without(_dead(scenario, portfolios)))


def _book(scenario: Scenario, portfolios: Portfolios) -> Book:
    """Balance every desk by its makers; they divide their margin in proportion to open interest."""
    legs, held = portfolios.legs.copy(), range(len(scenario.asset))
    legs["collateral"] = 0.0
    first = portfolios.starts[:-1]
    legs["collateral"][first] = portfolios.wallet
    deleverage = any(cohort.makers_deleverage for cohort in scenario.population)
    prices = [asset.price_usd for asset in scenario.asset]
    bare = [Population(legs[legs["symbol"] == s], prices[s], 0.0, deleverage) for s in held]
    margin, total = sum(c.maker_collateral for c in scenario.population), sum(d.open_interest for d in bare)
    for s in held:
        if bare[s].open_interest == 0.0:
            raise ScenarioError(f"asset.{s}: nobody holds a position in {scenario.asset[s].symbol!r}")
        check_exact(scenario.desks[s], bare[s])
    desks = tuple(
        Population(desk.accounts, desk.price, margin * (desk.open_interest / total), deleverage) for desk in bare
    )
    return Book(portfolios, desks, leavers_of(scenario, legs["cohort"][first]))


def _dead(scenario: Scenario, portfolios: Portfolios) -> np.ndarray:
    """Return the drawn accounts that are liquidatable at the start; refuse given ones."""
    legs, starts, n = portfolios.legs, portfolios.starts, portfolios.wallet.size
    size, need = np.zeros(legs.size), np.zeros(legs.size)
    worth = np.zeros(legs.size)
    for s, desk in enumerate(scenario.desks):
        at = legs["symbol"] == s
        size[at] = np.abs(legs["qty"][at]) * desk.venue.price
        need[at] = size[at] * desk.venue.maintenance_rate(size[at])
        worth[at] = legs["qty"][at] * (desk.venue.price - legs["entry"][at])
    spare = portfolios.wallet + np.bincount(legs["account"], worth - need, n)
    suspect = np.flatnonzero(spare < NEAR * np.bincount(legs["account"], size, n))  # without coins
    start = Start.of(scenario)
    dead = [i for i in suspect.tolist() if start.is_breached(portfolios, i)]
    for i in dead:
        cohort = legs["cohort"][starts[i]]
        if not scenario.population[cohort].laws:
            name = scenario.population[cohort].name
            raise ScenarioError(f"population.{cohort}: {name!r} is liquidatable at the start")
    return np.array(dead, dtype=np.int64)


def shares_of(scenario: Scenario, book: Book) -> list[Share]:
    """Return requested and achieved shares of each symbol's open interest, cohort by cohort and side by side."""
    found, legs = [], book.portfolios.legs
    for s, desk in enumerate(scenario.desks):
        total = desk.venue.open_interest or book.desks[s].open_interest
        for i, cohort in enumerate(scenario.population):
            trades = cohort.trades(scenario.asset[s].symbol, scenario.asset[0].symbol)
            asked = cohort.requested(desk.venue) if trades else ()
            mine = legs["qty"][(legs["cohort"] == i) & (legs["symbol"] == s)]
            for side, sign, requested in zip(("long", "short"), (1, -1), asked, strict=False):
                if requested > 0.0:
                    achieved = float(np.abs(mine[sign * mine > 0]).sum()) * desk.venue.price / total
                    name = f"{cohort.name} {scenario.asset[s].symbol}"
                    found.append(Share(name, side, requested / total, achieved))
    return found


@dataclass(frozen=True)
class Start:
    """Marks and tiers before the first step, as rules read them."""

    desks: list[Any]
    books: list[Any]
    prices: list[float]
    assets: list[Any]

    @classmethod
    def of(cls, scenario: Scenario) -> Self:
        """Return the start of a scenario."""
        desks = [SimpleNamespace(mark=a.price_usd, index=a.price_usd, funding=0.0) for a in scenario.asset]
        books = [SimpleNamespace(tiers=desk.tiers) for desk in scenario.desks]
        assets = [SimpleNamespace(**numbers) for numbers in collateral_numbers(scenario)]
        return cls(desks, books, [coin_price(asset, desks, -1) for asset in assets], assets)

    def is_breached(self, portfolios: Portfolios, i: int) -> bool:
        """Say whether account `i` is liquidatable."""
        rows = portfolios.legs[portfolios.starts[i] : portfolios.starts[i + 1]].view(np.recarray)
        wallet, coins = float(portfolios.wallet[i]), portfolios.coins[i].tolist()
        return portfolio_is_breached(wallet, coins, rows, self.desks, self.books, self.prices, self.assets)


def collateral_numbers(scenario: Scenario) -> list[dict[str, Any]]:
    """Return what rules read of every ``[[collateral]]`` table."""
    known, found = symbols.names(scenario), []
    for row in scenario.collateral:
        depeg = NEVER if row.depeg_at_hours is None else scenario.steps(row.depeg_at_hours * 3600.0)
        found.append(row.numbers(-1 if row.symbol is None else known.index(row.symbol), depeg))
    return found


def rulebooks(scenario: Scenario, book: Book) -> tuple[Rulebook, list[dict[str, Any]], dict[str, Any]]:
    """Return the rules, the numbers of every desk, and those of the venue as a whole."""
    found, starts = [], symbols.pool_starts(scenario)
    for s, asset in enumerate(scenario.asset):
        numbers = rulebook(symbols.desk(scenario, s), book.desks[s].open_interest).numbers
        pool = symbols.pool_of(scenario, asset.symbol)
        later, leaves_at = symbols.move_of(scenario, s)
        place = {"pool": pool, "first_pool": pool, "later_pool": later, "leaves_at": leaves_at}
        found.append({**numbers, **place, "fund_initial": starts[pool], "pool_initial": starts[pool]})
    whole = rulebook(scenario, book.open_interest)
    return whole, found, {**whole.numbers, "pools_change": int(any(row["leaves_at"] >= 0 for row in found))}


class SeveralWorld(World):
    """Samples blocks of paths with the log path of every symbol: shocks of shape (n, n_symbols, n_steps).

    Funding rates are (n, n_symbols, n_intervals).
    """

    def __init__(self, scenario: Scenario, *, decay: np.ndarray):
        super().__init__(scenario, seed=scenario.run.seed, decay=decay)
        clock, self.assets = scenario.clock, scenario.asset
        self.keys = [symbol_key(scenario.run.seed, s) for s in range(len(scenario.asset))]
        self.scripted = [np.cumsum(scripted(scenario, asset.symbol)[0]) for asset in scenario.asset]
        self.pushes_of = [pushes_of(scenario, asset.symbol) for asset in scenario.asset]
        self.fundings = [symbols.funding(scenario, asset) for asset in scenario.asset]
        self.noise = record(noise_numbers(clock))
        self.calm = record(scenario.market.without_jumps().numbers(clock))
        self.crashes = [symbols.crashes(asset, clock) for asset in scenario.asset]

    def block(self, first: int, n: int) -> Block:
        """Draw `n` paths from path `first` on."""
        market, acts = super().block(first, n), self._acts(first, n)
        shocks = np.empty((n, len(self.assets), self.n_steps))
        deviations = self.deviations(first, n) if any(asset.own_volatility for asset in self.assets) else None
        jumps = self._jumps(market.shocks, first)
        for s, asset in enumerate(self.assets):
            own = self._own(s, first, n, deviations)
            combine(market.shocks, own, asset.beta, asset.own, self.scripted[s], shocks[:, s])
            if asset.jump_beta is not None:
                shocks[:, s] += (asset.jump_beta - asset.beta) * jumps
            if self.crashes[s]:
                add_crashes(self.keys[s], first, *self.crashes[s], shocks[:, s])
            add_pushes(self.pushes_of[s], acts, shocks[:, s])
        return market._replace(shocks=shocks, rates=self._rates(first, n))

    def _own(self, s: int, first: int, n: int, deviations: np.ndarray | None) -> np.ndarray:
        """Return the log paths of what moves a symbol alone, shape (n, n_steps)."""
        own, asset = np.zeros((n, self.n_steps)), self.assets[s]
        if asset.own_volatility is not None and deviations is not None:
            share_volatility(self.noise, self.keys[s], first, deviations, own)
        elif asset.own > 0.0:
            self._walk(self.numbers, np.zeros(self.n_steps), self.keys[s], first, own)
        return own

    def _jumps(self, market: np.ndarray, first: int) -> np.ndarray:
        """Return what jumps add to the market's log paths, shape (n, n_steps): those without jumps taken off."""
        if all(asset.jump_beta is None for asset in self.assets):
            return np.zeros_like(market)
        calm = np.empty_like(market)
        self._walk(self.calm, self.overlay, self.key, first, calm)
        return market - calm

    def _walk(self, numbers: np.ndarray, overlay: np.ndarray, key: np.ndarray, first: int, shocks: np.ndarray) -> None:
        lows = np.empty((len(shocks), -(-self.n_steps // CHUNK)))
        self.sample(numbers, self.table, overlay, key, first, shocks, lows, np.empty_like(lows))

    def _rates(self, first: int, n: int) -> np.ndarray:
        """Draw the funding rates of every symbol, shape (n, n_symbols, n_intervals)."""
        common, own = np.empty((n, self.n_intervals)), np.empty((n, self.n_intervals))
        funding_normals(self.key, first, common)
        found = np.empty((n, len(self.assets), self.n_intervals))
        for s, asset in enumerate(self.assets):
            normals, share = common, asset.funding_correlation
            if share is not None:
                funding_normals(self.keys[s], first, own)
                normals = share * common + math.sqrt(1.0 - share * share) * own
            found[:, s] = self.fundings[s].rates(normals)
        return found
