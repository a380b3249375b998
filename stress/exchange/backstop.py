"""Liquidity providers who take over bankrupt positions by contract, within a capacity and at an edge."""

import math
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, Field

from stress.exchange.handover import ask_for, compose_handing, shrink_to, total_up
from stress.exchange.settlement import NO_LIMIT
from stress.exchange.transfer import TransferPrice
from stress.exchange.waterfall import Layer
from stress.rules import one_of, rule


@rule
def forget_old_use(state, book):
    """Begin a new minute or hour of the capacity: both are counted by the clock, not rolling."""
    before, now = state.backstop_step * book.step_hours, state.step * book.step_hours
    if state.backstop_step < 0 or math.floor(60.0 * before + 1e-9) != math.floor(60.0 * now + 1e-9):
        state.backstop_minute = 0.0
    if state.backstop_step < 0 or math.floor(before + 1e-9) != math.floor(now + 1e-9):
        state.backstop_taken = 0.0
    state.backstop_step = state.step


@rule
def capacity_left(state, book):
    """Return the notional that providers still take now; none once the market has moved too far."""
    terms = book.layers.backstop
    if abs(state.index / state.initial_price - 1.0) > terms.gone_beyond_move:
        return 0.0
    minute, hour = terms.usd_per_minute - state.backstop_minute, terms.usd_per_hour - state.backstop_taken
    return max(0.0, min(minute, hour))


@rule
def take_over(state, case):
    """Put the quantity on the providers' books at the transfer price."""
    state.backstop_qty += case.side * case.quantity
    state.backstop_cost += case.side * case.quantity * (case.transfer_price - state.funding)
    state.backstop_minute += case.quantity * state.mark
    state.backstop_taken += case.quantity * state.mark


def compose_backstop():
    """Return the layer's rule; the price is a number of the rulebook."""
    price, hand_over = one_of(TransferPrice.rules("price")), compose_handing()

    @rule
    def providers_absorb(state, book, case, round_, accounts, living):
        """Ask, compare with capacity and edge, and book."""
        terms = book.layers.backstop
        asked = np.zeros(len(round_.batch))
        forget_old_use(state, book)
        ask_for(book, case, round_, asked, case.remaining)
        total_up(state, case, round_, asked, price, terms.price)
        room = capacity_left(state, book)
        if case.quantity * state.mark > room:
            shrink_to(book, asked, room / (case.quantity * state.mark))
            total_up(state, case, round_, asked, price, terms.price)
        if case.quantity == 0.0:
            return
        if case.side * (state.mark - case.transfer_price) < terms.required_edge * state.mark:
            return
        take_over(state, case)
        hand_over(state, book, case, round_, asked)

    return providers_absorb


class Backstop(Layer, kind="backstop"):
    """Backstop liquidity providers, who hold what they took to the horizon.

    Capacity in USD a minute and an hour (FTX: at least 0.1 m and 0.3 m for each provider), the edge that they
    require over the mark as a share of it (negative: a loss that they accept by contract), the transfer price,
    and a move of the index since the start beyond which they are gone.
    """

    usd_per_minute: float = Field(default=1e5, ge=0)
    usd_per_hour: float = Field(default=3e5, ge=0)
    required_edge: float = Field(default=0.0, ge=-1, le=1)
    price: Annotated[str, AfterValidator(TransferPrice.known)] = "bankruptcy"
    gone_beyond_move: float | None = Field(default=None, gt=0)

    @property
    def needs_every_step(self) -> bool:
        """Say whether it must know the mark of the step before."""
        return TransferPrice.choose(self.price).looks_back

    @classmethod
    def compose(cls) -> Any:
        """Close over all prices."""
        return compose_backstop()

    def numbers(self) -> dict[str, float]:
        """Return capacity, edge, the code of the price, and the move that drives them away."""
        return {
            "usd_per_minute": self.usd_per_minute,
            "usd_per_hour": self.usd_per_hour,
            "required_edge": self.required_edge,
            "price": float(TransferPrice.choose(self.price).code),
            "gone_beyond_move": NO_LIMIT if self.gone_beyond_move is None else self.gone_beyond_move,
        }
