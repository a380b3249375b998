"""Who is in the book: the accounts of a scenario's populations, counted."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from stress import symbols
from stress.engines.population import Population, draw_population, nearest, shares
from stress.scenario import Scenario
from stress.summary import Concentration, ConcentrationSpread, concentration, spread_of

__all__ = [
    "AchievedShare",
    "Book",
    "Census",
    "CohortCensus",
    "Distance",
    "Holdings",
    "Leverage",
    "book_of",
    "census",
    "concentration_of",
    "holdings",
    "mean_leverage",
]

SCHEMA = "fundstress.population/1"
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.8, 0.9)
BANDS = (3.0, 7.0)  # of leverage, by which a venue's open interest was reported (docs/method.md, section 11)
DISTANCES = (0.01, 0.03, 0.07, 0.10, 0.15, 0.20, 0.30)  # of the price; the wider ones are those of the same record
SIDES = ("long", "short")


@dataclass(frozen=True, eq=False)
class Book:
    """The relative price move that liquidates each account, its notional, and one side's open interest; quote."""

    move: np.ndarray  # (n_accounts,)
    notional: np.ndarray  # (n_accounts,)
    open_interest: float


@dataclass(frozen=True, eq=False)
class Holdings:
    """What the accounts of one population hold, in the contract's money; arrays of shape (n,).

    Parameters
    ----------
    cohort : ndarray of int
        Row of the scenario's population table.
    long, short : ndarray
        Notional of either side; of a portfolio, over its symbols.
    equity : ndarray
        Collateral and unrealized profit today.
    open_interest : float
        Of one side, makers included.
    one_holder : tuple of int
        Cohorts whose accounts are the wallets of one holder.
    """

    cohort: np.ndarray
    long: np.ndarray
    short: np.ndarray
    equity: np.ndarray
    open_interest: float
    one_holder: tuple[int, ...] = ()

    @cached_property
    def gross(self) -> np.ndarray:
        """Notional of both sides."""
        return self.long + self.short

    @cached_property
    def leverage(self) -> np.ndarray:
        """Notional over equity, today."""
        return self.gross / self.equity

    def of(self, side: str) -> np.ndarray:
        """Return the notional of ``long``, ``short`` or ``both`` sides."""
        return self.gross if side == "both" else np.asarray(getattr(self, side))

    def by_holder(self, side: str) -> np.ndarray:
        """Return the notional of every holder, the wallets of one added up; shape (n_holders,)."""
        size = self.of(side)
        wholes = [size[self.cohort == i].sum() for i in self.one_holder]
        return np.append(size[~np.isin(self.cohort, self.one_holder)], wholes)


@dataclass(frozen=True)
class Leverage:
    """The distribution of leverage, notional over equity today, in one weighting.

    Parameters
    ----------
    mean : float
        Weighted mean.
    quantiles : dict of str to float
        Of the levels in `QUANTILES`.
    bands : tuple of float
        Shares below 3x, from 3x to 7x, and above.
    """

    mean: float
    quantiles: dict[str, float]
    bands: tuple[float, ...]


@dataclass(frozen=True)
class CohortCensus:
    """One row of the scenario's population table, over all populations that were drawn.

    Parameters
    ----------
    name, kind : str
    margin : str or None
        ``isolated`` or ``cross``; None where it follows from the kind.
    holding_hours : float or None
        Mean age that was asked for, before survivors are picked.
    n_accounts : float
        Mean number of accounts; makers have none.
    law_mean : float or None
        Mean of the law of leverage, before any cap.
    by_notional, by_count : Leverage or None
        Leverage weighted by notional and by account; None for a cohort without accounts.
    """

    name: str
    kind: str
    margin: str | None
    holding_hours: float | None
    n_accounts: float
    law_mean: float | None
    by_notional: Leverage | None
    by_count: Leverage | None


@dataclass(frozen=True)
class AchievedShare:
    """What a cohort asked for and holds of one side's open interest, mean over populations."""

    cohort: str
    side: str
    requested: float
    achieved: float


@dataclass(frozen=True)
class Distance:
    """Shares of the long and of the short notional that a move between `above` and `upto` liquidates."""

    above: float
    upto: float | None
    long: float
    short: float


