"""The account loop of a venue with several symbols: portfolios on one wallet, one desk a symbol.

The desks run the rules of one symbol.  What is here is what they have in common: how an account falls apart into
isolated legs, who sees which pool, and the step over all desks.  Who is breached, and who need not be looked at, is
the business of `engines.portfolio_queue`.
"""

from typing import NamedTuple

import numpy as np

from stress.accounts import LEG
from stress.engines.desks import Book
from stress.engines.portfolio_queue import anchor, changed, find_breached, legs_of, restart
from stress.engines.rounds import (
    Flows,
    Round,
    compose_end,
    compose_must_shed,
    compose_round,
    first_of,
    part_of,
    round_of,
)
from stress.engines.rulebook import once_per_rules
from stress.engines.steps import next_after, path_of, withdraw_margin, write_down
from stress.exchange.collateral import coin_price
from stress.exchange.liquidity import advance_depth
from stress.exchange.pools import (
    draw_on_pool,
    inventory_loss,
    move_desks,
    open_pools,
    record_pools,
    record_total,
    share_deficits,
)
from stress.exchange.portfolio import (
    backing,
    move_to_desks,
    pay_in,
    sell_all_coins,
    split_wallet,
)
from stress.exchange.pricing import pay_funding
from stress.exchange.settlement import record_event
from stress.exchange.waterfall import Case
from stress.rules import borrowed, kernel, record_dtype, rule

CASE, FLOWS = record_dtype(Case()), record_dtype(Flows())


class Room(NamedTuple):
    """Working arrays of a round."""

    taken: np.ndarray  # (n,) accounts
    round: Round  # arrays (m,), the batch of LEG: a desk's begins where the desk does
    rows: np.ndarray  # (m,) which leg each row of the batch is
    counts: np.ndarray  # (n_symbols,) rows of each desk's batch
    living: np.ndarray  # (m,)
    backing: np.ndarray  # (m,) what backs a presented leg besides its wallet
    flows: np.ndarray  # (1,)
    case: np.ndarray  # (1,)
    leavers: np.ndarray  # (k,) accounts that may withdraw their margin


def room_of(book: Book) -> Room:
    """Allocate the working arrays of a round."""
    n, m = book.accounts.size, book.portfolios.legs.size
    taken, counts = np.zeros(n, np.int64), np.zeros(len(book.desks), np.int64)
    rows, living = np.zeros(m, np.int64), np.zeros(m, np.int64)
    flows, case = np.zeros(1, FLOWS), np.zeros(1, CASE)
    return Room(taken, round_of(m, LEG), rows, counts, living, np.zeros(m), flows, case, book.leavers)


@rule
def break_up(desks, venue, accounts, room, n):
    """Turn the first `n` accounts taken into isolated legs, one batch a desk; nothing is left of them."""
    room.counts[:] = 0
    for t in range(n):
        i = room.taken[t]
        legs = legs_of(accounts, venue, i)
        raised = sell_all_coins(accounts.coins[i], venue.prices, venue.assets, venue.whole[0].cent)
        pay_in(raised, legs, desks)
        accounts.wallet[i] += raised
        split_wallet(accounts.wallet[i], legs, desks, venue.books)
        move_to_desks(accounts.wallet[i], legs, desks)
        accounts.wallet[i] = 0.0
        for j in range(len(legs)):
            if legs[j].qty != 0.0:
                d = legs[j].symbol
                at = venue.desk_starts[d] + room.counts[d]
                room.round.batch[at] = legs[j]
                room.rows[at] = venue.starts[i] + j
                room.counts[d] += 1
                legs[j].qty = 0.0


@rule
def present(d, desks, venue, accounts, room):
    """Let every living leg of desk `d` look like an account: its collateral is all that backs it; return how many."""
    n = 0
    for k in range(venue.desk_starts[d], venue.desk_starts[d + 1]):
        row = venue.by_desk[k]
        leg = accounts.legs[row]
        if leg.qty != 0.0:
            i = leg.account
            legs, coins = legs_of(accounts, venue, i), accounts.coins[i]
            room.backing[n] = backing(coins, legs, d, desks, venue.prices, venue.assets)
            leg.collateral = accounts.wallet[i] + room.backing[n]
            room.living[n] = row
            n += 1
    return n


