"""The model that the dashboard drives: the reference model, whose price can be pushed."""

import math
from typing import Any, ClassVar

import numpy as np

from stress.census import Book
from stress.engines.mesa_model import InsuranceFundModel
from stress.engines.population import nearest

__all__ = ["PushedModel", "live_book"]


class PushedModel(InsuranceFundModel):
    """The reference model with a hand on the index."""

    records_start: ClassVar[bool] = True  # so that charts are never empty

    def push(self, move: float) -> None:
        """Move the index by a share of itself, from the next step on.

        Parameters
        ----------
        move : float
            -0.1 for a fall of a tenth; above -1.
        """
        if move <= -1.0:
            raise ValueError(f"move: must be above -1, not {move:g}")
        shift = self.fund_scenario.exchange.contract.side * math.log1p(move)
        shocks = self.outside.shocks  # log(index / initial price), step by step
        shocks[self.clock :] = [shock + shift for shock in shocks[self.clock :]]


def live_book(model: InsuranceFundModel) -> Book:
    """Return which further price moves liquidate whom, as the accounts stand now."""
    scenario, holders = model.fund_scenario, model.holders
    rows = model.population.accounts[[agent.account for agent in holders]].copy()
    for name in ("qty", "entry", "collateral"):
        rows[name] = [getattr(agent, name) for agent in holders]
    price = nearest(rows, scenario, model.state.funding) if len(rows) else np.empty(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        move = scenario.exchange.contract.usd_price(price) / model.mark - 1.0
    move = np.where(np.isfinite(price) & (price > 0), move, -np.sign(rows["qty"]) * np.inf)
    return Book(move, np.abs(rows["qty"]) * model.state.mark, model.open_interest)


def sliders(scenario: Any) -> dict[str, Any]:
    """Return the parameters of the sidebar, in the form of Mesa's `SolaraViz`, around the values of the scenario."""

    def slider(label: str, value: float, low: float, high: float, step: float) -> dict[str, Any]:
        """Return one slider."""
        return {"type": "SliderFloat", "label": label, "value": value, "min": low, "max": high, "step": step}

    vol = getattr(scenario.market, "vol_annual", None)
    fund, volume = scenario.fund.initial_usd, scenario.liquidity.volume_usd_per_day
    found: dict[str, Any] = {
        "scenario": scenario,
        "path": {"type": "SliderInt", "label": "Path", "value": 0, "min": 0, "max": 99, "step": 1},
        "fund_usd": slider("Fund (USD)", fund, 0.0, 5.0 * fund or 1e6, fund / 20.0 or 1e4),
        "volume_usd_per_day": slider("Volume (USD a day)", volume, volume / 10.0, 5.0 * volume, volume / 10.0),
    }
    if vol is not None:
        found["vol_annual"] = slider("Volatility, a year", vol, 0.05, 3.0, 0.05)
    return found
