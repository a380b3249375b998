"""Which winners are deleveraged, and by how much?  (docs/method.md, section 6)

The unpaid quantity is closed against winners of the other side at its bankruptcy price, in whole lots.  An
account takes part if it is in profit and stays solvent at that price.
"""

import math
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, field_validator

from stress.accounts import bankruptcy_price, equity
from stress.exchange.waterfall import Layer, gain_of, maker_profit
from stress.registry import Part
from stress.rules import rule

# A winner must keep this much of its notional at the transfer price; rounding to lots may still move that price.
SOLVENT = 1e-6

# A shortfall left over below this share of the case is rounding, not a loss for the next layer.
NOTHING_LEFT = 1e-12


class Ranking(Part):
    """Family of ADL rankings."""

    score: ClassVar[Any]  # rule (profit, entry_value, notional, equity) -> rank, highest first
    allocate: ClassVar[Any]  # rule (order, sizes, amount, lot, taken): fills `taken`


@rule
def profit_times_leverage(profit, entry_value, notional, equity):
    """Return profit % x effective leverage (R1, BitMEX; docs/method.md, section 6)."""
    return (profit / entry_value) * (notional / equity)


@rule
def no_preference(profit, entry_value, notional, equity):
    """Return the same rank for every winner."""
    return 1.0


@rule
def take_in_order(order, sizes, amount, lot, taken):
    """Fill from the front of the queue until nothing is left (docs/method.md, section 6)."""
    for i in order:
        taken[i] = min(sizes[i], amount)
        amount -= taken[i]


@rule
def take_pro_rata(order, sizes, amount, lot, taken):
    """Fill in proportion to size, rounded down to lots; the odd lots go in account order."""
    total = 0.0
    for i in range(len(sizes)):
        total += sizes[i]
    left = amount
    for i in range(len(sizes)):
        taken[i] = lots_down(amount * (sizes[i] / total), lot)
        left -= taken[i]
    for i in range(len(sizes)):
        extra = min(left, sizes[i] - taken[i])
        taken[i] += extra
        left -= extra


class ProfitLeverage(Ranking, kind="profit_leverage"):
    """The queue of BitMEX and Bybit: highest profit x leverage first."""

    score = staticmethod(profit_times_leverage)
    allocate = staticmethod(take_in_order)


class ProRata(Ranking, kind="pro_rata"):
    """Every winner gives the same share (the research benchmark R7)."""

    score = staticmethod(no_preference)
    allocate = staticmethod(take_pro_rata)


@rule
def lots_down(quantity, lot):
    """Round down to whole lots."""
    return math.floor(quantity / lot) * lot


@rule
def ask_for(state, book, case, batch, short, moved, fraction):
    """Ask to move `fraction` of each short account, rounded up to lots, at most all of it."""
    for j in range(len(batch)):
        if short[j] == 1 and batch[j].qty * case.side > 0.0:
            size = abs(batch[j].qty)
            moved[j] = min(size, math.ceil(fraction * size / book.lot) * book.lot)
    total_up(state, case, batch, short, moved)


@rule
def shrink_to(state, book, case, batch, short, moved, ratio):
    """Reduce what each account moves to `ratio` of it, rounded down to lots."""
    for j in range(len(batch)):
        if short[j] == 1 and batch[j].qty * case.side > 0.0:
            moved[j] = lots_down(ratio * moved[j], book.lot)
    total_up(state, case, batch, short, moved)


@rule
def total_up(state, case, batch, short, moved):
    """Set the quantity that moves, its shortfall, and its mean bankruptcy price: both sides exchange the same money."""
    case.deleveraged = 0.0
    case.relieved = 0.0
    value = 0.0
    for j in range(len(batch)):
        a = batch[j]
        if short[j] == 1 and a.qty * case.side > 0.0:
            case.deleveraged += moved[j]
            case.relieved += moved[j] / abs(a.qty) * max(0.0, -gain_of(state, a, case.price))
            value += moved[j] * bankruptcy_price(a.qty, a.entry, a.collateral, state.funding)
    if case.deleveraged > 0.0:
        case.transfer_price = value / case.deleveraged


