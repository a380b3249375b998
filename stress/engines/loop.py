"""The account loop: every account, compiled.  Does everything; looks only when the mark leaves known ground.

While accounts and funding stay as they are, an account that was healthy at the lowest and the highest mark
since the last look is healthy in between (equity minus maintenance margin is monotone in the mark when the
tiers are continuous).  So all accounts are tested at new extremes only, and the result is that of testing
them at every step.
"""

from typing import Any, NamedTuple

import numpy as np

from stress.engines.population import Population
from stress.engines.reactions import add_margin, adds_margin, has_order, has_order_later
from stress.engines.rounds import (
    KEPT,
    Flows,
    Round,
    compose_end,
    compose_must_shed,
    compose_round,
    first_of,
    round_of,
)
from stress.engines.rulebook import once_per_rules
from stress.engines.steps import compose_path, is_known_healthy, path_of, withdraw_margin, write_down
from stress.engines.turnover import (
    Seats,
    are_hurt,
    clear_ring,
    compose_renew,
    depart,
    note_threshold,
    pay_out,
    seats_of,
    take_seat,
    vacate,
)
from stress.exchange.pool_guard import compose_pool_guard
from stress.exchange.settlement import record_event
from stress.exchange.waterfall import Case
from stress.rules import borrowed, kernel, record_dtype, rule

CASE, FLOWS = record_dtype(Case()), record_dtype(Flows())


class Holdings(NamedTuple):
    """Working arrays of one path."""

    accounts: np.ndarray  # (n,) a copy: quantities fall to zero and collateral changes
    round: Round  # arrays (n,): the accounts of a round, and what becomes of them
    ids: np.ndarray  # (n,)
    living: np.ndarray  # (n,)
    flows: np.ndarray  # (1,)
    case: np.ndarray  # (1,)
    leavers: np.ndarray  # (k,) rows of the accounts that may withdraw their margin
    seats: Seats


def holdings_of(population: Population, turnover: dict[str, Any]) -> Holdings:
    """Allocate the working arrays for a population."""
    accounts = population.accounts
    n = max(accounts.size, 1)
    ids, living = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    flows, case = np.zeros(1, FLOWS), np.zeros(1, CASE)
    seats = seats_of(population, turnover)
    return Holdings(accounts.copy(), round_of(n), ids, living, flows, case, population.leavers, seats)


@rule
def take_out_called(state, book, step, holdings):
    """Move all accounts whose order executes now into the round; return how many."""
    n = 0
    state.waiting = 0
    for i in range(holdings.accounts.size):
        a = holdings.accounts[i]
        if has_order(a, state, book, step):
            holdings.round.batch[n] = a
            holdings.ids[n] = i
            n += 1
        else:
            if adds_margin(a, state, book):
                add_margin(a, state, book)
            if has_order_later(a, state, book):
                state.waiting = 1
    for j in range(n):
        holdings.accounts[holdings.ids[j]].qty = 0.0
        holdings.accounts[holdings.ids[j]].wait = 0
    return n


@rule
def put_back(state, book, holdings, n, ledger, path_id, step, round_):
    """Give accounts that go on their place again, vacate the others' seats; write down what left each account."""
    for j in range(n):
        i = holdings.ids[j]
        if holdings.round.sold[j] == KEPT and holdings.round.batch[j].qty != 0.0:
            holdings.accounts[i] = holdings.round.batch[j]
            state.touched = 1
        else:
            vacate(state, book, holdings.accounts[i], holdings.seats, i)
        if holdings.round.offered[j] != 0.0:
            write_down(ledger, path_id, step, round_, i, holdings.round.offered[j])


@rule
def list_living(accounts, living):
    """Return the rows of the accounts that hold a position, written into `living`."""
    n = 0
    for i in range(accounts.size):
        if accounts[i].qty != 0.0:
            living[n] = i
            n += 1
    return living[:n]


@rule
def list_payers(state, book, accounts, living):
    """Return the rows of the accounts that hold a position; none if a bottomless fund comes first and asks nobody."""
    if state.bottomless == 1 and book.fund_first == 1:
        return living[:0]
    return list_living(accounts, living)


