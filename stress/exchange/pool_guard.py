"""When do the traders' open profits exceed what their pool can bear, and who is closed then?

Where makers are a pool that takes the other side of every trade, the venue protects it: winners of a side are
reduced at the mark, whether or not anybody is bankrupt (docs/method.md, section 6).
"""

from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from stress.accounts import lots_down, lots_up
from stress.exchange.adl import NO_END, drawn_seat, only_the_first, room_of, standing_of, take_from
from stress.exchange.pricing import rehedge
from stress.exchange.ranking import Ranking, best_first, compose_ranking
from stress.exchange.settlement import trade_with_makers
from stress.exchange.waterfall import maker_profit, profit
from stress.registry import Settings
from stress.rules import rule


@rule
def pool_value(state):
    """Return what the makers hold before open profits are paid: their equity and all traders' net profit, quote."""
    net = state.alive_qty * (state.mark - state.funding) - state.alive_cost
    return state.maker_collateral + maker_profit(state) + net


@rule
def side_profit(state, accounts, living, side):
    """Return the net profit of all longs (`side` +1) or of all shorts (-1), quote."""
    total = 0.0
    for i in living:
        if accounts[i].qty * side > 0.0:
            total += profit(state, accounts[i])
    return total


@rule
def profit_to_realize(won, pool, most, until):
    """Return the profit g that brings (won - g) / (pool - g) to `until`, if won / pool is above `most`; quote."""
    if won <= max(0.0, most * pool):
        return 0.0
    return min(won, (won - until * pool) / (1.0 - until))


@rule
def close_for(state, book, case, account, share):
    """Close `share` of a winner at the mark, in lots rounded up, against the makers; return the quantity."""
    size = min(lots_down(abs(account.qty), book.lot), lots_up(share * abs(account.qty), book.lot))
    take_from(state, case, account, size)
    trade_with_makers(state, case.side * size, state.mark)
    state.deleveraged_notional += size * state.mark
    return size


def compose_pool_guard() -> Any:
    """Return ``guard_pool(state, book, case, accounts, living)``; the ranking is a number of the rulebook."""
    score, allocate = compose_ranking()

    @rule
    def queue_up(state, book, case, accounts, living, gains, ranks):
        """Collect the profit of every solvent winner of the other side than the case's, and how it ranks."""
        start = drawn_seat(state, len(living))
        for k in range(len(living)):
            a = accounts[living[k]]
            won = profit(state, a)
            if won > 0.0 and room_of(state, book, case, a.qty, a.entry, a.collateral) > 0.0:
                turn = float((k - start) % len(living))
                gains[k] = won
                ranks[k] = score(book.guard.ranking, standing_of(state, book, a.qty, a.entry, a.collateral, turn))

    @rule
    def realize(state, book, case, accounts, living, due):
        """Close winners until profits of `due` are realised."""
        n = len(living)
        gains, ranks, taken = np.zeros(n), np.zeros(n), np.zeros(n)
        queue_up(state, book, case, accounts, living, gains, ranks)
        order = best_first(ranks)
        offered = only_the_first(order, gains, book.guard.first)
        if offered == 0.0:
            return
        allocate(book.guard.ranking, order, gains, min(due, offered), book.cent, taken)
        closed = 0.0
        for k in range(n):
            if taken[k] > 0.0:
                closed += close_for(state, book, case, accounts[living[k]], float(taken[k] / gains[k]))
        rehedge(state, book, -case.side * closed, 0.0)  # a rule of this venue alone: no other crowd is closed with it

    @rule
    def guard_pool(state, book, case, accounts, living):
        """Reduce the winners of each side whose profit exceeds what the pool can bear."""
        for side in (1.0, -1.0):
            won = side_profit(state, accounts, living, side)
            due = profit_to_realize(won, pool_value(state), book.guard.max_factor, book.guard.until_factor)
            if due > 0.0:
                case.side, case.transfer_price = -side, state.mark
                realize(state, book, case, accounts, living, due)

    return guard_pool


class PoolGuard(Settings):
    """Winners of a side are reduced when its profit exceeds `max_factor` of the makers' pool, until `until_factor`.

    The pool's value does not count open profits.  `ranking` names whom to close first; by default the largest
    profit (public code of GMX v2: 0.85 and 0.77, 0.55 and 0.50 for synthetic markets; a keeper names the account).
    """

    max_factor: float = Field(gt=0)
    until_factor: float = Field(gt=0, lt=1)
    ranking: Annotated[str, AfterValidator(Ranking.known)] = "keeper_choice"

    @field_validator("until_factor")
    @classmethod
    def _below(cls, until: float, info: ValidationInfo) -> float:
        most = info.data.get("max_factor", until)
        if until > most:
            raise ValueError(f"{until:g} is above max_factor = {most:g}")
        return until


def guard_numbers(guard: PoolGuard | None) -> dict[str, float]:
    """Return what rules read of a guard; zeros if there is none."""
    if guard is None:
        return dict.fromkeys(("max_factor", "until_factor", "ranking", "first"), 0.0)
    ranking = Ranking.choose(guard.ranking)
    return {
        "max_factor": guard.max_factor,
        "until_factor": guard.until_factor,
        "ranking": float(ranking.code),
        "first": float(ranking.first or NO_END),
    }
