"""One liquidation round, given its batch: ask for orders, price them, settle, let the waterfall pay, trade, record.

Written over a *batch* of account-like objects, so that the reference engine (Mesa agents), the account loop (rows
of an array) and the ladder, where it needs single accounts, run the same words.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from stress.accounts import ACCOUNT, lots_down
from stress.engines.reactions import sells, sold_by_holder
from stress.exchange.disposal import Disposal, on_grid
from stress.exchange.limits import compose_excess
from stress.exchange.liquidity import advance_depth
from stress.exchange.settlement import close, flatten, fund_start, fund_value
from stress.exchange.state import MAX_COHORTS
from stress.exchange.waterfall import (
    close_case,
    close_inventory_case,
    gain_of,
    open_case,
    open_excess_case,
    open_inventory_case,
    takes_part,
)
from stress.rules import inline, one_of, rule

# A marked fund this far below zero, relative to open interest, is rounding, not a deficit.
TOLERANCE = 1e-9

KEPT = -1.0  # instead of a share sold: the account goes on


class Round(NamedTuple):
    """The accounts of one round, and what becomes of each; shape (n,)."""

    batch: Any  # account-like objects
    offered: Any  # signed quantity of the order, then what left the account: all, a part, nothing
    sold: Any  # share of the position that executes, of an account that is closed
    short: Any  # 1: closed below bankruptcy, so that a layer must pay
    moved: Any  # quantity that was deleveraged
    own: Any = ()  # 1: the holder's own order, not the engine's


def round_of(n: int, rows: np.dtype = ACCOUNT) -> Round:
    """Allocate a round of up to `n` accounts, which are `rows`."""
    flags = np.zeros(n, np.int64), np.zeros(n, np.int64)
    return Round(np.zeros(n, rows), np.zeros(n), np.zeros(n), flags[0], np.zeros(n), flags[1])


@inline
def part_of(round_, i, j):
    """Return the accounts [i, j) of a round."""
    return Round(
        round_.batch[i:j],
        round_.offered[i:j],
        round_.sold[i:j],
        round_.short[i:j],
        round_.moved[i:j],
        round_.own[i:j],
    )


@inline
def first_of(round_, n):
    """Return the first `n` accounts of a round."""
    return part_of(round_, 0, n)


@dataclass
class Flows:
    """What a round asks of the market: signed quantities, and the crowd's part of each; exact sums."""

    offered: float = 0.0  # by accounts that are closed
    offered_common: float = 0.0
    held: float = 0.0  # by them and not offered: taken over whatever the market does
    held_common: float = 0.0
    reduced: float = 0.0  # executed for accounts that go on
    reduced_common: float = 0.0
    short_offered: float = 0.0  # of the above, by accounts whose shortfall a layer must pay
    short_held: float = 0.0
    spared: float = 0.0  # would have executed, had it not been handed over to a layer
    spared_common: float = 0.0
    kept_back_common: float = 0.0  # would have been taken over, had it not been handed over


@rule
def common_part(book, account, quantity):
    """Return how much of an account's `quantity` other venues liquidate alike: the crowd's all, a whale's nothing."""
    return book.common[min(account.cohort, MAX_COHORTS - 1)] * quantity


@rule
def limit_of(long_qty, long_value, short_qty, short_value, funding):
    """Return the mean limit of the larger side of a batch, plus funding: at bankruptcy, (sum qE - W) / sum q."""
    if long_qty + short_qty > 0.0:
        return long_value / long_qty + funding
    if short_qty < 0.0:
        return short_value / short_qty + funding
    return 0.0


