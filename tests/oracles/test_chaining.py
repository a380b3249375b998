"""D30: thirty days, each starting where the one before has ended, are a month: the same law of the fund.

The days are drawn from thirty seeds of their own and put behind each other; the month is drawn at once.
"""

import math
from pathlib import Path

import numpy as np
import pytest

from stress.engines.base import Job
from stress.engines.blocks import World
from stress.engines.steps import NEVER, Block
from stress.markets.base import CHUNK
from stress.scenario import Scenario

DAYS, N = 30, 1_200
MONTH = Scenario.load(Path(__file__).with_name("d30_turnover.toml"))
DAY = MONTH.with_(**{"run.horizon_hours": 24.0})
PER_DAY = DAY.clock.n_steps


def world(scenario, seed, job):
    return World(scenario, seed=seed, decay=job.engine.rulebook.decay)


def extremes(shocks):
    chunks = shocks.reshape(len(shocks), -1, CHUNK)
    return chunks.min(axis=2), chunks.max(axis=2)


def later(steps, day):
    return np.where(steps == NEVER, NEVER, steps + day * PER_DAY)


def in_order(turns, places, chances):
    order = np.argsort(turns, axis=1, kind="stable")
    found = [np.take_along_axis(values, order, axis=1) for values in (turns, places, chances)]
    return [
        np.column_stack([values, np.full(len(values), end)]) for values, end in zip(found, (NEVER, 0, 0), strict=True)
    ]


def chained(days, decay):
    """Put blocks of a day behind each other: log prices go on from the last one's end."""
    level, shocks = np.zeros((len(days[0].shocks), 1)), []
    for block in days:
        shocks.append(block.shocks + level)
        level = shocks[-1][:, -1:]
    moves = np.concatenate(shocks, axis=1)
    turns = np.concatenate([later(block.turns, day) for day, block in enumerate(days)], axis=1)
    events = (turns, *(np.concatenate([getattr(b, name) for b in days], axis=1) for name in ("places", "chances")))
    exits = np.concatenate([later(block.exits, day) for day, block in enumerate(days)], axis=1)
    rates = np.concatenate([block.rates for block in days], axis=1)
    halts = np.concatenate([block.halts for block in days], axis=1)
    return Block(moves, *extremes(moves), halts, exits, rates, *in_order(*events), decay)


@pytest.fixture(scope="module")
def drawdowns():
    """Return the fund's drawdown over the month: chained days, one draw; shape (N,) each."""
    job = Job(MONTH)
    population, decay = job.population(0), job.engine.rulebook.decay
    days = [world(DAY, 1_000 + day, job) for day in range(DAYS)]
    month, found = world(MONTH, 7, job), {"days": [], "month": []}
    for first in range(0, N, 50):
        blocks = {"days": chained([day.block(first, 50) for day in days], decay), "month": month.block(first, 50)}
        for name, block in blocks.items():
            states = job.engine.shadow(population, block, first, job.engine.ledger(population, 0), None)
            assert not states["needs_loop"].any()
            found[name].append(states["drawdown"])
    return {name: np.concatenate(parts) for name, parts in found.items()}


@pytest.mark.parametrize("fund", [100_000.0, 200_000.0, 400_000.0])
def test_ruin_is_as_likely_over_chained_days_as_over_the_month(drawdowns, fund):
    days, month = ((values > fund).mean() for values in drawdowns.values())
    error = math.sqrt((days * (1 - days) + month * (1 - month)) / N)
    assert 0.0 < month < 1.0
    assert abs(days - month) < 3.0 * error


def test_so_is_the_reserve_at_99_percent(drawdowns):
    rng, level = np.random.default_rng(1), 0.99
    values = [np.quantile(found, level) for found in drawdowns.values()]
    spread = [np.std([np.quantile(rng.choice(found, N), level) for _ in range(300)]) for found in drawdowns.values()]
    assert abs(values[0] - values[1]) < 3.0 * math.hypot(*spread)


def test_a_month_is_not_thirty_independent_days(drawdowns):
    """Printed, not judged: the ratio need not be one, since the fund goes on from where it stands."""
    fund, job = 100_000.0, Job(DAY)
    block = world(DAY, 11, job).block(0, N)
    states = job.engine.shadow(job.population(0), block, 0, job.engine.ledger(job.population(0), 0), None)
    day, month = (states["drawdown"] > fund).mean(), (drawdowns["month"] > fund).mean()
    print(f"psi(30 d) / (1 - (1 - psi(1 d))^30) = {month:.4f} / {1 - (1 - day) ** DAYS:.4f}")
    assert day < month
