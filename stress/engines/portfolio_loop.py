"""The account loop of a venue with several symbols: portfolios on one wallet, one desk a symbol.

The desks run the rules of one symbol.  What is here is what they have in common: which accounts are breached, how
an account falls apart into isolated legs, who sees which pool, and which accounts need not be looked at.

An account is surely healthy until some mark has moved by more than its *safe move* since the anchor, the last time
when all accounts were looked at.  Accounts are sorted by it, so a step meets the front of the queue only.  There an
account is looked at when what it may have lost since its own last look exceeds its cushion.  When the front has
cost as much as a new anchor, there is one.  The result is that of looking at everybody at every step.
"""

from typing import NamedTuple

import numpy as np

from stress.accounts import LEG
from stress.engines.desks import Book
from stress.engines.rounds import compose_end, compose_round, is_broke
from stress.engines.rulebook import once_per_rules
from stress.engines.steps import next_after, path_of, withdraw_margin, write_down
from stress.exchange.collateral import coin_price
from stress.exchange.liquidity import advance_depth
from stress.exchange.pools import (
    draw_on_pool,
    inventory_loss,
    record_pools,
    record_total,
    share_deficits,
)
from stress.exchange.portfolio import (
    BOUNDLESS,
    backing,
    move_to_desks,
    moved_since,
    pay_in,
    portfolio_is_breached,
    quote_equity,
    read_levels,
    sell_all_coins,
    sell_coins_for_debt,
    split_wallet,
    watch,
)
from stress.exchange.settlement import record_event
from stress.exchange.waterfall import Case
from stress.rules import inline, kernel, record_dtype, rule

CASE = record_dtype(Case())
ANCHOR_COST = 64  # tests of a cushion that one look, at a new anchor and with its sorting, is worth
SAME_MOVE = 1.0 + 1e-12  # a move is rounded too


class Accounts(NamedTuple):
    """The accounts of one path: working copies, or the population from which a path starts."""

    wallet: np.ndarray  # (n,)
    coins: np.ndarray  # (n, n_assets)
    legs: np.ndarray  # (m,) of LEG, sorted by account


class Queue(NamedTuple):
    """Who may be breached: the accounts by their safe move since the anchor, and what each may lose by."""

    order: np.ndarray  # (n,) accounts, the most endangered first
    safe: np.ndarray  # (n,) their safe moves, rising
    anchor: np.ndarray  # (n_levels,) marks, funding and coin prices at the anchor
    weights: np.ndarray  # (n, n_levels) loss of an account per move of a level
    seen: np.ndarray  # (n, n_levels) levels at the account's own last look
    cushion: np.ndarray  # (n,) what it could lose then, quote
    cost: np.ndarray  # (1,) tests since the anchor
    stale: np.ndarray  # (1,) 1: accounts have changed since the anchor
    levels: np.ndarray  # (n_levels,) of now


class Venue(NamedTuple):
    """Numbers and working arrays that the desks share."""

    books: np.ndarray  # (n_symbols,) fund_initial changes: what the pool has for the desk
    whole: np.ndarray  # (1,) the book of the venue as a whole
    initials: np.ndarray  # (n_pools,)
    assets: np.ndarray  # (n_assets,)
    prices: np.ndarray  # (n_assets,) of now
    values: np.ndarray  # (n_symbols,) marked change of each desk's fund
    lost: np.ndarray  # (n_symbols,)
    starts: np.ndarray  # (n + 1,) first leg of each account
    by_desk: np.ndarray  # (m,) legs, symbol by symbol
    desk_starts: np.ndarray  # (n_symbols + 1,)
    skips: np.ndarray  # (1,) 0: look at everybody at every step (for comparison)


class Room(NamedTuple):
    """Working arrays of a round."""

    taken: np.ndarray  # (n,) accounts
    batch: np.ndarray  # (m,) of LEG: a desk's batch begins where the desk does
    rows: np.ndarray  # (m,) which leg each row of the batch is
    counts: np.ndarray  # (n_symbols,) rows of each desk's batch
    living: np.ndarray  # (m,)
    backing: np.ndarray  # (m,) what backs a presented leg besides its wallet
    short: np.ndarray  # (m,)
    moved: np.ndarray  # (m,)
    case: np.ndarray  # (1,)
    leavers: np.ndarray  # (k,) accounts that may withdraw their margin


def accounts_of(book: Book) -> Accounts:
    """Return fresh copies of a population's accounts."""
    portfolios = book.portfolios
    return Accounts(portfolios.wallet.copy(), portfolios.coins.copy(), portfolios.legs.copy())


