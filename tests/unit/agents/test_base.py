import numpy as np
import pytest

from stress.accounts import equity, grid
from stress.agents.base import Cohort, build_accounts


@pytest.mark.parametrize(("notional", "leverage"), [(1.0, 100), (1e6, 100), (1e6 + 1, 20), (1e12, 20)])
def test_the_leverage_limit_is_that_of_the_tier(venue, notional, leverage):
    assert venue.max_leverage(np.array([notional]))[0] == leverage


def test_the_maintenance_rate_is_the_effective_one(venue):
    # 2 m x 2 % less the deduction of 1 m x (2 % - 0.4 %)
    assert venue.maintenance_rate(np.array([5e5, 2e6])) == pytest.approx([0.004, (40_000 - 16_000) / 2e6])


def test_isolated_margin_was_posted_at_entry(venue):
    account = build_accounts(venue, [2.0], [40_000.0], 10.0, "isolated")[0]
    assert account["collateral"] == pytest.approx(8_000, abs=0.01)


@pytest.mark.parametrize("qty", [2.0, -2.0])
def test_a_cross_account_has_its_leverage_now(venue, qty):
    account = build_accounts(venue, [qty], [48_000.0], 10.0, "cross")[0]
    worth = equity(*(account[name] for name in ("qty", "entry", "collateral")), venue.price, 0.0)
    assert abs(account["qty"]) * venue.price / worth == pytest.approx(10, rel=1e-6)


@pytest.mark.parametrize(("margin", "flag"), [("isolated", 0), ("cross", 1)])
def test_the_margin_mode_is_noted(venue, margin, flag):
    assert build_accounts(venue, [1.0], [48_000.0], 10.0, margin)["cross"].tolist() == [flag]


def test_accounts_are_on_the_venues_grids(venue, rng):
    n = 1_000
    accounts = build_accounts(venue, rng.normal(0, 5, n), rng.uniform(4e4, 6e4, n), 7.3, "cross")
    for name, step in (("qty", venue.lot), ("entry", venue.tick), ("collateral", venue.cent)):
        units = accounts[name] / grid(step)
        assert (units == np.round(units)).all()


def test_a_position_below_half_a_lot_does_not_exist(venue):
    assert build_accounts(venue, [1e-5, 1.0], [5e4, 5e4], 10.0, "isolated")["qty"].tolist() == [1.0]


def test_a_cohort_without_laws_draws_nothing(venue, rng):
    class Nobody(Cohort):
        """Draws nothing."""

    nobody = Nobody(name="nobody")
    assert nobody.draw(rng, venue).size == 0
    assert nobody.shares() == (0.0, 0.0)
    assert nobody.problems(venue) == []
