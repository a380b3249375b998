"""Cover-N at a venue with several symbols: the market moves, every symbol with it by its beta or its jump beta."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from stress import symbols
from stress.engines.cover import LARGEST, MOVES, Cover
from stress.engines.desks import Book
from stress.engines.rulebook import as_namespace, rulebook
from stress.exchange.state import ExchangeState
from stress.scenario import Scenario


class SeveralCover(Cover):
    """Stressed losses of portfolios; the accounts of one holder default together."""

    def __init__(self, scenario: Scenario):
        super().__init__(scenario)
        desks = [rulebook(symbols.desk(scenario, s), 1.0) for s in range(len(scenario.asset))]
        self.books = [as_namespace(desk.numbers) for desk in desks]

    def price(self, index: int, population: Any) -> None:
        """Price population `index`."""
        held = self._by_holder(population)
        self.priced[index] = {move: self._worse(held, move) for move in MOVES}

    def _worse(self, held: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], move: float) -> np.ndarray:
        """Return the losses at a move, the larger of two at every rank: the market drifts there, or it jumps."""
        followed = {tuple(asset.beta for asset in self.scenario.asset), self._jump_betas()}
        return np.max([np.sort(self._deficits(*held, betas, move))[::-1] for betas in followed], axis=0)

    def _jump_betas(self) -> tuple[float, ...]:
        """Return how every symbol follows a jump of the market."""
        return tuple(a.beta if a.jump_beta is None else a.jump_beta for a in self.scenario.asset)

    def _by_holder(self, book: Book) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return quantity and cost (n, n_symbols), wallet (n,) and coins (n, n_assets) of every holder."""
        p, n_symbols = book.portfolios, len(book.desks)
        cohort = p.legs["cohort"][p.starts[:-1]]
        explicit = np.array([c.explicit for c in self.scenario.population])[cohort]
        side = 2 * cohort + (p.legs["qty"][p.starts[:-1]] < 0.0)
        holder = np.unique(np.where(explicit, -1 - side, np.arange(cohort.size)), return_inverse=True)[1]
        n = holder.max() + 1
        at = holder[p.legs["account"]] * n_symbols + p.legs["symbol"]
        qty = np.bincount(at, p.legs["qty"], n * n_symbols).reshape(n, n_symbols)
        cost = np.bincount(at, p.legs["qty"] * p.legs["entry"], n * n_symbols).reshape(n, n_symbols)
        coins = np.zeros((n, p.coins.shape[1]))
        np.add.at(coins, holder, p.coins)
        return qty, cost, np.bincount(holder, p.wallet, n), coins

    def _deficits(self, qty, cost, wallet, coins, betas: tuple[float, ...], move: float) -> np.ndarray:
        """Return the largest losses beyond margin at a move of the market, liquidation cost included."""
        start = np.array([asset.price_usd for asset in self.scenario.asset])
        price = start * np.exp(np.array(betas) * math.log1p(move))
        index = dict(zip(symbols.names(self.scenario), price, strict=True))
        worth = np.array([index[row.symbol] if row.symbol else 1.0 for row in self.scenario.collateral])
        equity = wallet + (qty * price - cost).sum(axis=1) + coins @ worth
        states = [
            ExchangeState(initial_price=a, index=b, mark=b) for a, b in zip(start.tolist(), price.tolist(), strict=True)
        ]
        losses = []
        for i in np.argsort(equity - 0.5 * (np.abs(qty) * price).sum(axis=1))[:LARGEST]:
            slipped = self._slippage(self.fill_price, states, qty[i].tolist())
            losses.append(max(0.0, -(float(equity[i]) + slipped)))
        return np.array(losses)

    def _slippage(self, fill_price: Callable, states: list[ExchangeState], qty: list[float]) -> float:
        """Return what selling all positions at once gains over the index, quote <= 0."""
        gained = 0.0
        for state, book, q in zip(states, self.books, qty, strict=True):
            if q != 0.0:
                gained += q * (fill_price(state, book.liquidity, -q, 0.0) - state.index)
        return gained
