"""Which winners are deleveraged, and by how much?  (docs/method.md, section 6)

The unpaid quantity is closed against winners of the other side, in whole lots.  An account takes part if it is
in profit, or losers are asked too, and stays solvent at the transfer price.
"""

import math
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, Field

from stress.accounts import equity, lots_down, notional
from stress.exchange.handover import ask_for, compose_handing, shrink_to, total_up
from stress.exchange.margin import required_margin
from stress.exchange.ranking import Ranking, Standing, best_first, compose_ranking
from stress.exchange.transfer import TransferPrice
from stress.exchange.waterfall import Layer, maker_profit
from stress.rules import one_of, rule

# A winner must keep this much of its notional at the transfer price; rounding to lots may still move that price.
SOLVENT = 1e-6

# Everybody: more accounts than a venue has.
NO_END = 1e18


@rule
def room_of(state, book, case, qty, entry, collateral):
    """Return what an account may be deleveraged by: all of a solvent counterparty on the other side, in lots."""
    if qty * case.side >= 0.0:
        return 0.0
    if qty * (state.mark - entry - state.funding) <= 0.0 and book.layers.adl.losers == 0.0:
        return 0.0
    if equity(qty, entry, collateral, case.transfer_price, state.funding) < SOLVENT * abs(qty) * entry:
        return 0.0
    return lots_down(abs(qty), book.lot)


@rule
def standing_of(state, book, qty, entry, collateral, turn):
    """Return how an account stands in the eyes of a ranking."""
    mark, funding = state.mark, state.funding
    return Standing(
        1.0 if qty > 0.0 else -1.0,
        entry + funding,
        mark,
        qty * (mark - entry - funding),
        abs(qty) * entry,
        notional(qty, mark),
        equity(qty, entry, collateral, mark, funding),
        required_margin(qty, entry, mark, book.tiers),
        book.layers.adl.one_usd,
        turn,
    )


@rule
def drawn_seat(state, seats):
    """Return a pseudo-random seat: a function of the market's drawn move and of how many accounts are gone."""
    drawn = math.floor(abs(state.shock) * 1e12) % 1_000_003  # digits of the draw that no decision uses
    return (drawn * 48_271 + state.liquidated_accounts * 69_621 + state.step * 16_807) % seats


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
def take_from_makers(state, case, size):
    """Close `size` of the makers, who lose the leg that hedged their position elsewhere."""
    state.maker_qty += case.side * size
    state.maker_cost += case.side * size * (case.transfer_price - state.funding)
    state.broken_hedges += size * state.mark


@rule
def offers(state, book, case, accounts, living, sizes, ranks, score):
    """Collect what every living account, and last the makers, can give and how they rank."""
    last = len(living)
    start = drawn_seat(state, last + 1)
    for k in range(last):
        a = accounts[living[k]]
        sizes[k] = room_of(state, book, case, a.qty, a.entry, a.collateral)
        if sizes[k] > 0.0:
            turn = float((k - start) % (last + 1))
            ranks[k] = score(book.layers.adl.ranking, standing_of(state, book, a.qty, a.entry, a.collateral, turn))
    if state.maker_qty != 0.0 and book.makers_deleverage == 1:
        qty, entry = state.maker_qty, state.maker_cost / state.maker_qty
        sizes[last] = room_of(state, book, case, qty, entry, state.maker_collateral)
        if sizes[last] > 0.0:
            turn = float((last - start) % (last + 1))
            standing = standing_of_makers(standing_of(state, book, qty, entry, state.maker_collateral, turn), state)
            ranks[last] = score(book.layers.adl.ranking, standing)


@rule
def standing_of_makers(found, state):
    """Return the makers' standing with their money as the books hold it: their mean entry is a rounded quotient."""
    profit = maker_profit(state)
    return Standing(
        found.side,
        found.entry,
        found.mark,
        profit,
        abs(state.maker_cost),
        found.notional,
        state.maker_collateral + profit,
        found.maintenance,
        found.one_usd,
        found.turn,
    )


