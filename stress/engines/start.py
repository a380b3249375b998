"""Where every path starts: the books of a population before the first step."""

import numpy as np

from stress.engines.population import Population
from stress.exchange.state import ExchangeState
from stress.rules import record
from stress.scenario import Scenario


def opening(population: Population, scenario: Scenario, *, bottomless: int = 1) -> ExchangeState:
    """Return the state before the first step.

    Parameters
    ----------
    population : Population
    scenario : Scenario
    bottomless : {1, 0}
        1 for the shadow fund, 0 for the configured waterfall.
    """
    accounts, price = population.accounts, population.price
    moving, still = scenario.fund.basket(scenario.exchange.contract, scenario.exchange.coin)
    coins = moving / price
    return ExchangeState(
        initial_price=price,
        index=price,
        mark=price,
        price_min=price,
        price_max=price,
        bottomless=bottomless,
        watchful=int(is_watchful(scenario, bottomless)),
        coins=coins,
        coins_sold=-coins * price - still,
        open_interest=population.open_interest,
        alive_qty=float(accounts["qty"].sum()),
        alive_cost=float((accounts["qty"] * accounts["entry"]).sum()),
        alive_collateral=float(accounts["collateral"].sum()),
        maker_qty=population.maker_qty,
        maker_cost=population.maker_qty * price,
        maker_collateral=population.maker_collateral,
        deposits=population.deposits + population.maker_collateral,
    )


def is_watchful(scenario: Scenario, bottomless: int) -> bool:
    """Say whether a run must look at every step: a layer that can act remembers, or the fund is topped up."""
    if bottomless == 1 and scenario.layer[0].kind == "fund":
        return False
    return scenario.fund.top_up_usd > 0.0 or any(layer.needs_every_step for layer in scenario.layer)


def runs_again(shadow: np.ndarray, repeats: bool) -> np.ndarray:
    """Return which paths of shadow runs, shape (n,), need the configured waterfall.

    Those on which the fund is ruined; where it is limited or topped up, all on which it had to do anything.
    """
    ruined = shadow["ruin_step"] >= 0
    if not repeats:
        return ruined
    return ruined | (shadow["bad_debt"] > 0.0) | (shadow["inventory_peak"] > 0.0) | (shadow["drawdown"] > 0.0)


def initial_state(population: Population, scenario: Scenario, n: int, *, bottomless: int = 1) -> np.ndarray:
    """Return `n` records of the state before the first step."""
    return np.repeat(record(opening(population, scenario, bottomless=bottomless)), n)
