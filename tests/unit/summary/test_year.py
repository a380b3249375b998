import math

import numpy as np
import pytest

from stress.summary import Clusters, estimate_probability, horizon_level, within_year
from stress.summary.year import beyond_the_data, chance_in_year, estimate_year


def test_a_level_over_a_year_is_the_product_of_its_horizons():
    assert horizon_level(0.995, 72.0) ** (8760 / 72) == pytest.approx(0.995, rel=1e-12)


def test_a_horizon_of_a_year_keeps_its_level():
    assert horizon_level(0.995, 8760.0) == 0.995


def test_a_rate_of_one_gives_at_least_one_event_in_63_percent_of_years():
    assert within_year(1.0) == pytest.approx(1 - 1 / math.e)


def test_certainty_stays_certain():
    assert within_year(None) == 1.0


def test_the_chance_in_a_year_is_that_of_one_horizon_or_more():
    p = estimate_probability(np.arange(1000) < 10, Clusters.of(np.zeros(1000)), horizon_hours=73.0)
    found = chance_in_year(p)
    wanted = [1 - (1 - q) ** 120 for q in (p.value, p.low, p.high)]
    assert (found.value, found.low, found.high) == pytest.approx(wanted, rel=1e-9)


def test_the_reserves_of_a_year_are_order_statistics_of_both_drawdowns(make_outcomes):
    outcomes = make_outcomes(np.arange(1.0, 10_001.0), horizon_hours=8760.0)
    year = estimate_year(outcomes, Clusters.of(outcomes.population), 0.95)
    assert (year.net.value, year.gross.value) == (9950.0, 9950.0)


def test_deleveraged_notional_is_scaled_to_a_year(make_outcomes):
    outcomes = make_outcomes(np.zeros(4), columns={"deleveraged_notional": np.full(4, 2.0)}, horizon_hours=73.0)
    closed = estimate_year(outcomes, Clusters.of(outcomes.population), 0.95).deleveraged_notional
    assert closed.value == pytest.approx(240.0)


@pytest.mark.parametrize(("years", "beyond"), [(859.0, False), (861.0, True)])
@pytest.mark.parametrize("hours", [24.0, 72.0])
def test_beyond_the_data_is_rarer_than_once_in_860_years_whatever_the_horizon(years, beyond, hours):
    p = -math.expm1(-hours / 8760 / years)
    assert beyond_the_data(p, hours) is beyond


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_what_is_certain_claims_nothing_beyond_the_data(p):
    assert not beyond_the_data(p, 24.0)
