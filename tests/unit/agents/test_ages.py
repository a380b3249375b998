import math

import numpy as np
import pytest
from scipy import stats

import stress.scenario  # noqa: F401  (registers everything)
from stress.agents.ages import AgeLaw, Exponential, LognormalAge
from stress.agents.trader import Trader

N = 200_000
every_law = pytest.mark.parametrize("kind", sorted(AgeLaw.family))


@every_law
def test_ages_are_positive_and_of_mean_one(rng, kind):
    age = AgeLaw.choose(kind).draw(rng, N)
    assert (age > 0.0).all()
    assert abs(age.mean() - 1.0) < 4 * age.std() / math.sqrt(N)


def test_the_exponential_law_has_the_bits_of_numpys(rng):
    assert (Exponential().draw(np.random.default_rng(2), 50) == np.random.default_rng(2).standard_exponential(50)).all()


def test_the_log_normal_law_is_log_normal(rng):
    logs = np.log(LognormalAge(sigma=1.2).draw(rng, N))
    assert stats.kstest((logs + 0.72) / 1.2, "norm").pvalue > 1e-3


def test_a_wider_law_of_age_disperses_entries_more(venue, rng):
    def kurtosis(age):
        cohort = {"name": "t", "count": 20_000, "long_share": 0.5, "short_share": 0.5, "leverage_median": 1.5}
        cohort |= {"leverage_sigma": 0.0, "holding_hours": 100.0, "size": {"kind": "lognormal", "sigma": 0.2}}
        return stats.kurtosis(np.log(venue.price / Trader(**cohort, age=age).draw(rng, venue)["entry"]))

    assert kurtosis({"kind": "lognormal", "sigma": 0.0}) < 0.2
    assert kurtosis("exponential") == pytest.approx(3.0, abs=0.6)  # of a normal with exponential variance
    assert kurtosis({"kind": "lognormal", "sigma": 1.5}) > 5.0


def test_a_law_must_define_its_draw(rng):
    with pytest.raises(TypeError, match="does not define its draw"):
        AgeLaw().draw(rng, 1)
