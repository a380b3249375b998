"""Which engine runs a scenario: the fastest that is exact, or the one asked for, never an approximation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stress.scenario import Scenario, ScenarioError


@dataclass(frozen=True)
class Choice:
    """An engine, why it was taken, and how to make it."""

    name: str
    why: str
    make: Callable[..., Any]


def choose_engine(scenario: Scenario) -> Choice:
    """Return the engine for a scenario.

    Raises
    ------
    ScenarioError
        If the engine asked for cannot run the scenario exactly; the message names the feature.
    """
    asked = scenario.run.engine
    obstacle = ladder_obstacle(scenario)
    several = bool(scenario.asset)
    if asked == "ladder" and obstacle:
        raise ScenarioError(f"run.engine: 'ladder' cannot run this scenario exactly: {obstacle}")
    if asked == "reference":
        return Choice(
            "reference", "asked for: one Mesa agent per account", _several_reference if several else _reference
        )
    if asked == "loop":
        return Choice("loop", "asked for: every account", _several if several else _loop)
    if obstacle:
        return Choice("loop", f"the fastest that is exact: {obstacle}", _several if several else _loop)
    return Choice("ladder", "the fastest that is exact: thresholds of all accounts are monotone", _ladder)


def ladder_obstacle(scenario: Scenario) -> str:
    """Say which feature keeps the ladder from being exact; empty if none does."""
    if scenario.asset:
        return "[[asset]]: whether a portfolio is liquidated depends on several prices"
    if not scenario.exchange.monotone:
        return "exchange.tier_mode = 'cliff' makes liquidation non-monotone in the price"
    if scenario.exchange.pool_guard is not None:
        return "exchange.pool_guard adds up everybody's profit at every check"
    return ""


def _ladder(scenario: Scenario, *args: Any) -> Any:
    from stress.engines.compiled import LadderEngine, MovingLadderEngine

    return (MovingLadderEngine if scenario.moves else LadderEngine)(scenario, *args)


def _loop(*args: Any) -> Any:
    from stress.engines.compiled import LoopEngine

    return LoopEngine(*args)


def _several(*args: Any) -> Any:
    from stress.engines.several import SeveralEngine

    return SeveralEngine(*args)


def _several_reference(*args: Any) -> Any:
    from stress.engines.portfolio_model import PortfolioReference

    return PortfolioReference(*args)


def _reference(*args: Any) -> Any:
    from stress.engines.reference import ReferenceEngine

    return ReferenceEngine(*args)
