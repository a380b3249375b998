"""The reference engine: one Mesa agent per account, one readable step.  The specification that runs.

Agents hold Python floats and call the rules that the compiled engines compile.  Agent classes are generated
from the declarations in `stress.agents`; records to agents to records is exact.
"""

import math
from functools import cache, cached_property
from itertools import cycle
from types import SimpleNamespace
from typing import Any

import mesa
import numpy as np

from stress.accounts import ACCOUNT, equity, notional, quantize
from stress.agents.base import Cohort
from stress.engines.blocks import World
from stress.engines.population import Population
from stress.engines.reactions import add_margin, adds_margin, has_order
from stress.engines.rounds import KEPT, Flows, Round, compose_end, compose_must_shed, compose_round
from stress.engines.rulebook import Rulebook, as_namespace, once_per_rules, rulebook
from stress.engines.start import opening, runs_again
from stress.engines.steps import LEDGER, STATE, Block, Path, Rows, withdraw_margin
from stress.engines.turnover import (
    NOBODY,
    advance,
    are_hurt,
    closes,
    depart,
    next_to_take,
    pay_out,
    seat_at,
    seats_of,
    take_seat,
    vacate,
    wait_until,
)
from stress.exchange.liquidity import advance_depth
from stress.exchange.margin import is_breached
from stress.exchange.pool_guard import compose_pool_guard
from stress.exchange.pricing import pay_funding, see_late
from stress.exchange.settlement import backstop_value, fund_value, paid_from_outside, record_event
from stress.exchange.waterfall import Case
from stress.rules import record
from stress.scenario import Scenario


class AccountAgent(mesa.Agent):
    """An account as a Mesa agent: the fields of `stress.accounts.ACCOUNT` as attributes."""

    def __init__(
        self, model, account, qty, entry, collateral, cohort, cross, wait=0, stop=0.0, target=0.0, call=0.0, spare=0.0
    ):
        super().__init__(model)
        self.account = account
        self.qty = qty
        self.entry = entry
        self.collateral = collateral
        self.cohort = cohort
        self.cross = cross
        self.wait = wait
        self.stop, self.target = stop, target
        self.call, self.spare = call, spare

    @property
    def is_breached(self) -> bool:
        """Whether equity is below the maintenance margin at the current mark."""
        state, tiers = self.model.state, self.model.book.tiers
        return is_breached(self.qty, self.entry, self.collateral, state.mark, state.funding, tiers)

    @property
    def is_called(self) -> bool:
        """Whether its liquidation order executes now, or the holder's own."""
        return has_order(self, self.model.state, self.model.book, self.model.clock)

    @property
    def equity(self) -> float:
        """Collateral plus unrealised profit at the current mark, quote."""
        state = self.model.state
        return equity(self.qty, self.entry, self.collateral, state.mark, state.funding)

    @property
    def notional(self) -> float:
        """Value of the position at the current mark, quote."""
        return notional(self.qty, self.model.state.mark)

    @property
    def leverage(self) -> float:
        """Notional over equity; infinite if nothing is left."""
        return self.notional / self.equity if self.equity > 0.0 else math.inf

    @property
    def cohort_name(self) -> str:
        """Name of its cohort in the scenario."""
        return self.model.fund_scenario.population[self.cohort].name

    def deposit(self, amount: float) -> float:
        """Post more margin, or take some out if negative, in whole units of the venue's grid; the books balance.

        Returns
        -------
        float
            What was posted, quote: `amount` rounded.  Withdrawing asks no rule: the account may be liquidated for it.
        """
        state, posted = self.model.state, float(quantize(amount, self.model.book.cent))
        self.collateral += posted
        state.alive_collateral += posted
        state.released -= posted
        state.touched = 1
        return posted


@once_per_rules
def composed_once(rules: SimpleNamespace) -> SimpleNamespace:
    """Return what a model composes of a set of rules: rounds, the end of a step, the guard of a pool."""
    value_fund, shed_inventory = compose_end(rules)
    return SimpleNamespace(
        close_batch=compose_round(rules),
        value_fund=value_fund,
        shed_inventory=shed_inventory,
        must_shed=compose_must_shed(rules),
        guard=compose_pool_guard(),
    )


@cache
def agent_class(declaration: type[Cohort], base: Any = AccountAgent) -> type[AccountAgent]:
    """Return the Mesa class of an agent type."""
    return type(declaration.__name__, (base,), {"__doc__": declaration.__doc__, "declaration": declaration})


