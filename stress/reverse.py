"""What would it take?  The smallest move of the price, the smallest position and the likeliest path that ruin the fund.

For the first two the price moves once, by a straight line in its logarithm, and rests; all else is the scenario's own.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stress.likeliest import Likeliest, likeliest
from stress.scenario import Scenario, ScenarioError
from stress.variants import Runner

__all__ = ["Breaker", "Reverse", "SmallestMove", "reverse", "scaled_leverage"]

FACTORS = (0.5, 1.0, 1.5, 2.0)  # of all leverages
PARTS = (0.25, 0.5, 0.75)  # of the smallest move, each with a position
ACCOUNTS = 100  # that hold the position: attackers of 2023 and 2025 used 19 to more than 100, for low margin tiers
USUAL = 0.4  # a move, where none ruins the fund by itself
LARGEST_LOG = 2.0  # a fall of 86 %, a rise to 7.4 times
FINEST_LOG = 0.002
POPULATIONS = 20
MOST_SHARE, FINEST_SHARE = 0.9, 0.005
REST_HOURS = 24.0  # after the move, for what the fund holds to be sold
LEVERAGES = ("leverage", "leverage_median", "median")


@dataclass(frozen=True)
class SmallestMove:
    """The smallest move that ruins the fund on at least half of the populations.

    Parameters
    ----------
    leverage_factor : float
        All leverages are this many times the scenario's, as far as its tiers allow.
    fall, rise : float or None
        Relative moves; None when no fall to a seventh, no rise to seven times does.
    reason : str or None
        Why the mix cannot be had.
    """

    leverage_factor: float
    fall: float | None
    rise: float | None
    reason: str | None = None


@dataclass(frozen=True)
class Breaker:
    """The smallest position that ruins the fund together with a move against it.

    Parameters
    ----------
    move : float
        Of the price; the position is long for a fall, short for a rise.
    share : float or None
        Of open interest on its side; 0 when the move alone does, None when no share up to 90 % does.
    notional : float or None
        The same in the money of the contract.
    reason : str or None
        Why it cannot be tried.
    """

    move: float
    share: float | None
    notional: float | None
    reason: str | None = None


@dataclass(frozen=True)
class Reverse:
    """What ruins the fund.

    Parameters
    ----------
    scenario, unit : str
        Its name, and that of its money.
    fund : float
        The fund.
    minutes : float
        How long the move takes.
    leverage : float
        Of the position.
    moves : tuple of SmallestMove
        By leverage.
    breakers : tuple of Breaker
        By move: parts of the smallest that ruins the fund alone, or of 40 %.
    likeliest : tuple of Likeliest
        The most likely way to ruin, driver by driver of the market.
    not_sought : str or None
        Why there is none.
    """

    scenario: str
    unit: str
    fund: float
    minutes: float
    leverage: float
    moves: tuple[SmallestMove, ...]
    breakers: tuple[Breaker, ...]
    likeliest: tuple[Likeliest, ...] = ()
    not_sought: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the ``fundstress.reverse/1`` document: plain, JSON-ready values."""
        return {"schema": "fundstress.reverse/1", **asdict(self)}


def reverse(scenario: Scenario, *, minutes: float = 60.0, leverage: float = 10.0) -> Reverse:
    """Find the smallest moves by leverage, and the smallest positions by move, that ruin the fund.

    Parameters
    ----------
    scenario : Scenario
        Of one symbol, without renewal.
    minutes : float
        How long the move takes.
    leverage : float
        Of the position that is added.

    Returns
    -------
    Reverse
        To a fifth of a percent of the price and half a percent of open interest, by bisection over the same 20
        populations.

    Raises
    ------
    ScenarioError
        When the scenario has several symbols or renewal, or says no volatility.
    """
    still = _stilled(scenario, minutes)
    moves = tuple(_smallest(still, factor, minutes) for factor in FACTORS)
    own = moves[FACTORS.index(1.0)]
    tried = [part * move for move in (own.fall or -USUAL, own.rise or USUAL) for part in PARTS]
    breakers = tuple(_breaker(still, move, minutes, leverage) for move in tried)
    unit = scenario.exchange.unit
    ways = _ways(scenario)
    return Reverse(scenario.run.name, unit, scenario.fund_initial, minutes, leverage, moves, breakers, *ways)


def _ways(scenario: Scenario) -> tuple[tuple[Likeliest, ...], str | None]:
    """Return the most likely ways to ruin, or why they cannot be sought."""
    try:
        return tuple(likeliest(scenario)), None
    except ScenarioError as error:
        return (), str(error)


