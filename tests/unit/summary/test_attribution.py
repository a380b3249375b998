import numpy as np
import pytest

from stress.outcomes import Attribution
from stress.summary import cohort_shares

COHORTS = ("whale", "retail")


def listing(drawdown, whale_share):
    whale = np.broadcast_to(whale_share, drawdown.shape)
    loss = drawdown[:, np.newaxis] * np.column_stack([whale, 1 - whale])
    return Attribution(COHORTS, np.arange(drawdown.size), loss)


def test_shares_are_means_over_the_tail_and_add_up(make_outcomes):
    drawdown = np.arange(1.0, 101.0)
    table = listing(drawdown, np.where(drawdown > 95, 0.8, 0.1))
    shares = cohort_shares(make_outcomes(drawdown, attribution=table), 0.9)
    whale = (0.1 * np.arange(90, 96).sum() + 0.8 * np.arange(96, 101).sum()) / np.arange(90, 101).sum()
    assert shares.n_paths == 11
    assert shares.share == pytest.approx((whale, 1 - whale), rel=1e-12)


def test_a_cohort_that_earns_has_a_negative_share(make_outcomes):
    drawdown = np.arange(1.0, 101.0)
    assert cohort_shares(make_outcomes(drawdown, attribution=listing(drawdown, 1.25)), 0.9).share[1] < 0


def test_constant_shares_have_no_error(make_outcomes):
    drawdown = np.arange(1.0, 101.0)
    error = cohort_shares(make_outcomes(drawdown, attribution=listing(drawdown, 0.5)), 0.9).standard_error
    assert error == pytest.approx((0, 0), abs=1e-12)


def test_the_standard_error_is_that_of_repeated_runs(make_outcomes, rng):
    found = []
    for _ in range(200):
        drawdown = rng.exponential(size=1000)
        table = listing(drawdown, rng.uniform(size=1000))
        found.append(cohort_shares(make_outcomes(drawdown, attribution=table), 0.9))
    spread = np.std([shares.share[0] for shares in found])
    assert np.mean([shares.standard_error[0] for shares in found]) == pytest.approx(spread, rel=0.2)


def test_a_tail_that_is_not_fully_listed_gives_no_shares(make_outcomes):
    drawdown = np.arange(1.0, 101.0)
    table = Attribution(("all",), [99, 98], [[100.0], [99.0]])
    assert cohort_shares(make_outcomes(drawdown, attribution=table), 0.9) is None


def test_a_book_that_never_loses_has_no_shares(make_outcomes):
    assert cohort_shares(make_outcomes(np.zeros(5), attribution=Attribution(("all",), [0], [[0.0]])), 0.9) is None


def test_without_attribution_there_are_no_shares(make_outcomes):
    assert cohort_shares(make_outcomes(np.arange(5.0)), 0.9) is None
