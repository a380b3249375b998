"""Laws of a cohort whose accounts hold several symbols; its draw is tested with the books of several symbols."""

import numpy as np
import pytest

from stress.agents.base import Venues
from stress.agents.portfolio import Portfolio

COHORT = {"name": "p", "count": 3_000, "long_share": 0.8, "short_share": 0.8, "leverage_median": 6.0}


@pytest.fixture
def venues(venue):
    return Venues(("BTC", "ETH"), (venue, venue))


def leverage_of(drawn, venue):
    legs, n = drawn.legs, drawn.wallet.size
    gross = np.bincount(legs["account"], np.abs(legs["qty"]) * venue.price, n)
    net = np.bincount(legs["account"], legs["qty"], n)
    profit = np.bincount(legs["account"], legs["qty"] * (venue.price - legs["entry"]), n)
    return gross / (drawn.wallet + profit), net > 0.0


def test_a_law_of_leverage_is_that_of_gross_notional_over_equity(venue, venues, rng):
    law = {"kind": "popular", "leverages": [2.0, 5.0], "weights": [1.0, 1.0]}
    leverage, _ = leverage_of(
        Portfolio(**{**COHORT, "leverage_median": None}, leverage=law).draw_portfolios(rng, venues), venue
    )
    assert np.mean(np.isclose(leverage, 2.0, rtol=0.01) | np.isclose(leverage, 5.0, rtol=0.01)) > 0.95


def test_net_longs_of_a_skewed_cohort_are_more_levered(venue, venues, rng):
    leverage, is_long = leverage_of(Portfolio(**COHORT, long_skew=2.0).draw_portfolios(rng, venues), venue)
    assert np.median(leverage[is_long]) > 1.3 * np.median(leverage[~is_long])


def test_amounts_in_usd_are_for_accounts_of_one_symbol(venue):
    problems = Portfolio(**COHORT, size={"kind": "list_usd", "sizes_usd": [1e6]}).problems(venue)
    assert problems == [("size", "'list_usd' is for accounts of one symbol")]


def test_accounts_too_small_for_the_share_are_refused(venue):
    assert "largest_share" in dict(Portfolio(**COHORT, largest_share=1e-5).problems(venue))
