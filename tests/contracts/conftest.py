import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stress.agents.base import Venue
from stress.exchange.contract import Linear
from stress.exchange.margin import Tier, TierTable
from stress.markets.base import Market

# Values that a required key may have; a new class with other required keys adds them to its own defaults.
EXAMPLES = {
    "price_usd": 50_000.0,
    "vol_annual": 0.7,
    "name": "example",
    "count": 2_000,
    "long_share": 0.5,
    "short_share": 0.3,
    "leverage_median": 8.0,
    "share": 0.2,
    "leverage": 10.0,
    "qty": -20.0,
    "entry_usd": 51_000.0,
    "collateral_usd": 150_000.0,
    "multiplier": 1e-6,
    "settlement_price_usd": 40_000.0,
    "edges": (1.0, 3.0, 7.0, 15.0, 50.0),
    "weights": (0.36, 0.49, 0.10, 0.05),
    "venue": "bitmex_2019",
    "probabilities": (0.0, 0.5, 0.9, 0.99, 1.0),
    "quantiles": (10.0, 500.0, 3e4, 1e6, 3e8),
    "sizes": (1.0,) * 49 + (100.0,),
    "sizes_usd": (1e4,) * 49 + (1e6,),
}


@pytest.fixture(scope="session")
def book_file(tmp_path_factory):
    """Three isolated positions, as ``fundstress import`` writes them."""
    path = tmp_path_factory.mktemp("book") / "book.parquet"
    numbers = {"qty": [1.0, -2.5, 0.3], "entry": [49_000.0, 52_000.0, 50_000.0], "collateral": [9_800.0, 26_000.0, 1e4]}
    pq.write_table(pa.table({"symbol": ["BTCUSDT"] * 3, **numbers, "mode": ["isolated"] * 3}), path)
    return str(path)


@pytest.fixture(scope="session")
def prices_file(tmp_path_factory):
    """Forty daily candles that end where they begin."""
    path = tmp_path_factory.mktemp("prices") / "prices.csv"
    rows = ["time,open,high,low,close"]
    for day in range(40):
        before, after = (100.0 + 2.0 * (3 * d * (d - 1) % 5) for d in (day, day + 1))
        rows.append(f"{86400 * day},{before},{max(before, after) + 1},{min(before, after) - 1},{after}")
    path.write_text("\n".join(rows))
    return str(path)


@pytest.fixture(scope="session")
def example(book_file, prices_file):
    """Build a member of any family: required keys have an example, or lie where their constraints allow."""

    def make(part, **settings):
        examples = {**EXAMPLES, "file": prices_file if issubclass(part, Market) else book_file}
        for name, field in part.model_fields.items():
            money = name == f"{getattr(part, 'money', '')}_usd"  # one of two keys, of which one must be given
            short = name.endswith("_median") and name.removesuffix("_median") not in settings  # of a law, in two forms
            if (field.is_required() or money or short) and name not in settings:
                settings[name] = examples.get(name, next((getattr(m, "ge", None) for m in field.metadata), 1.0))
        return part(**settings)

    return make


@pytest.fixture(scope="session")
def venue():
    """USD 1 bn of open interest at 50,000, whales hold a tenth and a fifth; three tiers."""
    rows = ((1e6, 100, 0.004), (5e7, 50, 0.01), (1e9, 20, 0.02))
    names = ("cap_usd", "max_leverage", "maintenance_margin_rate")
    tiers = tuple(Tier(**dict(zip(names, row, strict=True))) for row in rows)
    return Venue(50_000.0, 1e9, 0.9e9, 0.8e9, 0.001, 0.1, 0.01, TierTable.of(tiers, continuous=True), Linear())


@pytest.fixture
def rng():
    return np.random.default_rng(20260102)