@rule
def fold_back(accounts, room, n):
    """Bring what `n` presented legs won or paid back to their wallets."""
    for k in range(n):
        leg = accounts.legs[room.living[k]]
        if leg.collateral != accounts.wallet[leg.account] + room.backing[k]:
            accounts.wallet[leg.account] = leg.collateral - room.backing[k]


def compose_desk(rules, value_fund, shed_inventory):
    """Return ``revalue, close_desk, carry``: what one desk does with its batch and with its inventory."""
    close_batch, must_shed = compose_round(rules), compose_must_shed(rules)

    @rule
    def revalue(desks, venue):
        """Mark the fund of every desk."""
        for d in range(len(venue.values)):
            venue.values[d] = value_fund(desks[d], venue.books[d])

    @rule
    def close_desk(d, desks, venue, accounts, room, shocks, step):
        """Take the batch of desk `d` from its price to the books."""
        revalue(desks, venue)
        draw_on_pool(d, venue.books, venue.values)
        first = venue.desk_starts[d]
        called = part_of(room.round, first, first + room.counts[d])
        desk, book = desks[d], venue.books[d]
        n = 0
        if book.fund_first == 0 or desk.bottomless == 0:
            n = present(d, desks, venue, accounts, room)
        living, flows, case = room.living[:n], room.flows[0], room.case[0]
        close_batch(desk, book, shocks[d], step, called, flows, case, accounts.legs, living)
        fold_back(accounts, room, n)

    @rule
    def carry(desks, venue, accounts, room):
        """Hand over what a pool with a bottom cannot carry, desk by desk."""
        if desks[0].bottomless == 1:
            return
        revalue(desks, venue)
        for d in range(len(venue.values)):
            venue.lost[d] = inventory_loss(desks[d], venue.values[d])
        share_deficits(venue.books, venue.values, venue.lost)
        for d in range(len(venue.values)):
            if must_shed(desks[d], venue.books[d], venue.values[d]):
                n = present(d, desks, venue, accounts, room)
                one, living, case = first_of(room.round, 1), room.living[:n], room.case[0]
                shed_inventory(desks[d], venue.books[d], one, case, accounts.legs, living)
                fold_back(accounts, room, n)

    return revalue, close_desk, carry


def compose_record(revalue):
    """Return ``record(desks, total, venue, pools, step)``: desks, venue and pools after an event."""

    @rule
    def record(desks, total, venue, pools, step):
        """Record the event everywhere."""
        revalue(desks, venue)
        for d in range(len(venue.values)):
            record_event(desks[d], venue.books[d], step, venue.values[d])
        record_total(total, venue.whole[0], desks, len(venue.values), step, venue.values)
        record_pools(pools, venue.initials, venue.books, venue.values, step)

    return record


@rule
def leave(desks, venue, accounts, queue, room, exits, step):
    """Take the margin out of the accounts that leave at this step; they hold one position."""
    for j in range(len(room.leavers)):
        i = room.leavers[j]
        leg = accounts.legs[venue.starts[i]]
        if exits[j] == step and leg.qty != 0.0:
            leg.collateral = accounts.wallet[i]
            withdraw_margin(desks[leg.symbol], venue.books[leg.symbol], leg)
            accounts.wallet[i] = leg.collateral
            queue.stale[0] = 1


