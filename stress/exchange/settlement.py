"""How does a liquidated batch reach the market, the fund and the books?

`compose` closes over the scenario's impact law, fee model and disposal rule and returns the rules that every
engine calls.  They know totals and single accounts; who is in the batch is the engine's business.
"""

import math
from types import SimpleNamespace

from stress.accounts import unrealized_pnl
from stress.exchange.state import MAX_COHORTS
from stress.rules import rule

NO_LIMIT = 1e300
FEWEST_QUOTES = 0.05  # of normal depth, however many makers are deleveraged; illustrative
LOWEST_FILL = 0.01  # a book never trades through zero: fills stop at 1 % of the index

# Two losses closer than this are one event of the record, so that the recorded step is the same in all engines.
SAME_LOSS = 1e-9


@rule
def fund_value(state, unwind_price):
    """Return the marked fund relative to its start: cash flows plus inventory at its unwinding price, quote."""
    held = state.inventory * (unwind_price - state.funding) - state.inventory_cost
    return state.surplus + state.fee_income + state.inventory_pnl + state.coin_pnl - state.bad_debt + held


@rule
def settle(state, book, account, fill, share, fund_part):
    """Close one account: `share` of it is sold at `fill`, the rest is taken over at its bankruptcy price.

    Fee, surplus and bad debt are per account: winners and losers of a batch are not netted.  The gain
    q(X - P_b) equals the equity at the fill.
    """
    qty = account.qty
    gain = account.collateral + unrealized_pnl(qty, account.entry, fill, state.funding)
    if gain >= 0.0:
        paid = share * fund_part(gain, abs(qty) * fill, book.fee_rate)
        state.surplus += paid
        state.released += share * gain - paid
    else:
        paid = share * gain
        state.bad_debt -= paid
    attribute(state, account, paid, share)
    state.inventory_cost += (1.0 - share) * (qty * account.entry - account.collateral)
    close(state, account)


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
def balance_error(state):
    """Return the imbalance of the books, quote: every position is held by somebody, every loss borne by one."""
    traders = state.alive_collateral + state.alive_qty * (state.mark - state.funding) - state.alive_cost
    makers = state.maker_collateral + state.maker_qty * (state.mark - state.funding) - state.maker_cost
    fund = fund_value(state, state.mark) - state.fee_income - state.coin_pnl
    held = traders + state.released + makers + fund - state.unresolved_shortfall
    positions = (state.alive_qty + state.maker_qty + state.inventory) * state.mark
    return abs(held - state.deposits) + abs(positions)


@rule
def spend_coins(state, book, value):
    """Sell coins for what the cash of a fund with a bottom does not cover: what is spent no longer moves."""
    if state.coins > 0.0 and state.bottomless == 0:
        price = state.index + book.coin_offset
        cash = book.fund_initial + value - state.coins * price
        if cash < 0.0:
            sold = min(state.coins, -cash / price)
            state.coins -= sold
            state.coins_sold += sold * price


@rule
def record_event(state, book, step, value):
    """Record the fund after an event; `value` is its marked change since the start (docs/method.md, section 10)."""
    state.value = value
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


def compose_prices(law):
    """Return the price rules of an impact law: ``displacement, common_displacement, fill_price, limit_room``."""
    impact, cost, flow_at = law.impact, law.cost, law.flow_at

    @rule
    def displacement(state, liquidity):
        """Return our own displacement of the log price: a decaying and a permanent part."""
        permanent = liquidity.permanent_share
        moved = math.copysign((1.0 - permanent) * impact(abs(state.flow), liquidity), state.flow)
        if permanent > 0.0:
            moved += math.copysign(permanent * impact(abs(state.flow_permanent), liquidity), state.flow_permanent)
        return moved

    @rule
    def common_displacement(state, liquidity):
        """Return what other venues' forced flow, which is like our crowd's, does to the log price there."""
        return math.copysign(impact(abs(state.common_flow), liquidity), state.common_flow)

    @rule
    def spent_between(start, flow, liquidity):
        """Return the integral of the impact from `start` over `flow`: odd impact, even integral."""
        # The signed impact is odd in the flow, so its integral is even.
        return cost(abs(start + flow), liquidity) - cost(abs(start), liquidity)

    @rule
    def fill_price(state, liquidity, quantity, before):
        """Return the mean price of `quantity`, after `before` has been traded."""
        flow = quantity * state.per_depth
        if flow == 0.0:
            return state.index
        ahead = before * state.per_depth
        permanent = liquidity.permanent_share
        spent = (1.0 - permanent) * spent_between(state.flow + ahead, flow, liquidity)
        if permanent > 0.0:
            spent += permanent * spent_between(state.flow_permanent + ahead, flow, liquidity)
        return state.index * max(1.0 + spent / flow, LOWEST_FILL)

    @rule
    def limit_room(state, liquidity, net, limit):
        """Return what the book takes of `net` before the marginal price passes `limit`."""
        side = math.copysign(1.0, net)
        reach = flow_at(max(0.0, side * (limit / state.index - 1.0)), liquidity)
        return max(0.0, reach - side * state.flow) * state.depth

    return displacement, common_displacement, fill_price, limit_room