def queue_of(book: Book) -> Queue:
    """Allocate the queue of a population."""
    n, n_levels = book.accounts.size, 2 * len(book.desks) + book.portfolios.coins.shape[1]
    order, cost, stale = np.zeros(n, np.int64), np.zeros(1, np.int64), np.zeros(1, np.int64)
    anchor, levels = np.zeros(n_levels), np.zeros(n_levels)
    weights, seen = np.zeros((n, n_levels)), np.zeros((n, n_levels))
    return Queue(order, np.zeros(n), anchor, weights, seen, np.zeros(n), cost, stale, levels)


def room_of(book: Book) -> Room:
    """Allocate the working arrays of a round."""
    n, m = book.accounts.size, book.portfolios.legs.size
    taken, counts = np.zeros(n, np.int64), np.zeros(len(book.desks), np.int64)
    rows, living, short = (np.zeros(m, np.int64) for _ in range(3))
    batch, case = np.zeros(m, LEG), np.zeros(1, CASE)
    return Room(taken, batch, rows, counts, living, np.zeros(m), short, np.zeros(m), case, book.leavers)


@rule
def legs_of(accounts, venue, i):
    """Return the legs of account `i`."""
    return accounts.legs[venue.starts[i] : venue.starts[i + 1]]


@rule
def look(desks, venue, accounts, queue, i):
    """Note what account `i` may lose from here; return its safe move."""
    legs, coins, weights = legs_of(accounts, venue, i), accounts.coins[i], queue.weights[i]
    cushion, reach = watch(accounts.wallet[i], coins, legs, desks, venue.books, venue.prices, venue.assets, weights)
    if venue.skips[0] == 0:
        cushion = -1.0
    queue.cushion[i] = cushion
    for k in range(queue.levels.size):
        queue.seen[i, k] = queue.levels[k]
    return cushion / reach


@rule
def anchor(desks, venue, accounts, queue):
    """Look at everybody, and sort."""
    read_levels(desks, len(venue.values), venue.prices, queue.levels)
    for i in range(accounts.wallet.size):
        queue.safe[i] = look(desks, venue, accounts, queue, i)
    queue.order[:] = np.argsort(queue.safe, kind="mergesort")
    queue.safe[:] = queue.safe[queue.order]
    queue.anchor[:] = queue.levels
    queue.cost[0] = 0
    queue.stale[0] = 0


@rule
def restart(queue, fresh):
    """Begin a path at the anchor of its population."""
    queue.order[:] = fresh.order
    queue.safe[:] = fresh.safe
    queue.anchor[:] = fresh.anchor
    queue.weights[:] = fresh.weights
    queue.seen[:] = fresh.seen
    queue.cushion[:] = fresh.cushion
    queue.cost[0] = 0
    queue.stale[0] = 0


@inline
def may_be_breached(queue, i):
    """Say whether account `i` may have lost its cushion since its last look."""
    lost = 0.0
    for k in range(queue.levels.size):
        lost += queue.weights[i, k] * abs(queue.levels[k] - queue.seen[i, k])
    return lost > queue.cushion[i]


@rule
def changed(desks, venue, queue):
    """Say whether accounts have changed since the anchor, or the front of the queue has cost as much as another."""
    for d in range(len(venue.values)):
        if desks[d].touched == 1:
            queue.stale[0] = 1
            desks[d].touched = 0
    return queue.stale[0] == 1 or queue.cost[0] > ANCHOR_COST * queue.order.size


@rule
def sell_for_debt(desks, venue, accounts, i):
    """Let the venue sell coins of account `i` for its debt in the quote currency; say whether it did."""
    legs, coins = legs_of(accounts, venue, i), accounts.coins[i]
    value = quote_equity(accounts.wallet[i], legs, desks)
    raised = sell_coins_for_debt(value, coins, venue.prices, venue.assets, venue.whole[0].cent)
    accounts.wallet[i] += raised
    pay_in(raised, legs, desks)
    return raised > 0.0


@rule
def is_breached(desks, venue, accounts, i):
    """Test account `i` itself."""
    legs, coins = legs_of(accounts, venue, i), accounts.coins[i]
    return portfolio_is_breached(accounts.wallet[i], coins, legs, desks, venue.books, venue.prices, venue.assets)


@rule
def move_to_front(queue, k):
    """Let the account at place `k` be met at every step until the next anchor: its safe move was another account's."""
    i = queue.order[k]
    for j in range(k, 0, -1):
        queue.order[j], queue.safe[j] = queue.order[j - 1], queue.safe[j - 1]
    queue.order[0], queue.safe[0] = i, -1.0


