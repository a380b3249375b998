"""One population: the accounts of a scenario, drawn, quantised, balanced by the makers, and checked."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from stress.accounts import ACCOUNT, EXACT_UNITS, grid
from stress.agents.base import Cohort, Venue, coin_collateral
from stress.exchange.margin import breached, liquidation_prices
from stress.randomness import POPULATION, generator
from stress.scenario import Scenario, ScenarioError

SHARE_TOLERANCE = 0.05  # achieved against requested shares of open interest (docs/method.md, section 8)


@dataclass(frozen=True)
class Share:
    """Requested and achieved share of one side's open interest held by a cohort."""

    cohort: str
    side: str
    requested: float
    achieved: float

    @property
    def off(self) -> bool:
        """Say whether the achieved share misses the requested one by more than the tolerance."""
        return abs(self.achieved - self.requested) > SHARE_TOLERANCE * max(self.requested, 1e-12)


@dataclass(frozen=True, eq=False)
class Population:
    """Accounts (rows of `stress.accounts.ACCOUNT`, shape (n,)) and the makers who balance them."""

    accounts: np.ndarray
    price: float
    maker_collateral: float
    makers_deleverage: bool
    leavers: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))  # (k,) rows of accounts that may leave

    @cached_property
    def maker_qty(self) -> float:
        """What the makers hold so that positions add up to zero, base units."""
        return -float(self.accounts["qty"].sum())

    @cached_property
    def open_interest(self) -> float:
        """Notional of one side, makers included, in the contract's money."""
        qty = self.accounts["qty"]
        return max(float(qty[qty > 0].sum()), float(-qty[qty < 0].sum())) * self.price

    @cached_property
    def deposits(self) -> float:
        """All money in the system besides the fund: collateral plus unrealised profit at the start, quote."""
        a = self.accounts
        return float(a["collateral"].sum()) + float((a["qty"] * (self.price - a["entry"])).sum())


def draw_population(scenario: Scenario, index: int, *, seed: int | None = None) -> Population:
    """Draw population `index` of a scenario; the same for any run that asks for it.

    Parameters
    ----------
    scenario : Scenario
    index : int
        Population id, path // redraw_every.
    seed : int, optional
        Root seed; the scenario's own by default.

    Returns
    -------
    Population

    Raises
    ------
    ScenarioError
        If an account is liquidatable before the first step, or the sums are too large to be exact.
    """
    seed = scenario.run.seed if seed is None else seed
    if scenario.asset:
        from stress.engines.desks import draw_book

        return draw_book(scenario, index, seed)  # type: ignore[return-value]
    parts = []
    for i, cohort in enumerate(scenario.population):
        rng = generator(seed, POPULATION, index * len(scenario.population) + i)
        accounts = draw_cohort(cohort, rng, scenario.venue, f"population.{i}: {cohort.name!r}")
        accounts["cohort"] = i
        parts.append(accounts)
    collateral = sum(cohort.maker_collateral for cohort in scenario.population)
    deleverage = any(cohort.makers_deleverage for cohort in scenario.population)
    drawn = Population(np.concatenate(parts), scenario.price, collateral, deleverage)
    check_exact(scenario, drawn)
    accounts = _healthy(scenario, drawn)
    return Population(accounts, drawn.price, collateral, deleverage, leavers_of(scenario, accounts["cohort"]))


def draw_cohort(cohort: Cohort, rng: np.random.Generator, venue: Venue, where: str) -> np.ndarray:
    """Draw the accounts of one cohort, which may be of an agent type of the user's own.

    Raises
    ------
    ScenarioError
        If no engine could run them exactly, or they are drawn from laws and the class does not say so.
    """
    before = repr(rng.bit_generator.state)
    accounts = cohort.draw(rng, venue)
    for fault in draw_faults(accounts, venue):
        raise ScenarioError(f"{where}: draw() returned {fault} (stress.build_accounts makes exact ones)")
    if not cohort.reacts and any(accounts[name].any() for name in ("stop", "target", "spare")):
        raise ScenarioError(f"{where}: draw() sets stop, target or spare, so the class must say reacts = True")
    if not cohort.laws and repr(rng.bit_generator.state) != before:
        raise ScenarioError(f"{where}: draw() uses its generator, so the class must say laws = True")
    return accounts


def draw_faults(accounts: np.ndarray, venue: Venue) -> Iterator[str]:
    """Say what is wrong with drawn accounts: their fields, their numbers, or numbers between the grids."""
    if getattr(accounts, "dtype", None) != ACCOUNT:
        yield f"{type(accounts).__name__}, not an array of accounts"
        return
    for name, step in (("qty", venue.lot), ("entry", venue.tick), ("collateral", venue.cent)):
        if not np.isfinite(accounts[name]).all():
            yield f"{name} that is not finite"
        elif (accounts[name] % grid(step) != 0.0).any():
            yield f"{name} off the venue's grid of {grid(step):g}"
    if (accounts["qty"] == 0.0).any():
        yield "accounts without a position"