@rule
def room_of(state, book, case, qty, entry, collateral):
    """Return what an account may be deleveraged by: all of a solvent winner on the other side, in lots."""
    if qty * case.side >= 0.0 or qty * (state.mark - entry - state.funding) <= 0.0:
        return 0.0
    if equity(qty, entry, collateral, case.transfer_price, state.funding) < SOLVENT * abs(qty) * entry:
        return 0.0
    return lots_down(abs(qty), book.lot)


@rule
def take_from(state, case, account, size):
    """Close `size` of a winner at the transfer price: its profit beyond that price is forgone."""
    qty = -case.side * size
    gain = qty * (case.transfer_price - account.entry - state.funding)
    state.touched = 1
    state.alive_qty -= qty
    state.alive_cost -= qty * account.entry
    state.alive_collateral += gain
    account.qty -= qty
    account.collateral += gain


@rule
def offers(state, book, case, accounts, living, sizes, ranks, score):
    """Collect what every living account, and last the makers, can give and how they rank."""
    mark, funding = state.mark, state.funding
    for k in range(len(living)):
        a = accounts[living[k]]
        sizes[k] = room_of(state, book, case, a.qty, a.entry, a.collateral)
        if sizes[k] > 0.0:
            worth = equity(a.qty, a.entry, a.collateral, mark, funding)
            won = a.qty * (mark - a.entry - funding)
            ranks[k] = score(won, abs(a.qty) * a.entry, abs(a.qty) * mark, worth)
    last = len(living)
    if state.maker_qty != 0.0 and book.makers_deleverage == 1:
        entry = state.maker_cost / state.maker_qty
        sizes[last] = room_of(state, book, case, state.maker_qty, entry, state.maker_collateral)
        if sizes[last] > 0.0:
            worth = state.maker_collateral + maker_profit(state)
            value = abs(state.maker_qty) * mark
            ranks[last] = score(maker_profit(state), abs(state.maker_cost), value, worth)


@rule
def apply_takes(state, case, accounts, living, taken):
    """Book the allocation account by account, makers last."""
    for k in range(len(living)):
        if taken[k] > 0.0:
            take_from(state, case, accounts[living[k]], float(taken[k]))
    size = float(taken[len(living)])
    if size > 0.0:
        state.maker_qty += case.side * size
        state.maker_cost += case.side * size * (case.transfer_price - state.funding)
    state.deleveraged_notional += case.deleveraged * state.mark


def compose_adl(ranking):
    """Return the layer rule that deleverages winners in the order of `ranking`."""
    score, allocate = ranking.score, ranking.allocate

    @rule
    def adl_absorbs(state, book, case, batch, short, moved, accounts, living):
        """Ask, rank, allocate and book."""
        ask_for(state, book, case, batch, short, moved, case.remaining)
        if book.layers.adl.capacity < 1.0:
            shrink_to(state, book, case, batch, short, moved, book.layers.adl.capacity)
        if case.deleveraged == 0.0:
            return
        sizes = np.zeros(len(living) + 1)
        ranks = np.zeros(len(living) + 1)
        taken = np.zeros(len(living) + 1)
        offers(state, book, case, accounts, living, sizes, ranks, score)
        offered = 0.0
        for k in range(len(sizes)):
            offered += sizes[k]
        if offered < case.deleveraged:
            shrink_to(state, book, case, batch, short, moved, offered / case.deleveraged)
        if case.deleveraged == 0.0:
            return
        order = np.argsort(-ranks, kind="mergesort")
        allocate(order, sizes, case.deleveraged, book.lot, taken)
        apply_takes(state, case, accounts, living, taken)
        left = case.remaining - case.relieved / case.loss
        case.remaining = left if left > NOTHING_LEFT else 0.0

    return adl_absorbs


class Adl(Layer, kind="adl"):
    """Automatic deleveraging at the bankruptcy price.

    `capacity` is the largest share of the quantity presented that the queue may absorb.
    """

    ranking: str = "profit_leverage"
    capacity: float = Field(default=1.0, ge=0, le=1)

    @field_validator("ranking")
    @classmethod
    def _known(cls, value: str) -> str:
        Ranking.member(value)
        return value

    def compose(self) -> Any:
        """Close over the ranking."""
        return compose_adl(Ranking.member(self.ranking))

    def choices(self) -> tuple[str, ...]:
        """Return kind and ranking."""
        return (self.kind, self.ranking)

    def numbers(self) -> dict[str, float]:
        """Return the capacity."""
        return {"capacity": self.capacity}