def _stilled(scenario: Scenario, minutes: float) -> Scenario:
    """Return the scenario with a price that only moves when told to, over the move and a day."""
    if scenario.asset or scenario.renewal is not None:
        raise ScenarioError("reverse: neither several symbols ([[asset]]) nor [renewal] are supported")
    if not 0.0 < minutes <= 60.0 * scenario.run.horizon_hours:
        raise ScenarioError(f"--minutes {minutes:g}: outside (0, {60 * scenario.run.horizon_hours:g}], the horizon")
    vol = scenario.liquidity.vol_annual or getattr(scenario.market, "vol_annual", None)
    if vol is None:
        raise ScenarioError("reverse: liquidity.vol_annual: is required, as the market says no volatility")
    hours = min(scenario.run.horizon_hours, minutes / 60.0 + REST_HOURS)
    grid = scenario.funding.interval_hours
    return scenario.plain(
        **{
            "market": {"kind": "scripted", "price_usd": scenario.market.price_usd},
            "liquidity.vol_annual": vol,
            "shock": [],
            "run.horizon_hours": max(grid, math.ceil(hours / grid) * grid),
        }
    )


def scaled_leverage(tables: dict[str, Any], factor: float) -> dict[str, Any]:
    """Return the tables of a scenario with every cohort's leverage, or the median of its law, times a factor."""
    return {**tables, "population": [_scaled(row, factor) for row in tables["population"]]}


def _scaled(row: dict[str, Any], factor: float) -> dict[str, Any]:
    changed = dict(row)
    for name in LEVERAGES:
        value = row.get(name)
        if isinstance(value, dict):
            changed[name] = _scaled(value, factor)
        elif isinstance(value, (int, float)):
            changed[name] = max(1.0, factor * value)
    return changed


def _smallest(still: Scenario, factor: float, minutes: float) -> SmallestMove:
    try:
        mix = Scenario.from_tables(scaled_leverage(still.tables(), factor))
        ruined = _ruined_by(mix, minutes)
    except ScenarioError as error:
        return SmallestMove(factor, None, None, str(error))
    fall = least(lambda size: ruined(-size), LARGEST_LOG, FINEST_LOG)
    rise = least(ruined, LARGEST_LOG, FINEST_LOG)
    return SmallestMove(factor, fall and math.expm1(-fall), rise and math.expm1(rise))


def _ruined_by(scenario: Scenario, minutes: float) -> Callable[[float], bool]:
    """Return the question whether a log move ruins half of the populations."""
    drawn: dict[Any, Any] = {}

    def ruined(log_move: float) -> bool:
        """Run the populations, one path each."""
        shock = {"at_hours": 0.0, "minutes": minutes, "move": math.expm1(log_move)}
        runner = Runner(scenario.with_(shock=[shock]), 1, drawn)
        paths = range(1 if runner.scenario.conditional_on_book else POPULATIONS)
        fell = [runner.drawdowns(path, 1, drawn)[0] for path in paths]
        return float(np.median(fell)) > scenario.fund_initial

    return ruined


def _breaker(still: Scenario, move: float, minutes: float, leverage: float) -> Breaker:
    rows, side = still.tables()["population"], "long" if move < 0.0 else "short"

    def ruined(share: float) -> bool:
        """Say whether the move and a position of this share ruin half of the populations."""
        added = {
            "kind": "whale",
            "name": "breaker",
            "share": share,
            "side": side,
            "leverage": leverage,
            "accounts": ACCOUNTS,
        }
        scenario = still.with_(population=[*rows, added]) if share > 0.0 else still
        return _ruined_by(scenario, minutes)(math.log1p(move))

    try:
        share = 0.0 if ruined(0.0) else least(ruined, _room(still, side), FINEST_SHARE)
    except ScenarioError as error:
        return Breaker(move, None, None, str(error))
    notional = None if share is None else share * still.venue.open_interest
    return Breaker(move, share, notional)


def _room(scenario: Scenario, side: str) -> float:
    """Return the share of a side that explicit accounts leave, at most 90 %."""
    crowd = scenario.venue.crowd_long if side == "long" else scenario.venue.crowd_short
    return MOST_SHARE * crowd / scenario.venue.open_interest


def least(enough: Callable[[float], bool], most: float, finest: float) -> float | None:
    """Return the smallest size up to `most` that is enough, to `finest`; None when none is.

    Sizes are doubled from the finest on, so that what is enough once and not for all larger sizes is found where it
    begins.
    """
    low = 0.0
    for high in _doubled(finest, most):
        if enough(high):
            break
        low = high
    else:
        return None
    while high - low > finest:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _doubled(first: float, most: float) -> Iterator[float]:
    size = first
    while size < most:
        yield size
        size *= 2.0
    yield most
