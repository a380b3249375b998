"""The step of the compiled engines, and how they skip the steps in which nothing can happen.

A compiled engine supplies two rules: ``liquidate(state, book, path, step, holdings, ledger)`` runs the
liquidation rounds of a step and leaves in ``state.next_low`` and ``next_high`` the marks between which nobody
is liquidated; ``carry(state, book, holdings)`` is asked while the fund has inventory, which it may be unable to
carry; ``leave(state, book, path, step, holdings)`` takes the margin out of accounts that let themselves be liquidated;
``renew(state, book, path, step, works, holdings)`` lets the step's events of renewal happen.
"""

import math
from typing import NamedTuple

import numpy as np

from stress.accounts import equity
from stress.exchange.liquidity import advance_depth
from stress.exchange.margin import required_margin
from stress.exchange.pricing import pay_funding, see_late
from stress.exchange.settlement import record_event
from stress.exchange.state import ExchangeState
from stress.markets.base import CHUNK
from stress.rules import inline, record_dtype, rule

STATE = record_dtype(ExchangeState())


def untraced(n: int) -> np.ndarray:
    """Return the traces of `n` paths that are not followed over time."""
    return np.empty((n, 0), STATE)


LEDGER = np.dtype([("path", "i8"), ("step", "i8"), ("round", "i8"), ("account", "i8"), ("qty", "f8")])

NEVER = 2**62  # a step beyond every horizon

# Screens are conservative by more than the rounding of exp, log and the impact law.
MARGIN = 1e-10


class Path(NamedTuple):
    """What the outside world does on one path."""

    shocks: np.ndarray  # (n_steps,) log(index / initial price)
    lows: np.ndarray  # (n_chunks,) running extremes of the shocks
    highs: np.ndarray
    halts: np.ndarray  # (n_steps,) 1: the engine stands still
    exits: np.ndarray  # (k n_leavers,) steps at which the leavers withdraw their margin, all for the first time first
    rates: np.ndarray  # (n_intervals,) funding rates
    turns: np.ndarray  # (k,) steps of events of renewal, then NEVER
    places: np.ndarray  # (k,) which seat each is about, uniform
    chances: np.ndarray  # (k,) whether it happens, uniform
    decay: np.ndarray  # (n_steps + 1,) share of flow left


class Block(NamedTuple):
    """A run of paths: the arrays of `Path` with one row a path; decay is common."""

    shocks: np.ndarray  # (n, n_steps)
    lows: np.ndarray  # (n, n_chunks)
    highs: np.ndarray
    halts: np.ndarray  # (n, n_steps)
    exits: np.ndarray  # (n, k n_leavers)
    rates: np.ndarray  # (n, n_intervals)
    turns: np.ndarray  # (n, k)
    places: np.ndarray  # (n, k)
    chances: np.ndarray  # (n, k)
    decay: np.ndarray


@inline
def path_of(block, i):
    """Return row `i` of a block."""
    return Path(
        block.shocks[i],
        block.lows[i],
        block.highs[i],
        block.halts[i],
        block.exits[i],
        block.rates[i],
        block.turns[i],
        block.places[i],
        block.chances[i],
        block.decay,
    )


def only(block: Block, i: int) -> Block:
    """Return the block of path `i` alone."""
    return block._replace(**{name: getattr(block, name)[i : i + 1] for name in Block._fields if name != "decay"})


class Ledger(NamedTuple):
    """Liquidations as they happen; no rows means that nobody asked."""

    rows: np.ndarray
    used: np.ndarray  # (1,)


class Rows(NamedTuple):
    """What an engine returns for a run of paths: final states and liquidations."""

    shadow: np.ndarray  # (n,) of STATE
    configured: np.ndarray  # (n,) of STATE
    population: int
    ledger: np.ndarray  # (m,) of LEDGER
    pools: np.ndarray | None = None  # (n, n_pools) of the shadow run, at a venue with several symbols


