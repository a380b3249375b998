"""Who pushes the index, when, and how far: what attackers and panics add to the log path of every engine alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from stress.agents.base import Push
from stress.engines.rulebook import as_namespace, liquidity_numbers
from stress.engines.steps import NEVER
from stress.markets.base import CHUNK
from stress.scenario import Scenario


@dataclass(frozen=True, eq=False)
class Pushed:
    """One cohort's push as a path of log moves.

    Parameters
    ----------
    profile : ndarray, shape (k,)
        Log move in the price after 1, 2, ... steps; from then on the last one.
    act : int
        Column of the steps at which cohorts act, -1 for one that the market sets off.
    after, window : float, int
        The log move within so many steps that does so.
    """

    profile: np.ndarray
    act: int
    after: float
    window: int

    def starts(self, shocks: np.ndarray, acts: np.ndarray) -> np.ndarray:
        """Return the first steps that it moves, after those of the act, shape (n, times); from NEVER on not at all."""
        if self.act >= 0:
            return acts[:, :, self.act] + 1
        return first_move(shocks, self.after, self.window)[:, None]


@dataclass(frozen=True)
class PushCost:
    """How far a cohort pushes the index, and what that takes by the venue's impact law and by a walk of its book."""

    name: str
    move: float  # relative
    minutes: float
    law_usd: float
    walk_usd: float | None


def pushes_of(scenario: Scenario, symbol: str | None = None) -> list[Pushed]:
    """Return the pushes of one symbol's index; of the only one, where the venue has one."""
    acting = [cohort for cohort in scenario.population if cohort.act_rate > 0.0]
    return [
        Pushed(
            profile=profile_of(push, reach(push, desk), scenario.run.step_seconds / 60.0),
            act=acting.index(cohort) if push.after_move is None else -1,
            after=push.after_move or 0.0,
            window=scenario.steps(push.window_minutes * 60.0),
        )
        for cohort, push, desk in _pushing(scenario, symbol)
    ]


def _pushing(scenario: Scenario, symbol: str | None) -> Iterator[tuple[Any, Push, Scenario]]:
    """Yield those who ever push the index of a symbol, and the desk that they push."""
    names = [asset.symbol for asset in scenario.asset] or [""]
    for cohort in scenario.population:
        push = cohort.push
        if push is None or (push.after_move is None and cohort.act_rate == 0.0):
            continue
        if symbol is None or cohort.trades(symbol, names[0]):
            yield cohort, push, scenario.desks[names.index(cohort.symbol or names[0])]


def profile_of(push: Push, reach: float, step_minutes: float) -> np.ndarray:
    """Return the log moves at the ends of the steps after the start, shape (k,), k >= 1; the last one is for good."""
    k = max(1, int(np.ceil(push.minutes / step_minutes - 1e-9)))
    return push.limited(reach) * push.share_at(np.arange(1, k + 1) * step_minutes)


def reach(push: Push, desk: Scenario) -> float:
    """Return the log move that the venue's impact law gives for the money behind a push; inf for no limit."""
    if push.flow_usd is None:
        return float("inf")
    return float(desk.liquidity.impact.impact(desk.base_units(push.flow_usd), _law(desk)))


def cost_usd(push: Push, desk: Scenario) -> float:
    """Return the flow, USD at today's price, for which the venue's impact law gives the move: what a push takes."""
    flow = desk.liquidity.impact.flow_at(abs(push.limited(reach(push, desk))), _law(desk))
    return float(flow / desk.base_units(1.0))


def costs(scenario: Scenario) -> Iterator[PushCost]:
    """Yield what it takes whoever pushes a price."""
    for cohort, push, desk in _pushing(scenario, None):
        move = push.limited(reach(push, desk))
        flow, walk = cost_usd(push, desk), desk.liquidity.walk_usd(move)
        yield PushCost(cohort.name, float(np.expm1(move)), push.rise_minutes, flow, walk)


def _law(desk: Scenario) -> Any:
    return as_namespace(liquidity_numbers(desk, desk.base_units(desk.liquidity.volume_usd_per_day)))


def first_move(shocks: np.ndarray, after: float, window: int) -> np.ndarray:
    """Return the step after the first one at which log paths (n, n_steps) have moved by `after` within a window."""
    before = np.zeros_like(shocks)
    before[:, window:] = shocks[:, :-window]
    reached = (shocks - before <= after) if after < 0.0 else (shocks - before >= after)
    return np.where(reached.any(axis=1), np.argmax(reached, axis=1) + 1, NEVER)


def add_pushes(pushes: list[Pushed], acts: np.ndarray, shocks: np.ndarray) -> np.ndarray:
    """Add all pushes to log paths (n, n_steps), in place, and return which paths have changed, shape (n,).

    The market's own move sets them off, not what others have added to it.
    """
    starts = [push.starts(shocks, acts) for push in pushes]
    for push, at in zip(pushes, starts, strict=True):
        for path, start in zip(*_begun(at, shocks.shape[1]), strict=True):
            add_profile(shocks[path], start, push.profile)
    changed = [(at < shocks.shape[1]).any(axis=1) for at in starts]
    return np.any(changed, axis=0) if changed else np.zeros(len(shocks), dtype=bool)


def _begun(starts: np.ndarray, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (path, step) of every start within the horizon."""
    paths, times = np.nonzero(starts < n_steps)
    return paths, starts[paths, times]


def add_profile(path: np.ndarray, start: int, profile: np.ndarray) -> None:
    """Add a profile to a log path (n_steps,) from a step on, in place."""
    k = min(profile.size, path.size - start)
    path[start : start + k] += profile[:k]
    path[start + k :] += profile[-1]


def extremes(path: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and highest value of a path in every chunk of steps, shape (n_chunks,)."""
    starts = np.arange(0, path.size, CHUNK)
    return np.minimum.reduceat(path, starts), np.maximum.reduceat(path, starts)
