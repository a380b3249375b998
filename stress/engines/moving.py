"""The ladder of a book that changes: newcomers are put on it, whoever closes or adds margin is taken off it.

As the other ladder it looks only at the accounts that the price has reached.  There are two of it: a lean one runs
the shadow fund, and hands a path on which a layer before the fund has to act to the other, which knows the whole
waterfall and moves whoever a layer has touched to other shelves.
"""

from typing import Any, NamedTuple

import numpy as np

from stress.engines.ladder import carry_all
from stress.engines.loop import CASE, FLOWS, compose_carry, list_payers
from stress.engines.population import Population
from stress.engines.reactions import add_margin, adds_margin, has_order, has_order_later
from stress.engines.rounds import (
    KEPT,
    Round,
    compose_end,
    compose_must_shed,
    compose_orders,
    compose_round,
    first_of,
    round_of,
)
from stress.engines.rulebook import once_per_rules
from stress.engines.shelves import (
    NOWHERE,
    WIDTH,
    Shelves,
    bounds,
    close_in,
    drift,
    fill_shelves,
    put_anew,
    put_on,
    shelf_of,
    shelves_of,
    take_off,
)
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
from stress.exchange.settlement import record_event
from stress.rules import borrowed, frugal_kernel, inline, kernel, rule


class Standing(NamedTuple):
    """Working arrays of one path; n accounts."""

    accounts: np.ndarray  # (n,) a copy
    shelves: Shelves
    seats: Seats
    round: Round  # arrays (n,)
    ids: np.ndarray  # (n,) rows of the round's accounts
    living: np.ndarray  # (n,)
    flows: np.ndarray  # (1,)
    case: np.ndarray  # (1,)
    leavers: np.ndarray  # (k,) rows of the accounts that may withdraw their margin


def standing_of(population: Population, turnover: dict[str, Any]) -> Standing:
    """Allocate the working arrays for a population."""
    accounts = population.accounts
    n = max(accounts.size, 1)
    shelves, seats = shelves_of(accounts, population.price), seats_of(population, turnover)
    ids, living = np.zeros(n, np.int64), np.zeros(n, np.int64)
    flows, case = np.zeros(1, FLOWS), np.zeros(1, CASE)
    return Standing(accounts.copy(), shelves, seats, round_of(n), ids, living, flows, case, population.leavers)


@inline
def look_at(state, book, here, side, shelf, step, n):
    """Take the accounts of one shelf whose order executes now off it, and note their rows from place `n` on."""
    shelves = here.shelves
    i = shelves.heads[side, shelf]
    while i != NOWHERE:
        after, a = shelves.after[side, i], here.accounts[i]
        if has_order(a, state, book, step):
            here.ids[n] = i
            n += 1
            take_off(shelves, i)
        else:
            if adds_margin(a, state, book):
                take_off(shelves, i)
                add_margin(a, state, book)
                put_on(shelves, i, a, book.tiers)
            if has_order_later(a, state, book):
                state.waiting = 1
        i = after
    return n


@inline
def gather(state, book, here, step):
    """Note everybody whose order executes now, looking only where the mark has been; return how many."""
    shelves, n = here.shelves, 0
    slack = drift(shelves, state.mark, state.funding, book.tiers)
    if slack > WIDTH * state.mark:
        fill_shelves(shelves, here.accounts, state.funding, book.tiers)
        slack = drift(shelves, state.mark, state.funding, book.tiers)
    level = state.mark - state.funding
    state.waiting = 0
    for shelf in range(shelves.edges[0], shelf_of(shelves, level - slack) - 1, -1):
        n = look_at(state, book, here, 0, shelf, step, n)
    for shelf in range(shelves.edges[1], shelf_of(shelves, level + slack) + 1):
        n = look_at(state, book, here, 1, shelf, step, n)
    return n


@inline
def fill_round(here, n):
    """Move the accounts whose rows were noted into the round."""
    for j in range(n):
        account = here.accounts[here.ids[j]]
        here.round.batch[j] = account
        account.qty = 0.0
        account.wait = 0


@inline
def as_found(rows):
    """Leave the round in the order of the shelves: a fund that pays everybody asks for none."""
    return


@rule
def by_row(rows):
    """Sort the round by row: a layer that runs out on the way has an order of payment."""
    rows.sort()


@inline
def scatter(state, book, here, n, ledger, path_id, step, round_):
    """Give accounts that go on their place again, and write down what left each account."""
    for j in range(n):
        i = here.ids[j]
        if here.round.sold[j] == KEPT and here.round.batch[j].qty != 0.0:
            here.accounts[i] = here.round.batch[j]
            put_on(here.shelves, i, here.accounts[i], book.tiers)
        else:
            vacate(state, book, here.accounts[i], here.seats, i)
        if here.round.offered[j] != 0.0:
            write_down(ledger, path_id, step, round_, i, here.round.offered[j])


@inline
def remember_healthy(state, book, here):
    """Note between which marks nobody is liquidated."""
    close_in(here.shelves)
    state.next_low, state.next_high = bounds(here.shelves, state.mark, state.funding, book.tiers)
    state.touched = state.waiting


def compose_shadow_round(rules):
    """Return ``close_called(state, book, here, n, shocks, step)`` of a fund that pays whatever it is asked for."""
    place_orders, finish_round = compose_orders(rules)

    @inline
    def close_called(state, book, here, n, shocks, step):
        """Take the round from its orders to the books."""
        flows, called = here.flows[0], first_of(here.round, n)
        share, fill = place_orders(state, book, shocks, step, called, flows)
        if flows.short_offered != 0.0 or flows.short_held != 0.0:
            state.needs_loop = 1  # a layer before the fund has to act
        finish_round(state, book, step, flows, share, fill)

    return close_called


