import numpy as np
import pytest
from pydantic import ValidationError

from stress.exchange.funding import Funding

N_PATHS, N_INTERVALS = 20_000, 30


@pytest.fixture(scope="module")
def rates():
    normals = np.random.default_rng(11).standard_normal((N_PATHS, N_INTERVALS))
    return Funding().rates(normals)


@pytest.mark.parametrize("interval", [0, 1, N_INTERVALS - 1])
def test_every_interval_has_the_stationary_mean(rates, interval):
    error = 1.05e-4 / np.sqrt(N_PATHS)
    assert abs(rates[:, interval].mean() - 0.712e-4) < 4 * error


@pytest.mark.parametrize("interval", [0, 1, N_INTERVALS - 1])
def test_every_interval_has_the_stationary_standard_deviation(rates, interval):
    error = 1.05e-4 / np.sqrt(2 * N_PATHS)
    assert abs(rates[:, interval].std() - 1.05e-4) < 4 * error


@pytest.mark.parametrize("lag", [1, 3])
def test_rates_persist_as_an_ar1(rates, lag):
    found = np.corrcoef(rates[:, 5], rates[:, 5 + lag])[0, 1]
    expected = 0.75**lag
    assert abs(found - expected) < 4 * (1 - expected**2) / np.sqrt(N_PATHS)


def test_rates_stop_at_the_clamp_on_both_sides():
    rates = Funding(sd_rate=0.01, clamp=1e-3).rates(np.random.default_rng(2).standard_normal((500, 4)))
    assert (rates.min(), rates.max()) == (-1e-3, 1e-3)


def test_a_clamped_rate_does_not_forget_the_deviation_behind_it():
    funding = Funding(mean_rate=0.0, sd_rate=1e-3, persistence=0.9, clamp=1e-3)
    rates = funding.rates(np.array([[5.0, 0.0, 0.0, 0.0]]))
    assert rates[0].tolist() == [1e-3] * 4


def test_funding_without_deviation_is_its_mean():
    assert Funding(mean_rate=1e-4, sd_rate=0.0).rates(np.ones((2, 3))).tolist() == [[1e-4] * 3] * 2


def test_a_horizon_shorter_than_an_interval_pays_no_funding():
    assert Funding().rates(np.empty((7, 0))).shape == (7, 0)


@pytest.mark.parametrize("key", ["persistence", "clamp", "sd_rate", "interval_hours"])
def test_a_negative_parameter_is_refused(key):
    with pytest.raises(ValidationError, match=key):
        Funding(**{key: -0.1})
