"""How do flow, index and mark move?  Our displacement of the price, the venue's mark, and the step that opens them.

The price rules close over an impact law; the mark rule is picked by number.
"""

import math
from typing import Any

from stress.exchange.mark import MarkRule, smoothed
from stress.rules import one_of, rule

FEWEST_QUOTES = 0.05  # of normal depth, however many makers are deleveraged; illustrative
LOWEST_FILL = 0.01  # a book never trades through zero: fills stop at 1 % of the index


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
def add_flow(state, step, quantity, common):
    """Add signed quantities to our flow and to that of our crowd."""
    state.flow += quantity * state.per_depth
    state.flow_permanent += quantity * state.per_depth
    state.common_flow += common * state.per_depth
    state.flow_at_trade = state.flow
    state.common_at_trade = state.common_flow
    state.trade_step = step


@rule
def pay_funding(state, rate):
    """Let longs pay a rate to shorts: the cumulative index of funding per unit rises by rate x mark."""
    state.funding += rate * state.mark
    state.funding_rate = rate


@rule
def see_late(state, book, shocks, step):
    """Note where the market was `delay` ago, on the straight line between two steps; before the start it stood."""
    lag, late = book.mark.lag, book.mark.late
    near = shocks[step - lag] if step >= lag else 0.0
    far = shocks[step - lag - 1] if step > lag else 0.0
    state.late_shock = near + late * (far - near)


@rule
def rehedge(state, book, moved, common):
    """Let deleveraged winners sell at the next step what their lost position hedged, outside, and quote less."""
    if book.rehedge > 0.0 and moved != 0.0:
        state.hedge += book.rehedge * moved
        state.common_hedge += book.rehedge * common
        lost = book.rehedge * state.deleveraged_notional / state.open_interest
        state.quotes = max(FEWEST_QUOTES, 1.0 - lost)


def compose_shown(displacement, common_displacement) -> Any:
    """Return ``shown(state, book)``: the log displacement of the index, ours and the other venues'."""

    @rule
    def shown(state, book):
        """Return the log displacement of the index: what it shows of ours, and the other venues' own."""
        moved = book.mark.own * displacement(state, book.liquidity)
        if book.liquidity.others > 0.0:
            moved += book.liquidity.others * common_displacement(state, book.liquidity)
        return moved

    return shown


def compose_basis(displacement, shown) -> Any:
    """Return ``average_basis(state, book, step, decay)``, which keeps the average of own price / index - 1."""

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

    return average_basis


def compose_mark(displacement, common_displacement, shown) -> Any:
    """Return ``update_mark(state, book)``: the venue's mark after whatever has moved."""
    mark_price = one_of(MarkRule.rules("price"))

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

    return update_mark


def compose_open_step(average_basis, update_mark) -> Any:
    """Return ``open_step(state, book, step, shock, decay)``, which moves index, flow and mark to a step."""

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

    return open_step