def compose_whole_round(rules):
    """Return ``close_called(state, book, here, n, shocks, step)`` with the whole waterfall."""
    close_batch = compose_round(rules, list_payers)

    @rule
    def close_called(state, book, here, n, shocks, step):
        """Take the round from its orders to the books."""
        state.touched = 0
        called, flows, case = first_of(here.round, n), here.flows[0], here.case[0]
        close_batch(state, book, shocks, step, called, flows, case, here.accounts, here.living)
        sort_if_touched(state, book, here)

    return close_called


@rule
def sort_if_touched(state, book, here):
    """Put those whom a layer has touched on other shelves."""
    if state.touched == 1:
        put_anew(here.shelves, here.accounts, book.tiers)


def compose_sorted_carry(carry):
    """Return the rule that passes on inventory and keeps the shelves in order."""

    @rule
    def carry_sorted(state, book, here):
        """Hand over what the fund cannot carry."""
        touched, state.touched = state.touched, 0
        carry(state, book, here)
        sort_if_touched(state, book, here)
        state.touched = max(state.touched, touched)

    return carry_sorted


def compose_liquidate(close_called, value_fund, carry, arrange, melt):
    """Return the liquidation rounds of a step over the shelves; `arrange` puts the rows of a round in order."""

    @melt
    def liquidate(state, book, path, step, path_id, here, ledger):
        """Gather and close until nobody is called."""
        round_ = 0
        while round_ < book.max_rounds and not is_known_healthy(state, book):
            n = gather(state, book, here, step)
            if n == 0:
                break
            arrange(here.ids[:n])
            fill_round(here, n)
            close_called(state, book, here, n, path.shocks, step)
            scatter(state, book, here, n, ledger, path_id, step, round_)
            if book.limited == 1 and state.inventory != 0.0:
                carry(state, book, here)
            record_event(state, book, step, value_fund(state, book))
            round_ += 1
            state.touched = 1
        state.rounds_max = max(state.rounds_max, round_)
        if round_ < book.max_rounds:
            remember_healthy(state, book, here)

    return liquidate


@rule
def leave(state, book, path, step, here):
    """Take the margin out of the accounts that leave at this step."""
    for j in range(path.exits.size):
        i = here.leavers[j % here.leavers.size]
        if path.exits[j] == step and here.accounts[i].qty != 0.0:
            take_off(here.shelves, i)
            withdraw_margin(state, book, here.accounts[i])
            put_on(here.shelves, i, here.accounts[i], book.tiers)


@inline
def move_out(state, book, here, row):
    """Let a holder close."""
    take_off(here.shelves, row)
    pay_out(state, book, here.accounts[row])


@inline
def move_in(state, book, here, row):
    """Let a newcomer take a seat."""
    account, seats = here.accounts[row], here.seats
    take_seat(state, book, account, seats, row)
    put_on(here.shelves, row, account, book.tiers)
    note_threshold(state, book, account)


@rule
def let_depart(state, book, here):
    """After ADL or a haircut, let some accounts leave for good."""
    for row in range(here.accounts.size):
        take_off(here.shelves, row)
        depart(state, book, here.accounts[row], here.seats, row)
        if here.accounts[row].qty != 0.0:
            put_on(here.shelves, row, here.accounts[row], book.tiers)


turn_over = compose_renew(move_out, move_in, melt=inline)


@rule
def renew(state, book, path, step, works, here):
    """Let the step's events of renewal happen; after ADL or a haircut, let some accounts leave for good."""
    turn_over(state, book, path, step, works, here)
    if works and are_hurt(state, book):
        let_depart(state, book, here)


@rule
def begin(here, accounts, tiers):
    """Start a path from a fresh copy of the accounts."""
    for i in range(accounts.size):
        here.accounts[i] = accounts[i]
    fill_shelves(here.shelves, here.accounts, 0.0, tiers)
    clear_ring(here.seats)


@once_per_rules
def shadow(rules):
    """Return the kernel ``(states, book, world, first, accounts, here, ledger, traces)`` of the shadow fund."""
    value_fund, _ = compose_end(rules)
    liquidate = compose_liquidate(compose_shadow_round(rules), value_fund, carry_all, as_found, melt=inline)
    follow = compose_path(rules, liquidate, carry_all, leave, turn_over, value_fund, melt=inline)

    @frugal_kernel
    def run_block(states, book, world, first, accounts, here, ledger, traces):
        """Run every path of a block."""
        for p in range(states.size):
            begin(here, accounts, book[0].tiers)
            follow(states[p], book[0], path_of(world, p), first + p, here, ledger, traces[p])

    return run_block


@once_per_rules
def whole(rules):
    """Return the kernel ``(states, book, world, first, accounts, here, ledger, traces)`` with the whole waterfall."""
    value_fund, shed_inventory = compose_end(rules)
    carry = compose_sorted_carry(compose_carry(value_fund, shed_inventory, compose_must_shed(rules)))
    liquidate = compose_liquidate(compose_whole_round(rules), value_fund, carry, by_row, melt=rule)
    follow = compose_path(rules, liquidate, carry, leave, renew, value_fund)

    @kernel
    def run_block(states, book, world, first, accounts, here, ledger, traces):
        """Run every path of a block."""
        world, here = borrowed(world), borrowed(here)
        for p in range(states.size):
            begin(here, accounts, book[0].tiers)
            follow(states[p], book[0], path_of(world, p), first + p, here, ledger, traces[p])

    return run_block
