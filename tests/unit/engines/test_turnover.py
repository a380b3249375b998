"""Renewal by hand: who closes, who takes a seat, and what the books say."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from stress.agents.renewal import Renewal
from stress.engines.population import draw_population
from stress.engines.rulebook import as_namespace, rulebook
from stress.engines.start import opening
from stress.engines.turnover import (
    NOBODY,
    are_hurt,
    closes,
    depart,
    draw_turns,
    next_to_take,
    pay_out,
    pseudo_random,
    seat_at,
    seats_of,
    take_seat,
    turnover_numbers,
    vacate,
    wait_until,
)
from stress.exchange.settlement import balance_error
from stress.randomness import stream_key
from stress.scenario import Scenario, ScenarioError

TIER = {"cap_usd": 1.0e12, "max_leverage": 50, "maintenance_margin_rate": 0.005}
LONG = {"kind": "account", "name": "long", "qty": 2.0, "entry_usd": 40_000.0, "collateral_usd": 10_000.0}
SHORT = {"kind": "account", "name": "short", "qty": -1.0, "entry_usd": 50_000.0, "collateral_usd": 5_000.0}
MAKERS = {"kind": "maker", "name": "makers", "collateral_usd": 1.0e6}


def scenario(**changes):
    tables = {"population": [LONG, SHORT, MAKERS], "tier": [TIER], "renewal": {"holding_hours": 10.0}}
    return Scenario.load("configs/tiny.toml", overrides=tables | {"funding.mean_rate": 0.0} | changes)


@pytest.fixture
def venue():
    """Return books, state, accounts and seats of a long and a short, the mark at 50,000."""
    found = scenario()
    population = draw_population(found, 0)
    rules = rulebook(found, population.open_interest)
    rows = [SimpleNamespace(**{name: row[name].item() for name in row.dtype.names}) for row in population.accounts]
    state, seats = opening(population, found), seats_of(population, rules.numbers["turnover"])
    return SimpleNamespace(book=as_namespace(rules.numbers), state=state, accounts=rows, seats=seats)


def error(venue):
    return balance_error(venue.state)


# Rates


def test_winners_and_losers_close_at_the_mean_rate_together():
    winners, losers = Renewal(losers_exit=0.67).closings_per_hour(10.0)
    assert (winners + losers) / 2.0 == pytest.approx(0.1)
    assert losers / winners == pytest.approx(0.67)


def test_the_default_is_the_published_hazard():
    winners, losers = Renewal().closings_per_hour(None)
    assert (winners + losers) / 2.0 == pytest.approx(0.00276, rel=1e-3)


def test_whales_never_close_by_choice():
    assert Renewal().closings_per_hour(math.inf) == (0.0, 0.0)


def test_pace_divides_every_holding_time():
    assert Renewal(pace=2.0).closings_per_hour(10.0)[0] == pytest.approx(2.0 * Renewal().closings_per_hour(10.0)[0])


def test_there_is_nothing_to_draw_without_renewal():
    numbers = turnover_numbers(Scenario.load("configs/tiny.toml"))
    assert numbers["active"] == 0
    assert numbers["per_step"] == 0.0


def test_closings_are_tried_at_the_rate_of_winners():
    numbers = turnover_numbers(scenario())
    assert numbers["per_step"] == pytest.approx(2 * Renewal().closings_per_hour(10.0)[0] / 60.0)
    np.testing.assert_allclose(numbers["upto"][:3], [0.5, 1.0, 1.0])


# Events


def test_events_are_a_poisson_process():
    turns = draw_turns(stream_key(3), 0, 400, 0.05, 2_000)
    counts = (turns.steps < 2_000).sum(axis=1)
    assert counts.mean() == pytest.approx(100.0, abs=4.0 * 10.0 / math.sqrt(400))
    assert counts.var() == pytest.approx(100.0, rel=4.0 * math.sqrt(2.0 / 400))


def test_events_are_in_order_and_do_not_depend_on_the_block():
    turns, one = draw_turns(stream_key(3), 0, 5, 0.5, 100), draw_turns(stream_key(3), 4, 1, 0.5, 100)
    assert (np.diff(turns.steps, axis=1) >= 0).all()
    for many, alone in zip(turns, one, strict=True):
        np.testing.assert_array_equal(many[4], alone[0])


def test_places_name_every_seat_alike(venue):
    places = (np.arange(1_000) + 0.5) / 1_000
    rows = [seat_at(place, venue.book.turnover, venue.seats.starts) for place in places]
    assert np.bincount(rows).tolist() == [500, 500]


# Who closes


def test_a_winner_always_closes_at_its_event_and_a_loser_by_chance(venue):
    winner, even = venue.accounts
    assert closes(venue.state, venue.book, winner, 0.99)
    assert closes(venue.state, venue.book, even, 0.99)  # at its entry: no loss
    even.entry = 49_990.0
    assert closes(venue.state, venue.book, even, 0.6)
    assert not closes(venue.state, venue.book, even, 0.7)


def test_nobody_closes_by_choice_while_being_liquidated(venue):
    account = venue.accounts[0]
    account.wait = -5
    assert not closes(venue.state, venue.book, account, 0.0)
    account.wait, account.collateral = 0, -19_990.0
    assert not closes(venue.state, venue.book, account, 0.0)


# The books


def test_who_closes_is_paid_at_the_mark(venue):
    pay_out(venue.state, venue.book, venue.accounts[0])
    assert venue.state.released == 10_000.0 + 2.0 * 10_000.0
    assert venue.accounts[0].qty == 0.0
    assert error(venue) < 1e-6


def test_a_newcomer_posts_the_margin_of_the_seats_leverage(venue):
    account = venue.accounts[0]
    pay_out(venue.state, venue.book, account)
    take_seat(venue.state, venue.book, account, venue.seats, 0)
    assert (account.qty, account.entry) == (2.0, 50_000.0)
    assert account.collateral == 12_500.0  # 80,000 / 10,000 = 8x: 100,000 / 8
    assert venue.state.entered == 1
    assert error(venue) < 1e-6


def test_a_newcomer_posts_the_tiers_initial_margin_if_that_is_more(venue):
    account = venue.accounts[1]
    pay_out(venue.state, venue.book, account)
    venue.seats.leverage[1] = 500.0
    take_seat(venue.state, venue.book, account, venue.seats, 1)
    assert account.collateral == 1_000.0  # 50,000 / 50


def test_funding_paid_before_is_not_the_newcomers(venue):
    venue.state.funding = 100.0
    account = venue.accounts[0]
    pay_out(venue.state, venue.book, account)
    assert venue.state.released == 10_000.0 + 2.0 * 9_900.0
    take_seat(venue.state, venue.book, account, venue.seats, 0)
    assert account.qty * (venue.state.mark - account.entry - venue.state.funding) == 0.0
    assert error(venue) < 1e-6


# Empty seats


def test_an_empty_seat_is_taken_when_its_time_has_come(venue):
    state, account = venue.state, venue.accounts[0]
    vacate(state, venue.book, account, venue.seats, 0)
    due = account.wait
    assert state.empty == 1
    for step in range(due + 1):
        state.step = step
        assert next_to_take(state, venue.seats) == (0 if step == due else NOBODY)
    assert state.empty == 0


def test_seats_that_are_taken_at_one_step_come_one_after_the_other(venue):
    for row in range(2):
        wait_until(venue.state, venue.seats, row, 3)
    venue.state.step = 3
    assert {next_to_take(venue.state, venue.seats) for _ in range(3)} == {0, 1, NOBODY}


def test_waiting_times_are_exponential(venue):
    state, scale = venue.state, venue.book.turnover.reentry_steps
    waits = []
    for step in range(4_000):
        state.step, state.shock = step, 1e-3 * math.sin(step)
        waits.append(-math.log(pseudo_random(state, -1)) * scale)
    assert np.mean(waits) == pytest.approx(scale, rel=4.0 / math.sqrt(4_000))
    assert np.std(waits) == pytest.approx(scale, rel=0.08)


# After ADL


def test_a_share_leaves_for_good_after_a_haircut(venue):
    state, gone = venue.state, 0
    assert not are_hurt(state, venue.book)
    state.socialized_loss = 1.0
    assert are_hurt(state, venue.book)
    assert not are_hurt(state, venue.book)
    for step in range(2_000):
        state.step = step
        gone += pseudo_random(state, 0) < venue.book.turnover.leave_share
    assert gone / 2_000 == pytest.approx(0.2, abs=4.0 * math.sqrt(0.16 / 2_000))


def test_a_seat_that_adl_has_emptied_is_taken_again_or_never(venue):
    account = venue.accounts[0]
    account.qty = 0.0
    depart(venue.state, venue.book, account, venue.seats, 0)
    assert account.wait > 0


def test_a_position_must_last_to_be_followed():
    with pytest.raises(ScenarioError, match=r"population.0.holding_hours: must be above 0 with \[renewal\]"):
        Scenario.load("configs/tiny.toml", overrides={"renewal": {}, "population.0.holding_hours": 0.0})


def test_more_cohorts_than_are_told_apart_are_refused():
    crowd = [{**LONG, "name": f"long_{i}"} for i in range(16)]
    with pytest.raises(ScenarioError, match="renewal: tells at most 16 rows of the population apart, not 17"):
        scenario(population=[*crowd, MAKERS])


def test_unknown_keys_and_impossible_rates_are_refused():
    for key, value in {"pace": 0.0, "losers_exit": 1.5, "reentry_hours": 0.0, "leave_after_adl": 2.0}.items():
        with pytest.raises(ValueError, match=f"renewal.{key}"):
            scenario(renewal={key: value})
