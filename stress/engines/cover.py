"""What the largest accounts would cost the fund if they defaulted together with a price move (Cover-N)."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from stress.engines.population import Population
from stress.engines.rulebook import as_namespace, rulebook
from stress.exchange.state import ExchangeState
from stress.scenario import Scenario

MOVES = (-0.5, -0.3, -0.2, 0.2, 0.3, 0.5)
COUNTS = (1, 2)
LARGEST = 50  # accounts per population whose sale is priced


def stressed_losses(scenario: Scenario, populations: Iterable[Population]) -> tuple[dict, ...]:
    """Return Cover-1 and Cover-2 losses by move: rows ``{"n", "move", "losses"}``, one loss per population.

    The loss of an account is its deficit after the price move and the cost of liquidating it alone, at once, in
    a book of normal depth; the n largest losses add up (EMIR Art. 42 and 43, docs/method.md, section 10).
    """
    found: dict[tuple[int, float], list[float]] = {(n, move): [] for n in COUNTS for move in MOVES}
    book = as_namespace(rulebook(scenario, 1.0).numbers)
    fill_price = rulebook(scenario, 1.0).compose().fill_price
    for population in populations:
        for move in MOVES:
            losses = np.sort(deficits(population, move, book, fill_price))[::-1]
            for n in COUNTS:
                found[n, move].append(float(losses[:n].sum()))
    return tuple({"n": n, "move": move, "losses": losses} for (n, move), losses in found.items())


def deficits(population: Population, move: float, book: Any, fill_price: Callable) -> np.ndarray:
    """Return the largest losses beyond margin at a price move, liquidation cost included, shape (<= LARGEST,)."""
    accounts, price = population.accounts, population.price * (1.0 + move)
    value = np.abs(accounts["qty"]) * price
    equity = accounts["collateral"] + accounts["qty"] * (price - accounts["entry"])
    state = ExchangeState(initial_price=population.price, index=price, mark=price)
    losses = []
    for i in np.argsort(equity - 0.5 * value)[:LARGEST]:  # a sale costs a fraction of the value: rank generously
        qty = float(accounts["qty"][i])
        fill = fill_price(state, book.liquidity, -qty, 0.0)
        losses.append(max(0.0, -(float(equity[i]) + qty * (fill - price))))
    return np.array(losses)