@rule
def examine(desks, venue, accounts, queue, k):
    """Look at the account at place `k`, and if its cushion is gone test it; say whether it is breached."""
    i = queue.order[k]
    if look(desks, venue, accounts, queue, i) > 0.0:
        return False
    if sell_for_debt(desks, venue, accounts, i):
        move_to_front(queue, k)
        look(desks, venue, accounts, queue, i)
    return is_breached(desks, venue, accounts, i)


@rule
def find_breached(desks, venue, accounts, queue, room):
    """List the accounts below maintenance margin, in order; return how many."""
    n, k = 0, 0
    read_levels(desks, len(venue.values), venue.prices, queue.levels)
    moved = moved_since(queue.anchor, queue.levels, len(venue.values)) * SAME_MOVE
    while k < queue.order.size and queue.safe[k] <= moved:
        i = queue.order[k]
        if may_be_breached(queue, i) and examine(desks, venue, accounts, queue, k):
            queue.cushion[i] = BOUNDLESS
            room.taken[n] = i
            n += 1
        k += 1
    queue.cost[0] += k
    room.taken[:n].sort()
    return n


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
                room.batch[at] = legs[j]
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
    close_batch = compose_round(rules)

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
        last = first + room.counts[d]
        batch, short, moved = room.batch[first:last], room.short[first:last], room.moved[first:last]
        desk, book = desks[d], venue.books[d]
        n = 0
        if book.fund_first == 0 or desk.bottomless == 0:
            n = present(d, desks, venue, accounts, room)
        living = room.living[:n]
        close_batch(desk, book, shocks[d], step, batch, short, moved, room.case[0], accounts.legs, living)
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
            if desks[d].inventory != 0.0 and is_broke(desks[d], venue.books[d], venue.values[d]):
                n = present(d, desks, venue, accounts, room)
                batch, short, moved = room.batch[:1], room.short[:1], room.moved[:1]
                living, case = room.living[:n], room.case[0]
                shed_inventory(desks[d], venue.books[d], batch, short, moved, case, accounts.legs, living)
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
                    write_down(ledger, path_id, step, round_, room.rows[j], room.batch[j].qty)
                if room.counts[d] > 0:
                    close_desk(d, desks, venue, accounts, room, shocks, step)
            record(desks, total, venue, pools, step)
            total.rounds_max = max(total.rounds_max, round_ + 1)

    @rule
    def run_step(desks, total, venue, pools, accounts, queue, room, path, step, path_id, ledger):
        """Run one step."""
        shocks, book = path.shocks, venue.whole[0]
        for d in range(len(venue.values)):
            open_step(desks[d], venue.books[d], step, shocks[d, step], path.decay)
        for a in range(len(venue.prices)):
            venue.prices[a] = coin_price(venue.assets[a], desks, step)
        if step == total.next_exit:
            leave(desks, venue, accounts, queue, room, path.exits, step)
            total.next_exit = next_after(path.exits, step)
        works = path.halts[step] == 0
        if works and (step + 1) % book.check_every == 0:
            liquidate(desks, total, venue, pools, accounts, queue, room, shocks, step, path_id, ledger)
        for d in range(len(venue.values)):
            if desks[d].inventory != 0.0:
                advance_depth(desks[d], shocks[d], step, venue.books[d].liquidity)
        if works:
            carry(desks, venue, accounts, room)
            for d in range(len(venue.values)):
                if desks[d].inventory != 0.0:
                    unwind(desks[d], venue.books[d], step)
        works = works or step == len(path.halts) - 1  # at the horizon the accounts are settled, come what may
        if works:
            carry(desks, venue, accounts, room)
        record(desks, total, venue, pools, step)
        if (step + 1) % book.funding_every == 0:
            rate = path.rates[(step + 1) // book.funding_every - 1]
            for d in range(len(venue.values)):
                desks[d].funding += rate * desks[d].mark
            if works:
                carry(desks, venue, accounts, room)
            record(desks, total, venue, pools, step)

    return run_step


def compose_follow(run_step, revalue):
    """Return ``follow``: one path from start to horizon."""

    @rule
    def follow(desks, total, venue, pools, accounts, queue, room, path, path_id, ledger, trace):
        """Run the whole path, stopping to fill `trace` with the marked change of the venue's fund."""
        total.next_exit = next_after(path.exits, -1)
        pieces, n_steps, start = max(1, trace.size), path.shocks.shape[1], 0
        for k in range(pieces):
            stop = (k + 1) * n_steps // pieces
            for step in range(start, stop):
                run_step(desks, total, venue, pools, accounts, queue, room, path, step, path_id, ledger)
            if trace.size > 0:
                trace[k] = total.value
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
