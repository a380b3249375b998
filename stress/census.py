"""Who is in the book: the accounts of a scenario's populations, counted."""

from dataclasses import dataclass

import numpy as np

from stress.engines.population import Population, draw_population, nearest
from stress.scenario import Scenario

__all__ = ["Book", "book_of", "mean_leverage"]


@dataclass(frozen=True, eq=False)
class Book:
    """The relative price move that liquidates each account, its notional, and one side's open interest; quote."""

    move: np.ndarray  # (n_accounts,)
    notional: np.ndarray  # (n_accounts,)
    open_interest: float


def book_of(scenario: Scenario) -> Book:
    """Return what price moves liquidate in the first population; an account that none liquidates is at infinity."""
    population = draw_population(scenario, 0)
    contract = scenario.exchange.contract
    price, qty = nearest(population.accounts, scenario), population.accounts["qty"]
    never = ~np.isfinite(price) | (price <= 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        move = contract.usd_price(price) / scenario.market.price_usd - 1.0
        move = np.where(never, -np.sign(contract.stated(qty)) * np.inf, move)
    return Book(move, np.abs(qty) * population.price, population.open_interest)


def mean_leverage(population: Population) -> float:
    """Return notional over equity, averaged with the notional as weight."""
    accounts, price = population.accounts, population.price
    notional = np.abs(accounts["qty"]) * price
    equity = accounts["collateral"] + accounts["qty"] * (price - accounts["entry"])
    return float(np.sum(notional * notional / equity) / notional.sum())
