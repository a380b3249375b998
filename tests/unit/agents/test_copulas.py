import math

import numpy as np
import pytest
from scipy import stats

from stress.agents.copulas import Copula, Gaussian, StudentT, by_side, normal_correlation, ranks
from stress.agents.trader import Trader

N = 100_000
every_copula = pytest.mark.parametrize("kind", sorted(Copula.family))


@pytest.fixture
def sizes(rng):
    return np.exp(2.0 * rng.standard_normal(N))


def test_normals_of_a_rank_correlation_by_hand():
    # Spearman's rho of a bivariate normal is (6 / pi) asin(r / 2): one half for r = 2 sin(pi / 12) = 0.5176.
    assert normal_correlation(0.5) == pytest.approx(0.5176, abs=1e-4)
    assert normal_correlation(0.0) == 0.0


def test_ranks_are_places_in_the_middle_of_their_share():
    assert ranks(np.array([30.0, 10.0, 20.0, 40.0])) == pytest.approx([0.625, 0.125, 0.375, 0.875])


def test_equal_values_share_their_mean_place():
    assert ranks(np.array([5.0, 5.0, 5.0, 9.0])) == pytest.approx([0.375, 0.375, 0.375, 0.875])
    assert ranks(np.full(7, 3.0)) == pytest.approx(np.full(7, 0.5))


def test_without_correlation_the_normal_copula_is_the_scores_themselves(rng, sizes):
    score = rng.standard_normal(N)
    assert Gaussian().joined(score, sizes, 0.0) is score


@every_copula
@pytest.mark.parametrize("correlation", [-0.9, -0.4, 0.3, 0.8])
def test_the_rank_correlation_is_the_one_that_was_asked_for(rng, sizes, kind, correlation):
    score = Copula.choose(kind).joined(rng.standard_normal(N), sizes, correlation)
    found = stats.spearmanr(score, sizes).statistic
    assert abs(found - correlation) < 4 / math.sqrt(N) + (0.03 if kind == "t" else 0.0)


@every_copula
@pytest.mark.parametrize("correlation", [-0.6, 0.0, 0.6])
def test_the_law_of_leverage_does_not_change(rng, sizes, kind, correlation):
    score = Copula.choose(kind).joined(rng.standard_normal(N), sizes, correlation)
    assert np.isfinite(score).all()
    assert stats.kstest(score, "norm").pvalue > 1e-4


def test_students_copula_brings_extremes_together_without_correlation(rng, sizes):
    score = StudentT(degrees=3.0).joined(rng.standard_normal(N), sizes, 0.0)
    largest = sizes > np.quantile(sizes, 0.99)
    beyond = (np.abs(score[largest]) > 2.326).mean()
    assert beyond > 3 * 0.02


def test_a_copula_must_define_its_dependence():
    with pytest.raises(TypeError, match="does not define its dependence"):
        Copula().joined(np.zeros(1), np.zeros(1), 0.5)


# --- sides


@pytest.mark.parametrize("skew", [-1.5, 0.7, 3.0])
def test_the_log_odds_of_being_long_rise_by_the_skew_with_a_score(rng, skew):
    score, is_long = rng.standard_normal(N), np.arange(N) < 0.6 * N
    dealt = by_side(score, is_long, skew, rng)
    share = np.array([is_long[np.abs(dealt - middle) < 0.1].mean() for middle in (-0.25, 0.25)])
    slope = np.diff(np.log(share / (1.0 - share))) / 0.5
    assert slope == pytest.approx(skew, abs=0.2)


def test_dealing_keeps_every_score_and_every_side(rng):
    score, is_long = rng.standard_normal(999), rng.random(999) < 0.3
    dealt = by_side(score, is_long, 2.0, rng)
    assert (np.sort(dealt) == np.sort(score)).all()


@pytest.mark.parametrize("n_long", [0, 50])
def test_a_cohort_on_one_side_keeps_its_scores(rng, n_long):
    score = rng.standard_normal(50)
    assert (by_side(score, np.arange(50) < n_long, 2.0, rng) == score).all()


COHORT = {
    "name": "t",
    "count": 4_000,
    "long_share": 0.5,
    "short_share": 0.5,
    "leverage_median": 8.0,
    "cap_at_10k_usd": 1e9,
}


def leverage_of(accounts):
    return np.abs(accounts["qty"]) * accounts["entry"] / accounts["collateral"]


def test_longs_of_a_skewed_cohort_are_more_levered(venue, rng):
    accounts = Trader(**COHORT, long_skew=1.0, holding_hours=0.0).draw(rng, venue)
    logs, longs = np.log(leverage_of(accounts)), accounts["qty"] > 0
    # Half of the accounts are long: the mean score of a logit side of slope one is 0.4133 above zero.
    assert logs[longs].mean() - logs[~longs].mean() == pytest.approx(2 * 0.4133 * 0.6, abs=0.05)


def test_skew_and_correlation_change_nobodys_size(venue):
    plain, skewed = (
        Trader(**COHORT, holding_hours=0.0, **more).draw(np.random.default_rng(5), venue)
        for more in ({}, {"long_skew": 2.0, "rank_correlation": -0.5})
    )
    assert (plain["qty"] == skewed["qty"]).all()


def test_leverage_falls_with_size_as_far_as_it_is_correlated(venue, rng):
    size = {"kind": "lognormal", "sigma": 1.0}
    accounts = Trader(**COHORT, rank_correlation=-0.5, size=size, holding_hours=0.0).draw(rng, venue)
    found = stats.spearmanr(np.abs(accounts["qty"]), leverage_of(accounts)).statistic
    assert found == pytest.approx(-0.5, abs=4 / math.sqrt(4_000))
