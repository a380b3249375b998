import numpy as np
import pytest

from stress.summary import Clusters, median_year
from stress.summary.growth import estimate_growth


def year(change, hours=72.0, clusters=None):
    return median_year(change, hours, Clusters.of(np.zeros(len(change))) if clusters is None else clusters, 0.95)


def spread(estimate):
    return (estimate.high - estimate.low) / 2 / 1.984


def test_a_constant_change_adds_up_without_error():
    found = year(np.full(100, 0.01))
    assert (found.value, found.low, found.high) == pytest.approx((1.22, 1.22, 1.22))  # 8760 / 72 is 122 horizons


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_median_of_normal_changes_is_their_mean_times_the_horizons(seed):
    change = np.random.default_rng(seed).normal(0.005, 0.1, size=20_000)
    found = year(change)
    assert abs(found.value - 0.61) < 4 * spread(found)


def test_the_error_of_normal_changes_is_that_of_the_mean_and_of_the_years():
    change = np.random.default_rng(4).normal(0.0, 1.0, size=20_000)
    # Paths: 122 / sqrt(20,000); years: 1.2533 sqrt(122 / 2,000); the density of the years is known to 5 %.
    wanted = np.hypot(122 / np.sqrt(20_000), 1.2533 * np.sqrt(122 / 2_000))
    assert spread(year(change)) == pytest.approx(wanted, rel=0.2)


def test_a_rare_ruin_leaves_the_median_of_a_year_where_it_was():
    # Once in 2,500 horizons, a twentieth of the years: the mean of a year is 1.22 - 122 * 100 / 2,500 = -3.7.
    change = np.full(20_000, 0.01)
    change[:8] -= 100.0
    found = year(change)
    assert (found.value, found.low, found.high) == pytest.approx((1.22, 1.22, 1.22))


def test_a_skewed_year_has_the_median_of_its_law():
    # Exponential changes: a year of 12 is Gamma(12), median 11.668.
    change = np.random.default_rng(5).exponential(size=50_000)
    found = year(change, hours=730.0)
    assert abs(found.value - 11.668) < 4 * spread(found)


def test_populations_that_differ_widen_the_interval():
    rng = np.random.default_rng(6)
    population = np.repeat(np.arange(100), 200)
    change = rng.normal(size=20_000) + rng.normal(size=100)[population]
    shuffled = Clusters.of(rng.permutation(population))
    assert spread(year(change, clusters=Clusters.of(population))) > 3 * spread(year(change, clusters=shuffled))


def test_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(7)
    truth = 0.0
    found = [year(rng.normal(size=1_000)) for _ in range(150)]
    # 95 % of 150 has a standard error of 1.8 points.
    assert np.mean([row.low <= truth <= row.high for row in found]) >= 0.90


def test_the_same_paths_give_the_same_year():
    change = np.random.default_rng(8).normal(size=1_000)
    assert year(change) == year(change)


@pytest.mark.parametrize("hours", [0.5, 5_000.0, 20_000.0])
def test_a_horizon_of_which_no_number_makes_a_year_has_no_growth(hours):
    assert year(np.ones(10), hours=hours) is None


def test_a_horizon_of_a_year_is_a_year():
    change = np.arange(1_001.0)
    assert year(change, hours=8_760.0).value == pytest.approx(500, abs=40)


def test_growth_by_liquidated_notional_is_a_ratio_of_means(make_outcomes):
    liquidated = np.array([0.0, 100.0, 300.0, 0.0])
    outcomes = make_outcomes([0.0, 1.0, 3.0, 0.0], columns={"liquidated_notional": liquidated})
    found = estimate_growth(outcomes, Clusters.of(outcomes.population), 0.95).per_liquidated
    assert (found.value, found.low, found.high) == pytest.approx((-0.01, -0.01, -0.01))


def test_without_liquidations_there_is_no_ratio(make_outcomes):
    outcomes = make_outcomes([0.0, 1.0])
    assert estimate_growth(outcomes, Clusters.of(outcomes.population), 0.95).per_liquidated is None


def test_liquidated_notional_is_per_day_and_open_interest(make_outcomes):
    columns = {"liquidated_notional": np.array([6.0, 6.0])}
    outcomes = make_outcomes([0.0, 1.0], columns=columns, open_interest=100.0, horizon_hours=72.0)
    found = estimate_growth(outcomes, Clusters.of(outcomes.population), 0.95).liquidated_per_day
    assert found.value == pytest.approx(0.02)
