"""How does a liquidated batch reach the market, the fund and the books?

`compose` closes over the scenario's impact law and returns the rules that every engine calls; fee models and
disposal rules are picked by number, so that another one compiles nothing.  They know totals and single accounts;
who is in the batch is the engine's business.
"""

import math
from types import SimpleNamespace

from stress.accounts import unrealized_pnl
from stress.exchange.bands import Band
from stress.exchange.disposal import Disposal
from stress.exchange.history import watch
from stress.exchange.liquidation import FeeModel
from stress.exchange.pricing import (
    add_flow,
    compose_basis,
    compose_mark,
    compose_open_step,
    compose_prices,
    compose_shown,
    rehedge,
)
from stress.exchange.state import MAX_COHORTS
from stress.rules import one_of, rule

NO_LIMIT = 1e300

# Two losses closer than this are one event of the record, so that the recorded step is the same in all engines.
SAME_LOSS = 1e-9


@rule
def fund_value(state, unwind_price):
    """Return the marked fund relative to its start: cash flows plus inventory at its unwinding price, quote."""
    held = state.inventory * (unwind_price - state.funding) - state.inventory_cost
    return state.surplus + state.fee_income + state.inventory_pnl + state.coin_pnl - state.bad_debt + held


@rule
def fund_start(state, book):
    """Return what the fund was given, at the start and by the operator since, quote."""
    return book.fund_initial + state.topped_up


@rule
def settle(state, book, account, fill, share, split, bonus):
    """Close one account: `share` of it is sold at `fill`, the rest is taken over at its bankruptcy price.

    Fee, surplus and bad debt are per account: winners and losers of a batch are not netted.  The gain
    q(X - P_b) equals the equity at the fill.
    """
    qty = account.qty
    gain = account.collateral + unrealized_pnl(qty, account.entry, fill, state.funding)
    if gain >= 0.0:
        to_fund, _ = split(book.fee.code, gain, abs(qty) * fill, book)
        paid = affordable(state, book, share * to_fund)
    else:
        paid = share * gain + affordable(state, book, -(share * bonus(book.fee.code, abs(qty) * fill, book)))
    state.released += share * gain - paid
    pay_fund(state, paid)
    attribute(state, account, paid, share)
    state.inventory_cost += (1.0 - share) * (qty * account.entry - account.collateral)
    close(state, account)


@rule
def fund_left(state, book):
    """Return the marked fund of the last event and what has been settled since, quote."""
    return fund_start(state, book) + state.value + (state.surplus - state.bad_debt - state.settled)


@rule
def affordable(state, book, amount):
    """Return what a liquidation pays the fund; where the fund should add to it (negative), no more than it has."""
    if amount >= 0.0 or state.bottomless == 1:
        return amount
    return -min(-amount, max(0.0, fund_left(state, book)))


@rule
def pay_fund(state, amount):
    """Book what the fund receives as surplus, what it pays (negative) as bad debt."""
    if amount >= 0.0:
        state.surplus += amount
    else:
        state.bad_debt -= amount


@rule
def attribute(state, account, paid, share):
    """Note what a cohort's account paid into the fund (negative: took), and what the fund took over of it."""
    cohort = min(account.cohort, MAX_COHORTS - 1)
    state.cohort_loss[cohort] -= paid
    state.cohort_taken[cohort] += (1.0 - share) * abs(account.qty) * state.mark


@rule
def remember_worst(state, step):
    """Keep the record of the worst moment so far."""
    state.drawdown_mark = state.drawdown
    state.drawdown_step = step
    state.worst_fees = state.fee_income
    state.worst_coin = state.coin_pnl
    for c in range(MAX_COHORTS):
        state.worst_loss[c] = state.cohort_loss[c]
        state.worst_taken[c] = state.cohort_taken[c]


@rule
def close(state, account):
    """Take an account out of the totals of living accounts and count its liquidation."""
    state.alive_qty -= account.qty
    state.alive_cost -= account.qty * account.entry
    state.alive_collateral -= account.collateral
    state.liquidated_accounts += 1
    state.liquidated_notional += abs(account.qty) * state.mark


@rule
def trade_with_makers(state, quantity, price):
    """Book a trade of signed `quantity` (the exchange's side) with the makers, who take the other side."""
    state.maker_qty -= quantity
    state.maker_cost -= quantity * (price - state.funding)


