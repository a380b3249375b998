import math

import pytest
from pydantic import ValidationError

from stress.agents.desk import Desk
from stress.agents.hedger import Hedger
from stress.agents.oracle_push import OraclePush
from stress.agents.panic import Panic
from stress.agents.pump import Pump
from stress.agents.wall import Wall

HELD = {"name": "attacker", "share": 0.1, "leverage": 5.0}


def test_a_pump_gives_up_its_first_accounts_and_keeps_the_others(venue, rng):
    pump = Pump(**HELD, kept_share=0.05, accounts=2)
    qty = pump.draw(rng, venue)["qty"]
    assert qty.tolist() == pytest.approx([-1_000.0, -1_000.0, 500.0, 500.0])
    assert (pump.n_leavers, pump.n_seats) == (2, 4)


def test_a_pump_without_a_leg_to_keep_has_one_leg(venue, rng):
    pump = Pump(**HELD)
    assert pump.draw(rng, venue).size == pump.n_seats == 1


@pytest.mark.parametrize(("side", "shares"), [("short", (0.05, 0.1)), ("long", (0.1, 0.05))])
def test_a_pump_holds_a_share_of_both_sides(side, shares):
    assert Pump(**HELD, side=side, kept_share=0.05).shares() == shares


def test_nobody_leaves_when_a_wall_is_pulled_and_the_fall_stays():
    wall = Wall(**HELD, accounts=19)
    assert (wall.n_leavers, wall.push.kept) == (0, 1.0)
    assert math.expm1(wall.push.move) == pytest.approx(-0.38)


def test_the_profit_of_an_oracle_push_is_taken_out_at_the_top():
    attacker = OraclePush(**HELD, rise_minutes=12.0)
    assert attacker.leaves_after_minutes == 12.0
    assert attacker.push.share_at(12.0) == 1.0


@pytest.mark.parametrize("kind", [Pump, Wall, OraclePush])
def test_an_attacker_may_be_idle(kind):
    idle = kind(**HELD, attacks_per_year=0.0)
    assert (idle.act_rate, idle.n_leavers) == (0.0, 0)


def test_a_move_to_nothing_is_refused():
    with pytest.raises(ValidationError, match="move"):
        Pump(**HELD, move=-1.0)


def test_panic_holds_nothing_and_answers_to_a_move(venue, rng):
    panic = Panic(name="panic", flow_usd=1e8, after_move=-0.1)
    assert panic.draw(rng, venue).size == 0
    assert panic.push.after_move == pytest.approx(math.log(0.9))
    assert panic.push.limited(0.02) == -0.02


def test_a_hedger_with_coins_on_the_venue_needs_a_larger_rise_to_be_liquidated(venue, rng):
    bare, coins = (Hedger(name="h", coin_share=s, entry_sd=0.0, short_share=0.1).draw(rng, venue) for s in (0.0, 1.0))
    # 2x: half a coin a coin short; equity at twice the price is W - q S0 = -S0/2 bare, and 0 with the coins
    for rows, worth in ((bare, -0.5), (coins, 0.0)):
        equity = rows["collateral"] + rows["qty"] * (2.0 * venue.price - rows["entry"])
        assert equity.sum() / (0.1 * venue.crowd_short) == pytest.approx(worth, abs=1e-3)


def test_the_hedge_of_a_desk_ties_up_capital_elsewhere():
    assert [Desk(name="d", leverage=3.0, hedged=h).leverage_here for h in (0.0, 0.5, 1.0)] == [3.0, 4.5, 6.0]


def test_desks_hold_their_share_of_both_sides_and_none_is_levered_beyond_its_limit(venue, rng):
    desks = Desk(name="d", share=0.1).draw(rng, venue)
    value = desks["qty"] * venue.price
    assert value[value > 0.0].sum() == pytest.approx(0.1 * venue.crowd_long, rel=1e-4)
    assert -value[value < 0.0].sum() == pytest.approx(0.1 * venue.crowd_short, rel=1e-4)
    assert (abs(value) / desks["collateral"]).max() <= 6.0 * (1.0 + 1e-4)


def test_a_desk_beyond_the_tier_is_refused(venue):
    [(key, message)] = Desk(name="d", leverage=15.0).problems(venue)
    assert (key, message) == ("leverage", "30 with the hedge is above the tier's maximum 20")