class PathModel(mesa.Model):
    """One path on one population, agent by agent.

    Parameters
    ----------
    scenario : Scenario
    rules : Rulebook
    population : Population
    path : Path
        The world outside, with Python numbers.
    path_id : int
    bottomless : bool
        True runs the shadow fund, False the configured waterfall.
    rng : int or sequence of int
        Of Mesa's generators, for subclasses: nothing here draws from them.
    """

    account_class: type[AccountAgent] = AccountAgent
    datacollector: mesa.DataCollector | None = None
    running: bool

    def __init__(
        self,
        scenario: Scenario,
        rules: Rulebook,
        population: Population,
        path: Path,
        path_id: int,
        *,
        bottomless: bool,
        rng: Any = 0,
    ):
        super().__init__(rng=rng)
        self.fund_scenario, self.path_id, self.population = scenario, path_id, population
        self.adopt(rules)
        self.start(population, path, bottomless=bottomless)

    def adopt(self, rules: Rulebook) -> None:
        """Take over a rulebook: numbers as attributes, rules as plain functions."""
        self.rulebook = rules
        self.book = as_namespace(rules.numbers)
        self.rules, composed = rules.compose(), composed_once(rules)
        self.close_batch, self.must_shed = composed.close_batch, composed.must_shed
        self.value_fund, self.shed_inventory = composed.value_fund, composed.shed_inventory
        self.guard = composed.guard

    def start(self, population: Population, path: Path, *, bottomless: bool) -> None:
        """Create the agents and open the books."""
        self.outside = path
        self.state = opening(population, self.fund_scenario, bottomless=int(bottomless))
        self.case, self.flows = Case(), Flows()
        self.clock = 0
        self.ledger: list[tuple[int, int, int, int, float]] = []
        self.seats = seats_of(population, self.rulebook.numbers["turnover"])
        self.state.next_turn = path.turns[0]
        create_accounts(self, population)

    @property
    def mark(self) -> float:
        """Mark price, USD."""
        return float(self.fund_scenario.exchange.contract.usd_price(self.state.mark))

    @property
    def fund(self) -> float:
        """The marked fund, quote."""
        return self.book.fund_initial + self.state.topped_up + self.state.value

    @property
    def inventory(self) -> float:
        """Signed quantity that the fund has taken over, base units."""
        return self.state.inventory

    @property
    def holders(self) -> list[AccountAgent]:
        """The accounts that hold a position, in the order of the population."""
        return sorted((agent for agent in self.agents if agent.qty != 0.0), key=lambda agent: agent.account)

    @property
    def open_interest(self) -> float:
        """Notional of one side, quote."""
        longs = [agent.qty for agent in self.agents if agent.qty > 0.0]
        return (sum(longs) + max(0.0, self.state.maker_qty) + max(0.0, self.state.inventory)) * self.state.mark

    @cached_property
    def n_steps(self) -> int:
        """Steps until the horizon."""
        return len(self.outside.shocks)

    def run_path(self) -> "PathModel":
        """Run to the horizon, or until somebody sets `running` to False."""
        while self.running:
            self.step()
        return self

    def step(self) -> None:
        """Shock, mark, liquidation rounds, flows, record (docs/method.md, section 1); nothing after the horizon."""
        state, book, t = self.state, self.book, self.clock
        if t == self.n_steps:
            return
        if book.mark.looks_back > 0:
            see_late(state, book, self.outside.shocks, t)
        self.rules.open_step(state, book, t, self.outside.shocks[t], self.outside.decay)
        self.withdraw_margins()
        state.final = int(t == self.n_steps - 1)
        working = self.outside.halts[t] == 0 or state.final == 1  # at the horizon everybody is settled, come what may
        if working and ((t + 1) % book.check_every == 0 or state.final == 1):
            self.liquidate()
            self.guard_pool()
        if state.inventory != 0.0:
            advance_depth(state, self.outside.shocks, t, book.liquidity)
            if working:
                self.carry_inventory()
                self.rules.unwind(state, book, t)
        if working:
            self.carry_inventory()
        self.renew(working)
        self.record()
        if (t + 1) % book.funding_every == 0:
            pay_funding(state, self.outside.rates[(t + 1) // book.funding_every - 1])
            self.settle_fund(working)
        self.clock += 1
        self.running = self.running and self.clock < self.n_steps
        if self.datacollector:
            self.datacollector.collect(self)

    def withdraw_margins(self) -> None:
        """Take the margin out of the accounts that leave at this step."""
        leavers = cycle(self.population.leavers.tolist())
        going = {account for account, step in zip(leavers, self.outside.exits, strict=False) if step == self.clock}
        for agent in self.agents.select(lambda agent: agent.account in going) if going else ():
            withdraw_margin(self.state, self.book, agent)

    def renew(self, works: bool) -> None:
        """Let the step's events of renewal happen; after ADL or a haircut, let some accounts leave for good."""
        state, book, outside = self.state, self.book, self.outside
        while state.next_turn == self.clock:
            row = seat_at(outside.places[state.turn], book.turnover, self.seats.starts) if works else NOBODY
            holder = next((agent for agent in self.holders if agent.account == row), None)
            if holder is not None and closes(state, book, holder, outside.chances[state.turn]):
                pay_out(state, book, holder)
                holder.remove()
                self.move_in(row)
            advance(state, outside.turns)
        while (row := next_to_take(state, self.seats)) != NOBODY:
            if works:
                self.move_in(row)
            else:
                wait_until(state, self.seats, row, self.clock + 1)
        if works and are_hurt(state, book):
            for agent in sorted(self.agents, key=lambda agent: agent.account):
                depart(state, book, agent, self.seats, agent.account)

    def move_in(self, row: int) -> None:
        """Let a newcomer take a seat."""
        first = self.population.accounts[row]
        cohort, cross = int(first["cohort"]), int(first["cross"])
        kind: Any = type(self.fund_scenario.population[cohort])
        base: Any = self.account_class
        newcomer = agent_class(kind, base)(self, int(row), 0.0, 0.0, 0.0, cohort, cross, call=float(first["call"]))
        take_seat(self.state, self.book, newcomer, self.seats, row)

    def liquidate(self) -> None:
        """Run liquidation rounds until nobody is breached: all breached accounts of a mark go together."""
        for round_ in range(self.book.max_rounds):
            called = [agent for agent in self.agents if agent.is_called]
            self.add_margins(called)
            if not called:
                return
            self.close(called, round_)
            if self.book.limited == 1:
                self.carry_inventory()
            record_event(self.state, self.book, self.clock, self.value_fund(self.state, self.book))
            self.state.rounds_max = max(self.state.rounds_max, round_ + 1)

    def add_margins(self, called: list[AccountAgent]) -> None:
        """Let holders without an order, whose money lasts, make good their losses."""
        if self.book.reactive == 1:
            for agent in set(self.agents) - set(called):
                if adds_margin(agent, self.state, self.book):
                    add_margin(agent, self.state, self.book)

    def close(self, called: list[AccountAgent], round_: int) -> None:
        """Take the accounts of a round through their orders; those that are closed leave the model."""
        places = {agent.unique_id for agent in called}
        living = [agent for agent in self.holders if agent.unique_id not in places]
        n, shocks, seats = len(called), self.outside.shocks, range(len(living))
        orders = Round(called, [0.0] * n, [0.0] * n, [0] * n, [0.0] * n, [0] * n)
        self.close_batch(self.state, self.book, shocks, self.clock, orders, self.flows, self.case, living, seats)
        for agent, qty, sold in zip(called, orders.offered, orders.sold, strict=True):
            if qty != 0.0:
                self.ledger.append((self.path_id, self.clock, round_, agent.account, qty))
            if sold != KEPT or agent.qty == 0.0:
                vacate(self.state, self.book, agent, self.seats, agent.account)
                agent.remove()

    def guard_pool(self) -> None:
        """Reduce winners whom the makers' pool can no longer bear."""
        if self.book.guarded == 1:
            living = self.holders
            self.guard(self.state, self.book, self.case, living, range(len(living)))

    def carry_inventory(self) -> None:
        """Pass on inventory that the fund cannot carry at the current prices."""
        value = self.value_fund(self.state, self.book)
        if self.state.inventory != 0.0 and self.must_shed(self.state, self.book, value):
            one = Round([AccountSeat()], [0.0], [0.0], [0], [0.0], [0])
            living = self.holders
            seats = range(len(living))
            self.shed_inventory(self.state, self.book, one, self.case, living, seats)

    def settle_fund(self, working: bool) -> None:
        """Pass on what the fund cannot carry, unless the engine stands still; record the event."""
        if working:
            self.carry_inventory()
        self.record()

    def record(self) -> None:
        """Record the event, check the books."""
        record_event(self.state, self.book, self.clock, self.value_fund(self.state, self.book))
        error = self.imbalance() / self.book.open_interest
        self.state.conservation_error = max(self.state.conservation_error, error)

    def imbalance(self) -> float:
        """Return what is missing when every account is counted anew, quote."""
        state, held = self.state, 0.0
        for agent in self.agents:
            held += agent.equity
        held += state.released + state.maker_collateral + backstop_value(state) - paid_from_outside(state)
        held += state.maker_qty * (state.mark - state.funding) - state.maker_cost
        fund = fund_value(state, state.mark) - state.fee_income - state.coin_pnl
        return abs(held + fund - state.deposits)

    def accounts(self) -> np.ndarray:
        """Return the living accounts as records, in the order of the population."""
        rows = self.agents.get(list(ACCOUNT.names or ()))
        return np.array([tuple(row) for row in rows], dtype=ACCOUNT)


class AccountSeat:
    """What the inventory looks like to the waterfall: one account."""

    qty = entry = collateral = 0.0
    cohort = 0


def create_accounts(model: PathModel, population: Population) -> None:
    """Create one agent per account, in the order of the population."""
    accounts = population.accounts
    base: Any = model.account_class
    for i, cohort in enumerate(model.fund_scenario.population):
        at = np.flatnonzero(accounts["cohort"] == i)
        if at.size:
            columns = {name: accounts[name][at].tolist() for name in ACCOUNT.names or ()}
            kind: Any = type(cohort)
            agent_class(kind, base).create_agents(model, at.size, account=at.tolist(), **columns)


def path_lists(block: Block, i: int) -> Path:
    """Return row `i` of a block with Python numbers."""
    rows = (getattr(block, name) if name == "decay" else getattr(block, name)[i] for name in Path._fields)
    return Path(*(row.tolist() for row in rows))


class ReferenceEngine:
    """The reference model as `base` drives it."""

    def __init__(self, scenario: Scenario, population: Population, keep_ledger: bool):
        self.scenario, self.keep_ledger = scenario, keep_ledger
        self.ready: Any = None  # nothing is compiled that could be waited for
        self.rulebook = rulebook(scenario, population.open_interest)
        self.world = World(scenario, seed=scenario.run.seed, decay=self.rulebook.decay)

    def warm(self, population: Population) -> None:
        """Compile the sampler, the one compiled part."""
        self.world.block(0, 1)

    def prepare(self, population: Population) -> None:
        """Do nothing: no path needs another engine."""

    def model(self, population: Population, block: Block, i: int, path: int, *, bottomless: bool) -> PathModel:
        """Return a model of one path without drawing anything anew."""
        outside = path_lists(block, i)
        return PathModel(self.scenario, self.rulebook, population, outside, path, bottomless=bottomless)

    def run(self, population: Population, index: int, first: int, n: int) -> Rows:
        """Run paths `first` .. `first` + n - 1 on one population."""
        block = self.world.block(first, n)
        shadow, configured = np.zeros(n, STATE), np.zeros(n, STATE)
        ledger: list[tuple] = []
        for i in range(n):
            model = self.model(population, block, i, first + i, bottomless=True).run_path()
            shadow[i] = record(model.state)[0]
            if runs_again(shadow[i : i + 1], self.rulebook.repeats)[0]:
                model = self.model(population, block, i, first + i, bottomless=False).run_path()
            configured[i] = record(model.state)[0]
            ledger += model.ledger if self.keep_ledger else []
        return Rows(shadow, configured, index, np.array(ledger, dtype=LEDGER))

    def trace(self, population: Population, first: int, n: int, n_times: int, *, bottomless: int = 1) -> np.ndarray:
        """Return the states at `n_times` equally spaced times, on the shadow fund by default, shape (n, n_times)."""
        block, traces = self.world.block(first, n), np.zeros((n, n_times), STATE)
        for i in range(n):
            model = self.model(population, block, i, first + i, bottomless=bool(bottomless))
            for k in range(n_times):
                while model.clock < (k + 1) * model.n_steps // n_times:
                    model.step()
                traces[i, k] = record(model.state)[0]
        return traces
