"""What the largest accounts would cost the fund if they defaulted together with a price move (Cover-N)."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from stress.engines.population import Population
from stress.engines.rulebook import as_namespace, rulebook
from stress.exchange.state import ExchangeState
from stress.scenario import Scenario

MOVES = (-0.5, -0.3, -0.2, 0.2, 0.3, 0.5)
COUNTS = (1, 2)
LARGEST = 50  # accounts per population whose sale is priced


class Cover:
    """Stressed losses of a scenario's populations, each priced once, by whichever thread has it at hand."""

    def __init__(self, scenario: Scenario):
        rules = rulebook(scenario, 1.0)
        self.scenario = scenario
        self.book, self.fill_price = as_namespace(rules.numbers), rules.compose().fill_price
        self.priced: dict[int, dict[float, np.ndarray]] = {}

    def price(self, index: int, population: Any) -> None:
        """Price population `index`."""
        held = replace(population, accounts=by_holder(self.scenario, population.accounts))
        self.priced[index] = {move: self._largest_first(held, move) for move in MOVES}

    def _largest_first(self, held: Population, move: float) -> np.ndarray:
        moved = self.scenario.exchange.contract.move(move)
        return np.sort(deficits(held, moved, self.book, self.fill_price))[::-1]

    def rows(self) -> tuple[dict, ...]:
        """Return Cover-1 and Cover-2 losses by move: rows ``{"n", "move", "losses", "fund"}``, a loss per population.

        The loss of an account is its deficit after the price move and the cost of liquidating it alone, at once,
        in a book of normal depth; the n largest add up (EMIR Art. 42 and 43, docs/method.md, section 10).
        """
        books = [self.priced[index] for index in sorted(self.priced)]
        cases = [(n, move) for n in COUNTS for move in MOVES]
        rows = [(n, move, [float(book[move][:n].sum()) for book in books]) for n, move in cases]
        return tuple({"n": n, "move": move, "losses": losses, "fund": self.fund_at(move)} for n, move, losses in rows)

    def fund_at(self, move: float) -> float:
        """Return what the fund is worth after a move of the USD price, quote."""
        scenario, contract = self.scenario, self.scenario.exchange.contract
        moving, _ = scenario.fund.basket(contract, scenario.exchange.coin)
        return scenario.fund_initial + moving * contract.move(move)


def cover_of(scenario: Scenario) -> Cover:
    """Return the cover of a scenario, of one symbol or of several."""
    if scenario.asset:
        from stress.engines.several_cover import SeveralCover

        return SeveralCover(scenario)
    return Cover(scenario)


def by_holder(scenario: Scenario, accounts: np.ndarray) -> np.ndarray:
    """Return the accounts with those of one holder, who defaults on all of a side, merged into one."""
    rows = [i for i, cohort in enumerate(scenario.population) if cohort.explicit]
    for i, side in product(rows, (1.0, -1.0)):
        mine = (accounts["cohort"] == i) & (accounts["qty"] * side > 0.0)
        if np.count_nonzero(mine) > 1:
            whole = accounts[mine][:1].copy()
            for name in ("qty", "collateral"):
                whole[name] = accounts[name][mine].sum()
            whole["entry"] = (accounts["qty"] * accounts["entry"])[mine].sum() / whole["qty"]
            accounts = np.concatenate([accounts[~mine], whole])
    return accounts


def deficits(population: Population, move: float, book: Any, fill_price: Callable) -> np.ndarray:
    """Return the largest losses beyond margin at a move in coordinates, with its cost, shape (<= LARGEST,)."""
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