@rule
def only_the_first(order, sizes, most):
    """Leave out everybody behind the first `most` accounts of the queue; return the quantity offered."""
    seated = 0.0
    for k in order:
        if sizes[k] > 0.0:
            seated += 1.0
            if seated > most:
                sizes[k] = 0.0
    offered = 0.0
    for k in range(len(sizes)):
        offered += sizes[k]
    return offered


@rule
def apply_takes(state, case, accounts, living, taken):
    """Book the allocation account by account, makers last."""
    for k in range(len(living)):
        if taken[k] > 0.0:
            take_from(state, case, accounts[living[k]], float(taken[k]))
    size = float(taken[len(living)])
    if size > 0.0:
        take_from_makers(state, case, size)
    state.deleveraged_notional += case.quantity * state.mark
    state.forgone_profit += max(0.0, case.side * case.quantity * (case.transfer_price - state.mark))
    case.deleveraged += case.quantity


def compose_adl():
    """Return the layer rule that deleverages; ranking and price are numbers of the rulebook."""
    score, allocate = compose_ranking()
    price, hand_over = one_of(TransferPrice.rules("price")), compose_handing()

    @rule
    def adl_absorbs(state, book, case, round_, accounts, living):
        """Ask, rank, allocate and book."""
        terms = book.layers.adl
        asked = np.zeros(len(round_.batch))
        ask_for(book, case, round_, asked, case.remaining)
        if terms.capacity < 1.0:
            shrink_to(book, asked, terms.capacity)
        total_up(state, case, round_, asked, price, terms.price)
        if case.quantity == 0.0:
            return
        sizes, ranks, taken = np.zeros(len(living) + 1), np.zeros(len(living) + 1), np.zeros(len(living) + 1)
        offers(state, book, case, accounts, living, sizes, ranks, score)
        order = best_first(ranks)
        offered = only_the_first(order, sizes, terms.most_accounts)
        if offered < case.quantity:
            shrink_to(book, asked, offered / case.quantity)
            total_up(state, case, round_, asked, price, terms.price)
        if case.quantity == 0.0:
            return
        allocate(terms.ranking, order, sizes, case.quantity, book.lot, taken)
        apply_takes(state, case, accounts, living, taken)
        hand_over(state, book, case, round_, asked)

    return adl_absorbs


class Adl(Layer, kind="adl"):
    """Automatic deleveraging.

    `ranking` and `price` name members of their families.  `capacity` is the largest share of the quantity
    presented that the queue may absorb, `max_accounts` how many accounts are deleveraged at one event (dYdX
    walks at most 500), `losers` whether accounts at a loss are asked too, after their rank.
    """

    ranking: Annotated[str, AfterValidator(Ranking.known)] = "profit_leverage"
    price: Annotated[str, AfterValidator(TransferPrice.known)] = "bankruptcy"
    capacity: float = Field(default=1.0, ge=0, le=1)
    max_accounts: int | None = Field(default=None, ge=1)
    losers: bool = False

    @classmethod
    def compose(cls) -> Any:
        """Close over all rankings and prices."""
        return compose_adl()

    @property
    def needs_every_step(self) -> bool:
        """Say whether it must know the mark of the step before."""
        return TransferPrice.choose(self.price).looks_back

    def numbers(self) -> dict[str, float]:
        """Return the codes of its choices, and its limits."""
        ranking = Ranking.choose(self.ranking)
        most = min(self.max_accounts or NO_END, ranking.first or NO_END)
        return {
            "ranking": float(ranking.code),
            "price": float(TransferPrice.choose(self.price).code),
            "one_usd": 1.0,  # `engines.rulebook.in_money` turns it into the contract's money
            "capacity": self.capacity,
            "most_accounts": float(most),
            "losers": float(self.losers),
        }