def leavers_of(scenario: Scenario, cohort: np.ndarray) -> np.ndarray:
    """Return the rows of the accounts that may let themselves be liquidated: the first ones of their cohorts.

    Parameters
    ----------
    scenario : Scenario
    cohort : ndarray of int, shape (n_accounts,)
        Row of the population table of every account.

    Raises
    ------
    ScenarioError
        If the accounts of a cohort that leaves are too small to hold a position.
    """
    places = [np.empty(0, dtype=np.int64)]
    for i, row in enumerate(scenario.population):
        if row.n_leavers > 0:
            mine = np.flatnonzero(cohort == i)
            if mine.size != row.n_seats:
                raise ScenarioError(f"population.{i}: {row.name!r}: accounts are smaller than a lot")
            places.append(mine[: row.n_leavers])
    return np.concatenate(places)


def check_exact(scenario: Scenario, population: Population) -> None:
    """Refuse a book whose sums are too large for its grids to be exact."""
    venue, a = scenario.venue, population.accounts
    sums = {
        "exchange.lot": np.abs(a["qty"]).sum() / grid(venue.lot),
        "exchange.tick": (np.abs(a["qty"]) * a["entry"]).sum() / (grid(venue.lot) * grid(venue.tick)),
        "exchange.cent": a["collateral"].sum() / grid(venue.cent),
    }
    for key, units in sums.items():
        if units > EXACT_UNITS:
            raise ScenarioError(f"{key}: too fine: the book is {units:.2g} grid units, above 2^53")


def _healthy(scenario: Scenario, population: Population) -> np.ndarray:
    """Drop drawn accounts that rounding left liquidatable at the start; refuse given ones."""
    accounts, price, usd_price = population.accounts, population.price, scenario.exchange.contract.usd_price
    dead = breached(accounts, price, scenario.tiers)
    for i in np.flatnonzero(dead):
        cohort = scenario.population[accounts[i]["cohort"]]
        if not cohort.laws:
            best = nearest(accounts[i : i + 1], scenario)[0]
            raise ScenarioError(
                f"population.{accounts[i]['cohort']}: {cohort.name!r} is liquidatable at the start "
                f"(liquidation price {usd_price(best):,.2f}, mark {usd_price(price):,.2f})"
            )
    return accounts[~dead]


def nearest(accounts: np.ndarray, scenario: Scenario, funding: float = 0.0) -> np.ndarray:
    """Return each account's liquidation price, shape (n,): the extreme over tiers of the affine solutions."""
    if not scenario.exchange.monotone:
        return _cliff_prices(accounts, scenario)
    prices = liquidation_prices(accounts, scenario.tiers, funding)
    return np.where(accounts["qty"] > 0, prices.max(axis=1), prices.min(axis=1))


def _cliff_prices(accounts: np.ndarray, scenario: Scenario) -> np.ndarray:
    """Return the first price at which the rate of the tier reached makes the account liquidatable."""
    prices = liquidation_prices(accounts, scenario.tiers)
    caps = np.array([0.0, *scenario.tiers.cap[: scenario.tiers.count]])
    caps[-1] = np.inf
    size = np.abs(accounts["qty"])[:, None]
    low, high = caps[:-1] / size, caps[1:] / size  # prices at which each tier applies
    long = (accounts["qty"] > 0)[:, None]
    inside = np.where(long, np.minimum(prices, high), np.maximum(prices, low))
    valid = np.where(long, inside > low, inside < high)
    first = np.where(valid, inside, np.where(long, -np.inf, np.inf))
    return np.where(accounts["qty"] > 0, first.max(axis=1), first.min(axis=1))


def shares(scenario: Scenario, population: Population) -> list[Share]:
    """Return requested and achieved shares of all open interest, cohort by cohort and side by side.

    Coins that are held as collateral are in an account's quantity and not in its share.
    """
    if scenario.asset:
        from stress.engines.desks import shares_of

        return shares_of(scenario, population)  # type: ignore[arg-type]
    found = []
    total = scenario.venue.open_interest or population.open_interest
    accounts = population.accounts
    qty = accounts["qty"] - coin_collateral(scenario.venue, accounts["collateral"])
    for i, cohort in enumerate(scenario.population):
        for side, requested in zip(("long", "short"), cohort.requested(scenario.venue), strict=True):
            if requested > 0.0:
                sign = scenario.venue.sign(side)
                held = qty[(accounts["cohort"] == i) & (sign * qty > 0)]
                achieved = float(np.abs(held).sum()) * population.price / total
                found.append(Share(cohort.name, side, requested / total, achieved))
    return found
