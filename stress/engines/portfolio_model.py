"""The reference engine of a venue with several symbols: one Mesa agent per account, one desk per symbol.

Agents hold Python numbers and call the rules that `engines.portfolio_loop` compiles; nobody is skipped.
"""

from functools import cache
from types import SimpleNamespace
from typing import Any

import mesa
import numpy as np

from stress import symbols
from stress.accounts import LEG
from stress.agents.base import Cohort
from stress.engines.desks import Book, SeveralWorld, collateral_numbers, rulebooks
from stress.engines.reference import AccountSeat, composed_once, path_lists
from stress.engines.rounds import Flows, Round
from stress.engines.rulebook import Rulebook, as_namespace
from stress.engines.several import POOL, open_desks
from stress.engines.steps import LEDGER, STATE, Block, Path, Rows, withdraw_margin
from stress.exchange.collateral import coin_price
from stress.exchange.liquidity import advance_depth
from stress.exchange.pools import (
    PoolState,
    draw_on_pool,
    inventory_loss,
    move_desks,
    record_pools,
    record_total,
    share_deficits,
)
from stress.exchange.portfolio import (
    backing,
    move_to_desks,
    pay_in,
    portfolio_is_breached,
    quote_equity,
    sell_all_coins,
    sell_coins_for_debt,
    split_wallet,
)
from stress.exchange.pricing import pay_funding
from stress.exchange.settlement import fund_value, record_event
from stress.exchange.waterfall import Case
from stress.rules import record
from stress.scenario import Scenario


class PortfolioAgent(mesa.Agent):
    """An account as a Mesa agent: one wallet, coins, and a list of legs (fields of `stress.accounts.LEG`)."""

    def __init__(self, model, account, wallet, coins, legs):
        super().__init__(model)
        self.account = account
        self.wallet = wallet
        self.coins = coins
        self.legs = legs

    @property
    def is_breached(self) -> bool:
        """Whether equity, coins at their haircut, is below maintenance margin at the current marks."""
        m = self.model
        return portfolio_is_breached(self.wallet, self.coins, self.legs, m.desks, m.books, m.prices, m.assets)

    @property
    def equity(self) -> float:
        """What the account is worth at the current marks without its coins, quote."""
        return quote_equity(self.wallet, self.legs, self.model.desks)

    def pay(self, amount: float) -> None:
        """Take money into the wallet from outside, quote."""
        self.wallet += amount
        pay_in(amount, self.legs, self.model.desks)

    def sell_for_debt(self) -> None:
        """Let the venue sell coins for a debt in the quote currency."""
        m = self.model
        self.pay(sell_coins_for_debt(self.equity, self.coins, m.prices, m.assets, m.whole.cent))

    def break_up(self) -> list[Any]:
        """Fall apart into isolated legs; nothing is left."""
        m = self.model
        self.pay(sell_all_coins(self.coins, m.prices, m.assets, m.whole.cent))
        split_wallet(self.wallet, self.legs, m.desks, m.books)
        move_to_desks(self.wallet, self.legs, m.desks)
        self.remove()
        return [leg for leg in self.legs if leg.qty != 0.0]

    def leg_in(self, symbol: int) -> Any:
        """Return the position in a symbol, or None."""
        return next((leg for leg in self.legs if leg.symbol == symbol and leg.qty != 0.0), None)


@cache
def portfolio_class(declaration: type[Cohort]) -> type[PortfolioAgent]:
    """Return the Mesa class of an agent type."""
    return type(declaration.__name__, (PortfolioAgent,), {"__doc__": declaration.__doc__, "declaration": declaration})