@rule
def sell_inventory(state, share, sold, price):
    """Book the sale of `share` of the inventory, signed quantity `sold`, at `price`."""
    basis = share * state.inventory_cost
    state.inventory_pnl += sold * (price - state.funding) - basis
    state.inventory_cost -= basis
    state.inventory -= sold
    flatten(state)


@rule
def flatten(state):
    """Realise what is left of the cost when the inventory nets to nothing (long and short taken over)."""
    if state.inventory == 0.0:
        state.inventory_pnl -= state.inventory_cost
        state.inventory_cost = 0.0
        state.inventory_common = 0.0


@rule
def backstop_value(state):
    """Return the profit of the positions that backstop providers took, at the mark, quote."""
    return state.backstop_qty * (state.mark - state.funding) - state.backstop_cost


@rule
def paid_from_outside(state):
    """Return the losses borne by money that is not on the books of traders, makers and fund, quote."""
    return state.unresolved_shortfall + state.fee_pool_paid + state.operator_paid


@rule
def balance_error(state):
    """Return the imbalance of the books, quote: every position is held by somebody, every loss borne by one."""
    traders = state.alive_collateral + state.alive_qty * (state.mark - state.funding) - state.alive_cost
    makers = state.maker_collateral + state.maker_qty * (state.mark - state.funding) - state.maker_cost
    fund = fund_value(state, state.mark) - state.fee_income - state.coin_pnl
    held = traders + state.released + makers + fund + backstop_value(state) - paid_from_outside(state)
    positions = (state.alive_qty + state.maker_qty + state.inventory + state.backstop_qty) * state.mark
    return abs(held - state.deposits) + abs(positions)


@rule
def spend_coins(state, book, value):
    """Sell coins for what the cash of a fund with a bottom does not cover: what is spent no longer moves."""
    if state.coins > 0.0 and state.bottomless == 0:
        price = state.index + book.coin_offset
        cash = fund_start(state, book) + value - state.coins * price
        if cash < 0.0:
            sold = min(state.coins, -cash / price)
            state.coins -= sold
            state.coins_sold += sold * price


@rule
def record_event(state, book, step, value):
    """Record the fund after an event; `value` is its marked change since the start (docs/method.md, section 10)."""
    state.value = value
    state.settled = state.surplus - state.bad_debt
    spend_coins(state, book, value)
    loss = -value
    carried = value + state.bad_debt - state.surplus - state.fee_income
    state.gross = state.bad_debt - min(0.0, carried - max(0.0, state.coin_pnl))
    if loss > state.drawdown:
        state.drawdown = loss
        if loss > state.drawdown_mark * (1.0 + SAME_LOSS):
            remember_worst(state, step)
    state.drawdown_gross = max(state.drawdown_gross, state.gross)
    state.inventory_peak = max(state.inventory_peak, abs(state.inventory) * state.mark)
    if loss > book.fund_initial and state.ruin_step < 0:
        state.ruin_step = step
    state.price_min = min(state.price_min, state.mark)
    state.price_max = max(state.price_max, state.mark)
    state.conservation_error = max(state.conservation_error, balance_error(state) * book.per_open_interest)
    if state.watchful == 1:
        watch(state, book, step)


@rule
def volume_room(state, book):
    """Return what may still be traded in this step.

    A share of contemporaneous volume, and no more than the book refills; both surge with the move.
    """
    return max(0.0, min(book.volume_room, book.depth_room * state.depth) * state.surge - state.traded)


@rule
def book_trade(state, step, quantity, common, price):
    """Book a trade of signed `quantity`, `common` of it the crowd's: makers take it, the step's room shrinks."""
    trade_with_makers(state, quantity, price)
    state.traded += abs(quantity)
    add_flow(state, step, quantity, common)


def compose_trading(update_mark, fill_price, limit_room):
    """Return the rules that trade with the market: ``trade, unwind``."""
    band_room = compose_band(limit_room)

    @rule
    def trade(state, book, step, quantity, common, price):
        """Execute a signed quantity, `common` of it the crowd's, against the makers; flow and mark follow."""
        if quantity != 0.0 or common != 0.0:
            book_trade(state, step, quantity, common, price)
            update_mark(state, book)

    @rule
    def unwind(state, book, step):
        """Sell what the step's room allows of the inventory; the mark follows at the next step."""
        size = min(abs(state.inventory), volume_room(state, book))
        if book.band.outer > 0.0:
            size = min(size, band_room(state, book, -state.inventory))
        if size > 0.0:
            share = size / abs(state.inventory)
            sold = share * state.inventory
            common = share * state.inventory_common
            price = fill_price(state, book.liquidity, -sold, 0.0)
            state.inventory_common -= common
            sell_inventory(state, share, sold, price)
            book_trade(state, step, -sold, -common, price)

    return trade, unwind


