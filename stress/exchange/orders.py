"""When does an account get a liquidation order, and what does a partial one leave of it?

`account.wait` is 0 for an account that is free, the step from which it may get its next order, or minus the step
at which an order in flight executes.
"""

import math
from typing import Any

from stress.accounts import equity, lots_up, unrealized_pnl
from stress.exchange.liquidation import FeeModel
from stress.exchange.margin import is_breached, maintenance_margin, margin_value, required_margin
from stress.exchange.partial import Partial
from stress.exchange.settlement import attribute, pay_fund
from stress.rules import one_of, rule


@rule
def is_called(account, state, book, step):
    """Say whether an account's order executes now: it is breached and free, beyond orders, or its order arrives."""
    if account.qty == 0.0:
        return False
    if account.wait < 0 and state.final == 0:
        return -account.wait <= step
    if not is_breached(account.qty, account.entry, account.collateral, state.mark, state.funding, book.tiers):
        return False
    return account.wait <= step or state.final == 1 or is_beyond_orders(account, state, book)


@rule
def is_beyond_orders(account, state, book):
    """Say whether no cooldown protects an account: it is bankrupt, or below the backstop margin."""
    worth = worth_of(account, state, state.mark)
    if worth < 0.0 or book.backstop_margin == 0.0:
        return worth < 0.0
    return worth < book.backstop_margin * required_margin(account.qty, account.entry, state.mark, book.tiers)


@rule
def is_waiting(account, state, book):
    """Say whether an account that is not called must be looked at again: its order is in flight, or it cools down."""
    if account.wait <= 0:
        return account.wait < 0
    return is_breached(account.qty, account.entry, account.collateral, state.mark, state.funding, book.tiers)


@rule
def worth_of(account, state, price):
    """Return the account's equity at `price`, quote."""
    return equity(account.qty, account.entry, account.collateral, price, state.funding)


@rule
def next_wait(account, book, step):
    """Return when an account may get its next order, if this one leaves it in need of one."""
    if book.partial.final == 1:
        return 0
    return step + max(1, math.ceil(book.partial.cooldown_seconds / book.step_seconds))


def compose_orders() -> tuple[Any, Any, Any]:
    """Return ``order, kept_after, reduce``: what is offered, what an order leaves, and the books of a partial one."""
    offer, split_part = one_of(Partial.rules("offer")), one_of(FeeModel.rules("split_part"))

    @rule
    def order(account, state, book, step):
        """Return the signed quantity of an account's order: nothing while it waits, or below the backstop margin."""
        if book.latency_steps > 0 and account.wait >= 0 and state.final == 0:
            account.wait = -(step + book.latency_steps)
            return 0.0
        value = margin_value(account.qty, account.entry, state.mark, book.tiers)
        worth = worth_of(account, state, state.mark)
        margin = maintenance_margin(value, book.tiers)
        if book.backstop_margin > 0.0 and worth < book.backstop_margin * margin:
            return 0.0
        asked = offer(book.partial.code, account, value, worth, margin, state, book)
        size = min(abs(account.qty), max(book.lot, lots_up(asked, book.lot)))
        account.wait = next_wait(account, book, step)
        return math.copysign(size, account.qty)

    @rule
    def kept_after(account, state, book, qty, fill):
        """Return what fund and others receive and the margin left, on its grid, when `qty` is sold at `fill`.

        The fund keeps fractions of a cent, so that sums do not depend on their order.
        """
        gain = qty / account.qty * worth_of(account, state, fill)
        to_fund, others = split_part(book.fee.code, gain, abs(qty) * fill, account, state, book)
        left = account.collateral + unrealized_pnl(qty, account.entry, fill, state.funding) - to_fund - others
        on_grid = math.floor(left / book.cent) * book.cent
        return to_fund + (left - on_grid), others, on_grid

    @rule
    def reduce(account, state, book, qty, fill):
        """Book a partial order: the account keeps the rest of its position and what is left of its margin."""
        to_fund, others, left = kept_after(account, state, book, qty, fill)
        pay_fund(state, to_fund)
        attribute(state, account, to_fund, 1.0)
        state.released += others
        state.alive_qty -= qty
        state.alive_cost -= qty * account.entry
        state.alive_collateral -= account.collateral - left
        state.liquidated_accounts += 1
        state.liquidated_notional += abs(qty) * state.mark
        account.qty -= qty
        account.collateral = left

    return order, kept_after, reduce


def compose_keeping(kept_after) -> Any:
    """Return ``keeps``: whether an account survives its order."""

    @rule
    def keeps(account, state, book, offered, qty, fill):
        """Say whether an account that sells `qty` of what it offered goes on: solvent, and healthy or waiting."""
        if qty == account.qty or (offered == account.qty and book.remainder_waits == 0):
            return False
        if min(worth_of(account, state, fill), worth_of(account, state, state.mark)) < 0.0:
            return False
        if book.remainder_waits == 1 or book.partial.final == 0:
            return True
        _, _, left = kept_after(account, state, book, qty, fill)
        rest = account.qty - qty
        return not is_breached(rest, account.entry, left, state.mark, state.funding, book.tiers)

    return keeps
