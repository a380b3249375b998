"""The account loop: every account, compiled.  Does everything; looks only when the mark leaves known ground.

While accounts and funding stay as they are, an account that was healthy at the lowest and the highest mark
since the last look is healthy in between (equity minus maintenance margin is monotone in the mark when the
tiers are continuous).  So all accounts are tested at new extremes only, and the result is that of testing
them at every step.
"""

from typing import NamedTuple

import numpy as np

from stress.engines.population import Population
from stress.engines.rounds import compose_end, compose_round, is_broke
from stress.engines.rulebook import once_per_rules
from stress.engines.steps import compose_path, is_known_healthy, path_of, withdraw_margin, write_down
from stress.exchange.margin import is_breached_at_entry, is_breached_at_mark
from stress.exchange.settlement import record_event
from stress.exchange.waterfall import Case
from stress.rules import kernel, record_dtype, rule

CASE = record_dtype(Case())


class Holdings(NamedTuple):
    """Working arrays of one path."""

    accounts: np.ndarray  # (n,) a copy: quantities fall to zero and collateral changes
    batch: np.ndarray  # (n,) the accounts of a round
    ids: np.ndarray  # (n,)
    living: np.ndarray  # (n,)
    short: np.ndarray  # (n,)
    moved: np.ndarray  # (n,)
    case: np.ndarray  # (1,)
    leavers: np.ndarray  # (k,) rows of the accounts that may withdraw their margin


def holdings_of(population: Population) -> Holdings:
    """Allocate the working arrays for a population."""
    accounts = population.accounts
    n = max(accounts.size, 1)
    ids, living, short = (np.zeros(n, dtype=np.int64) for _ in range(3))
    batch = np.zeros(n, accounts.dtype)
    return Holdings(accounts.copy(), batch, ids, living, short, np.zeros(n), np.zeros(1, CASE), population.leavers)


def compose_take_out(is_breached):
    """Return the rule that moves all accounts that `is_breached` finds into the batch."""

    @rule
    def take_out(state, book, holdings):
        """Move them; return how many."""
        n = 0
        for i in range(holdings.accounts.size):
            a = holdings.accounts[i]
            if is_breached(a.qty, a.entry, a.collateral, state.mark, state.funding, book.tiers):
                holdings.batch[n] = a
                holdings.ids[n] = i
                n += 1
        for j in range(n):
            holdings.accounts[holdings.ids[j]].qty = 0.0
        return n

    return take_out


take_out_at_mark = compose_take_out(is_breached_at_mark)
take_out_at_entry = compose_take_out(is_breached_at_entry)


@rule
def take_out_breached(state, book, holdings):
    """Move all accounts with equity < maintenance margin into the batch; return how many."""
    if book.tiers.at_entry == 1.0:  # asked once, and not of every account
        return take_out_at_entry(state, book, holdings)
    return take_out_at_mark(state, book, holdings)


@rule
def list_living(holdings):
    """List the accounts that hold a position; return how many."""
    n = 0
    for i in range(holdings.accounts.size):
        if holdings.accounts[i].qty != 0.0:
            holdings.living[n] = i
            n += 1
    return n


@rule
def remember_healthy(state):
    """Note that everybody is healthy at this mark."""
    if state.touched == 1:
        state.next_low = state.mark
        state.next_high = state.mark
    state.next_low = min(state.next_low, state.mark)
    state.next_high = max(state.next_high, state.mark)
    state.touched = 0


def compose_liquidate(rules, value_fund):
    """Return the liquidation rounds of a step over the account loop."""
    close_batch = compose_round(rules)

    @rule
    def liquidate(state, book, path, step, path_id, holdings, ledger):
        """Test, take out and close until nobody is breached."""
        for round_ in range(book.max_rounds):
            if is_known_healthy(state, book):
                return
            n = take_out_breached(state, book, holdings)
            if n == 0:
                remember_healthy(state)
                return
            for j in range(n):
                write_down(ledger, path_id, step, round_, holdings.ids[j], holdings.batch[j].qty)
            living = holdings.living[: list_living(holdings)]
            batch, short, moved = holdings.batch[:n], holdings.short[:n], holdings.moved[:n]
            case = holdings.case[0]
            close_batch(state, book, path.shocks, step, batch, short, moved, case, holdings.accounts, living)
            record_event(state, book, step, value_fund(state, book))
            state.rounds_max = max(state.rounds_max, round_ + 1)
        state.touched = 1

    return liquidate


def compose_carry(value_fund, shed_inventory):
    """Return the rule that passes inventory on when a fund with a bottom cannot carry it."""

    @rule
    def carry(state, book, holdings):
        """Hand over what the fund cannot carry."""
        if state.inventory != 0.0 and is_broke(state, book, value_fund(state, book)):
            living = holdings.living[: list_living(holdings)]
            batch, short, moved = holdings.batch[:1], holdings.short[:1], holdings.moved[:1]
            shed_inventory(state, book, batch, short, moved, holdings.case[0], holdings.accounts, living)

    return carry


@rule
def leave(state, book, path, step, holdings):
    """Take the margin out of the accounts that leave at this step."""
    for j in range(holdings.leavers.size):
        i = holdings.leavers[j]
        if path.exits[j] == step and holdings.accounts[i].qty != 0.0:
            withdraw_margin(state, book, holdings.accounts[i])


@once_per_rules
def compiled(rules):
    """Return the kernel ``(states, book, world, first, accounts, holdings, ledger, traces)`` of some rules."""
    value_fund, shed_inventory = compose_end(rules)
    liquidate = compose_liquidate(rules, value_fund)
    follow = compose_path(rules, liquidate, compose_carry(value_fund, shed_inventory), leave, value_fund)

    @kernel
    def run_block(states, book, world, first, accounts, holdings, ledger, traces):
        """Run every path of a block on a fresh copy of the accounts."""
        for p in range(states.size):
            holdings.accounts[:] = accounts
            follow(states[p], book[0], path_of(world, p), first + p, holdings, ledger, traces[p])

    return run_block