@inline
def write_down(ledger, path_id, step, round_, account, qty):
    """Append one liquidation to the ledger, if there is one."""
    if ledger.rows.size > 0 and ledger.used[0] >= ledger.rows.size:
        ledger.used[0] += 1  # no room: whoever reads it sees that it is not complete
    elif ledger.rows.size > 0:
        row = ledger.rows[ledger.used[0]]
        row.path = path_id
        row.step = step
        row.round = round_
        row.account = account
        row.qty = qty
        ledger.used[0] += 1


@rule
def is_known_healthy(state, book):
    """Say whether the mark is where everybody is known to be healthy."""
    if state.touched == 1 or book.monotone == 0:
        return False
    return state.mark >= state.next_low and state.mark <= state.next_high


@rule
def index_of_new_depth(state):
    """Return the index below which coins make the fund fall deeper than ever, while it carries no inventory."""
    spare = min(state.drawdown + state.value, state.drawdown_gross - state.gross)
    return state.index - spare / state.coins


@rule
def screen(state):
    """Return the shocks between which the mark stays inside the known range and nothing sets a new extreme."""
    low = max(state.next_low, state.price_min) / state.initial_price
    high = min(state.next_high, state.price_max) / state.initial_price
    below = math.log(low) - state.reach_low if low > 0.0 else -1e300
    if state.coins > 0.0:
        deepest = index_of_new_depth(state) / state.initial_price
        below = max(below, math.log(deepest) if deepest > 0.0 else -1e300)
    return below + MARGIN, math.log(high) - state.reach_high - MARGIN


@rule
def next_after(exits, step):
    """Return the first exit after `step`."""
    first = NEVER
    for j in range(len(exits)):
        if exits[j] > step:
            first = min(first, exits[j])
    return first


@rule
def withdraw_margin(state, book, account):
    """Take out all margin above maintenance and a cent more, so that the account is liquidated at this mark."""
    value = equity(account.qty, account.entry, account.collateral, state.mark, state.funding)
    free = value - required_margin(account.qty, account.entry, state.mark, book.tiers)
    taken = math.floor(free / book.cent) * book.cent + book.cent  # on the grid, so that sums stay exact
    if taken > 0.0:
        account.collateral -= taken
        state.alive_collateral -= taken
        state.released += taken
    state.touched = 1


@inline
def first_outside(path, step, stop, low, high):
    """Return the first step in [step, stop) whose shock leaves (low, high), or `stop`."""
    while step < stop:
        c = step // CHUNK
        if step % CHUNK == 0 and path.lows[c] > low and path.highs[c] < high:
            step += CHUNK
        elif path.shocks[step] > low and path.shocks[step] < high:
            step += 1
        else:
            return step
    return stop


@rule
def bound_rule(state, low, high):
    """Widen the bounds by what a mark rule may add to the index, whose own price lies `low` to `high` beside it (logs).

    Every rule returns one of index, fair price, index plus average basis, own price and other venues' prices; the
    average lies between itself and the bases to come, and the premium only shrinks until the next funding.
    """
    low, high = min(0.0, low), max(0.0, high)
    average, premium = math.log(1.0 + state.basis), math.log(1.0 + state.premium)
    state.reach_low += min(min(low, average), premium)
    state.reach_high += max(max(high, average), premium)


