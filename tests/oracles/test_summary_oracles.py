"""Known answers for what the summary makes of paths: D12, D13, D14, D21, D22 and the empty book of D31.

A T2 check allows four of the run's own standard errors, and at most 1 % of the value as standard error.
"""

import numpy as np
import pytest
from scipy.stats import norm

from stress.summary import (
    clopper_pearson,
    coverage,
    from_increments,
    outcomes_from_increments,
    ranks,
    wilks_sample_size,
    wilson,
    zero_event_bound,
)

Z = norm.ppf(0.975)


def agrees(estimate, truth, relative=0.01):
    error = (estimate.high - estimate.low) / (2 * Z)
    return abs(estimate.value - truth) <= 4 * error and error <= relative * truth


# D12: a Brownian fund, 10 + 2 t + 5 W over one year, seen continuously.


@pytest.fixture(scope="module")
def brownian():
    """Net losses (n, 4): each half year first up to its exact maximum (Brownian bridge), then to its end."""
    rng, n, dt = np.random.default_rng(12), 1_300_000, 0.5
    loss = -2.0 * dt + 5.0 * np.sqrt(dt) * rng.standard_normal((n, 2))
    peak = (loss + np.sqrt(loss**2 - 2 * 25.0 * dt * np.log1p(-rng.random((n, 2))))) / 2
    return np.stack([peak, loss - peak], axis=2).reshape(n, 4)


@pytest.fixture(scope="module")
def brownian_fund(brownian):
    return from_increments(brownian, fund_initial=10.0, horizon_hours=365 * 24, levels=(0.995,))


@pytest.fixture(scope="module")
def terminal_fund(brownian):
    return from_increments(brownian.sum(axis=1, keepdims=True), fund_initial=10.0, levels=(0.995,))


def test_d12_ruin_is_about_the_path(brownian_fund):
    assert agrees(brownian_fund.ruin_probability, 0.0192613221073)


def test_d12_the_reserve_is_a_quantile_of_the_path_minimum(brownian_fund):
    assert agrees(brownian_fund.reserve(0.995), 12.2590112972)


def test_d12_the_end_alone_gives_the_wrong_probability(terminal_fund):
    assert agrees(terminal_fund.ruin_probability, 0.0081975359246)


def test_d12_the_end_alone_gives_too_small_a_reserve(terminal_fund):
    assert agrees(terminal_fund.reserve(0.995), 10.8791465177)


def test_d12_over_a_year_the_annual_equivalent_is_the_hazard(brownian_fund):
    ruin = brownian_fund.ruin_probability
    assert ruin.annual == pytest.approx(-np.log1p(-ruin.value), rel=1e-12)


# D13: a fund of 5 that moves by 1; ruin is touching 0, so that a drawdown beyond 4 ruins it.


@pytest.fixture(scope="module")
def all_paths():
    """Every one of the 2^20 loss paths of 20 steps of 1, shape (2^20, 20)."""
    bits = np.unpackbits(np.arange(1 << 20, dtype="<u4").view(np.uint8).reshape(-1, 4), axis=1, bitorder="little")
    return 2 * bits[:, :20].astype(np.int8) - 1


def lattice_losses(n_paths, n_steps, seed):
    up = np.random.default_rng(seed).random((n_paths, n_steps), dtype=np.float32) < 0.55
    return np.where(up, np.int8(-1), np.int8(1))


def test_d13_full_enumeration_of_the_fair_walk_is_exact(all_paths):
    assert from_increments(all_paths, fund_initial=4.5).ruin_probability.value == 34495 / 131072


def test_d13_full_enumeration_of_the_biased_walk_is_exact(all_paths):
    outcomes = outcomes_from_increments(all_paths, fund_initial=4.5)
    n_down = (all_paths == 1).sum(axis=1)
    chance = 0.55 ** (20 - n_down) * 0.45**n_down
    assert chance[outcomes.ruin_step >= 0].sum() == pytest.approx(0.150431499998, abs=1e-12)


def test_d13_simulation_of_the_biased_walk_agrees():
    summary = from_increments(lattice_losses(60_000, 20, seed=13), fund_initial=4.5)
    assert agrees(summary.ruin_probability, 0.150431499998)


def test_d13_the_smallest_fund_is_one_unit_more_than_the_reserve():
    # A fund of 20 is touched by a drawdown of 20, and survives one of 19: the reserve is 19.
    row = from_increments(lattice_losses(200_000, 100, seed=14), levels=(0.995,)).reserve(0.995)
    assert row.value == 19


# D14: running maximum of 100 standard normal losses.


@pytest.mark.parametrize("seed", [14, 15])
def test_d14_the_mean_drawdown_is_spitzers(seed):
    loss = np.random.default_rng(seed).standard_normal((20_000, 100))
    outcomes = outcomes_from_increments(loss)
    mean, error = from_increments(loss).mean["drawdown"], outcomes.drawdown.std() / np.sqrt(20_000)
    assert error < 0.01 * mean
    assert abs(mean - 7.41617894162) < 4 * error


# D21: intervals of a probability, 95 %.


@pytest.mark.parametrize(
    ("interval", "x", "n", "expected"),
    [
        (clopper_pearson, 0, 1_000_000, (0.0, 3.68887265e-06)),
        (clopper_pearson, 37, 200_000, (0.0001302603127, 0.0002549892058)),
        (wilson, 37, 200_000, (0.0001342278789, 0.0002549719398)),
    ],
)
def test_d21_intervals_of_a_probability(interval, x, n, expected):
    assert interval(x, n) == pytest.approx(expected, rel=1e-8)


def test_d21_the_bound_without_events_is_one_sided():
    assert zero_event_bound(1_000_000) == pytest.approx(2.995727786e-06, rel=1e-8)


def test_d21_a_summary_of_37_ruins_has_the_exact_interval():
    ruin = from_increments((np.arange(200_000) < 37)[:, np.newaxis], fund_initial=0.5).ruin_probability
    assert (ruin.low, ruin.high) == pytest.approx((0.0001302603127, 0.0002549892058), rel=1e-8)


# D22: intervals of a quantile.


@pytest.mark.parametrize(
    ("n", "lower", "upper", "covered"),
    [(10_000, 9936, 9964, 0.9531897354), (1_000_000, 994861, 995139, 0.9512439368)],
)
def test_d22_ranks_and_their_coverage(n, lower, upper, covered):
    assert ranks(n, 0.995) == (lower, upper)
    assert coverage(n, 0.995, lower, upper) == pytest.approx(covered, abs=1e-9)


@pytest.mark.parametrize(("level", "n"), [(0.95, 59), (0.99, 299), (0.995, 598), (0.999, 2995)])
def test_d22_wilks_sample_sizes(level, n):
    assert wilks_sample_size(level) == n


def test_d22_a_summary_of_ten_thousand_paths_reports_these_ranks():
    row = from_increments(np.arange(1, 10_001)[:, np.newaxis], levels=(0.995,)).reserve(0.995)
    assert (row.low, row.value, row.high) == (9936, 9950, 9964)


# D31: nothing happens when nothing can.


def test_d31_no_loss_gives_no_drawdown_and_a_one_sided_bound():
    summary = from_increments(np.zeros((5000, 10)), levels=(0.99,))
    ruin = summary.ruin_probability
    assert (ruin.value, ruin.low, ruin.high) == (0.0, 0.0, pytest.approx(1 - 0.05 ** (1 / 5000), rel=1e-12))
    assert (summary.reserve(0.99).value, summary.reserve(0.99).high) == (0.0, 0.0)