def compose_step(rules, close_desk, carry, record):
    """Return the step of docs/method.md, section 1, over all desks, and its liquidation rounds."""
    open_step, unwind = rules.open_step, rules.unwind

    @rule
    def liquidate(desks, total, venue, pools, accounts, queue, room, shocks, step, path_id, ledger):
        """Find, break up and close until nobody is breached."""
        for round_ in range(venue.whole[0].max_rounds):
            if changed(desks, venue, queue):
                anchor(desks, venue, accounts, queue)
            n = find_breached(desks, venue, accounts, queue, room)
            if n == 0:
                return
            break_up(desks, venue, accounts, room, n)
            for d in range(len(venue.values)):
                first = venue.desk_starts[d]
                for j in range(first, first + room.counts[d]):
                    write_down(ledger, path_id, step, round_, room.rows[j], room.round.batch[j].qty)
                if room.counts[d] > 0:
                    close_desk(d, desks, venue, accounts, room, shocks, step)
            record(desks, total, venue, pools, step)
            total.rounds_max = max(total.rounds_max, round_ + 1)

    @rule
    def run_step(desks, total, venue, pools, accounts, queue, room, path, step, path_id, ledger):
        """Run one step."""
        shocks, book = path.shocks, venue.whole[0]
        if book.pools_change == 1 and step > 0 and path.halts[step - 1] == 0:  # no pool is left below zero
            move_desks(step, desks, venue.books, pools, venue.initials)
        for d in range(len(venue.values)):
            open_step(desks[d], venue.books[d], step, shocks[d, step], path.decay)
        for a in range(len(venue.prices)):
            venue.prices[a] = coin_price(venue.assets[a], desks, step)
        if step == total.next_exit:
            leave(desks, venue, accounts, queue, room, path.exits, step)
            total.next_exit = next_after(path.exits, step)
        final = step == len(path.halts) - 1
        works = path.halts[step] == 0 or final  # at the horizon everybody is settled, come what may
        if works and ((step + 1) % book.check_every == 0 or final):
            liquidate(desks, total, venue, pools, accounts, queue, room, shocks, step, path_id, ledger)
        for d in range(len(venue.values)):
            if desks[d].inventory != 0.0:
                advance_depth(desks[d], shocks[d], step, venue.books[d].liquidity)
        if works:
            carry(desks, venue, accounts, room)
            for d in range(len(venue.values)):
                if desks[d].inventory != 0.0:
                    unwind(desks[d], venue.books[d], step)
        if works:
            carry(desks, venue, accounts, room)
        record(desks, total, venue, pools, step)
        if (step + 1) % book.funding_every == 0:
            for d in range(len(venue.values)):
                pay_funding(desks[d], path.rates[d, (step + 1) // book.funding_every - 1])
            if works:
                carry(desks, venue, accounts, room)
            record(desks, total, venue, pools, step)

    return run_step


def compose_follow(run_step, revalue):
    """Return ``follow``: one path from start to horizon."""

    @rule
    def follow(desks, total, venue, pools, accounts, queue, room, path, path_id, ledger, trace):
        """Run the whole path, stopping to fill `trace` with the venue's state."""
        total.next_exit = next_after(path.exits, -1)
        open_pools(venue.books, venue.initials)
        pieces, n_steps, start = max(1, trace.size), path.shocks.shape[1], 0
        for k in range(pieces):
            stop = (k + 1) * n_steps // pieces
            for step in range(start, stop):
                run_step(desks, total, venue, pools, accounts, queue, room, path, step, path_id, ledger)
            if trace.size > 0:
                trace[k] = total
            start = stop

    return follow


@once_per_rules
def compiled(rules):
    """Return the kernel that runs a block of paths of several symbols under some rules."""
    value_fund, shed_inventory = compose_end(rules)
    revalue, close_desk, carry = compose_desk(rules, value_fund, shed_inventory)
    run_step = compose_step(rules, close_desk, carry, compose_record(revalue))
    follow = compose_follow(run_step, revalue)

    @kernel
    def run_block(states, pools, world, first, start, accounts, fresh, queue, venue, room, ledger, traces):
        """Run every path of a block on a fresh copy of the accounts; `states` (n, n_symbols + 1), the venue last."""
        n_symbols = states.shape[1] - 1
        world, accounts, queue, room = borrowed(world), borrowed(accounts), borrowed(queue), borrowed(room)
        if states.shape[0] > 0:
            anchor(states[0], venue, start, fresh)
        for p in range(states.shape[0]):
            accounts.wallet[:] = start.wallet
            accounts.coins[:] = start.coins
            accounts.legs[:] = start.legs
            restart(queue, fresh)
            desks, total, path = states[p, :n_symbols], states[p, n_symbols], path_of(world, p)
            follow(desks, total, venue, pools[p], accounts, queue, room, path, first + p, ledger, traces[p])

    return run_block
