"""What happens when: price, open interest, liquidations and fund of a few paths over time, and who was liquidated."""

from dataclasses import dataclass

import numpy as np

from stress.engines.base import Job
from stress.scenario import Scenario, ScenarioError

__all__ = ["Event", "Timeline", "timeline"]


@dataclass(frozen=True)
class Event:
    """One liquidation: when, whose, how large.

    Parameters
    ----------
    hours : float
    index_usd : float
        Price of the index then.
    account : int
        Row of the population.
    cohort, side : str
    notional_usd : float
        At the first price.
    round : int
        Of the liquidations of that step, from 0.
    """

    hours: float
    index_usd: float
    account: int
    cohort: str
    side: str
    notional_usd: float
    round: int


@dataclass(frozen=True, eq=False)
class Timeline:
    """Paths over time, at equally spaced times from 0 to the horizon.

    Parameters
    ----------
    label : str
        Name of the scenario.
    unit : str
        Money of the fund.
    hours : ndarray, shape (k,)
    price : ndarray, shape (n, k)
        Index, USD.
    open_interest, liquidated_long, liquidated_short : ndarray, shape (n, k)
        What traders hold on the larger side less what was liquidated of it, and what was liquidated so far; USD at the
        first price.
    fund : ndarray, shape (n, k)
        The fund, what it has taken over at the mark; `unit`.
    mark : ndarray, shape (n, k)
        Mark price, which bears the venue's own impact; USD.
    inventory : ndarray, shape (n, k)
        Signed notional at the mark that the fund has taken over and not sold yet; `unit`.
    deleveraged : ndarray, shape (n, k)
        Notional that was auto-deleveraged by each time; `unit`.
    drawdown : ndarray, shape (n,)
        What the path would have needed; `unit`.
    events : tuple of tuple of Event
        Liquidations of each path in their order.
    """

    label: str
    unit: str
    hours: np.ndarray
    price: np.ndarray
    open_interest: np.ndarray
    liquidated_long: np.ndarray
    liquidated_short: np.ndarray
    fund: np.ndarray
    mark: np.ndarray
    inventory: np.ndarray
    deleveraged: np.ndarray
    drawdown: np.ndarray
    events: tuple[tuple[Event, ...], ...]


def timeline(scenario: Scenario, paths: list[int], *, n_times: int = 145) -> Timeline:
    """Run some paths again and follow them.

    Parameters
    ----------
    scenario : Scenario
        As it was run: the same paths have the same numbers.
    paths : list of int
    n_times : int
        Times, the start included.

    Raises
    ------
    ScenarioError
        If a path is not one of the run, or the venue has several symbols.
    """
    if scenario.asset:
        raise ScenarioError("asset: a path of a venue with several symbols cannot be followed")
    for path in paths:
        if not 0 <= path < scenario.run.n_paths:
            raise ScenarioError(f"--path {path}: not one of the paths 0 to {scenario.run.n_paths - 1:,}")
    job = Job(scenario.with_(**{"run.engine": "auto"}), ledger=True)
    clock = scenario.clock
    stops = np.arange(n_times) * clock.n_steps // (n_times - 1)
    followed = [_Followed(job, path, stops) for path in paths]
    return Timeline(
        label=scenario.run.name,
        unit=scenario.exchange.unit,
        hours=stops * clock.step_seconds / 3600.0,
        price=np.array([one.price for one in followed]),
        open_interest=np.array([one.open_interest for one in followed]),
        liquidated_long=np.array([one.liquidated("long") for one in followed]),
        liquidated_short=np.array([one.liquidated("short") for one in followed]),
        fund=np.array([one.fund for one in followed]),
        mark=np.array([one.mark for one in followed]),
        inventory=np.array([one.inventory for one in followed]),
        deleveraged=np.array([one.deleveraged for one in followed]),
        drawdown=np.array([one.drawdown for one in followed]),
        events=tuple(one.events for one in followed),
    )


class _Followed:
    """One path, run once for its ledger and once for its states."""

    def __init__(self, job: Job, path: int, stops: np.ndarray):
        self.scenario, self.stops = job.scenario, stops
        index = path // job.scenario.redraw_every
        self.population = job.population(index)
        rows = job.engine.run(self.population, index, path, 1)
        self.drawdown = float(rows.shadow[0]["drawdown"])
        shocks = job.scenario.exchange.contract.side * job.engine.world.block(path, 1).shocks[0]
        self.index = job.scenario.market.price_usd * np.exp(np.concatenate([[0.0], shocks]))
        self.price = self.index[stops]
        states = job.engine.trace(self.population, path, 1, stops.size - 1, bottomless=0)[0]
        self.mark = np.concatenate([self.price[:1], job.scenario.exchange.contract.usd_price(states["mark"])])
        taken = job.scenario.exchange.contract.side * states["inventory"] * states["mark"]
        self.inventory, self.deleveraged = _from_zero(taken), _from_zero(states["deleveraged_notional"])
        self.fund = job.scenario.fund_initial + _from_zero(states["value"] + states["topped_up"])
        self.ledger = rows.ledger[np.lexsort((rows.ledger["round"], rows.ledger["step"]))]
        self.events = tuple(self._event(row) for row in self.ledger)

    def _event(self, row: np.void) -> Event:
        qty = float(row["qty"])
        bought = (qty > 0.0) == (self.scenario.exchange.contract.side > 0.0)
        return Event(
            hours=float(row["step"] + 1) * self.scenario.clock.step_seconds / 3600.0,
            index_usd=float(self.index[row["step"] + 1]),
            account=int(row["account"]),
            cohort=self.scenario.population[int(self.population.accounts["cohort"][row["account"]])].name,
            side="long" if bought else "short",
            notional_usd=abs(qty) * self.scenario.price * self.scenario.money_usd,
            round=int(row["round"]),
        )

    def liquidated(self, side: str) -> np.ndarray:
        """Return the notional of one side that was liquidated by each time, shape (k,)."""
        mine = [event.side == side for event in self.events]
        size = np.array([event.notional_usd for event in self.events])[mine]
        total = np.concatenate([[0.0], np.cumsum(size)])
        return total[np.searchsorted(self.ledger["step"][mine], self.stops)]

    @property
    def open_interest(self) -> np.ndarray:
        """Return what is left of the side that was larger, shape (k,)."""
        qty = self.population.accounts["qty"] * self.scenario.exchange.contract.side
        unit = self.scenario.price * self.scenario.money_usd
        held = {"long": qty[qty > 0.0].sum() * unit, "short": -qty[qty < 0.0].sum() * unit}
        side = max(held, key=lambda name: float(held[name]))
        return held[side] - self.liquidated(side)


def _from_zero(values: np.ndarray) -> np.ndarray:
    """Put the start, at which there is nothing, before values (k,)."""
    return np.concatenate([[0.0], values])
