"""One liquidation round, given its batch: price it, settle it, let the waterfall pay, trade, record.

Written over a *batch* of account-like objects, so that the reference engine (Mesa agents) and the account loop
(rows of an array) run the same words.  The ladder has its own, which never looks at accounts that stay.
"""

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
)
from stress.rules import rule

# A marked fund this far below zero, relative to open interest, is rounding, not a deficit.
TOLERANCE = 1e-9


@rule
def batch_sums(batch):
    """Return quantity and value qE - W of the longs and of the shorts of a batch (exact sums)."""
    long_qty, long_value, short_qty, short_value = 0.0, 0.0, 0.0, 0.0
    for j in range(len(batch)):
        account = batch[j]
        value = account.qty * account.entry - account.collateral
        if account.qty > 0.0:
            long_qty += account.qty
            long_value += value
        else:
            short_qty += account.qty
            short_value += value
    return long_qty, long_value, short_qty, short_value


@rule
def common_part(book, account, quantity):
    """Return how much of an account's `quantity` other venues liquidate alike: the crowd's all, a whale's nothing."""
    return book.common[min(account.cohort, MAX_COHORTS - 1)] * quantity


@rule
def common_qty(book, batch):
    """Return the signed quantity of a batch that other venues liquidate alike."""
    common = 0.0
    for j in range(len(batch)):
        common += common_part(book, batch[j], batch[j].qty)
    return common


@rule
def limit_of(long_qty, long_value, short_qty, short_value, funding):
    """Return the mean bankruptcy price of the larger side of a batch: (sum qE - W) / sum q, plus funding."""
    if long_qty + short_qty > 0.0:
        return long_value / long_qty + funding
    if short_qty < 0.0:
        return short_value / short_qty + funding
    return 0.0


def compose_round(rules):
    """Return ``close_batch(state, book, shocks, step, batch, short, moved, case, accounts, living)``.

    It prices the batch, settles the accounts that the market pays for, sends the others through the waterfall,
    trades the net quantity, and records the event.
    """
    price_batch, trade, fill_price = rules.price_batch, rules.trade, rules.fill_price
    settle_market = compose_market_part(rules)
    settle_layers = compose_layers_part(rules)

    @rule
    def close_batch(state, book, shocks, step, batch, short, moved, case, accounts, living):
        """Take one batch from its price to the books."""
        advance_depth(state, shocks, step, book.liquidity)
        long_qty, long_value, short_qty, short_value = batch_sums(batch)
        qty, common = long_qty + short_qty, common_qty(book, batch)
        limit = limit_of(long_qty, long_value, short_qty, short_value, state.funding)
        share, fill = price_batch(state, book, -qty, limit)
        rest = state.inventory + (1.0 - share) * qty
        later = fill
        if share < 1.0:
            later = fill_price(state, book.liquidity, -rest, -share * qty)
        short_net = settle_market(state, book, batch, short, moved, share, fill)
        state.inventory += (1.0 - share) * (qty - short_net)
        moved_net, moved_common = 0.0, 0.0
        if short_net != 0.0:
            moved_net, moved_common = settle_layers(
                state, book, batch, short, moved, case, accounts, living, share, fill, later
            )
        state.inventory_common += (1.0 - share) * (common - moved_common)
        flatten(state)
        trade(state, book, step, share * (moved_net - qty), share * (moved_common - common), fill)

    return _within_limits(close_batch, rules) if rules.limited else close_batch


def _within_limits(close_batch, rules):
    excess, fill_price, pass_on = compose_excess(), rules.fill_price, compose_pass_on(rules)

    @rule
    def close_and_limit(state, book, shocks, step, batch, short, moved, case, accounts, living):
        """Close a batch; what the fund may not hold of the takeover goes on at once."""
        close_batch(state, book, shocks, step, batch, short, moved, case, accounts, living)
        if state.inventory != 0.0 and state.bottomless == 0:
            price = fill_price(state, book.liquidity, -state.inventory, 0.0)
            share = excess(state, book, fund_start(state, book) + fund_value(state, price), price)
            if share > 0.0:
                pass_on(state, book, batch[:1], short[:1], moved[:1], case, accounts, living, price, share)

    return close_and_limit


def compose_pass_on(rules):
    """Return the rule that offers inventory which the fund may not hold to whoever takes quantity."""
    absorb, rehedge = rules.absorb, rules.rehedge

    @rule
    def pass_on(state, book, batch, short, moved, case, accounts, living, price, share):
        """Present `share` of the inventory at its cost; what nobody takes stays with the fund."""
        open_excess_case(state, case, batch, short, moved, price, share)
        absorb(state, book, case, batch, short, moved, accounts, living)
        common = state.inventory_common
        deleveraged = case.deleveraged / moved[0] if moved[0] > 0.0 else 0.0
        close_inventory_case(state, case, moved, 0.0)
        rehedge(state, book, -case.side * case.deleveraged, deleveraged * (state.inventory_common - common))

    return pass_on


