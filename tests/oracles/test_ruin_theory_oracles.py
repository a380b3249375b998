"""Known answers of ruin theory for what the summary makes of losses: D09, D10, D11, and Student's tail, D16.

Claims are exponential with mean 1, income comes at rate 1, claims at rate 1/(1 + loading): Asmussen & Albrecher (2010).
"""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from stress.summary import Clusters, estimate_extremes, expected_shortfall, from_increments, quantile_interval

RATE = 1 / 1.3  # loading 0.3


def ruin_for_ever(u, rate=RATE):
    """D09: (1 / (1 + theta)) exp(-theta u / (1 + theta))."""
    return rate * math.exp(-(1 - rate) * u)


def ruin_within(u, horizon, rate=RATE):
    """D10: Asmussen & Albrecher, proposition V.1.3."""
    root = math.sqrt(rate)

    def integrand(x):
        f1 = rate * math.exp(2 * root * horizon * math.cos(x) - (1 + rate) * horizon + u * (root * math.cos(x) - 1))
        f2 = math.cos(u * root * math.sin(x)) - math.cos(u * root * math.sin(x) + 2 * x)
        return f1 * f2 / (1 + rate - 2 * root * math.cos(x))

    return ruin_for_ever(u, rate) - integrate.quad(integrand, 0, math.pi, epsabs=1e-13, limit=400)[0] / math.pi


@pytest.fixture(scope="module")
def insurer():
    """Summary of 100,000 funds over a horizon of 26, claim by claim: the fund is lowest right after one."""
    rng, n, most = np.random.default_rng(10), 100_000, 60
    waiting = rng.exponential(1 / RATE, (n, most))
    claims = rng.exponential(1.0, (n, most))
    inside = np.cumsum(waiting, axis=1) < 26.0
    assert not inside[:, -1].any()
    return from_increments(np.where(inside, claims - waiting, 0.0), fund_initial=10.0, levels=(0.995,))


@pytest.mark.parametrize(
    ("u", "horizon", "expected"),
    [(0, 26, 0.742629911828), (5, 26, 0.18277102371), (10, 26, 0.0382618756536), (20, 26, 0.00105404809678)],
)
def test_d10_the_formula_gives_its_values(u, horizon, expected):
    assert ruin_within(u, horizon) == pytest.approx(expected, rel=1e-8)


def test_d09_ruin_for_ever_is_the_limit():
    assert ruin_for_ever(10.0) == pytest.approx(0.0765312157653, rel=1e-10)
    assert ruin_within(10.0, 2_000.0) == pytest.approx(ruin_for_ever(10.0), rel=1e-6)


def test_d10_the_summary_finds_the_probability(insurer):
    found = insurer.ruin_probability
    assert found.low < 0.0382618756536 < found.high


def test_d10_the_summary_finds_the_reserve(insurer):
    found = insurer.reserve(0.995)
    assert found.low < 15.863536759 < found.high
    assert found.smooth_low < 15.863536759 < found.smooth_high


def test_d10_the_tail_of_the_insurer_is_exponential(insurer):
    accepted = insurer.extremes.accepted
    assert accepted
    assert all(abs(fit.xi) < 4 * fit.xi_error + 0.05 for fit in accepted)


D11 = {
    1: (0.75716360, 0.14795397, 0.02500512, 0.00360475, 0.00044337, 0.00004687),
    2: (0.76626391, 0.16872791, 0.03547823, 0.00701210, 0.00128757, 0.00021807),
    5: (0.76909762, 0.17612683, 0.04021979, 0.00913850, 0.00205992, 0.00045900),
    10: (0.76922890, 0.17649743, 0.04049495, 0.00929013, 0.00213090, 0.00048861),
}


@pytest.mark.parametrize("years", D11)
def test_d11_the_published_table_to_its_digits(years):
    # Scale 6.3789e-9 a dollar, initial capital 0 to 5 bn, 34.2007 claims a year (inferred from the first cell).
    scale, claims = 6.3789, 34.2007 * 1.3
    found = [ruin_within(scale * u, claims * years) for u in range(6)]
    assert found == pytest.approx(D11[years], abs=1e-6)


@pytest.fixture(scope="module")
def student():
    return stats.t(3).rvs(400_000, random_state=16)


@pytest.mark.parametrize(
    ("level", "quantile", "shortfall"),
    [
        (0.975, 3.18244630528, 5.03958306111),
        (0.99, 4.54070285857, 7.00308203624),
        (0.995, 5.84090930973, 8.91247339598),
    ],
)
def test_d16_students_quantile_and_expected_shortfall(student, level, quantile, shortfall):
    found, worst = quantile_interval(student, level), expected_shortfall(student, level)
    assert found.low < quantile < found.high
    assert abs(worst.value - shortfall) < 2 * (worst.high - worst.low)


def test_d16_extrapolation_reaches_the_quantile_of_one_in_ten_thousand(student):
    row = estimate_extremes(student, [0.9999], clusters=Clusters(np.zeros(student.size, int))).reserves[0]
    assert row.low < stats.t(3).ppf(0.9999) < row.high
