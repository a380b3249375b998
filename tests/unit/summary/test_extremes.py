import math

import numpy as np
import pytest
from scipy import stats

from stress.summary import Clusters, estimate_extremes, from_increments
from stress.summary.extremes import SHARES
from stress.summary.pareto import GOODNESS_P, Likelihood, anderson_darling, goodness, growth, influence
from stress.summary.peaks import Peaks

ALONE = Clusters(np.zeros(20_000, dtype=int))


def student(n=20_000, seed=3):
    return stats.t(3).rvs(n, random_state=seed)


@pytest.mark.parametrize("xi", [-0.3, 0.0, 0.4, 1.2])
def test_the_tabulated_likelihood_is_that_of_the_law(xi):
    excess = stats.genpareto(xi, scale=5.0).rvs(500, random_state=2)
    for shape, scale in ((xi, 5.0), (xi + 0.1, 6.0), (xi + 0.05, 4.9)):
        exact = stats.genpareto(shape, scale=scale).logpdf(excess).sum()
        assert float(Likelihood(excess)(shape, scale)) == pytest.approx(exact, abs=2e-3)


def test_a_law_that_ends_below_the_sample_is_impossible():
    assert Likelihood(np.array([1.0, 2.0, 3.0]))(-0.5, 1.0) == -np.inf


def test_the_fit_is_the_maximum_of_the_likelihood():
    peaks = Peaks(student(), 1.5, ALONE)
    shape, _, scale = stats.genpareto.fit(peaks.excess, floc=0)
    assert (peaks.xi, peaks.beta) == pytest.approx((shape, scale), abs=2e-3)


@pytest.mark.parametrize("xi", [-0.3, 0.0, 0.4])
def test_the_influence_has_the_covariance_of_the_estimates(xi):
    # Smith (1987): k times the covariance is (1+xi) [[1+xi, -beta], [-beta, 2 beta^2]].
    excess = stats.genpareto(xi, scale=2.0).rvs(400_000, random_state=4)
    found = np.cov(influence(excess, xi, 2.0).T)
    assert found == pytest.approx((1 + xi) * np.array([[1 + xi, -2.0], [-2.0, 8.0]]), rel=0.05)


def test_anderson_and_darling_by_hand():
    # One exceedance at the median of the exponential law: -1 - (ln 1/2 + ln 1/2) = 2 ln 2 - 1.
    assert anderson_darling(np.array([math.log(2)]), 0.0, 1.0) == pytest.approx(2 * math.log(2) - 1, abs=1e-6)


def test_the_test_of_fit_interpolates_its_table():
    assert goodness(0.985, 0.0) == pytest.approx(0.05)
    assert goodness(0.05, 0.0) == GOODNESS_P[0]
    assert 0 < goodness(9.0, 0.0) < 1e-6
    assert goodness(0.949, 0.1) == pytest.approx(0.05)  # halfway between xi 0.0 and 0.2


def test_growth_is_the_logarithm_at_a_tail_index_of_zero():
    assert growth(0.0, 3.0) == pytest.approx(3.0, rel=1e-6)
    assert growth(0.5, math.log(4.0)) == pytest.approx(2.0)


def test_the_quantile_inverts_the_law():
    # zeta (1 + xi (u - t) / beta)^(-1/xi) = alpha.
    peaks = Peaks(student(), 2.0, ALONE)
    u = peaks.quantile(1e-3)
    assert peaks.share * (1 + peaks.xi * u / peaks.beta) ** (-1 / peaks.xi) == pytest.approx(1e-3)


def test_the_interval_is_where_the_profile_falls_by_half_of_chi_square():
    peaks = Peaks(student(), 2.0, ALONE)
    low, high = (edge - 2.0 for edge in peaks.interval(1e-3, 0.95))
    top, *edges = peaks._profile(np.array([peaks.quantile(1e-3), low, high]), 1e-3)
    assert 2 * (top - np.array(edges)) == pytest.approx([3.841, 3.841], rel=0.01)
    assert high - peaks.quantile(1e-3) > peaks.quantile(1e-3) - low


def test_the_profile_lies_near_the_delta_method_for_a_large_sample():
    x = student(400_000)
    peaks = Peaks(x, 3.0, Clusters(np.zeros(len(x), dtype=int)))
    low, high = peaks.interval(1e-3, 0.95)
    half = 1.96 * math.sqrt(peaks.variance(peaks.moved(1e-3))[1])
    assert (high - low) / 2 == pytest.approx(half, rel=0.05)


def test_students_law_is_extrapolated_beyond_what_can_be_counted():
    # D16's law: 99.9 % quantile 10.2145, tail index 1/3.
    found = estimate_extremes(student(), [0.999, 0.9997])
    assert any(abs(fit.xi - 1 / 3) < 2 * fit.xi_error for fit in found.accepted)
    for row in found.reserves:
        assert row.low < stats.t(3).ppf(row.level) < row.high
        assert row.low < row.least <= row.most < row.high


