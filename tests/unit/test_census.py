"""Who is in the book, counted by hand and against what was asked for."""

from pathlib import Path

import numpy as np
import pytest

from stress.census import census, holdings
from stress.engines.population import draw_population
from stress.scenario import Scenario

CONFIGS = Path(__file__).parents[2] / "configs"
TINY, SEVERAL, INVERSE = (CONFIGS / f"{name}.toml" for name in ("tiny", "cross_margin", "inverse_tiny"))

# Open interest 10 m at 100: a long of 6 m at 10x, one of 4 m at 2x, a short of 10 m at 5x.
GIVEN = [
    {"kind": "account", "name": "high", "qty": 60_000.0, "entry_usd": 100.0, "collateral_usd": 0.6e6},
    {"kind": "account", "name": "low", "qty": 40_000.0, "entry_usd": 100.0, "collateral_usd": 2.0e6},
    {"kind": "account", "name": "short", "qty": -100_000.0, "entry_usd": 100.0, "collateral_usd": 2.0e6},
]


@pytest.fixture(scope="module")
def given():
    tables = Scenario.load(TINY).tables()
    tables["market"] |= {"price_usd": 100.0}
    tables["exchange"] |= {"open_interest_usd": 10e6, "lot": 1.0, "tick": 0.01, "cent": 0.01}
    tier = {"cap_usd": 1e9, "max_leverage": 20, "maintenance_margin_rate": 0.01}
    return census(Scenario.from_tables({**tables, "tier": [tier], "population": GIVEN}))


@pytest.fixture(scope="module")
def tiny():
    return census(Scenario.load(TINY), n_populations=5)


def test_a_given_book_is_one_population(given):
    assert (given.n_populations, given.n_accounts, given.open_interest) == (1, 3, pytest.approx(10e6))


def test_leverage_by_hand(given):
    assert [row.by_notional.mean for row in given.cohorts] == pytest.approx([10.0, 2.0, 5.0], rel=1e-6)
    # By notional: 6 m at 10x, 4 m at 2x, 10 m at 5x, so 0.2 below 3x, half from 3x to 7x, 0.3 above.
    assert given.everybody.mean == pytest.approx(0.3 * 10 + 0.2 * 2 + 0.5 * 5)
    assert given.everybody.bands == pytest.approx((0.2, 0.5, 0.3))
    assert given.everybody.quantiles["0.1"] == pytest.approx(2.0)
    assert given.everybody.quantiles["0.5"] == pytest.approx(5.0)
    assert given.everybody.quantiles["0.9"] == pytest.approx(10.0)


def test_distance_by_hand(given):
    # Maintenance 1 %: the longs die at 90/0.99 (9.1 % down) and at 50/0.99, the short at 120/1.01 (18.8 % up).
    rows = {row.above: row for row in given.distance}
    assert (rows[0.07].long, rows[0.30].long, rows[0.15].short) == pytest.approx((0.6, 0.4, 1.0))
    assert sum(row.long for row in given.distance) == pytest.approx(1.0)


def test_concentration_by_hand(given):
    assert given.concentration["long"].mean.top_1 == pytest.approx(0.6)
    assert given.concentration["long"].mean.largest == pytest.approx(0.6)
    assert given.concentration["both"].mean.top_1 == pytest.approx(0.5)
    assert given.concentration["short"].mean.effective_number == pytest.approx(1.0)


def test_what_is_held_is_what_was_asked_for(tiny):
    assert tiny.shares
    assert all(row.achieved == pytest.approx(row.requested, rel=0.05) for row in tiny.shares)


def test_there_is_a_row_for_every_cohort_makers_included(tiny):
    rows = Scenario.load(TINY).population
    assert [row.name for row in tiny.cohorts] == [row.name for row in rows]
    assert tiny.cohorts[-1].by_notional is None
    assert sum(row.n_accounts for row in tiny.cohorts) == pytest.approx(tiny.n_accounts)


def test_the_spread_is_over_populations(tiny):
    spread = tiny.concentration["long"]
    assert spread.n_populations == 5
    assert spread.low.gini < spread.mean.gini < spread.high.gini


def test_the_mean_of_the_law_is_before_caps(tiny):
    law = Scenario.load(TINY).population[0].leverage_law
    assert tiny.cohorts[0].law_mean == law.mean == pytest.approx(law.median * np.exp(0.5 * law.sigma**2))


def test_the_wallets_of_a_whale_are_one_holder():
    scenario = Scenario.load(CONFIGS / "btc_perpetual.toml")
    held = holdings(scenario, draw_population(scenario, 0))
    assert held.by_holder("long").max() == pytest.approx(0.10 * held.open_interest, rel=1e-4)
    assert held.by_holder("both").size == held.equity.size - 19


def test_an_inverse_contract_is_counted_in_coin_and_from_its_own_side():
    scenario = Scenario.load(INVERSE)
    found = census(scenario, n_populations=2)
    assert found.unit == "BTC"
    held = found.first
    assert held.long.sum() == pytest.approx(held.open_interest, rel=1e-3)
    assert held.leverage[held.cohort == 2] == pytest.approx([20.0], rel=1e-3)


def test_accounts_of_several_symbols_are_counted_over_their_legs():
    scenario = Scenario.load(SEVERAL)
    book = draw_population(scenario, 0)
    held = holdings(scenario, book)
    notional = sum(np.abs(desk.accounts["qty"]).sum() * desk.price for desk in book.desks)
    assert held.gross.sum() == pytest.approx(notional)
    # Leverage was drawn as gross notional over equity, coins included.
    cross = held.leverage[held.cohort == 0]
    assert np.median(cross) == pytest.approx(scenario.population[0].leverage_law.middle, rel=0.1)
    assert census(scenario, n_populations=1).distance == ()
