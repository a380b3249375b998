from dataclasses import replace

import numpy as np
import pytest

from stress.outcomes import Outcomes
from stress.summary import Driver, ModelRisk, ParameterInterval, Spread, Variant, outcomes_from_increments


@pytest.fixture
def make_outcomes():
    """Outcomes with the given drawdowns; facts and other columns as asked for."""

    def make(drawdown, *, population=None, attribution=None, columns=None, fund_initial=10.0, **facts):
        loss = np.asarray(drawdown, dtype=float)[:, np.newaxis]
        plain = outcomes_from_increments(loss, fund_initial=fund_initial, populations=population)
        return Outcomes({**plain.columns, **(columns or {})}, replace(plain.facts, **facts), attribution)

    return make


@pytest.fixture
def rng():
    return np.random.default_rng(20201112)


def variant(axis, name, reserve, base=60e6):
    return Variant(axis, name, 1e-3, reserve, 0.8 * reserve, 1.25 * reserve, reserve / base)


@pytest.fixture
def risk():
    """Three axes; the base is 60 m and its stressed regime 180 m."""
    variants = (
        variant("participation", "5 %", 90e6),
        variant("participation", "20 %", 45e6),
        variant("regime", "stressed", 180e6),
        variant("whale", "none", 15e6),
    )
    return ModelRisk(0.999, 72.0, 20_000, variant("base", "base", 60e6), variants)


@pytest.fixture
def interval():
    """A parameter interval with six drivers."""
    drivers = tuple(Driver(f"table.key_{n}", 0.5, 2.0, 0.9 - 0.3 * n) for n in range(6))
    return ParameterInterval(
        config_sha256="abcdef0123456789",
        n_draws=200,
        n_paths=2_000,
        confidence=0.9,
        ruin=Spread(1e-3, 1e-4, 2e-2),
        ruin_annual=Spread(0.14, 0.012, 2.4),
        reserves=((0.99, Spread(12e6, 3e6, 50e6)), (0.999, Spread(63e6, 15e6, 320e6))),
        error_share=0.12,
        drivers=drivers,
    )