def compose_band(limit_room):
    """Return ``band_room``: what may be traded before the marginal price leaves the venue's band."""
    worst_price = one_of(Band.rules("worst_price"))

    @rule
    def band_room(state, book, net):
        """Compare the book with the worst price at which the engine may buy or sell."""
        worst = worst_price(book.band.code, book.band, state.index, state.index * state.basis, math.copysign(1.0, net))
        return limit_room(state, book.liquidity, net, worst)

    return band_room


def compose_batch(fill_price, limit_room):
    """Return ``price_batch``: which share of a round executes now, and at what price."""
    executable, fill_of = one_of(Disposal.rules("executable")), one_of(Disposal.rules("fill"))
    band_room = compose_band(limit_room)

    @rule
    def price_batch(state, book, net, limit):
        """Return the share of a batch that executes now, and its fill."""
        quantity = abs(net)
        if quantity == 0.0:
            return 1.0, state.index
        room = NO_LIMIT
        if book.disposal.uses_limit == 1:
            room = limit_room(state, book.liquidity, net, limit)
        executed = executable(book.disposal.code, quantity, volume_room(state, book), room)
        if book.band.outer > 0.0:
            executed = min(executed, band_room(state, book, net))
        share = executed / quantity
        walked = fill_price(state, book.liquidity, share * net, 0.0)
        return share, fill_of(book.disposal.code, walked, limit, state, book, math.copysign(1.0, net))

    return price_batch


def compose(law) -> SimpleNamespace:
    """Close over the impact law and return the settlement rules that every engine calls.

    Fee models and disposal rules are picked by number.

    Parameters
    ----------
    law : ImpactLaw class

    Returns
    -------
    types.SimpleNamespace of rules
        ``open_step(state, book, step, shock, decay)`` moves index, flow and mark to a step;
        ``price_batch(state, book, net, limit)`` returns the executed share and the fill of a round, one price
        for both sides and every account; ``settle(state, book, account, fill, share)`` closes an account;
        ``trade(state, book, step, quantity, common, price)`` executes a signed quantity against the makers,
        `common` of it the crowd's; ``rehedge(state, book, moved, common)`` lets deleveraged winners hedge anew;
        ``unwind(state, book, step)`` sells what the step's room allows of the inventory;
        ``fill_price(state, liquidity, quantity, before)`` is the mean price of a signed quantity after
        `before` has been traded: the index plus the mean of its own impact, the integral of the law.
    """
    displacement, common_displacement, fill_price, limit_room = compose_prices(law)
    shown = compose_shown(displacement, common_displacement)
    update_mark = compose_mark(displacement, common_displacement, shown)
    open_step = compose_open_step(compose_basis(displacement, shown), update_mark)
    trade, unwind = compose_trading(update_mark, fill_price, limit_room)
    split, bonus = one_of(FeeModel.rules("split")), one_of(FeeModel.rules("bonus"))

    @rule
    def settle_account(state, book, account, fill, share):
        """Close one account under the scenario's fee model."""
        settle(state, book, account, fill, share, split, bonus)

    @rule
    def pay_bonus(state, book, account, fill, share):
        """Let the fund pay, while it can, what others receive for an account whose shortfall goes to the layers."""
        amount = share * bonus(book.fee.code, abs(account.qty) * fill, book)
        if amount > 0.0:
            paid = affordable(state, book, -amount)
            state.released -= paid
            pay_fund(state, paid)
            attribute(state, account, paid, 1.0)

    return SimpleNamespace(
        displacement=displacement,
        common_displacement=common_displacement,
        fill_price=fill_price,
        open_step=open_step,
        trade=trade,
        unwind=unwind,
        rehedge=rehedge,
        price_batch=compose_batch(fill_price, limit_room),
        settle=settle_account,
        pay_bonus=pay_bonus,
        common_share=one_of(FeeModel.rules("common_share")),
    )
