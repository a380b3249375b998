import math

import numpy as np
import pytest
from scipy import stats

from stress.summary import Clusters, TailCheck, check_tail, expected_shortfall, fit_generalized_pareto, order_statistic
from stress.summary.reserves import estimate_reserve

LIGHT = TailCheck(0.1, 0.05, 0.0, 500)


def with_xi(xi):
    return TailCheck(xi, 0.05, 0.0, 500)


def test_expected_shortfall_is_the_mean_of_the_worst_share():
    found = expected_shortfall(np.arange(1.0, 1001.0), 0.9, tail=LIGHT)
    assert found.value == pytest.approx(np.mean(np.arange(901, 1001)), rel=1e-12)


def test_a_share_that_splits_a_path_counts_part_of_it():
    # The worst 2.5 of 10 paths: 10, 9 and half of 8.
    found = expected_shortfall(np.arange(1.0, 11.0), 0.75, tail=LIGHT)
    assert found.value == pytest.approx((10 + 9 + 0.5 * 8) / 2.5, rel=1e-12)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_exponential_law_gives_its_closed_form(seed):
    x = np.random.default_rng(seed).exponential(size=100_000)
    found = expected_shortfall(x, 0.99)
    error = (found.high - found.low) / 2 / 1.984
    assert abs(found.value - (math.log(100) + 1)) < 4 * error
    # Variance of the estimate: (Var(excess) + level (mean excess)^2) / (n (1 - level)).
    assert error == pytest.approx(math.sqrt((1 + 0.99) / 1000), rel=0.25)


def test_an_infinite_variance_refuses_the_interval():
    found = expected_shortfall(np.arange(1.0, 1001.0), 0.9, tail=with_xi(0.6))
    assert found.value is not None
    assert (found.low, found.high, found.reason) == (None, None, "infinite variance: tail index 0.60")


def test_an_infinite_mean_refuses_the_value():
    found = expected_shortfall(np.arange(1.0, 1001.0), 0.9, tail=with_xi(1.0))
    assert (found.value, found.low, found.reason) == (None, None, "infinite mean: tail index 1.00")


def test_few_paths_beyond_the_quantile_are_flagged():
    found = expected_shortfall(np.arange(1.0, 401.0), 0.9, tail=LIGHT)
    assert found.low is not None
    assert found.reason == "40 paths beyond the quantile, indicative"


def test_very_few_paths_beyond_the_quantile_give_no_interval():
    found = expected_shortfall(np.arange(1.0, 401.0), 0.99, tail=LIGHT)
    assert (found.low, found.high, found.n_exceedances) == (None, None, 4)


def test_no_loss_at_all_claims_no_interval():
    found = expected_shortfall(np.zeros(1000), 0.99)
    assert (found.value, found.low, found.n_exceedances) == (0.0, None, 0)


@pytest.mark.parametrize("xi", [-0.3, 0.05, 0.4, 0.8, 1.3])
def test_the_fit_finds_the_tail_index(xi):
    excess = stats.genpareto(xi, scale=5.0).rvs(4000, random_state=11)
    found, scale = fit_generalized_pareto(excess)
    assert found == pytest.approx(xi, abs=4 * (1 + abs(xi)) / math.sqrt(4000))
    assert scale == pytest.approx(5.0, rel=0.12)


@pytest.mark.parametrize("xi", [0.1, 0.5])
def test_the_fit_agrees_with_maximum_likelihood(xi):
    excess = stats.genpareto(xi).rvs(1000, random_state=5)
    shape, _, _ = stats.genpareto.fit(excess, floc=0)
    assert fit_generalized_pareto(excess)[0] == pytest.approx(shape, abs=0.02)


def test_the_fit_does_not_depend_on_the_currency():
    excess = np.random.default_rng(2).exponential(size=300)
    assert fit_generalized_pareto(1e8 * excess)[0] == pytest.approx(fit_generalized_pareto(excess)[0], rel=1e-9)


def test_paths_without_loss_are_no_part_of_the_tail():
    x = np.random.default_rng(4).pareto(1.25, size=5000)
    assert check_tail(np.append(x, np.zeros(100_000))) == check_tail(x)


def test_a_cauchy_like_tail_has_no_variance():
    tail = check_tail(np.random.default_rng(4).pareto(1.25, size=20_000))
    assert tail.infinite_variance
    assert not tail.infinite_mean


def test_a_log_tail_has_no_mean():
    assert check_tail(np.random.default_rng(4).pareto(0.5, size=20_000)).infinite_mean


@pytest.mark.parametrize("x", [np.arange(40.0), np.full(1000, 3.0), np.zeros(10)])
def test_too_few_or_equal_losses_say_nothing_of_the_tail(x):
    tail = check_tail(x)
    assert tail.xi is None
    assert not tail.infinite_mean


def test_value_at_risk_and_expected_shortfall_of_worked_example_25():
    x = np.concatenate([np.zeros(990), np.arange(10.0, 101.0, 10.0)])
    assert [order_statistic(np.sort(x), level) for level in (0.99, 0.995, 0.999)] == [0.0, 50.0, 90.0]
    assert expected_shortfall(x, 0.99, tail=LIGHT).value == pytest.approx(55.0)
    assert x.mean() == pytest.approx(0.55)


def test_the_loss_beyond_a_reserve_is_the_expected_shortfalls_excess():
    # E[(X - q)+] = (1 - p) (ES - q): of the exponential law, 1 - p.
    x = np.random.default_rng(6).exponential(size=200_000)
    reserve = estimate_reserve(x, 0.99, "net", Clusters.of(np.zeros(x.size, int)), 0.95)
    shortfall = expected_shortfall(x, 0.99)
    assert reserve.loss_beyond == pytest.approx(0.01 * (shortfall.value - reserve.value), rel=1e-9)
    assert reserve.loss_beyond == pytest.approx(0.01, rel=0.1)


def test_an_infinite_mean_has_no_loss_beyond_the_reserve():
    x = np.random.default_rng(6).pareto(0.7, size=50_000)
    reserve = estimate_reserve(x, 0.99, "net", Clusters.of(np.zeros(x.size, int)), 0.95)
    assert reserve.value is not None
    assert (reserve.loss_beyond, reserve.smooth_low, reserve.smooth_high) == (None, None, None)