def compose_pricing(rules):
    """Return ``price_orders(state, book, step, round_)``: which share of the round's orders executes, and the fill."""
    order, price_batch = rules.order, rules.price_batch
    limit_value = one_of(Disposal.rules("limit_value"))

    @rule
    def value_at_limit(state, book, account, qty):
        """Return what an order fetches at its limit, on a grid, so that the order of accounts does not matter."""
        value = limit_value(book.disposal.code, account, state, book)
        return value if qty == account.qty else on_grid(value * (qty / account.qty), book)

    @rule
    def price_orders(state, book, step, round_):
        """Ask every account for its order and price them together, both sides at one price."""
        long_qty, long_value, short_qty, short_value = 0.0, 0.0, 0.0, 0.0
        for j in range(len(round_.batch)):
            account = round_.batch[j]
            round_.own[j] = int(sells(account, state, book, step))
            qty = account.qty if round_.own[j] == 1 else order(account, state, book, step)
            round_.offered[j] = qty
            if qty > 0.0:
                long_qty += qty
                long_value += value_at_limit(state, book, account, qty)
            elif qty < 0.0:
                short_qty += qty
                short_value += value_at_limit(state, book, account, qty)
        limit = limit_of(long_qty, long_value, short_qty, short_value, state.funding)
        return price_batch(state, book, -(long_qty + short_qty), limit)

    return price_orders


@rule
def is_killed(book, account, offered, share):
    """Say whether a partial fill-or-kill order finds too little."""
    return book.partial.fill_or_kill == 1 and share < 1.0 and offered != account.qty


@rule
def executed(book, account, offered, share):
    """Return the signed quantity of an order that executes for an account that may go on, in lots."""
    if share == 1.0 or offered == 0.0:
        return offered
    if is_killed(book, account, offered, share):
        return 0.0
    return math.copysign(lots_down(share * abs(offered), book.lot), offered)


@rule
def clear_flows(flows):
    """Start a round."""
    flows.offered, flows.offered_common = 0.0, 0.0
    flows.held, flows.held_common = 0.0, 0.0
    flows.reduced, flows.reduced_common = 0.0, 0.0
    flows.short_offered, flows.short_held = 0.0, 0.0
    flows.spared, flows.spared_common, flows.kept_back_common = 0.0, 0.0, 0.0


@rule
def note_handed(book, flows, round_, j, moved):
    """Note what of account `j` needs no sale and no takeover, since a layer took it over."""
    common, sold = common_part(book, round_.batch[j], moved), round_.sold[j]
    flows.spared += sold * moved
    flows.spared_common += sold * common
    flows.kept_back_common += (1.0 - sold) * common


@rule
def sell_for_holder(state, book, step, round_, flows, j, qty, fill):
    """Sell `qty` for the holder of account `j`; it is no liquidation."""
    sold = sold_by_holder(round_.batch[j], state, book, qty, fill, step)
    round_.offered[j], round_.sold[j] = 0.0, KEPT
    flows.reduced += sold
    flows.reduced_common += common_part(book, round_.batch[j], sold)


def compose_execution(rules):
    """Return ``execute(state, book, step, round_, flows, share, fill)``: who goes on, who closes, who falls short."""
    keeps, reduce, settle, pay_bonus = rules.keeps, rules.reduce, rules.settle, rules.pay_bonus

    @rule
    def go_on(state, book, round_, flows, j, qty, fill):
        """Reduce account `j` by `qty` and let it go on."""
        account = round_.batch[j]
        round_.offered[j], round_.sold[j] = qty, KEPT
        flows.reduced += qty
        flows.reduced_common += common_part(book, account, qty)
        if qty != 0.0:
            reduce(account, state, book, qty, fill)

    @rule
    def close_out(state, book, round_, flows, j, qty, share, fill):
        """Close account `j`, which offers `qty`: settle it, or leave it to the layers if it falls short."""
        account = round_.batch[j]
        rest = account.qty - qty
        round_.offered[j], round_.sold[j] = account.qty, share * (qty / account.qty)
        flows.offered += qty
        flows.offered_common += common_part(book, account, qty)
        flows.held += rest
        flows.held_common += common_part(book, account, rest)
        if (book.fund_first == 1 and state.bottomless == 1) or gain_of(state, account, fill) >= 0.0:
            settle(state, book, account, fill, round_.sold[j])
        else:
            round_.short[j] = 1
            pay_bonus(state, book, account, fill, round_.sold[j])
            flows.short_offered += qty
            flows.short_held += rest

    @rule
    def execute(state, book, step, round_, flows, share, fill):
        """Book the orders account by account; an order in flight changes nothing yet."""
        clear_flows(flows)
        for j in range(len(round_.batch)):
            account, offered = round_.batch[j], round_.offered[j]
            round_.short[j] = 0
            round_.moved[j] = 0.0
            done = executed(book, account, offered, share)
            if round_.own[j] == 1:
                sell_for_holder(state, book, step, round_, flows, j, done, fill)
            elif account.wait < 0 or (offered != 0.0 and keeps(account, state, book, offered, done, fill)):
                go_on(state, book, round_, flows, j, done, fill)
            elif is_killed(book, account, offered, share):
                close_out(state, book, round_, flows, j, 0.0, share, fill)
            else:
                close_out(state, book, round_, flows, j, offered, share, fill)

    return execute