@rule
def remember_healthy(state):
    """Note that everybody is healthy at this mark."""
    if state.touched == 1:
        state.next_low = state.mark
        state.next_high = state.mark
    state.next_low = min(state.next_low, state.mark)
    state.next_high = max(state.next_high, state.mark)
    state.touched = state.waiting


def compose_liquidate(rules, value_fund, carry):
    """Return the liquidation rounds of a step over the account loop."""
    close_batch = compose_round(rules, list_payers)

    @rule
    def liquidate(state, book, path, step, path_id, holdings, ledger):
        """Test, take out and close until nobody is breached."""
        for round_ in range(book.max_rounds):
            if is_known_healthy(state, book):
                return
            n = take_out_called(state, book, step, holdings)
            if n == 0:
                remember_healthy(state)
                return
            called, flows, case = first_of(holdings.round, n), holdings.flows[0], holdings.case[0]
            close_batch(state, book, path.shocks, step, called, flows, case, holdings.accounts, holdings.living)
            put_back(state, book, holdings, n, ledger, path_id, step, round_)
            if book.limited == 1 and state.inventory != 0.0:
                carry(state, book, holdings)
            record_event(state, book, step, value_fund(state, book))
            state.rounds_max = max(state.rounds_max, round_ + 1)
        state.touched = 1

    return liquidate


def compose_check(liquidate):
    """Return a check of all accounts: liquidation rounds, then whom the makers' pool can no longer bear."""
    guard_pool = compose_pool_guard()

    @rule
    def check(state, book, path, step, path_id, holdings, ledger):
        """Liquidate, and guard the pool if it is guarded."""
        liquidate(state, book, path, step, path_id, holdings, ledger)
        if book.guarded == 1:
            living = list_living(holdings.accounts, holdings.living)
            guard_pool(state, book, holdings.case[0], holdings.accounts, living)

    return check


def compose_carry(value_fund, shed_inventory, must_shed):
    """Return the rule that passes inventory on when a fund with a bottom cannot carry it."""

    @rule
    def carry(state, book, holdings):
        """Hand over what the fund cannot carry."""
        if must_shed(state, book, value_fund(state, book)):
            living = list_living(holdings.accounts, holdings.living)
            one, case = first_of(holdings.round, 1), holdings.case[0]
            shed_inventory(state, book, one, case, holdings.accounts, living)

    return carry


@rule
def leave(state, book, path, step, holdings):
    """Take the margin out of the accounts that leave at this step."""
    for j in range(path.exits.size):
        i = holdings.leavers[j % holdings.leavers.size]
        if path.exits[j] == step and holdings.accounts[i].qty != 0.0:
            withdraw_margin(state, book, holdings.accounts[i])


@rule
def move_out(state, book, holdings, row):
    """Let a holder close."""
    pay_out(state, book, holdings.accounts[row])


@rule
def move_in(state, book, holdings, row):
    """Let a newcomer take a seat."""
    account, seats = holdings.accounts[row], holdings.seats
    take_seat(state, book, account, seats, row)
    note_threshold(state, book, account)


turn_over = compose_renew(move_out, move_in)


@rule
def renew(state, book, path, step, works, holdings):
    """Let the step's events of renewal happen; after ADL or a haircut, let some accounts leave for good."""
    turn_over(state, book, path, step, works, holdings)
    if works and are_hurt(state, book):
        for row in range(holdings.accounts.size):
            depart(state, book, holdings.accounts[row], holdings.seats, row)


@once_per_rules
def compiled(rules):
    """Return the kernel ``(states, book, world, first, accounts, holdings, ledger, traces)`` of some rules."""
    value_fund, shed_inventory = compose_end(rules)
    carry = compose_carry(value_fund, shed_inventory, compose_must_shed(rules))
    check = compose_check(compose_liquidate(rules, value_fund, carry))
    follow = compose_path(rules, check, carry, leave, renew, value_fund)

    @kernel
    def run_block(states, book, world, first, accounts, holdings, ledger, traces):
        """Run every path of a block on a fresh copy of the accounts."""
        world, holdings = borrowed(world), borrowed(holdings)
        for p in range(states.size):
            holdings.accounts[:] = accounts
            clear_ring(holdings.seats)
            follow(states[p], book[0], path_of(world, p), first + p, holdings, ledger, traces[p])

    return run_block
