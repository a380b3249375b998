"""Bounds and exponents of ruin theory against numbers worked by other means."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

from stress.summary import exponential_ruin, lundberg_exponent, ruin_bracket, ruin_for_ever_bracket

LOADED = {"rate": 1.0, "mean_claim": 1.0, "premium": 1.3}


def test_within_a_horizon_the_premium_must_exceed_the_claims():
    with pytest.raises(ValueError, match="premium must exceed"):
        exponential_ruin(1.0, rate=1.0, mean_claim=1.0, premium=1.0, years=1.0)
    assert exponential_ruin(1.0, rate=1.0, mean_claim=1.0, premium=1.0) == 1.0


def test_without_a_premium_ruin_is_that_the_claims_add_up_to_more():
    # One claim or more of size 1 exceed 0.5; two or more exceed 1.5.
    def one(x):
        return np.where(x < 1.0, 1.0, 0.0)

    for fund, expected in ((0.5, 1 - math.exp(-2)), (1.5, 1 - 3 * math.exp(-2))):
        low, high = ruin_bracket(fund, one, rate=2.0, premium=0.0, years=1.0)
        assert low <= expected + 1e-12
        assert high >= expected - 1e-12
        assert high - low < 1e-9


def test_ruin_from_nothing_is_a_mean():
    # Takacs: P(survival from 0 until T) = E[(1 - S(T) / cT)+]; claims of 1, rate 1, c = 2, T = 2: S is Poisson(2).
    p = math.exp(-2) * np.array([1, 2, 2, 4 / 3])
    expected = 1 - (p * (1 - np.arange(4) / 4)).sum()
    low, high = ruin_bracket(0.0, lambda x: np.where(x < 1.0, 1.0, 0.0), rate=1.0, premium=2.0, years=2.0)
    assert low < expected + 1e-9
    assert high > expected - 1e-9
    assert high - low < 2e-3


def test_the_bounds_narrow_with_the_cells():
    widths = [
        high - low
        for cells in (500, 1_000)
        for low, high in [ruin_bracket(3.0, stats.gamma(2).sf, rate=1, premium=2.6, years=5, cells=cells)]
    ]
    assert widths[1] == pytest.approx(widths[0] / 2, rel=0.05)


def test_lundbergs_exponent_of_gamma_claims():
    # (1 - r)^-2 - 1 = 2.6 r.
    root = brentq(lambda r: (1 - r) ** -2 - 1 - 2.6 * r, 1e-3, 0.99)
    found = lundberg_exponent(stats.gamma(2).sf, rate=1.0, mean_claim=2.0, premium=2.6)
    assert found == pytest.approx(root, rel=1e-5)


def test_lundbergs_exponent_with_noise_and_of_noise_alone():
    # exp claims: rate / (1 - r) + noise^2 r / 2 = premium.
    root = brentq(lambda r: 1 / (1 - r) + 0.5 * r - 1.3, 1e-6, 0.5)
    found = lundberg_exponent(lambda x: np.exp(-x), **LOADED, noise=1.0)
    assert found == pytest.approx(root, rel=1e-5)
    assert lundberg_exponent(lambda x: np.exp(-x), rate=0.0, mean_claim=1.0, premium=1.0, noise=2.0) is not None


def test_lundbergs_exponent_of_claims_that_have_an_end():
    # Claims of 1: exp(r) - 1 = 1.3 r.
    root = brentq(lambda r: math.expm1(r) - 1.3 * r, 1e-3, 5.0)
    found = lundberg_exponent(lambda x: np.where(x < 1.0, 1.0, 0.0), **LOADED)
    assert found == pytest.approx(root, rel=5e-3)


@pytest.mark.parametrize("law", [stats.lognorm(1.5), stats.lomax(3.0), stats.weibull_min(0.7)])
def test_heavier_tails_have_no_exponent(law):
    mean = law.mean()
    assert lundberg_exponent(law.sf, rate=1.0, mean_claim=mean, premium=1.3 * mean) is None


def test_without_a_loading_there_is_no_exponent_and_ruin_is_certain():
    assert lundberg_exponent(lambda x: np.exp(-x), rate=1.0, mean_claim=1.0, premium=1.0) is None
    assert ruin_for_ever_bracket(5.0, lambda x: np.exp(-x), rate=1.0, mean_claim=1.0, premium=1.0) == (1.0, 1.0)


def test_from_nothing_ruin_for_ever_is_the_inverse_of_the_loading():
    assert ruin_for_ever_bracket(0.0, lambda x: np.exp(-x), **LOADED) == (1 / 1.3, 1 / 1.3)
