"""What the largest accounts would cost the fund if they defaulted together with a price move (Cover-N)."""

from collections.abc import Iterable

import numpy as np

from stress.engines.population import Population
from stress.engines.rulebook import as_namespace, rulebook
from stress.exchange import settlement
from stress.exchange.state import ExchangeState
from stress.scenario import Scenario

MOVES = (-0.2, -0.3, -0.5, 0.2, 0.3, 0.5)
COUNTS = (1, 2)


def stressed_losses(scenario: Scenario, populations: Iterable[Population]) -> tuple[dict, ...]:
    """Return Cover-1 and Cover-2 losses by move: rows ``{"n", "move", "losses"}``, one loss per population.

    The loss of an account is its deficit after the price move and the cost of liquidating it alone, at once, in
    a book of normal depth; the n largest losses add up (EMIR Art. 42 and 43, reserve_methodology 6).
    """
    found: dict[tuple[int, float], list[float]] = {(n, move): [] for n in COUNTS for move in MOVES}
    for population in populations:
        for move in MOVES:
            losses = np.sort(deficits(scenario, population, move))[::-1]
            for n in COUNTS:
                found[n, move].append(float(losses[:n].sum()))
    return tuple({"n": n, "move": move, "losses": losses} for (n, move), losses in found.items())


def deficits(scenario: Scenario, population: Population, move: float) -> np.ndarray:
    """Return each account's loss beyond its margin at a price move, liquidation cost included, shape (n,)."""
    accounts, price = population.accounts, population.price * (1.0 + move)
    equity = accounts["collateral"] + accounts["qty"] * (price - accounts["entry"])
    worst = np.flatnonzero(equity < np.abs(accounts["qty"]) * price)  # others cannot owe anything
    order = worst[np.argsort(equity[worst] - np.abs(accounts["qty"][worst]) * price * 0.5)][:50]
    book = as_namespace(rulebook(scenario, population.open_interest).numbers)
    kinds = (type(scenario.liquidity.impact), type(scenario.exchange.fee), type(scenario.exchange.disposal))
    rules = settlement.compose(*kinds)
    state = ExchangeState(initial_price=population.price, index=price, mark=price)
    losses = np.zeros(accounts.size)
    for i in order:
        qty = float(accounts["qty"][i])
        fill = rules.fill_price(state, book.liquidity, -qty, 0.0)
        losses[i] = max(0.0, -(float(equity[i]) + qty * (fill - price)))
    return losses