def compose_orders(rules):
    """Return ``place_orders, finish_round``: a round up to the layers, and from them to the books."""
    price_orders, execute, trade = compose_pricing(rules), compose_execution(rules), rules.trade

    @rule
    def place_orders(state, book, shocks, step, round_, flows):
        """Price and book a round's orders; return the executed share and the fill."""
        advance_depth(state, shocks, step, book.liquidity)
        share, fill = price_orders(state, book, step, round_)
        execute(state, book, step, round_, flows, share, fill)
        state.inventory += (1.0 - share) * (flows.offered - flows.short_offered) + (flows.held - flows.short_held)
        return share, fill

    @rule
    def finish_round(state, book, step, flows, share, fill):
        """Trade what executes and was not handed over instead."""
        state.inventory_common += (1.0 - share) * flows.offered_common + flows.held_common - flows.kept_back_common
        flatten(state)
        net = flows.spared - share * flows.offered - flows.reduced
        common = flows.spared_common - share * flows.offered_common - flows.reduced_common
        trade(state, book, step, net, common, fill)

    return place_orders, finish_round


@rule
def those_given(state, book, accounts, living):
    """Return the accounts that may pay: all that are given."""
    return living


def compose_round(rules, list_payers=those_given):
    """Return ``close_batch(state, book, shocks, step, round_, flows, case, accounts, living)``.

    It prices the round, settles the accounts that the market pays for, sends the others through the waterfall, and
    trades the net quantity.  ``list_payers(state, book, accounts, living)`` is asked only when somebody has to pay.
    """
    fill_price = rules.fill_price
    place_orders, finish_round = compose_orders(rules)
    settle_layers = compose_layers_part(rules)

    @rule
    def close_batch(state, book, shocks, step, round_, flows, case, accounts, living):
        """Take one round from its orders to the books."""
        share, fill = place_orders(state, book, shocks, step, round_, flows)
        if flows.short_offered != 0.0 or flows.short_held != 0.0:
            rest = state.inventory + (1.0 - share) * flows.short_offered + flows.short_held
            traded = -(share * flows.offered + flows.reduced)
            later = fill
            if share < 1.0 or flows.held != 0.0:
                later = fill_price(state, book.liquidity, -rest, traded)
            payers = list_payers(state, book, accounts, living)
            settle_layers(state, book, round_, flows, case, accounts, payers, fill, later)
        finish_round(state, book, step, flows, share, fill)

    return close_batch


def compose_pass_on(rules):
    """Return the rule that offers inventory which the fund may not hold to whoever takes quantity."""
    absorb, rehedge = rules.absorb, rules.rehedge

    @rule
    def pass_on(state, book, round_, case, accounts, living, price, share):
        """Present `share` of the inventory at its cost; what nobody takes stays with the fund."""
        open_excess_case(state, case, round_, price, share)
        absorb(state, book, case, round_, accounts, living)
        common = state.inventory_common
        deleveraged = case.deleveraged / round_.moved[0] if round_.moved[0] > 0.0 else 0.0
        close_inventory_case(state, case, round_, 0.0)
        rehedge(state, book, -case.side * case.deleveraged, deleveraged * (state.inventory_common - common))

    return pass_on