class PortfolioModel(mesa.Model):
    """One path of a scenario with several symbols, agent by agent.

    Parameters
    ----------
    engine : PortfolioReference
        Scenario and rules.
    population : Book
    path : Path
        The world outside, with Python numbers; shocks by symbol.
    path_id : int
    bottomless : bool
        True runs the shadow fund, False the configured waterfall.
    """

    def __init__(self, engine: Any, population: Book, path: Path, path_id: int, *, bottomless: bool):
        super().__init__(rng=0)
        self.population, self.outside, self.path_id, self.clock = population, path, path_id, 0
        self.adopt(engine.rulebook)
        self.books = [as_namespace(numbers) for numbers in engine.numbers]
        self.whole = as_namespace(engine.whole)
        self.assets = [as_namespace(numbers) for numbers in engine.collateral]
        *self.desks, self.total = open_desks(engine.scenario, population, bottomless=int(bottomless))
        self.prices = [coin_price(asset, self.desks, -1) for asset in self.assets]
        self.initials = engine.starts
        self.pools = [PoolState() for _ in engine.starts]
        self.case, self.flows = Case(), Flows()
        self.ledger: list[tuple[int, int, int, int, float]] = []
        create_portfolios(self, engine.scenario)

    def adopt(self, rules: Rulebook) -> None:
        """Take over a rulebook as plain functions."""
        self.rules, composed = rules.compose(), composed_once(rules)
        self.close_batch, self.must_shed = composed.close_batch, composed.must_shed
        self.value_fund, self.shed_inventory = composed.value_fund, composed.shed_inventory

    def run_path(self) -> "PortfolioModel":
        """Run to the horizon."""
        for _ in range(len(self.outside.halts)):
            self.step()
        return self

    def step(self) -> None:
        """Shocks, marks, liquidation rounds, flows, record, over all desks (docs/method.md, sections 1 and 14)."""
        t, desks = self.clock, self.desks
        if self.whole.pools_change == 1 and t > 0 and self.outside.halts[t - 1] == 0:  # no pool is left below zero
            move_desks(t, desks, self.books, self.pools, self.initials)
        for desk, book, shocks in zip(desks, self.books, self.outside.shocks, strict=True):
            self.rules.open_step(desk, book, t, shocks[t], self.outside.decay)
        self.prices = [coin_price(asset, desks, t) for asset in self.assets]
        self.withdraw_margins()
        final = t == len(self.outside.halts) - 1
        working = self.outside.halts[t] == 0 or final  # at the horizon everybody is settled, come what may
        if working and ((t + 1) % self.whole.check_every == 0 or final):
            self.liquidate()
        self.unwind_inventories(working)
        self.settle_fund(working)
        if (t + 1) % self.whole.funding_every == 0:
            for desk, rates in zip(desks, self.outside.rates, strict=True):
                pay_funding(desk, rates[(t + 1) // self.whole.funding_every - 1])
            self.settle_fund(working)
        self.clock += 1

    def withdraw_margins(self) -> None:
        """Take the margin out of the accounts that leave at this step; they hold one position."""
        leavers = zip(self.population.leavers.tolist(), self.outside.exits, strict=True)
        going = {account for account, step in leavers if step == self.clock}
        for agent in self.agents.select(lambda agent: agent.account in going) if going else ():
            leg = agent.legs[0]
            if leg.qty != 0.0:
                leg.collateral = agent.wallet
                withdraw_margin(self.desks[leg.symbol], self.books[leg.symbol], leg)
                agent.wallet = leg.collateral

    def liquidate(self) -> None:
        """Run liquidation rounds until nobody is breached: all breached accounts go together, desk by desk."""
        for round_ in range(self.whole.max_rounds):
            for agent in self.agents if self.assets else ():
                agent.sell_for_debt()
            breached = [agent for agent in self.agents if agent.is_breached]
            if not breached:
                return
            legs = [leg for agent in breached for leg in agent.break_up()]
            for d in range(len(self.desks)):
                batch = [leg for leg in legs if leg.symbol == d]
                self.ledger += [(self.path_id, self.clock, round_, leg.row, leg.qty) for leg in batch]
                if batch:
                    self.close_desk(d, batch)
            self.record()
            self.total.rounds_max = max(self.total.rounds_max, round_ + 1)

    def close_desk(self, d: int, batch: list[Any]) -> None:
        """Take one desk's batch from its price to the books; its fund is the pool's."""
        draw_on_pool(d, self.books, self.values())
        living, shocks = self.present(d), self.outside.shocks[d]
        n, desk, book, seats = len(batch), self.desks[d], self.books[d], range(len(living))
        called = Round(batch, [0.0] * n, [0.0] * n, [0] * n, [0.0] * n, [0] * n)
        self.close_batch(desk, book, shocks, self.clock, called, self.flows, self.case, living, seats)
        self.fold_back()

    def present(self, d: int) -> list[Any]:
        """Let every leg of a desk look like an account: its collateral is all that backs it."""
        self.presented = []
        for agent in self.agents:
            leg = agent.leg_in(d)
            if leg is not None:
                leg.backing = backing(agent.coins, agent.legs, d, self.desks, self.prices, self.assets)
                leg.collateral = agent.wallet + leg.backing
                self.presented.append((agent, leg))
        return [leg for _, leg in self.presented]

    def fold_back(self) -> None:
        """Bring what presented legs won or paid back to their wallets."""
        for agent, leg in self.presented:
            if leg.collateral != agent.wallet + leg.backing:
                agent.wallet = leg.collateral - leg.backing

    def values(self) -> list[float]:
        """Return the marked change of every desk's fund, quote."""
        return [self.value_fund(desk, book) for desk, book in zip(self.desks, self.books, strict=True)]

    def unwind_inventories(self, working: bool) -> None:
        """Pass on what a pool cannot carry, then sell what each step's room allows."""
        for desk, book, shocks in zip(self.desks, self.books, self.outside.shocks, strict=True):
            if desk.inventory != 0.0:
                advance_depth(desk, shocks, self.clock, book.liquidity)
        if working:
            self.carry()
            for desk, book in zip(self.desks, self.books, strict=True):
                if desk.inventory != 0.0:
                    self.rules.unwind(desk, book, self.clock)

    def carry(self) -> None:
        """Pass on inventory that a pool with a bottom cannot carry at the current prices."""
        if self.total.bottomless == 1:
            return
        values = self.values()
        lost = [inventory_loss(desk, value) for desk, value in zip(self.desks, values, strict=True)]
        share_deficits(self.books, values, lost)
        for d, (desk, book) in enumerate(zip(self.desks, self.books, strict=True)):
            if self.must_shed(desk, book, values[d]):
                living = self.present(d)
                one = Round([AccountSeat()], [0.0], [0.0], [0], [0.0], [0])
                self.shed_inventory(desk, book, one, self.case, living, range(len(living)))
                self.fold_back()

    def settle_fund(self, working: bool) -> None:
        """Pass on what the pools cannot carry, unless the engine stands still; record, and check the books."""
        if working:
            self.carry()
        self.record()
        error = self.imbalance() / self.whole.open_interest
        self.total.conservation_error = max(self.total.conservation_error, error)

    def record(self) -> None:
        """Record the event on every desk, for the venue, and for every pool."""
        values = self.values()
        for desk, book, value in zip(self.desks, self.books, values, strict=True):
            record_event(desk, book, self.clock, value)
        record_total(self.total, self.whole, self.desks, len(self.desks), self.clock, values)
        record_pools(self.pools, self.initials, self.books, values, self.clock)

    def imbalance(self) -> float:
        """Return what is missing when every account is counted anew, quote."""
        held = 0.0
        for agent in self.agents:
            held += agent.equity
        for desk in self.desks:
            held += desk.released + desk.maker_collateral - desk.unresolved_shortfall - desk.deposits
            held += desk.maker_qty * (desk.mark - desk.funding) - desk.maker_cost
            held += fund_value(desk, desk.mark) - desk.fee_income
        return abs(held)


def create_portfolios(model: PortfolioModel, scenario: Scenario) -> None:
    """Create one agent per account, in the order of the population."""
    portfolios = model.population.portfolios
    names, rows = (LEG.names or ()), portfolios.legs.tolist()
    legs = [SimpleNamespace(row=i, **dict(zip(names, row, strict=True))) for i, row in enumerate(rows)]
    for account, (wallet, coins) in enumerate(zip(portfolios.wallet.tolist(), portfolios.coins.tolist(), strict=True)):
        mine = legs[portfolios.starts[account] : portfolios.starts[account + 1]]
        kind: Any = type(scenario.population[mine[0].cohort])
        portfolio_class(kind)(model, account, wallet, coins, mine)


class PortfolioReference:
    """The reference model of several symbols as `base` drives it."""

    def __init__(self, scenario: Scenario, population: Book, keep_ledger: bool):
        self.scenario, self.keep_ledger = scenario, keep_ledger
        self.ready: Any = None  # nothing is compiled that could be waited for
        self.rulebook, self.numbers, self.whole = rulebooks(scenario, population)
        self.starts, self.collateral = symbols.pool_starts(scenario), collateral_numbers(scenario)
        self.world = SeveralWorld(scenario, decay=self.rulebook.decay)

    def warm(self, population: Book) -> None:
        """Compile the sampler, the one compiled part."""
        self.world.block(0, 1)

    def prepare(self, population: Book) -> None:
        """Do nothing: no path needs another engine."""

    def model(self, population: Book, block: Block, i: int, path_id: int, *, bottomless: bool) -> PortfolioModel:
        """Return a model of row `i` of a block."""
        return PortfolioModel(self, population, path_lists(block, i), path_id, bottomless=bottomless)

    def run(self, population: Book, index: int, first: int, n: int) -> Rows:
        """Run paths `first` .. `first` + n - 1 on one population."""
        block = self.world.block(first, n)
        shadow, configured, pools = np.zeros(n, STATE), np.zeros(n, STATE), np.zeros((n, len(self.starts)), POOL)
        ledger: list[tuple] = []
        for i in range(n):
            model = self.model(population, block, i, first + i, bottomless=True).run_path()
            shadow[i] = record(model.total)[0]
            pools[i] = np.concatenate([record(pool) for pool in model.pools])
            if any(pool.ruin_step >= 0 for pool in model.pools):
                model = self.model(population, block, i, first + i, bottomless=False).run_path()
            configured[i] = record(model.total)[0]
            ledger += model.ledger if self.keep_ledger else []
        return Rows(shadow, configured, index, np.array(ledger, dtype=LEDGER), pools)

    def trace(self, population: Book, first: int, n: int, n_times: int) -> np.ndarray:
        """Return the venue's states on the shadow fund at `n_times` equally spaced times, shape (n, n_times)."""
        block, traces = self.world.block(first, n), np.zeros((n, n_times), STATE)
        for i in range(n):
            model = self.model(population, block, i, first + i, bottomless=True)
            for k in range(n_times):
                while model.clock < (k + 1) * len(model.outside.halts) // n_times:
                    model.step()
                traces[i, k] = record(model.total)[0]
        return traces
