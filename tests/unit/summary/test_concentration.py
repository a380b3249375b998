"""Closed forms of concentration, and books that can be added up by hand."""

import json
import math

import numpy as np
import pytest
from scipy import stats

from stress.summary import concentration, gini, hill, spread_of

N = 200_000


def quantiles(law, n=N):
    """The law itself, without luck: its quantiles in the middle of n equal shares."""
    return law.ppf((np.arange(n) + 0.5) / n)


def test_a_book_of_five_by_hand():
    book = concentration(np.array([1.0, 2.0, 3.0, 4.0, 0.0, 90.0]), open_interest=180.0)
    assert (book.n_accounts, book.total) == (5, 100.0)
    assert (book.largest, book.top_1, book.top_10, book.top_percent) == (0.5, 0.9, 1.0, 0.9)
    # 2 (1 + 2 2 + 3 3 + 4 4 + 5 90) / (5 100) - 6/5
    assert book.gini == pytest.approx(2 * 480 / 500 - 1.2)
    assert book.effective_number == pytest.approx(1 / (0.9**2 + 0.04**2 + 0.03**2 + 0.02**2 + 0.01**2))


def test_equal_accounts_are_as_many_as_they_are():
    book = concentration(np.full(400, 7.0))
    assert book.gini == pytest.approx(0.0, abs=1e-12)
    assert book.effective_number == pytest.approx(400.0)
    assert (book.top_percent, book.hill) == (pytest.approx(0.01), None)


def test_one_holder_of_everything():
    book = concentration(np.array([5.0]))
    assert (book.top_1, book.gini, book.effective_number, book.hill) == (1.0, 0.0, 1.0, None)


def test_an_empty_book_has_no_shares():
    book = concentration(np.zeros(3))
    assert (book.n_accounts, book.total, book.gini, book.top_1, book.effective_number) == (0, 0.0, None, None, None)


@pytest.mark.parametrize("index", [1.5, 2.0, 4.0])
def test_the_gini_of_a_pareto_law(index):
    # The heavier the tail, the more of it lies beyond the last of n quantiles.
    assert gini(quantiles(stats.pareto(index), 2_000_000)) == pytest.approx(1 / (2 * index - 1), rel=0.02)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0])
def test_the_gini_of_a_log_normal_law(sigma):
    found = gini(quantiles(stats.lognorm(sigma)))
    assert found == pytest.approx(2 * stats.norm.cdf(sigma / math.sqrt(2)) - 1, rel=2e-3)


@pytest.mark.parametrize("share", [0.01, 0.1])
def test_the_top_share_of_a_pareto_law(share):
    # The largest p hold p^(1 - 1/a) of the whole.
    size = np.sort(quantiles(stats.pareto(3.0)))[::-1]
    assert size[: int(share * N)].sum() / size.sum() == pytest.approx(share ** (2 / 3), rel=0.01)
    assert concentration(size).top_percent == pytest.approx(0.01 ** (2 / 3), rel=0.01)


@pytest.mark.parametrize("index", [0.8, 1.05, 3.0])
def test_hills_estimate_of_a_pareto_law(index):
    estimates = []
    for seed in range(40):
        found, error = hill(np.random.default_rng(seed).pareto(index, 20_000) + 1.0, 200)
        assert error == pytest.approx(found / math.sqrt(200))
        estimates.append(found)
    assert abs(np.mean(estimates) - index) < 4 * index / math.sqrt(200 * 40)
    assert np.std(estimates) == pytest.approx(index / math.sqrt(200), rel=0.4)


def test_hill_by_hand():
    # Above a threshold of 1: log 2, log 4 and log 8 are 1, 2 and 3 times log 2, two on average.
    assert hill(np.array([0.5, 1.0, 2.0, 4.0, 8.0]), 3)[0] == pytest.approx(1 / (2 * math.log(2)))


@pytest.mark.parametrize(("n", "k"), [(50, 10), (5_000, 50), (100_000, 200)])
def test_a_hundredth_of_the_accounts_tells_the_tail(n, k):
    assert concentration(np.random.default_rng(1).pareto(1.0, n) + 1).hill_k == k


def test_a_spread_is_the_mean_and_nine_tenths_of_the_populations():
    books = [concentration(np.random.default_rng(seed).lognormal(0.0, 2.0, 1_000)) for seed in range(30)]
    found = spread_of(books)
    assert found.mean.gini == pytest.approx(np.mean([book.gini for book in books]))
    assert found.low.top_1 == pytest.approx(np.quantile([book.top_1 for book in books], 0.05))
    assert found.low.top_1 < found.mean.top_1 < found.high.top_1
    assert found.mean.n_accounts == 1_000


def test_one_population_has_no_spread():
    found = spread_of([concentration(np.array([1.0, 2.0]))]).to_dict()
    assert found["gini"] == {"value": pytest.approx(1 / 6), "low": None, "high": None}
    assert found["hill"] == {"value": None, "low": None, "high": None}
    json.dumps(found, allow_nan=False)
