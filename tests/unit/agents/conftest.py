import numpy as np
import pytest

from stress.agents.base import Venue
from stress.exchange.contract import Linear
from stress.exchange.margin import Tier, TierTable


@pytest.fixture
def venue():
    """A venue of USD 1 bn open interest at 50,000, whales hold a tenth and a fifth; two tiers."""
    rows = ((1e6, 100, 0.004), (1e9, 20, 0.02))
    names = ("cap_usd", "max_leverage", "maintenance_margin_rate")
    tiers = tuple(Tier(**dict(zip(names, row, strict=True))) for row in rows)
    return Venue(50_000.0, 1e9, 0.9e9, 0.8e9, 0.001, 0.1, 0.01, TierTable.of(tiers, continuous=True), Linear())


@pytest.fixture
def rng():
    return np.random.default_rng(20260101)
