import pytest
from pydantic import ValidationError

from stress.agents.maker import Maker


def test_makers_hold_what_the_others_leave_and_are_not_drawn(venue, rng):
    maker = Maker(name="makers", collateral_usd=1e6)
    assert maker.is_maker
    assert maker.draw(rng, venue).size == 0


def test_makers_ask_for_no_share_of_open_interest():
    assert Maker(name="makers", collateral_usd=1e6).shares() == (0.0, 0.0)


def test_makers_are_deleveraged_unless_exempt():
    assert Maker(name="makers", collateral_usd=1e6).deleverageable


def test_makers_need_money():
    with pytest.raises(ValidationError, match="collateral_usd"):
        Maker(name="makers", collateral_usd=0.0)
