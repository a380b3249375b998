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
from stress.exchange.mark import MarkRule, smoothed
from stress.exchange.state import MAX_COHORTS
from stress.rules import one_of, rule

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
def fund_start(state, book):
    """Return what the fund was given, at the start and by the operator since, quote."""
    return book.fund_initial + state.topped_up


@rule
def settle(state, book, account, fill, share, split):
    """Close one account: `share` of it is sold at `fill`, the rest is taken over at its bankruptcy price.

    Fee, surplus and bad debt are per account: winners and losers of a batch are not netted.  The gain
    q(X - P_b) equals the equity at the fill.
    """
    qty = account.qty
    gain = account.collateral + unrealized_pnl(qty, account.entry, fill, state.funding)
    if gain >= 0.0:
        to_fund, _ = split(book.fee.code, gain, abs(qty) * fill, book)
        paid = share * affordable(state, book, to_fund)
        state.released += share * gain - paid
    else:
        paid = share * gain
    pay_fund(state, paid)
    attribute(state, account, paid, share)
    state.inventory_cost += (1.0 - share) * (qty * account.entry - account.collateral)
    close(state, account)


@rule
def affordable(state, book, amount):
    """Return what a liquidation pays the fund; where the fund should add to it (negative), no more than it has."""
    if amount >= 0.0 or state.bottomless == 1:
        return amount
    return -min(-amount, max(0.0, book.fund_initial + state.value))


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
def pay_funding(state, rate):
    """Let longs pay a rate to shorts: the cumulative index of funding per unit rises by rate x mark."""
    state.funding += rate * state.mark
    state.funding_rate = rate


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


@rule
def see_late(state, book, shocks, step):
    """Note where the market was `delay` ago, on the straight line between two steps; before the start it stood."""
    lag, late = book.mark.lag, book.mark.late
    near = shocks[step - lag] if step >= lag else 0.0
    far = shocks[step - lag - 1] if step > lag else 0.0
    state.late_shock = near + late * (far - near)


def compose_mark(displacement, common_displacement):
    """Return the rules that move the mark: ``update_mark, open_step, rehedge``."""
    mark_price = one_of(MarkRule.rules("price"))

    @rule
    def shown(state, book):
        """Return the log displacement of the index: what it shows of ours, and the other venues' own."""
        moved = book.mark.own * displacement(state, book.liquidity)
        if book.liquidity.others > 0.0:
            moved += book.liquidity.others * common_displacement(state, book.liquidity)
        return moved

    @rule
    def basis_now(state, book):
        """Return own price / index - 1; our own price bears all of our displacement."""
        return math.exp(displacement(state, book.liquidity) - shown(state, book)) - 1.0

    @rule
    def average_basis(state, book, step, decay):
        """Bring the average basis up to `step`, through steps that were skipped because nobody traded."""
        t, state.basis_step = state.basis_step, step
        if state.flow == 0.0 and state.common_flow == 0.0 and state.flow_permanent == 0.0 and state.basis == 0.0:
            return
        while t < step:
            t += 1
            left = decay[t - state.trade_step]
            state.flow = state.flow_at_trade * left
            state.common_flow = state.common_at_trade * left
            state.basis = smoothed(state.basis, basis_now(state, book), book.mark.keep)

    @rule
    def price_mark(state, book, moved):
        """Return the mark of a rule that reads more than the index of this moment."""
        liquidity = book.liquidity
        elsewhere = liquidity.others * common_displacement(state, liquidity) if liquidity.others > 0.0 else 0.0
        market = state.initial_price * math.exp(state.shock + elsewhere)
        last = state.initial_price * math.exp(state.shock + displacement(state, liquidity))
        late = state.late_shock if book.mark.looks_back > 0 else state.shock
        index = state.initial_price * math.exp(late + moved)
        return mark_price(book.mark.code, index, state.premium, index * state.basis, last, market)

    @rule
    def update_mark(state, book):
        """Set the mark by the venue's rule (docs/method.md, section 3)."""
        moved = shown(state, book)
        if book.mark.plain == 1:
            state.mark = state.initial_price * math.exp(state.shock + moved)
        else:
            state.mark = price_mark(state, book, moved)

    @rule
    def open_step(state, book, step, shock, decay):
        """Move index, flow and mark to `step`."""
        state.step = step
        state.previous_mark = state.mark
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
        if book.mark.plain == 0:
            state.premium = (
                state.funding_rate * (book.funding_every - 1 - step % book.funding_every) / book.funding_every
            )
            if book.mark.averages == 1:
                average_basis(state, book, step, decay)
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
    update_mark, open_step, rehedge = compose_mark(displacement, common_displacement)
    trade, unwind = compose_trading(update_mark, fill_price, limit_room)
    split = one_of(FeeModel.rules("split"))

    @rule
    def settle_account(state, book, account, fill, share):
        """Close one account under the scenario's fee model."""
        settle(state, book, account, fill, share, split)

    return SimpleNamespace(
        displacement=displacement,
        common_displacement=common_displacement,
        fill_price=fill_price,
        open_step=open_step,
        trade=trade,
        unwind=unwind,
        rehedge=rehedge,
        price_batch=compose_batch(fill_price, limit_room),
        split=split,
        settle=settle_account,
        common_share=one_of(FeeModel.rules("common_share")),
    )
