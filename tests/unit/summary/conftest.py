from dataclasses import replace

import numpy as np
import pytest

from stress.outcomes import Outcomes
from stress.summary import outcomes_from_increments


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