def compose_layers_part(rules):
    """Return the rule that sends a batch's shortfall through the waterfall, side by side."""
    absorb, rehedge = rules.absorb, rules.rehedge

    @rule
    def settle_layers(state, book, round_, flows, case, accounts, living, fill, later):
        """Send both sides through the layers; what is handed over is neither sold nor taken over."""
        deleveraged, deleveraged_common = 0.0, 0.0
        for side in (1.0, -1.0):
            open_case(state, book, case, side, round_, fill, later)
            if case.loss > 0.0:
                absorb(state, book, case, round_, accounts, living)
            handed, common = 0.0, 0.0
            for j in range(len(round_.batch)):
                if takes_part(case, round_, j):
                    close(state, round_.batch[j])
                    handed += round_.moved[j]
                    common += common_part(book, round_.batch[j], side * round_.moved[j])
                    note_handed(book, flows, round_, j, side * round_.moved[j])
            close_case(state, case, round_)
            if case.deleveraged > 0.0:
                deleveraged += side * case.deleveraged
                deleveraged_common += common * (case.deleveraged / handed)
        rehedge(state, book, -deleveraged, -deleveraged_common)

    return settle_layers


def compose_end(rules):
    """Return ``value_fund`` and ``shed_inventory``, which mark the fund and keep it solvent and within its limits."""
    fill_price, absorb, rehedge = rules.fill_price, rules.absorb, rules.rehedge

    @rule
    def value_fund(state, book):
        """Return the marked change of the fund: inventory at its expected unwinding price."""
        if state.inventory == 0.0:
            return fund_value(state, state.mark)
        return fund_value(state, fill_price(state, book.liquidity, -state.inventory, 0.0))

    @rule
    def shed_inventory(state, book, round_, case, accounts, living):
        """Pass inventory that the fund can no longer carry to the layers, at its transfer price."""
        price = fill_price(state, book.liquidity, -state.inventory, 0.0)
        rest = open_inventory_case(state, book, case, round_, price)
        if case.remaining > 0.0:
            absorb(state, book, case, round_, accounts, living)
        common = state.inventory_common
        deleveraged = case.deleveraged / round_.moved[0] if round_.moved[0] > 0.0 else 0.0
        close_inventory_case(state, case, round_, rest)
        rehedge(state, book, -case.side * case.deleveraged, deleveraged * (state.inventory_common - common))

    return value_fund, _shed_excess(shed_inventory, rules)


def _shed_excess(shed_inventory, rules):
    excess, fill_price, pass_on = compose_excess(), rules.fill_price, compose_pass_on(rules)

    @rule
    def shed(state, book, round_, case, accounts, living):
        """Pass on what a broke fund cannot carry; a solvent one, what it may not hold."""
        price = fill_price(state, book.liquidity, -state.inventory, 0.0)
        value = fund_value(state, price)
        if is_broke(state, book, value):
            shed_inventory(state, book, round_, case, accounts, living)
        else:
            share = excess(state, book, fund_start(state, book) + value, price)
            pass_on(state, book, round_, case, accounts, living, price, share)

    return shed


def compose_must_shed(rules):
    """Return the rule ``(state, book, value)``: may the fund not keep its inventory, or not all of it?"""
    excess, fill_price = compose_excess(), rules.fill_price

    @rule
    def must_shed(state, book, value):
        """Compare the marked fund with zero and with its limits."""
        if state.bottomless == 1 or state.inventory == 0.0:
            return False
        broke = is_broke(state, book, value)
        if broke or book.limited == 0:
            return broke
        price = fill_price(state, book.liquidity, -state.inventory, 0.0)
        return excess(state, book, fund_start(state, book) + value, price) > 0.0

    return must_shed


@rule
def is_broke(state, book, value):
    """Say whether a fund that has a bottom is below it by more than rounding."""
    return state.bottomless == 0 and -(fund_start(state, book) + value) > TOLERANCE * book.open_interest
