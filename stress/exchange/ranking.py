"""In which order are counterparties deleveraged, and how is the quantity shared among them?

A venue's ranking is a number to the compiled engines (`stress.rules.one_of`): choosing another one compiles
nothing (docs/method.md, section 6).
"""

from functools import cache
from typing import Any, ClassVar, NamedTuple

import numpy as np

from stress.accounts import lots_down
from stress.registry import Part
from stress.rules import one_of, rule


class Standing(NamedTuple):
    """What a ranking may know of a counterparty, at the mark; money in quote."""

    side: float  # +1 long, -1 short
    entry: float  # average entry price, funding included
    mark: float
    profit: float
    entry_value: float  # |value of the position at its entry|
    notional: float
    equity: float
    maintenance: float  # margin below which it would be liquidated
    one_usd: float  # in quote
    turn: float  # seats between it and the one drawn for this round, going round


@rule
def take_in_order(order, sizes, amount, lot, taken):
    """Fill from the front of the queue until nothing is left (docs/method.md, section 6)."""
    for i in order:
        taken[i] = min(sizes[i], amount)
        amount -= taken[i]


class Ranking(Part):
    """Family of ADL rankings.

    ``score`` is a rule ``(standing) -> rank``, highest first; ``allocate`` is a rule
    ``(order, sizes, amount, lot, taken)`` that fills `taken`, in order unless a kind says otherwise.  `first` is
    how many accounts, by rank, take part.
    """

    score: ClassVar[Any]
    allocate: ClassVar[Any] = staticmethod(take_in_order)
    first: ClassVar[int | None] = None


@rule
def by_leverage(gain, leverage):
    """Return gain x leverage of a winner and gain / leverage of a loser, who so ranks behind all winners."""
    return gain * leverage if gain > 0.0 else gain / leverage


@rule
def profit_times_leverage(standing):
    """Return profit % x effective leverage (R1, BitMEX; docs/method.md, section 6)."""
    return by_leverage(standing.profit / standing.entry_value, standing.notional / standing.equity)


@rule
def profit_times_margin_ratio(standing):
    """Return profit over wallet, of 1 USD at least, x maintenance margin over equity; zero for losers (R2, Binance)."""
    wallet = standing.equity - standing.profit
    if standing.equity <= 0.0:
        return 0.0
    return max(0.0, standing.profit) / max(standing.one_usd, wallet) * (standing.maintenance / standing.equity)


@rule
def price_gain_times_leverage(standing):
    """Return mark / entry of a long, entry / mark of a short, x leverage (R3, Hyperliquid)."""
    gain = standing.mark / standing.entry if standing.side > 0.0 else standing.entry / standing.mark
    return gain * (standing.notional / standing.equity)


@rule
def price_ratio_times_leverage(standing):
    """Return mark / entry x leverage whatever the side, as the venue's page says it."""
    return standing.mark / standing.entry * (standing.notional / standing.equity)


@rule
def nearest_seat(standing):
    """Return a rank that falls going round from the seat that was drawn (R4, dYdX)."""
    return -standing.turn


@rule
def amount_times_leverage(standing):
    """Return profit in quote x leverage (R5, Cube)."""
    return by_leverage(standing.profit, standing.notional / standing.equity)


@rule
def largest_position(standing):
    """Return the size of the position (R6, FTX)."""
    return standing.notional


@rule
def no_preference(standing):
    """Return the same rank for everybody (R7)."""
    return 1.0


@rule
def largest_profit(standing):
    """Return the profit in quote (R8: what a keeper who protects the pool would name)."""
    return standing.profit


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


@cache
def _picked(kinds: tuple[str, ...]) -> tuple[Any, Any]:
    return one_of(Ranking.rules("score")), one_of(Ranking.rules("allocate"))


def compose_ranking() -> tuple[Any, Any]:
    """Return ``score, allocate``, each picked by number: the same for all who compose them, so compiled once."""
    return _picked(tuple(sorted(Ranking.family)))


@rule
def best_first(ranks):
    """Return the seats in the order of their ranks, highest first; ties stay as they are."""
    return np.argsort(-ranks, kind="mergesort")


class ProfitLeverage(Ranking, kind="profit_leverage"):
    """The queue of BitMEX and Bybit: highest profit x leverage first."""

    score = staticmethod(profit_times_leverage)


class Binance(Ranking, kind="binance"):
    """Profit over wallet balance x margin ratio (Binance's FAQ on auto-deleveraging)."""

    score = staticmethod(profit_times_margin_ratio)


class Hyperliquid(Ranking, kind="hyperliquid"):
    """Price gain x leverage; shorts by entry / mark, which is our reading: the page's ratio punishes no short."""

    score = staticmethod(price_gain_times_leverage)


class HyperliquidLiteral(Ranking, kind="hyperliquid_literal"):
    """Mark / entry x leverage for both sides, to the letter of Hyperliquid's page."""

    score = staticmethod(price_ratio_times_leverage)


class Random(Ranking, kind="random"):
    """From a pseudo-random seat on, going round (public code of dYdX v4)."""

    score = staticmethod(nearest_seat)


class Cube(Ranking, kind="cube"):
    """Profit in money x leverage (Cube's documentation)."""

    score = staticmethod(amount_times_leverage)


class SizeWeighted(Ranking, kind="size_weighted"):
    """The ten largest positions, in proportion to size (FTX, as secondary sources report it)."""

    score = staticmethod(largest_position)
    allocate = staticmethod(take_pro_rata)
    first = 10


class ProRata(Ranking, kind="pro_rata"):
    """Every winner gives the same share (the research benchmark of Chitra, arXiv:2512.01112)."""

    score = staticmethod(no_preference)
    allocate = staticmethod(take_pro_rata)


class KeeperChoice(Ranking, kind="keeper_choice"):
    """A keeper names the position: here the most profitable one, our assumption (public code of GMX)."""

    score = staticmethod(largest_profit)