def test_the_expected_shortfall_is_that_of_the_law():
    x = stats.genpareto(0.25).rvs(200_000, random_state=8)
    row = estimate_extremes(x, [0.99]).reserves[0]
    quantile = stats.genpareto(0.25).ppf(0.99)
    exact = (quantile + 1.0) / (1 - 0.25)  # (u + beta - xi t) / (1 - xi) with t = 0
    assert row.shortfall_least - 0.5 < exact < row.shortfall_most + 0.5


def test_an_infinite_mean_has_no_expected_shortfall():
    row = estimate_extremes(stats.genpareto(1.5).rvs(50_000, random_state=8), [0.99]).reserves[0]
    assert row.least is not None
    assert row.shortfall_most is None


def test_thresholds_leave_ten_to_half_a_percent_of_the_paths():
    fits = estimate_extremes(student(), [0.99]).fits
    assert [fit.n_exceedances / 20_000 for fit in fits] == pytest.approx(SHARES)


def test_a_bounded_loss_has_an_endpoint():
    fits = estimate_extremes(1 - np.random.default_rng(5).random(20_000) ** (1 / 3), [0.99]).fits
    assert fits[0].endpoint == pytest.approx(1.0, abs=0.05)


def test_thresholds_at_which_the_law_does_not_fit_are_left_out():
    # The body is uniform, only the largest 3 % are Pareto.
    rng = np.random.default_rng(6)
    x = np.where(rng.random(100_000) < 0.03, 1 + rng.pareto(3, 100_000), rng.random(100_000))
    found = estimate_extremes(x, [0.999])
    assert [fit.accepted for fit in found.fits[:3]] == [False] * 3
    assert found.fits[-1].accepted


def test_too_few_exceedances_are_refused():
    found = estimate_extremes(student(450), [0.99])
    assert found.fits == ()
    assert found.reason.startswith("fewer than 50 exceedances")
    assert found.reserves[0].reason == found.reason


def test_clusters_are_worth_fewer_exceedances():
    # 40 populations whose paths are all alike are 40 paths.
    x = np.repeat(student(40), 500)
    found = estimate_extremes(x, [0.99], clusters=Clusters(np.arange(20_000) // 500))
    assert found.fits == ()


def test_clusters_widen_the_interval():
    rng = np.random.default_rng(9)
    labels = np.arange(20_000) // 200
    x = np.exp(0.4 * rng.standard_normal(100))[labels] * rng.standard_exponential(20_000)
    wide, narrow = (estimate_extremes(x, [0.99], clusters=c).reserves[0] for c in (Clusters(labels), None))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_extrapolation_ends_ten_times_below_what_fifty_events_reach():
    found = estimate_extremes(student(), [0.9997, 0.9998])
    assert found.least_probability == pytest.approx(5 / 20_000)
    assert found.reserves[0].least is not None
    assert found.reserves[1].reason == "the sample may be extrapolated to 99.975 %"


def test_a_level_within_the_body_is_not_extrapolated():
    assert estimate_extremes(student(), [0.9]).reserves[0].reason == "lies below the accepted thresholds"


def test_a_tail_too_short_for_the_theory_is_not_accepted():
    found = estimate_extremes(np.random.default_rng(5).random(20_000), [0.99])
    assert all(fit.xi_error is None for fit in found.fits)
    assert found.reason == "no threshold passes the test of fit"


def test_a_constant_loss_is_refused():
    assert estimate_extremes(np.full(5_000, 3.0), [0.99]).fits == ()


def test_paths_without_loss_are_no_part_of_the_tail():
    x = np.concatenate([np.zeros(80_000), student()])
    found = estimate_extremes(np.maximum(x, 0.0), [0.9999])
    assert found.reserves[0].low < stats.t(3).ppf(1 - 5e-4) < found.reserves[0].high


def test_agreement_with_counting_is_told():
    rows = estimate_extremes(
        student(), [0.99, 0.995, 0.999], empirical={0.99: (4.3, 4.8), 0.995: (90.0, 95.0)}
    ).reserves
    assert [row.agrees for row in rows] == [True, False, None]


def test_the_unit_of_money_does_not_matter():
    small, large = (estimate_extremes(scale * student(), [0.999]).reserves[0] for scale in (1.0, 1e6))
    assert large.high == pytest.approx(1e6 * small.high, rel=1e-6)


def test_the_page_shows_the_extrapolation_and_its_reach():
    text = str(from_increments(student()[:, None], levels=(0.99, 0.999), horizon_hours=8760.0))
    assert "Extrapolated, 99.9 %, 7/7 thresholds" in text


def test_a_summary_extrapolates_to_the_level_of_the_year():
    found = from_increments(student()[:, None], levels=(0.99,), horizon_hours=720.0)
    assert found.extremes.reserves[-1].level == found.year.net.level
