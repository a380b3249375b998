import numpy as np
import pytest
from pydantic import ValidationError

from stress.agents.account import Account

LONG = {"name": "a", "qty": 1.5, "entry_usd": 50_000.0, "collateral_usd": 7_500.0}


def test_an_account_is_drawn_as_it_is_given(venue, rng):
    account = Account(**LONG).draw(rng, venue)[0]
    assert [account[name] for name in ("qty", "entry", "collateral", "cross")] == [1.5, 50_000.0, 7_500.0, 0]


def test_count_makes_identical_accounts(venue, rng):
    accounts = Account(**LONG, count=3).draw(rng, venue)
    assert accounts.size == 3
    assert np.unique(accounts).size == 1


def test_an_account_draws_no_random_number(venue, rng):
    before = rng.bit_generator.state
    Account(**LONG).draw(rng, venue)
    assert rng.bit_generator.state == before
    assert not Account.laws


def test_leverage_at_the_tiers_maximum_is_allowed(venue):
    assert Account(**{**LONG, "collateral_usd": 750.0}).problems(venue) == []


@pytest.mark.parametrize(("collateral", "leverage"), [(740.0, "101.4"), (0.0, "inf")])
def test_leverage_above_the_tiers_maximum_is_refused(venue, collateral, leverage):
    [(key, message)] = Account(**{**LONG, "collateral_usd": collateral}).problems(venue)
    assert (key, message) == ("collateral_usd", f"leverage {leverage} is above the tier's maximum 100")


def test_the_tier_of_the_position_limits_its_leverage(venue):
    [(_, message)] = Account(**{**LONG, "qty": -30.0, "collateral_usd": 30_000.0}).problems(venue)
    assert message == "leverage 50 is above the tier's maximum 20"


@pytest.mark.parametrize("qty", [0.0, 1e-4, -1e-4])
def test_a_position_below_half_a_lot_is_refused(venue, qty):
    [(key, message)] = Account(**{**LONG, "qty": qty}).problems(venue)
    assert key == "qty"
    assert "no position in lots of 0.001" in message


@pytest.mark.parametrize("key", ["entry_usd", "collateral_usd", "count"])
def test_a_negative_number_is_refused(key):
    with pytest.raises(ValidationError, match=key):
        Account(**{**LONG, key: -1})
