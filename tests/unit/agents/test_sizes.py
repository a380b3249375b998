import math

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from stress.agents.sizes import P99, Listed, ListedUsd, Lognormal, LognormalPareto, Pareto, SizeLaw

N = 200_000


def test_the_body_of_the_default_is_log_normal(rng):
    logs = np.log(LognormalPareto(sigma=1.5).draw(rng, N))
    quartiles = np.quantile(logs, [0.25, 0.75])
    assert quartiles[1] - quartiles[0] == pytest.approx(1.5 * 2 * 0.67449, rel=0.02)


def test_above_the_99th_percentile_the_default_is_a_pareto_tail(rng):
    size = LognormalPareto(tail_index=1.5).draw(rng, N)
    edge = math.exp(2.0 * P99)
    assert stats.kstest(size[size > edge] / edge, stats.pareto(1.5).cdf).pvalue > 1e-3


def test_one_in_a_hundred_is_in_the_tail_of_the_default(rng):
    beyond = (LognormalPareto().draw(rng, N) > math.exp(2.0 * P99)).mean()
    assert abs(beyond - 0.01) < 4 * math.sqrt(0.01 * 0.99 / N)


def test_the_default_without_spread_is_one_size_but_for_the_tail(rng):
    size = LognormalPareto(sigma=0.0).draw(rng, 1_000)
    assert (size == 1.0).all()


def test_the_second_law_is_log_normal_throughout(rng):
    assert stats.kstest(np.log(Lognormal().draw(rng, N)) / 2.7, "norm").pvalue > 1e-3


def test_the_third_law_is_a_power_law_from_the_smallest_account_up(rng):
    assert stats.kstest(Pareto(tail_index=1.2).draw(rng, N), stats.pareto(1.2).cdf).pvalue > 1e-3


def test_the_laws_differ_in_what_the_smaller_half_holds(rng):
    def held(law):
        size = np.sort(law.draw(rng, 10_000))
        size = np.minimum(size, 100 * np.median(size))
        return size[:5_000].sum() / size.sum()

    assert held(Pareto()) > 2 * held(LognormalPareto()) > 2 * held(Lognormal())


def test_a_list_is_taken_from_the_start_as_often_as_it_fits(rng):
    assert Listed(sizes=(3.0, 1.0)).draw(rng, 4).tolist() == [3.0, 1.0, 3.0, 1.0]


def test_a_side_that_takes_a_part_of_the_list_is_refused():
    [(key, said)] = ListedUsd(sizes_usd=(3.0, 1.0)).problems(5)
    assert (key, said) == ("count", "5 accounts of one side are not a multiple of the 2 sizes listed")


def test_amounts_in_usd_are_what_they_are():
    assert ListedUsd(sizes_usd=(3e6, 1e6)).amounts_usd(2).tolist() == [3e6, 1e6]
    assert Listed(sizes=(3.0, 1.0)).amounts_usd(2) is None


@pytest.mark.parametrize(("kind", "key", "value"), [("lognormal", "sigma", -1.0), ("pareto", "tail_index", 0.5)])
def test_a_number_without_sense_is_refused(kind, key, value):
    with pytest.raises(ValidationError, match=key):
        SizeLaw.choose({"kind": kind, key: value})


def test_a_law_must_define_its_draw(rng):
    with pytest.raises(TypeError, match="does not define its draw"):
        SizeLaw().draw(rng, 1)