@rule
def volume_room(state, book):
    """Return what may still be traded in this step.

    A share of contemporaneous volume, and no more than the book refills; both surge with the move.
    """
    return max(0.0, min(book.volume_room, book.depth_room * state.depth) * state.surge - state.traded)


@rule
def add_flow(state, step, quantity, common):
    """Add signed quantities to our flow and to that of our crowd."""
    state.flow += quantity * state.per_depth
    state.flow_permanent += quantity * state.per_depth
    state.common_flow += common * state.per_depth
    state.flow_at_trade = state.flow
    state.common_at_trade = state.common_flow
    state.trade_step = step


@rule
def book_trade(state, step, quantity, common, price):
    """Book a trade of signed `quantity`, `common` of it the crowd's: makers take it, the step's room shrinks."""
    trade_with_makers(state, quantity, price)
    state.traded += abs(quantity)
    add_flow(state, step, quantity, common)


def compose_mark(displacement, common_displacement):
    """Return the rules that move the mark: ``update_mark, open_step, rehedge``."""

    @rule
    def update_mark(state, book):
        """Set the mark: the index times what it shows of our displacement and of the other venues'."""
        liquidity = book.liquidity
        moved = liquidity.pass_through * displacement(state, liquidity)
        if liquidity.others > 0.0:
            moved += liquidity.others * common_displacement(state, liquidity)
        state.mark = state.initial_price * math.exp(state.shock + moved)

    @rule
    def open_step(state, book, step, shock, decay):
        """Move index, flow and mark to `step`."""
        state.shock = shock
        state.index = state.initial_price * math.exp(shock)
        left = decay[step - state.trade_step]
        state.flow = state.flow_at_trade * left
        state.common_flow = state.common_at_trade * left
        state.coin_pnl = state.coins_sold + state.coins * (state.index + book.coin_offset)
        if state.hedge != 0.0 or state.common_hedge != 0.0:
            add_flow(state, step, state.hedge, state.common_hedge)
            state.hedge, state.common_hedge = 0.0, 0.0
        state.traded = 0.0
        state.fee_income = book.fee_income_per_step * (step + 1)
        update_mark(state, book)

    @rule
    def rehedge(state, book, moved, common):
        """Let deleveraged winners sell at the next step what their lost position hedged, outside, and quote less."""
        if book.rehedge > 0.0 and moved != 0.0:
            state.hedge += book.rehedge * moved
            state.common_hedge += book.rehedge * common
            lost = book.rehedge * state.deleveraged_notional / state.open_interest
            state.quotes = max(FEWEST_QUOTES, 1.0 - lost)

    return update_mark, open_step, rehedge


def compose_trading(update_mark, fill_price):
    """Return the rules that trade with the market: ``trade, unwind``."""

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
        if size > 0.0:
            share = size / abs(state.inventory)
            sold = share * state.inventory
            common = share * state.inventory_common
            price = fill_price(state, book.liquidity, -sold, 0.0)
            state.inventory_common -= common
            sell_inventory(state, share, sold, price)
            book_trade(state, step, -sold, -common, price)

    return trade, unwind


def compose_batch(fill_price, limit_room, disposal):
    """Return ``price_batch``: which share of a round executes now, and at what price."""
    executable, uses_limit = disposal.executable, disposal.uses_limit

    @rule
    def price_batch(state, book, net, limit):
        """Return the share of a batch that executes now, and its fill."""
        quantity = abs(net)
        if quantity == 0.0:
            return 1.0, state.index
        room = NO_LIMIT
        if uses_limit:
            room = limit_room(state, book.liquidity, net, limit)
        share = executable(quantity, volume_room(state, book), room) / quantity
        return share, fill_price(state, book.liquidity, share * net, 0.0)

    return price_batch


def compose(law, fee_model, disposal) -> SimpleNamespace:
    """Close over a scenario's choices and return the settlement rules that every engine calls.

    Parameters
    ----------
    law : ImpactLaw class
    fee_model : FeeModel class
    disposal : Disposal class

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
    update_mark, open_step, rehedge = compose_mark(displacement, common_displacement)
    trade, unwind = compose_trading(update_mark, fill_price)
    fund_part = fee_model.fund_part

    @rule
    def settle_account(state, book, account, fill, share):
        """Close one account under the scenario's fee model."""
        settle(state, book, account, fill, share, fund_part)

    return SimpleNamespace(
        displacement=displacement,
        common_displacement=common_displacement,
        fill_price=fill_price,
        open_step=open_step,
        trade=trade,
        unwind=unwind,
        rehedge=rehedge,
        price_batch=compose_batch(fill_price, limit_room, disposal),
        settle=settle_account,
        common_share=fee_model.common_share,
    )