def compose_skip(displacement, common_displacement, melt):
    """Return ``next_stop(state, book, path, step, stop)``, which skips the steps in which nothing can happen."""

    @melt
    def bound_displacement(state, book):
        """Bound the log displacement of the mark until the next trade: flow decays towards its permanent part."""
        now, end = displacement(state, book.liquidity), 0.0
        if book.liquidity.permanent_share > 0.0:
            flow, state.flow = state.flow, 0.0
            end = displacement(state, book.liquidity)
            state.flow = flow
        others = 0.0
        if book.liquidity.others > 0.0:
            others = book.liquidity.others * common_displacement(state, book.liquidity)
        own = book.mark.own
        state.reach_low = own * min(now, end) + min(0.0, others)
        state.reach_high = own * max(now, end) + max(0.0, others)
        if book.mark.plain == 0:
            rest = 1.0 - own
            low, high = rest * min(now, end) - max(0.0, others), rest * max(now, end) - min(0.0, others)
            bound_rule(state, low, high)

    @melt
    def next_stop(state, book, path, step, stop):
        """Return the next step that must be run: funding, the last one, or a price that may matter."""
        if state.inventory != 0.0 or state.hedge != 0.0 or state.touched == 1 or book.monotone == 0:
            return step
        if state.watchful == 1 or state.empty > 0:
            return step
        every = book.funding_every
        bound_displacement(state, book)
        until = min(step + every - 1 - step % every, stop - 1, max(step, min(state.next_exit, state.next_turn)))
        back = book.mark.looks_back  # a late price matters while it lies within the delay
        if step < back:
            return step
        return max(step, first_outside(path, step - back, until, *screen(state)))

    return next_stop


def compose_path(rules, liquidate, carry, leave, renew, value_fund, melt=rule):
    """Return ``follow(state, book, path, path_id, holdings, ledger, trace)``: one path from start to horizon.

    `trace` (k,) takes the state at k equally spaced times, the fund valued; it may be empty.  ``melt=inline``
    spares the calls, which pass every array of `holdings`; it takes longer to compile.
    """
    step_rule = compose_step(rules, liquidate, carry, leave, renew, value_fund, melt)
    next_stop = compose_skip(rules.displacement, rules.common_displacement, melt)

    @melt
    def run_path(state, book, path, path_id, holdings, ledger, start, stop):
        """Run the steps in [start, stop)."""
        step = start
        while step < stop and state.needs_loop == 0:
            step = next_stop(state, book, path, step, stop)
            step_rule(state, book, path, step, path_id, holdings, ledger)
            step += 1

    @melt
    def follow(state, book, path, path_id, holdings, ledger, trace):
        """Run the whole path, stopping to fill `trace`."""
        start, pieces = 0, max(1, trace.size)
        state.next_exit = next_after(path.exits, -1)
        state.next_turn = path.turns[0]
        for k in range(pieces):
            stop = (k + 1) * path.shocks.size // pieces
            run_path(state, book, path, path_id, holdings, ledger, start, stop)
            if trace.size > 0:
                trace[k] = state
                trace[k].value = value_fund(state, book)
            start = stop

    return follow


def compose_step(rules, liquidate, carry, leave, renew, value_fund, melt):
    """Return the step of docs/method.md, section 1: shock, mark, liquidation rounds, flows, record."""
    open_step, unwind = rules.open_step, rules.unwind

    @melt
    def run_step(state, book, path, step, path_id, holdings, ledger):
        """Run one step."""
        if book.mark.looks_back > 0:
            see_late(state, book, path.shocks, step)
        open_step(state, book, step, path.shocks[step], path.decay)
        if step == state.next_exit:
            leave(state, book, path, step, holdings)
            state.next_exit = next_after(path.exits, step)
        state.final = int(step == path.shocks.size - 1)
        works = path.halts[step] == 0 or state.final == 1  # at the horizon everybody is settled, come what may
        checks = (step + 1) % book.check_every == 0 or state.final == 1
        if works and checks and not is_known_healthy(state, book):
            liquidate(state, book, path, step, path_id, holdings, ledger)
        if state.inventory != 0.0:
            advance_depth(state, path.shocks, step, book.liquidity)
            if works:
                carry(state, book, holdings)
                unwind(state, book, step)
        if works and state.inventory != 0.0:
            carry(state, book, holdings)
        renew(state, book, path, step, works, holdings)
        record_event(state, book, step, value_fund(state, book))
        if (step + 1) % book.funding_every == 0:
            pay_funding(state, path.rates[(step + 1) // book.funding_every - 1])
            state.touched = 1
            if works and state.inventory != 0.0:
                carry(state, book, holdings)
            record_event(state, book, step, value_fund(state, book))

    return run_step