def compose_market_part(rules):
    """Return the rule that settles the accounts that no layer is needed for."""
    settle, fund_first = rules.settle, rules.fund_first

    @rule
    def settle_market(state, book, batch, short, moved, share, fill):
        """Settle them and flag the others in `short`; return the flagged signed quantity."""
        everything = fund_first and state.bottomless == 1
        short_net = 0.0
        for j in range(len(batch)):
            account = batch[j]
            short[j] = 0
            moved[j] = 0.0
            if everything or gain_of(state, account, fill) >= 0.0:
                settle(state, book, account, fill, share)
            else:
                short[j] = 1
                short_net += account.qty
        return short_net

    return settle_market


def compose_layers_part(rules):
    """Return the rule that sends a batch's shortfall through the waterfall, side by side."""
    absorb, rehedge = rules.absorb, rules.rehedge

    @rule
    def settle_layers(state, book, batch, short, moved, case, accounts, living, share, fill, later):
        """Return the signed quantity that was handed over instead of traded, and the crowd's part of it."""
        moved_net, moved_common = 0.0, 0.0
        deleveraged, deleveraged_common = 0.0, 0.0
        for side in (1.0, -1.0):
            open_case(state, book, case, side, batch, short, fill, share, later)
            if case.loss > 0.0:
                absorb(state, book, case, batch, short, moved, accounts, living)
            handed, common = 0.0, 0.0
            for j in range(len(batch)):
                if short[j] == 1 and batch[j].qty * side > 0.0:
                    close(state, batch[j])
                    handed += moved[j]
                    common += common_part(book, batch[j], side * moved[j])
            close_case(state, case, batch, short, moved, fill, share)
            moved_net += side * handed
            moved_common += common
            if case.deleveraged > 0.0:
                deleveraged += side * case.deleveraged
                deleveraged_common += common * (case.deleveraged / handed)
        rehedge(state, book, -deleveraged, -deleveraged_common)
        return moved_net, moved_common

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
    def shed_inventory(state, book, batch, short, moved, case, accounts, living):
        """Pass inventory that the fund can no longer carry to the layers, at its transfer price."""
        price = fill_price(state, book.liquidity, -state.inventory, 0.0)
        rest = open_inventory_case(state, book, case, batch, short, moved, price)
        if case.remaining > 0.0:
            absorb(state, book, case, batch, short, moved, accounts, living)
        common = state.inventory_common
        deleveraged = case.deleveraged / moved[0] if moved[0] > 0.0 else 0.0
        close_inventory_case(state, case, moved, rest)
        rehedge(state, book, -case.side * case.deleveraged, deleveraged * (state.inventory_common - common))

    return value_fund, _shed_excess(shed_inventory, rules) if rules.limited else shed_inventory


def _shed_excess(shed_inventory, rules):
    excess, fill_price, pass_on = compose_excess(), rules.fill_price, compose_pass_on(rules)

    @rule
    def shed(state, book, batch, short, moved, case, accounts, living):
        """Pass on what a broke fund cannot carry; a solvent one, what it may not hold."""
        price = fill_price(state, book.liquidity, -state.inventory, 0.0)
        value = fund_value(state, price)
        if is_broke(state, book, value):
            shed_inventory(state, book, batch, short, moved, case, accounts, living)
        else:
            share = excess(state, book, fund_start(state, book) + value, price)
            pass_on(state, book, batch, short, moved, case, accounts, living, price, share)

    return shed


def compose_must_shed(rules):
    """Return the rule ``(state, book, value)``: may the fund not keep its inventory, or not all of it?"""
    if not rules.limited:
        return is_broke
    excess, fill_price = compose_excess(), rules.fill_price

    @rule
    def must_shed(state, book, value):
        """Compare the marked fund with zero and with its limits."""
        if state.bottomless == 1 or state.inventory == 0.0:
            return False
        price = fill_price(state, book.liquidity, -state.inventory, 0.0)
        return is_broke(state, book, value) or excess(state, book, fund_start(state, book) + value, price) > 0.0

    return must_shed


@rule
def is_broke(state, book, value):
    """Say whether a fund that has a bottom is below it by more than rounding."""
    return state.bottomless == 0 and -(fund_start(state, book) + value) > TOLERANCE * book.open_interest
