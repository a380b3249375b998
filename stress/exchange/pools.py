"""Which symbols share one insurance fund?  Pools, and the venue's total over its desks (docs/method.md, section 14).

A desk is the state of one symbol.  Its rules read the fund from its book as ``fund_initial``; a pool lets them see
what the whole pool has, by writing there what the pool's other desks leave.
"""

from dataclasses import dataclass

from pydantic import Field

from stress.exchange.settlement import SAME_LOSS, record_event
from stress.exchange.state import MAX_COHORTS
from stress.registry import Settings
from stress.rules import rule


class PoolSettings(Settings):
    """One ``[[pool]]``: a part of the fund, a share of its start, that stands behind some symbols and no others."""

    name: str = Field(min_length=1, pattern=r"^[\w.-]+$")
    symbols: tuple[str, ...]
    share: float = Field(ge=0, le=1)
    first_days: float | None = Field(default=None, gt=0)  # of a listing, for which the pool stands behind a symbol
    then: str | None = None  # name of the pool that does so afterwards


@dataclass
class PoolState:
    """The record of one pool."""

    value: float = 0.0  # marked change since the start, quote
    carried: float = 0.0  # what symbols had made when they left, less what they had made when they came, quote
    drawdown: float = 0.0
    drawdown_mark: float = 0.0  # loss at the recorded step
    drawdown_step: int = -1
    ruin_step: int = -1


@rule
def open_pools(books, initials):
    """Let every desk begin a path in the pool of its listing."""
    for d in range(len(books)):
        book = books[d]
        book.pool = book.first_pool
        book.pool_initial = initials[book.pool]


@rule
def move_desks(step, desks, books, pools, initials):
    """Move the desks of symbols that are no longer new: what they have made so far stays with the pool they leave."""
    for d in range(len(books)):
        book = books[d]
        if 0 <= book.leaves_at <= step and book.pool == book.first_pool:
            pools[book.pool].carried += desks[d].value
            pools[book.later_pool].carried -= desks[d].value
            book.pool = book.later_pool
    for d in range(len(books)):
        book = books[d]
        book.pool_initial = initials[book.pool] + pools[book.pool].carried


@rule
def draw_on_pool(d, books, values):
    """Let desk `d` draw on its pool: the pool's start and what its other desks have made (`values`, quote)."""
    book = books[d]
    capacity = book.pool_initial
    for e in range(len(values)):
        if e != d and books[e].pool == book.pool:
            capacity += values[e]
    book.fund_initial = capacity


@rule
def pool_sum(pool, books, values):
    """Add up `values` over the desks of a pool."""
    total = 0.0
    for d in range(len(values)):
        if books[d].pool == pool:
            total += values[d]
    return total


@rule
def inventory_loss(state, value):
    """Return what the inventory has lost when the marked fund has changed by `value`, quote >= 0."""
    cash = state.surplus + state.fee_income + state.inventory_pnl + state.coin_pnl - state.bad_debt
    return max(0.0, cash - value)


@rule
def share_deficits(books, values, lost):
    """Let the desks whose inventory has lost see the deficit of their pool in proportion to these losses.

    No desk of a solvent pool sees one, and no order of the desks matters.
    """
    for d in range(len(values)):
        draw_on_pool(d, books, values)
        book = books[d]
        deficit = -(book.fund_initial + values[d])
        losses = pool_sum(book.pool, books, lost)
        if deficit > 0.0 and lost[d] < losses:
            book.fund_initial = -values[d] - deficit * (lost[d] / losses)


@rule
def add_up(total, desks, n):
    """Write the sums over `n` desks into the venue's state, which holds no position: what they hold enters as worth."""
    total.mark = desks[0].mark
    total.surplus, total.bad_debt, total.fee_income, total.inventory_pnl = 0.0, 0.0, 0.0, 0.0
    total.alive_collateral, total.maker_collateral, total.released, total.deposits = 0.0, 0.0, 0.0, 0.0
    total.socialized_loss, total.unresolved_shortfall, total.deleveraged_notional = 0.0, 0.0, 0.0
    total.forgone_profit, total.broken_hedges = 0.0, 0.0
    total.inventory_cost, total.liquidated_notional = 0.0, 0.0
    total.liquidated_accounts = 0
    for d in range(n):
        desk = desks[d]
        price = desk.mark - desk.funding
        total.surplus += desk.surplus
        total.bad_debt += desk.bad_debt
        total.fee_income += desk.fee_income
        total.inventory_pnl += desk.inventory_pnl
        total.inventory_cost += desk.inventory_cost - desk.inventory * price
        total.alive_collateral += desk.alive_collateral + desk.alive_qty * price - desk.alive_cost
        total.maker_collateral += desk.maker_collateral + desk.maker_qty * price - desk.maker_cost
        total.released += desk.released
        total.deposits += desk.deposits
        total.socialized_loss += desk.socialized_loss
        total.unresolved_shortfall += desk.unresolved_shortfall
        total.deleveraged_notional += desk.deleveraged_notional
        total.forgone_profit += desk.forgone_profit
        total.broken_hedges += desk.broken_hedges
        total.haircut = max(total.haircut, desk.haircut)
        total.liquidated_notional += desk.liquidated_notional
        total.liquidated_accounts += desk.liquidated_accounts
        total.rounds_max = max(total.rounds_max, desk.rounds_max)
        total.conservation_error = max(total.conservation_error, desk.conservation_error)


@rule
def add_up_cohorts(total, desks, n):
    """Write who the fund paid for, over `n` desks, into the venue's state."""
    for c in range(MAX_COHORTS):
        loss, taken = 0.0, 0.0
        for d in range(n):
            loss += desks[d].cohort_loss[c]
            taken += desks[d].cohort_taken[c]
        total.cohort_loss[c] = loss
        total.cohort_taken[c] = taken


@rule
def record_total(total, book, desks, n, step, values):
    """Record the venue after an event; `values` are the marked changes of its desks' funds."""
    value, held = 0.0, 0.0
    for d in range(n):
        value += values[d]
        held += abs(desks[d].inventory) * desks[d].mark
    add_up(total, desks, n)
    if -value > total.drawdown:
        add_up_cohorts(total, desks, n)
    record_event(total, book, step, value)
    total.inventory_peak = max(total.inventory_peak, held)


@rule
def record_pool(pool, initial, value, step):
    """Record one pool after an event, as `settlement.record_event` does for a fund."""
    pool.value = value
    loss = -value
    if loss > pool.drawdown:
        pool.drawdown = loss
        if loss > pool.drawdown_mark * (1.0 + SAME_LOSS):
            pool.drawdown_mark, pool.drawdown_step = loss, step
    if loss > initial and pool.ruin_step < 0:
        pool.ruin_step = step


@rule
def record_pools(pools, initials, books, values, step):
    """Record every pool; `initials` are their starts, quote."""
    for p in range(len(initials)):
        record_pool(pools[p], initials[p], pool_sum(p, books, values) + pools[p].carried, step)
