import math

import numpy as np
import pytest

import stress.scenario  # noqa: F401  (registers everything)
from stress.agents.leverages import LeverageLaw
from stress.agents.trader import Trader

every_law = pytest.mark.parametrize("kind", sorted(LeverageLaw.family))
N = 200_000
UNCAPPED = {"leverage_max": 200.0, "cap_at_10k_usd": 1e9, "cap_exponent": 0.0, "holding_hours": 0.0}


@pytest.fixture
def law(example):
    return lambda kind, **settings: example(LeverageLaw.family[kind], **settings)


@pytest.fixture
def trader(example, law):
    def make(kind, **settings):
        return example(Trader, leverage=law(kind), **settings)

    return make


@every_law
def test_there_is_one_finite_positive_leverage_a_score(law, rng, kind):
    leverage = law(kind).of(rng.standard_normal(N))
    assert leverage.shape == (N,)
    assert np.isfinite(leverage).all()
    assert (leverage > 0.0).all()


@every_law
def test_leverage_rises_with_the_score(law, kind):
    leverage = law(kind).of(np.linspace(-8.0, 8.0, 2_001))
    assert (np.diff(leverage) >= 0.0).all()
    assert leverage[-1] > leverage[0]


@every_law
def test_the_mean_of_draws_is_the_stated_one(law, rng, kind):
    leverage = law(kind).of(rng.standard_normal(N))
    assert abs(leverage.mean() - law(kind).mean) < 4 * leverage.std() / math.sqrt(N)


@every_law
def test_half_of_the_accounts_are_at_most_at_the_middle(law, rng, kind):
    # Laws with atoms hold more than half at or below their middle.
    leverage = law(kind).of(rng.standard_normal(N))
    slack = 4 * 0.5 / math.sqrt(N)
    assert (leverage < law(kind).middle).mean() <= 0.5 + slack
    assert (leverage <= law(kind).middle * (1 + 1e-12)).mean() >= 0.5 - slack


@every_law
def test_a_factor_multiplies_every_leverage(law, rng, kind):
    score = rng.standard_normal(1_000)
    assert law(kind, factor=2.5).of(score) == pytest.approx(2.5 * law(kind).of(score), rel=1e-15)
    assert law(kind, factor=2.5).mean == pytest.approx(2.5 * law(kind).mean, rel=1e-15)


@every_law
def test_a_cohort_without_caps_has_the_law(trader, law, venue, rng, kind):
    cohort = trader(kind, count=20_000, size={"kind": "lognormal", "sigma": 0.3}, **UNCAPPED)
    accounts = cohort.draw(rng, venue)
    leverage = np.abs(accounts["qty"]) * accounts["entry"] / accounts["collateral"]
    limit = venue.max_leverage(np.abs(accounts["qty"]) * venue.price)
    for p, score in ((0.1, -1.2815516), (0.5, 0.0), (0.8, 0.8416212), (0.95, 1.6448536)):
        wanted = np.clip(law(kind).of(np.array([score]))[0], 1.0, limit.min())
        slack = 4 * math.sqrt(p * (1 - p) / leverage.size) + 1e-3
        assert (leverage < wanted * 0.999).mean() <= p + slack
        assert (leverage <= wanted * 1.001).mean() >= p - slack


@every_law
@pytest.mark.parametrize(("correlation", "skew"), [(0.0, 0.0), (-0.5, 1.0)])
def test_each_side_holds_its_share_exactly_up_to_lots(trader, venue, rng, kind, correlation, skew):
    cohort = trader(kind, rank_correlation=correlation, long_skew=skew)
    qty = cohort.draw(rng, venue)["qty"]
    for sign, share, crowd in ((1, cohort.long_share, venue.crowd_long), (-1, cohort.short_share, venue.crowd_short)):
        held = np.abs(qty[sign * qty > 0.0]).sum() * venue.price
        assert abs(held - share * crowd) <= 0.5 * venue.lot * venue.price * cohort.count


@every_law
def test_the_caps_of_cohort_tier_and_size_hold_whatever_the_law(trader, venue, rng, kind):
    accounts = trader(kind, leverage_max=9.0).draw(rng, venue)
    leverage = np.abs(accounts["qty"]) * accounts["entry"] / accounts["collateral"]
    assert leverage.max() <= 9.0 * 1.01
    assert leverage.min() >= 0.99


@every_law
def test_a_law_whose_median_no_tier_allows_is_refused(trader, law, venue, kind):
    cohort = trader(kind)
    factor = 150.0 / cohort.leverage.middle
    high = cohort.model_copy(update={"leverage": law(kind, factor=factor)})
    assert dict(high.problems(venue)) == {"leverage": "its median 150 is above the first tier's maximum 100"}


@every_law
def test_another_venue_admits_the_law_with_the_median_that_its_first_tier_allows(trader, law, venue, kind):
    cohort = trader(kind).model_copy(update={"leverage": law(kind, factor=1_000.0)})
    admitted = cohort.admitted(venue)
    assert admitted.leverage.middle == pytest.approx(100.0)
    assert admitted.problems(venue) == []


@every_law
def test_a_sweep_moves_the_median_of_any_law(trader, kind):
    cohort = trader(kind)
    ((key, factor),) = cohort.relevered(2.0, 1e6).items()
    assert key == "leverage.factor"
    assert cohort.leverage.model_copy(update={"factor": factor}).middle == pytest.approx(2.0 * cohort.leverage.middle)
