from dataclasses import replace

import pytest

from stress.summary import cover_rows


@pytest.fixture
def facts(make_outcomes):
    return make_outcomes([1.0], fund_initial=60.0).facts


def row(facts, losses):
    return cover_rows(replace(facts, cover=({"n": 2, "move": -0.3, "losses": losses},)))[0]


def test_the_fund_is_divided_by_the_mean_loss(facts):
    assert row(facts, [10.0, 20.0]).fund_over_loss == 4.0


def test_the_range_is_5_to_95_percent_of_populations(facts):
    found = row(facts, list(range(101)))
    assert (found.low, found.high) == (5.0, 95.0)


def test_one_population_has_no_range(facts):
    found = row(facts, [10.0])
    assert (found.low, found.high) == (None, None)


def test_no_loss_has_no_ratio(facts):
    assert row(facts, [0.0, 0.0]).fund_over_loss is None


def test_a_fund_that_is_worth_something_else_at_that_price_says_so(facts):
    case = {"n": 1, "move": -0.5, "losses": [20.0], "fund": 80.0}
    assert cover_rows(replace(facts, cover=(case,)))[0].fund_over_loss == 4.0
