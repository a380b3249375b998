"""The ladder: a step touches only the accounts that the price has crossed.

It runs the shadow fund, which has no bottom, so that no decision depends on money.  A path on which funding
leaves the reach of the lists, or a layer before the fund has to act, is handed to the account loop whole.
"""

from stress.engines.climb import (
    ROUNDING,
    crossed_sums,
    find_aside,
    find_crossed,
    find_leavers,
    restart,
    set_price,
    set_thresholds,
)
from stress.engines.rounds import compose_end, limit_of
from stress.engines.rulebook import once_per_rules
from stress.engines.rungs import SPAN
from stress.engines.steps import compose_path, path_of, withdraw_margin, write_down
from stress.engines.survivors import bound_survivors, compose_single_orders, find_survivors, price_survivors
from stress.exchange.liquidity import advance_depth
from stress.exchange.settlement import flatten, record_event
from stress.rules import frugal_kernel, inline, rule

FEW = 4  # runs of so few rungs are settled one by one


@inline
def gain_bounds(state, rungs, a, b, side, fill):
    """Return bounds of (gain of the fill) / notional over rungs a .. b - 1."""
    low, high = 1e300, -1e300
    for span in range(a // SPAN, (b - 1) // SPAN + 1):
        low = min(low, rungs.lowest[span])
        high = max(high, rungs.highest[span])
    worth = fill - state.funding
    if side > 0.0:
        return (worth - high) / fill, (worth - low) / fill
    return (low - worth) / fill, (high - worth) / fill


@inline
def settle_run(state, rungs, a, b, fill, share, to_fund):
    """Settle rungs a .. b - 1 at once: none is bankrupt at the fill, and the fund's share of the gain is common.

    The sum of per-account terms is then linear in quantity and value, whose prefix sums are exact.
    """
    worth = fill - state.funding
    for c in range(rungs.cum_qty.shape[1]):
        qty = rungs.cum_qty[b, c] - rungs.cum_qty[a, c]
        value = rungs.cum_value[b, c] - rungs.cum_value[a, c]
        gain = share * (qty * worth - value)
        state.surplus += to_fund * gain
        state.released += (1.0 - to_fund) * gain
        state.cohort_loss[c] -= to_fund * gain
        state.cohort_taken[c] += (1.0 - share) * abs(qty) * state.mark
        state.inventory_cost += (1.0 - share) * value
        state.alive_qty -= qty
        state.alive_collateral += value
        state.liquidated_notional += abs(qty) * state.mark
    cost = rungs.cum_cost[b] - rungs.cum_cost[a]
    state.alive_cost -= cost
    state.alive_collateral -= cost
    state.liquidated_accounts += b - a


def compose_single(rules):
    """Return ``settle_aside, settle_leavers``, which settle the breached accounts that are not on the ladder."""
    settle = rules.settle

    @inline
    def settle_aside(state, book, climb, s, fill, share, step, path_id, round_, ledger):
        """Settle the breached accounts of one side that are kept aside."""
        rungs = climb.rungs
        for i in range(climb.open[s], climb.seen[s]):
            if climb.done[i] == 1:
                settle(state, book, rungs.aside[i], fill, share)
                write_down(ledger, path_id, step, round_, rungs.aside_ids[i], rungs.aside[i].qty)
                climb.done[i] = 2
        while climb.open[s] < climb.seen[s] and climb.done[climb.open[s]] == 2:
            climb.open[s] += 1

    @inline
    def settle_leavers(state, book, climb, fill, share, step, path_id, round_, ledger):
        """Settle the breached accounts that may withdraw their margin."""
        for i in range(climb.left.size):
            if climb.left[i] == 1:
                settle(state, book, climb.leavers[i], fill, share)
                write_down(ledger, path_id, step, round_, climb.rungs.leaver_ids[i], climb.leavers[i].qty)
                climb.left[i] = 2

    return settle_aside, settle_leavers


def compose_close(rules):
    """Return the rule that settles everything that a round has crossed."""
    settle, common_share = rules.settle, rules.common_share
    settle_aside, settle_leavers = compose_single(rules)

    @inline
    def settle_rungs(state, book, climb, i, fill, share, step, path_id, round_, ledger):
        """Settle what a list has crossed, at once where the terms are common."""
        rungs, a, b = climb.rungs, climb.at[i], climb.front[i]
        if b - a > FEW and ledger.rows.size == 0:
            worst, best = gain_bounds(state, rungs, a, b, rungs.lists[i].side, fill)
            to_fund = common_share(book.fee.code, best * (1.0 + ROUNDING), book.fee)
            if worst >= 0.0 and to_fund >= 0.0:
                settle_run(state, rungs, a, b, fill, share, to_fund)
                return
        for k in range(a, b):
            settle(state, book, rungs.rows[k], fill, share)
            write_down(ledger, path_id, step, round_, rungs.ids[k], rungs.rows[k].qty)

    @inline
    def close_crossed(state, book, climb, fill, share, step, path_id, round_, ledger):
        """Settle lists and accounts kept aside; move the lists' places."""
        for i in range(climb.at.size):
            if climb.front[i] > climb.at[i]:
                settle_rungs(state, book, climb, i, fill, share, step, path_id, round_, ledger)
                climb.at[i] = climb.front[i]
                set_price(state, climb, i)
        for s in range(2):
            settle_aside(state, book, climb, s, fill, share, step, path_id, round_, ledger)
        settle_leavers(state, book, climb, fill, share, step, path_id, round_, ledger)

    return close_crossed


def compose_whole(rules):
    """Return ``close_whole(state, book, here, shocks, step, path_id, round_, ledger)``: a round by prefix sums.

    Every order closes its account, so that what the lists have crossed can be settled in runs.
    """
    price_batch, trade, close_crossed = rules.price_batch, rules.trade, compose_close(rules)

    @inline
    def close_whole(state, book, here, shocks, step, path_id, round_, ledger):
        """Close everybody who is crossed."""
        climb = here.climb
        advance_depth(state, shocks, step, book.liquidity)
        long_qty, long_value, short_qty, short_value, common = crossed_sums(book, climb)
        limit = limit_of(long_qty, long_value, short_qty, short_value, state.funding)
        qty = long_qty + short_qty
        share, fill = price_batch(state, book, -qty, limit)
        close_crossed(state, book, climb, fill, share, step, path_id, round_, ledger)
        state.inventory += (1.0 - share) * qty
        state.inventory_common += (1.0 - share) * common
        flatten(state)
        trade(state, book, step, -(share * qty), -(share * common), fill)

    return close_whole


def compose_liquidate(rules, value_fund):
    """Return the liquidation rounds of a step on the ladder."""
    close_round = compose_whole(rules) if rules.whole else compose_single_orders(rules)

    @inline
    def liquidate(state, book, path, step, path_id, here, ledger):
        """Cross rungs until the mark rests between two."""
        climb = here.climb
        if abs(state.funding) > climb.rungs.funding_reach:
            state.needs_loop = 1
            return
        if state.touched == 1:
            set_thresholds(state, climb)
            price_survivors(state, book, here)
        round_ = 0
        while round_ < book.max_rounds:
            crossed = find_crossed(state, climb)
            aside, leaving = find_aside(state, book, climb), find_leavers(state, book, climb, step)
            again = find_survivors(state, book, here, step)
            if not (crossed or aside or leaving or again):
                break
            close_round(state, book, here, path.shocks, step, path_id, round_, ledger)
            record_event(state, book, step, value_fund(state, book))
            round_ += 1
        state.rounds_max = max(state.rounds_max, round_)
        set_thresholds(state, climb)
        bound_survivors(state, book, here)
        state.touched = max(state.touched, int(round_ == book.max_rounds))

    return liquidate


@rule
def carry_all(state, book, here):
    """Do nothing: a shadow fund carries whatever it has taken over."""
    return


@inline
def leave(state, book, path, step, here):
    """Take the margin out of the accounts that leave at this step."""
    climb = here.climb
    for i in range(climb.left.size):
        if path.exits[i] == step and climb.left[i] == 0:
            withdraw_margin(state, book, climb.leavers[i])


@rule
def renew_nobody(state, book, path, step, works, here):
    """Do nothing: these lists are for a book that nobody joins."""
    return


@once_per_rules
def compiled(rules):
    """Return the kernel ``(states, book, world, first, here, ledger, traces)`` for a set of rules, compiled once."""
    value_fund, _ = compose_end(rules)
    liquidate = compose_liquidate(rules, value_fund)
    follow = compose_path(rules, liquidate, carry_all, leave, renew_nobody, value_fund, melt=inline)

    @frugal_kernel
    def run_block(states, book, world, first, here, ledger, traces):
        """Run every path of a block from the foot of the ladder."""
        for p in range(states.size):
            restart(here.climb)
            here.used[0] = 0
            follow(states[p], book[0], path_of(world, p), first + p, here, ledger, traces[p])

    return run_block
