"""Known answers of ruin theory for funds with claims: D09, D10, D11, D12, and Student's tail, D16.

Claims are exponential with mean 1, income comes at rate 1, claims at rate 1/(1 + loading): Asmussen & Albrecher (2010).
"""

import numpy as np
import pytest
from scipy import stats

from stress.claims import ClaimsModel, simulate
from stress.summary import (
    Clusters,
    brownian_ruin,
    estimate_extremes,
    expected_shortfall,
    exponential_reserve,
    exponential_ruin,
    quantile_interval,
    ruin_bracket,
    ruin_for_ever_bracket,
    summarize,
)

UNITS = {"rate": 1 / 1.3, "mean_claim": 1.0, "premium": 1.0}  # loading 0.3
HOURS = 8760.0


def insured(frequency, severity, *, years, **tables):
    """Return the summary of 100,000 funds of 10 under claims."""
    run = {"n_paths": 100_000, "seed": 10, "horizon_hours": HOURS * years}
    reserve, fund = {"levels": (0.995,)}, {"initial_usd": 10.0}
    tables |= {"frequency": frequency, "severity": severity, "run": run, "reserve": reserve, "fund": fund}
    return summarize(simulate(ClaimsModel.from_tables(tables)))


@pytest.fixture(scope="module")
def insurer():
    poisson = {"kind": "poisson", "rate_per_year": 1 / 1.3}
    return insured(poisson, {"kind": "exponential"}, income={"premium_usd_per_year": 1.0}, years=26.0)


@pytest.mark.parametrize(
    ("u", "years", "expected"),
    [
        (0, 26, 0.742629911828),
        (5, 26, 0.18277102371),
        (10, 26, 0.0382618756536),
        (20, 26, 0.00105404809678),
        (10, 5, 0.00394611255776),
    ],
)
def test_d10_the_formula_gives_its_values(u, years, expected):
    assert exponential_ruin(u, years=years, **UNITS) == pytest.approx(expected, rel=1e-8)


def test_d10_the_reserve_of_the_formula():
    assert exponential_reserve(0.995, years=26, **UNITS) == pytest.approx(15.863536759, rel=1e-8)


def test_d09_ruin_for_ever_is_the_limit():
    assert exponential_ruin(10.0, **UNITS) == pytest.approx(0.0765312157653, rel=1e-10)
    assert exponential_ruin(10.0, years=2_000.0, **UNITS) == pytest.approx(exponential_ruin(10.0, **UNITS), rel=1e-6)


@pytest.mark.parametrize(("level", "u"), [(0.99, 18.8188256599), (0.995, 21.8224634423), (0.999, 28.7966943962)])
def test_d09_reserves_for_ever(level, u):
    assert exponential_reserve(level, **UNITS) == pytest.approx(u, rel=1e-8)


def test_d10_the_lattice_encloses_the_formula():
    low, high = ruin_bracket(10.0, lambda x: np.exp(-x), rate=1 / 1.3, premium=1.0, years=26.0)
    assert low < 0.0382618756536 < high
    assert 0.5 * (low + high) == pytest.approx(0.0382618756536, rel=1e-3)


def test_d09_the_lattice_encloses_the_formula():
    low, high = ruin_for_ever_bracket(10.0, lambda x: np.exp(-x), **UNITS)
    assert low < 0.0765312157653 < high < 1.02 * low


def test_d10_the_simulation_finds_the_probability(insurer):
    found = insurer.ruin_probability
    assert found.low < 0.0382618756536 < found.high


def test_d10_the_simulation_finds_the_reserve(insurer):
    found = insurer.reserve(0.995)
    assert found.low < 15.863536759 < found.high
    assert found.smooth_low < 15.863536759 < found.smooth_high


def test_d10_the_tail_of_the_insurer_is_exponential(insurer):
    accepted = insurer.extremes.accepted
    assert accepted
    assert all(abs(fit.xi) < 4 * fit.xi_error + 0.05 for fit in accepted)


def test_d12_a_brownian_fund_without_claims():
    income = {"premium_usd_per_year": 2.0, "noise_usd": 5.0}
    found = insured({"kind": "poisson", "rate_per_year": 0.0}, {"kind": "exponential"}, income=income, years=1.0)
    assert brownian_ruin(10.0, premium=2.0, sd=5.0, years=1.0) == pytest.approx(0.0192613221073, rel=1e-8)
    assert found.ruin_probability.low < 0.0192613221073 < found.ruin_probability.high
    assert found.reserve(0.995).low < 12.2590112972 < found.reserve(0.995).high


D11 = {
    1: (0.75716360, 0.14795397, 0.02500512, 0.00360475, 0.00044337, 0.00004687),
    2: (0.76626391, 0.16872791, 0.03547823, 0.00701210, 0.00128757, 0.00021807),
    5: (0.76909762, 0.17612683, 0.04021979, 0.00913850, 0.00205992, 0.00045900),
    10: (0.76922890, 0.17649743, 0.04049495, 0.00929013, 0.00213090, 0.00048861),
}


@pytest.mark.parametrize("years", D11)
def test_d11_the_published_table_to_its_digits(years):
    # Scale 6.3789e-9 a dollar, initial capital 0 to 5 bn, 34.2007 claims a year (inferred from the first cell).
    mean = 1 / 6.3789e-9
    venue = {"rate": 34.2007, "mean_claim": mean, "premium": 1.3 * 34.2007 * mean}
    found = [exponential_ruin(1e9 * u, years=years, **venue) for u in range(6)]
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
