"""What holders do themselves, in the engines: whose order executes now, closing at a fill, adding margin."""

import math

from stress.accounts import quiet_range, unrealized_pnl, wants_margin, wants_out
from stress.exchange.margin import is_breached, liquidation_price
from stress.exchange.orders import is_called, is_waiting
from stress.exchange.waterfall import gain_of
from stress.rules import inline, rule


@rule
def is_liquidatable(account, state, book):
    """Say whether equity is below the maintenance margin."""
    return is_breached(account.qty, account.entry, account.collateral, state.mark, state.funding, book.tiers)


@rule
def sells(account, state, book, step):
    """Say whether a holder's own order executes now: the engine's come first, and liquidation cancels the others."""
    if book.reactive == 0 or account.qty == 0.0 or account.wait < 0 or account.wait > step:
        return False
    return wants_out(account, state.mark - state.funding) and not is_liquidatable(account, state, book)


@rule
def has_order(account, state, book, step):
    """Say whether an order executes now, the engine's or the holder's own."""
    return is_called(account, state, book, step) or sells(account, state, book, step)


@rule
def has_order_later(account, state, book):
    """Say whether an account without an order now must be looked at again, wherever the mark is."""
    if account.wait == 0:
        return False
    if is_waiting(account, state, book):
        return True
    return book.reactive == 1 and account.qty != 0.0 and wants_out(account, state.mark - state.funding)


@rule
def adds_margin(account, state, book):
    """Say whether a holder without an order adds margin; a breach is too late."""
    if book.reactive == 0 or account.qty == 0.0 or not wants_margin(account, state.mark - state.funding):
        return False
    return not is_liquidatable(account, state, book)


@rule
def add_margin(account, state, book):
    """Make good the loss from outside, as far as the holder's money goes, in whole units of the grid."""
    loss = -unrealized_pnl(account.qty, account.entry, state.mark, state.funding)
    added = min(account.spare, math.ceil(loss / book.cent) * book.cent)
    account.spare -= added
    account.collateral += added
    state.alive_collateral += added
    state.deposits += added
    state.margin_added += added


@rule
def sold_by_holder(account, state, book, qty, fill, step):
    """Book a holder's own order and return the quantity sold: nothing at a price that would leave it below zero.

    Such an order is cancelled; the rest of one that finds too few buyers waits for the next step.
    """
    if gain_of(state, account, fill) < 0.0:
        account.stop, account.target = 0.0, 0.0
        return 0.0
    if qty != account.qty:
        account.wait = step + 1
    cash_out(account, state, book, qty, fill)
    return qty


@rule
def cash_out(account, state, book, qty, fill):
    """Pay out a part of a position, or all of it, sold at `fill`."""
    margin = account.collateral
    if qty != account.qty:
        margin = math.floor(margin * (qty / account.qty) / book.cent) * book.cent
    state.released += margin + unrealized_pnl(qty, account.entry, fill, state.funding)
    state.alive_qty -= qty
    state.alive_cost -= qty * account.entry
    state.alive_collateral -= margin
    state.stopped_notional += abs(qty) * state.mark
    account.qty -= qty
    account.collateral -= margin


@inline
def triggers(account, funding, tiers):
    """Return the marks between which nothing happens to an account, at this cumulative funding."""
    price = liquidation_price(account.qty, account.entry, account.collateral, funding, tiers)
    low, high = quiet_range(account)
    if account.qty > 0.0:
        return max(price, low + funding if low > 0.0 else price), high + funding
    return low + funding if low > 0.0 else low, min(price, high + funding)
