import math

import pytest
from pydantic import ValidationError

from stress.agents.whale import Whale

LONG = {"name": "w", "share": 0.1, "leverage": 10.0}


def drawn(venue, rng, **changed):
    return Whale(**{**LONG, **changed}).draw(rng, venue)


def test_a_whale_is_one_account_of_its_share_of_open_interest(venue, rng):
    accounts = drawn(venue, rng)
    assert accounts.size == 1
    assert accounts["qty"][0] * venue.price == pytest.approx(0.1 * venue.open_interest, rel=1e-6)


def test_a_short_whale_is_short(venue, rng):
    assert drawn(venue, rng, side="short")["qty"][0] == pytest.approx(-2_000)


@pytest.mark.parametrize(("side", "shares"), [("long", (0.1, 0.0)), ("short", (0.0, 0.1))])
def test_a_whale_takes_its_share_of_one_side(side, shares):
    assert Whale(**LONG, side=side).shares() == shares


def test_a_whale_entered_at_todays_price_unless_said(venue, rng):
    assert drawn(venue, rng)["entry"][0] == venue.price


@pytest.mark.parametrize("move", [0.05, -0.05])
def test_entry_move_is_the_log_distance_since_entry(venue, rng, move):
    assert math.log(venue.price / drawn(venue, rng, entry_move=move)["entry"][0]) == pytest.approx(move, abs=1e-5)


def test_a_positive_entry_move_is_profit_for_a_long(venue, rng):
    account = drawn(venue, rng, entry_move=0.05)[0]
    assert account["qty"] * (venue.price - account["entry"]) > 0.0


def test_isolated_leverage_is_that_of_entry(venue, rng):
    account = drawn(venue, rng, entry_move=0.05)[0]
    assert account["qty"] * account["entry"] / account["collateral"] == pytest.approx(10, rel=1e-6)


def test_a_whale_draws_no_random_number(venue, rng):
    before = rng.bit_generator.state
    drawn(venue, rng)
    assert rng.bit_generator.state == before


def test_leverage_above_the_tier_of_its_size_is_refused(venue):
    [(key, message)] = Whale(**{**LONG, "leverage": 25.0}).problems(venue)
    assert (key, message) == ("leverage", "25 is above the tier's maximum 20 at USD 100,000,000")


def test_leverage_at_the_tiers_maximum_is_allowed(venue):
    assert Whale(**{**LONG, "leverage": 20.0}).problems(venue) == []


@pytest.mark.parametrize("share", [0.0, 1.1])
def test_a_share_lies_between_nothing_and_everything(share):
    with pytest.raises(ValidationError, match="share"):
        Whale(**{**LONG, "share": share})
