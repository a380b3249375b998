import numpy as np
import pytest

import stress.scenario  # noqa: F401  (registers everything)
from stress.accounts import ACCOUNT, grid
from stress.agents.base import Cohort
from stress.exchange.margin import is_breached

every_cohort = pytest.mark.parametrize("kind", sorted(Cohort.family))


@pytest.fixture
def cohort(example):
    return lambda kind, **settings: example(Cohort.family[kind], **settings)


def modes(member):
    return ["isolated", "cross"] if "margin" in member.model_fields else [None]


KINDS_AND_MODES = [(kind, mode) for kind in sorted(Cohort.family) for mode in modes(Cohort.family[kind])]


@pytest.fixture
def drawn(cohort, venue, rng):
    def draw(kind, mode=None):
        return cohort(kind, **({"margin": mode} if mode else {})).draw(rng, venue)

    return draw


@every_cohort
def test_accounts_have_the_common_fields(drawn, kind):
    assert drawn(kind).dtype == ACCOUNT


@every_cohort
def test_whoever_has_no_seats_is_not_drawn_and_others_are(cohort, drawn, kind):
    assert (drawn(kind).size == 0) == (cohort(kind).n_seats == 0)


@pytest.mark.parametrize(("kind", "mode"), KINDS_AND_MODES)
def test_accounts_are_on_the_dyadic_grids_of_the_venue(drawn, venue, kind, mode):
    accounts = drawn(kind, mode)
    for name, step in (("qty", venue.lot), ("entry", venue.tick), ("collateral", venue.cent)):
        units = accounts[name] / grid(step)
        assert (units == np.round(units)).all()


@pytest.mark.parametrize(("kind", "mode"), KINDS_AND_MODES)
def test_every_number_of_an_account_is_finite_and_its_position_not_zero(drawn, kind, mode):
    accounts = drawn(kind, mode)
    assert all(np.isfinite(accounts[name]).all() for name in ("qty", "entry", "collateral"))
    assert (accounts["qty"] != 0.0).all()
    assert (accounts["entry"] > 0.0).all()
    assert (accounts["cross"] == (mode == "cross")).all()


@every_cohort
def test_the_achieved_share_of_open_interest_is_within_5_percent_of_the_requested_one(cohort, venue, rng, kind):
    part = cohort(kind)
    qty = part.draw(rng, venue)["qty"]
    for sign, requested in zip((1, -1), part.requested(venue), strict=True):
        if requested > 0.0:
            achieved = np.abs(qty[sign * qty > 0.0]).sum() * venue.price
            assert achieved == pytest.approx(requested, rel=0.05)


@pytest.mark.parametrize(("kind", "mode"), KINDS_AND_MODES)
def test_hardly_an_account_is_liquidatable_at_the_start(drawn, venue, kind, mode):
    # Tiers make the barrier of a draw approximate; what is breached is dropped with the population.
    dead = [
        is_breached(row["qty"], row["entry"], row["collateral"], venue.price, 0.0, venue.tiers)
        for row in drawn(kind, mode)
    ]
    assert sum(dead) <= 0.002 * len(dead)


@every_cohort
def test_the_same_generator_gives_the_same_accounts(cohort, venue, kind):
    first, second = (cohort(kind).draw(np.random.default_rng(3), venue) for _ in range(2))
    assert (first == second).all()


@every_cohort
def test_only_cohorts_with_laws_use_the_generator(cohort, venue, rng, kind):
    before = rng.bit_generator.state
    part = cohort(kind)
    part.draw(rng, venue)
    assert (rng.bit_generator.state != before) == part.laws


@every_cohort
def test_the_example_is_allowed_by_the_venue(cohort, venue, kind):
    assert cohort(kind).problems(venue) == []


@every_cohort
def test_shares_are_fractions(cohort, kind):
    assert all(0.0 <= share <= 1.0 for share in cohort(kind).shares())