@dataclass(frozen=True, eq=False)
class Census:
    """Everything that ``fundstress population`` says.

    Parameters
    ----------
    scenario, config_sha256, unit : str
        Name, hash of the resolved configuration, and the money of all amounts.
    seed, n_populations : int
    open_interest, n_accounts : float
        Of one side, and accounts, mean over populations.
    cohorts : tuple of CohortCensus
    shares : tuple of AchievedShare
    everybody : Leverage or None
        Of all accounts, weighted by notional.
    concentration : dict of str to ConcentrationSpread
        Of ``both`` sides, ``long`` and ``short``; the wallets of one explicit holder count as one account.
    distance : tuple of Distance
        From today's price to liquidation; empty where accounts hold several symbols.
    first : Holdings
        The first population, for figures.
    """

    scenario: str
    config_sha256: str
    unit: str
    seed: int
    n_populations: int
    open_interest: float
    n_accounts: float
    cohorts: tuple[CohortCensus, ...]
    shares: tuple[AchievedShare, ...]
    everybody: Leverage | None
    concentration: dict[str, ConcentrationSpread]
    distance: tuple[Distance, ...]
    first: Holdings

    def to_dict(self) -> dict[str, Any]:
        """Return the ``fundstress.population/1`` document: plain values, JSON-ready."""
        plain = {name: getattr(self, name) for name in ("scenario", "config_sha256", "unit", "seed", "n_populations")}
        return {
            "schema": SCHEMA,
            **plain,
            "open_interest": self.open_interest,
            "n_accounts": self.n_accounts,
            "cohorts": [asdict(row) for row in self.cohorts],
            "shares": [asdict(row) for row in self.shares],
            "leverage": self.everybody and asdict(self.everybody),
            "concentration": {side: found.to_dict() for side, found in self.concentration.items()},
            "distance": [asdict(row) for row in self.distance],
        }

    def to_json(self) -> str:
        """Return `to_dict` as strict JSON text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)


def census(scenario: Scenario, *, n_populations: int = 20) -> Census:
    """Draw populations of a scenario and count who is in them.

    Parameters
    ----------
    scenario : Scenario
    n_populations : int
        Draws, the first ones of a run; one if the accounts are given.

    Returns
    -------
    Census

    Raises
    ------
    ScenarioError
        If a population is not valid.
    """
    n = 1 if scenario.conditional_on_book else n_populations
    drawn = [draw_population(scenario, i) for i in range(n)]
    held = [holdings(scenario, population) for population in drawn]
    books = [] if scenario.asset else [book_of(scenario, population) for population in drawn]
    return Census(
        scenario=scenario.run.name,
        config_sha256=scenario.sha256,
        unit=scenario.exchange.unit,
        seed=scenario.run.seed,
        n_populations=n,
        open_interest=float(np.mean([h.open_interest for h in held])),
        n_accounts=float(np.mean([h.equity.size for h in held])),
        cohorts=tuple(_cohort(scenario, i, held) for i in range(len(scenario.population))),
        shares=tuple(_shares(scenario, drawn)),
        everybody=_leverage(held, by_count=False),
        concentration={side: _concentration(held, side) for side in ("both", *SIDES)},
        distance=tuple(_distances(books)),
        first=held[0],
    )


def holdings(scenario: Scenario, population: Any) -> Holdings:
    """Return what the accounts of one population hold, of one symbol or of several."""
    if scenario.asset:
        return _portfolio_holdings(scenario, population)
    accounts, price = population.accounts, population.price
    notional = np.abs(accounts["qty"]) * price
    is_long = scenario.exchange.contract.stated(accounts["qty"]) > 0.0
    equity = accounts["collateral"] + accounts["qty"] * (price - accounts["entry"])
    long, short = np.where(is_long, notional, 0.0), np.where(is_long, 0.0, notional)
    return Holdings(accounts["cohort"], long, short, equity, population.open_interest, _one_holder(scenario))


def _one_holder(scenario: Scenario) -> tuple[int, ...]:
    return tuple(i for i, row in enumerate(scenario.population) if row.explicit)


def _portfolio_holdings(scenario: Scenario, book: Any) -> Holdings:
    """Add up the legs of every account."""
    legs, wallet = book.portfolios.legs, book.portfolios.wallet
    price = np.array([asset.price_usd for asset in scenario.asset])[legs["symbol"]]
    value, account = legs["qty"] * price, legs["account"]
    long, short = (np.bincount(account, np.maximum(sign * value, 0.0), wallet.size) for sign in (1.0, -1.0))
    profit = np.bincount(account, legs["qty"] * (price - legs["entry"]), wallet.size)
    equity = wallet + profit + book.portfolios.coins @ np.array(symbols.venues(scenario).asset_prices)
    cohort = legs["cohort"][book.portfolios.starts[:-1]]
    return Holdings(cohort, long, short, equity, book.open_interest, _one_holder(scenario))


def _cohort(scenario: Scenario, i: int, held: Sequence[Holdings]) -> CohortCensus:
    row, law = scenario.population[i], getattr(scenario.population[i], "leverage_law", None)
    return CohortCensus(
        name=row.name,
        kind=row.kind,
        margin=getattr(row, "margin", None),
        holding_hours=getattr(row, "holding_hours", None),
        n_accounts=float(np.mean([np.count_nonzero(h.cohort == i) for h in held])),
        law_mean=law.mean if law is not None else None,
        by_notional=_leverage(held, i, by_count=False),
        by_count=_leverage(held, i, by_count=True),
    )


def _leverage(held: Sequence[Holdings], cohort: int | None = None, *, by_count: bool) -> Leverage | None:
    """Return the distribution of leverage of a cohort, or of all, over all populations; none without accounts."""
    mine = [slice(None) if cohort is None else h.cohort == cohort for h in held]
    leverage = np.concatenate([h.leverage[at] for h, at in zip(held, mine, strict=True)])
    if leverage.size == 0:
        return None
    gross = np.concatenate([h.gross[at] for h, at in zip(held, mine, strict=True)])
    order, weight = np.argsort(leverage), np.ones_like(gross) if by_count else gross
    leverage, below = leverage[order], np.cumsum(weight[order]) / weight.sum()
    at = np.minimum(np.searchsorted(below, QUANTILES), leverage.size - 1)
    edges = [0.0, *np.array([0.0, *below])[np.searchsorted(leverage, BANDS)], 1.0]
    return Leverage(
        mean=float(np.average(leverage, weights=weight[order])),
        quantiles={f"{p:g}": float(x) for p, x in zip(QUANTILES, leverage[at], strict=True)},
        bands=tuple(np.diff(edges).tolist()),
    )


def _shares(scenario: Scenario, drawn: Sequence[Any]) -> Iterator[AchievedShare]:
    """Yield requested and achieved shares, mean over populations."""
    for rows in zip(*(shares(scenario, population) for population in drawn), strict=True):
        achieved = float(np.mean([row.achieved for row in rows]))
        yield AchievedShare(rows[0].cohort, rows[0].side, rows[0].requested, achieved)


def _concentration(held: Sequence[Holdings], side: str) -> ConcentrationSpread:
    return spread_of([concentration_of(h, side) for h in held])


def concentration_of(held: Holdings, side: str = "both") -> Concentration:
    """Return in how few hands a population is; whoever holds both sides is the largest by the larger of them."""
    found = concentration(held.by_holder(side), open_interest=held.open_interest)
    if side != "both" or found.largest is None:
        return found
    largest = max(float(held.by_holder(one).max()) for one in SIDES)
    return replace(found, largest=largest / held.open_interest)


def _distances(books: Sequence[Book]) -> Iterator[Distance]:
    """Yield which share of either side's notional is how far from liquidation."""
    if not books:
        return
    move, notional = (np.concatenate([getattr(book, name) for book in books]) for name in ("move", "notional"))
    edges = (0.0, *DISTANCES, np.inf)
    place = np.clip(np.searchsorted(edges, np.abs(move), side="right") - 1, 0, len(edges) - 2)
    held = [np.bincount(place, notional * at, len(edges) - 1) for at in (move < 0.0, move >= 0.0)]
    shares = [side / side.sum() if side.sum() > 0.0 else side for side in held]
    for i, (above, upto) in enumerate(pairwise(edges)):
        yield Distance(above, None if np.isinf(upto) else upto, float(shares[0][i]), float(shares[1][i]))


def book_of(scenario: Scenario, population: Population | None = None) -> Book:
    """Return what price moves liquidate, in the first population unless one is given; infinity if none does."""
    population = draw_population(scenario, 0) if population is None else population
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
