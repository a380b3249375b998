"""Renewal: when holders close and seats are taken, and what that does to the books (docs/method.md, section 15).

Closings come at the rate of holders in profit and are thinned: an event names a seat and carries a chance, and
happens if the chance is below the seat's rate over its cohort's highest (Lewis and Shedler 1979).  A seat that has
been emptied waits in a ring of steps until it is taken.  So the cost grows with events, not with accounts times steps.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from stress.engines.population import Population
from stress.engines.reactions import triggers
from stress.engines.steps import NEVER
from stress.exchange.margin import initial_margin, is_breached
from stress.exchange.state import MAX_COHORTS
from stress.randomness import TURNOVER, poisson_events
from stress.rules import inline, rule
from stress.scenario import Scenario

LEVELS = ("stop", "target")
GONE = NEVER  # instead of a time to wait: nobody takes this seat again
NOBODY = -1
LONGEST = 8.0  # mean times that a seat waits at most
ROUNDING = 1e-12  # a threshold as a price is only as good as one division
ROOM_SD = 10.0  # room for events: their mean and so many standard deviations


class Turns(NamedTuple):
    """Events of renewal; one row a path, sorted by step, padded with NEVER."""

    steps: np.ndarray  # (n, k)
    places: np.ndarray  # (n, k) uniform: which seat
    chances: np.ndarray  # (n, k) uniform: whether it happens


class Seats(NamedTuple):
    """What the accounts of the start were, and whoever follows them will be; one row an account."""

    qty: np.ndarray  # (n,) signed quantity
    leverage: np.ndarray  # (n,) at entry
    loss: np.ndarray  # (n,) over margin at which the holder sells; 0: never
    gain: np.ndarray  # (n,) over margin at which the holder takes the profit; 0: never
    spare: np.ndarray  # (n,) over margin, what the holder would add
    starts: np.ndarray  # (n_cohorts + 1,) first row of every cohort
    ring: np.ndarray  # (k,) first of the empty seats that are taken at this step, modulo k, or NOBODY
    after: np.ndarray  # (n,) the next one


def seats_of(population: Population, numbers: dict[str, Any]) -> Seats:
    """Return the seats of a population: cross accounts take the leverage that they have now."""
    a, price = population.accounts, population.price
    size, cross = np.abs(a["qty"]), a["cross"] == 1
    margin = a["collateral"] + np.where(cross, a["qty"] * (price - a["entry"]), 0.0)
    margin = np.maximum(margin, 1e-300)
    leverage = size * np.where(cross, price, a["entry"]) / margin
    loss, gain = (np.where(a[name] > 0.0, a["qty"] * (a[name] - a["entry"]) / margin, 0.0) for name in LEVELS)
    starts = np.searchsorted(a["cohort"], np.arange(numbers["n_cohorts"] + 1)).astype(np.int64)
    ring = np.full(2 + math.ceil(LONGEST * numbers["reentry_steps"]), NOBODY)
    return Seats(a["qty"].copy(), leverage, -loss, gain, a["spare"] / margin, starts, ring, np.full(a.size, NOBODY))


def turnover_numbers(scenario: Scenario) -> dict[str, Any]:
    """Return the rates of renewal as rules read them; all zero where there is none.

    ``upto`` is the cumulative share of closings by cohort, ``per_step`` how many are tried.
    """
    renewal, steps_per_hour = scenario.renewal, 3600.0 / scenario.run.step_seconds
    rates, seats = np.zeros(MAX_COHORTS), np.zeros(MAX_COHORTS)
    for i, cohort in enumerate(scenario.population if renewal is not None else ()):
        seats[i] = cohort.n_seats
        rates[i] = cohort.n_seats * renewal.closings_per_hour(cohort.closes_after)[0]  # type: ignore[union-attr]
    per_hour = float(rates.sum())
    return {
        "active": int(renewal is not None),
        "per_step": per_hour / steps_per_hour,
        "n_cohorts": len(scenario.population),
        "upto": tuple(np.cumsum(rates) / (per_hour or 1.0)),
        "seats": tuple(seats),
        "losers": renewal.losers_exit if renewal is not None else 0.0,
        "reentry_steps": renewal.reentry_hours * steps_per_hour if renewal is not None else 0.0,
        "leave_share": renewal.leave_after_adl if renewal is not None else 0.0,
    }


def room_for(per_step: float, n_steps: int) -> int:
    """Return room for so many events that none is missed."""
    mean = per_step * n_steps
    return int(mean + ROOM_SD * math.sqrt(mean) + ROOM_SD) if mean > 0.0 else 0


def draw_turns(key: np.ndarray, first: int, n: int, per_step: float, n_steps: int) -> Turns:
    """Draw the events of `n` paths from path `first` on: a Poisson process of `per_step` a step."""
    room = room_for(per_step, n_steps)
    turns = Turns(np.full((n, room + 1), NEVER), np.zeros((n, room + 1)), np.zeros((n, room + 1)))
    if room > 0:
        poisson_events(key, TURNOVER, first, per_step, n_steps, turns.steps, turns.places, turns.chances)
    return turns


@rule
def seat_at(place, terms, starts):
    """Return the row of the seat that an event is about; -1 for one that rounding left empty at the start."""
    c, before = 0, 0.0
    while c < terms.n_cohorts - 1 and place >= terms.upto[c]:
        before = terms.upto[c]
        c += 1
    share = terms.upto[c] - before
    if share <= 0.0:
        return -1
    row = starts[c] + int((place - before) / share * terms.seats[c])
    return row if row < starts[c + 1] else -1


@rule
def closes(state, book, account, chance):
    """Say whether a holder closes by choice: not while it is being liquidated."""
    profit = account.qty * (state.mark - account.entry - state.funding)
    if account.qty == 0.0 or account.wait < 0 or (profit < 0.0 and chance >= book.turnover.losers):
        return False
    return not is_breached(account.qty, account.entry, account.collateral, state.mark, state.funding, book.tiers)


@rule
def pseudo_random(state, row):
    """Return a number in (0, 1) for a seat at this step: made of digits of the drawn shock that no decision uses."""
    drawn = math.floor(abs(state.shock) * 1e12) % 1_000_003
    mixed = (drawn * 48_271 + row * 69_621 + state.step * 16_807 + 7) % 1_000_003
    return ((mixed * 48_271 + 12_345) % 1_000_003 + 0.5) / 1_000_003.0


@rule
def vacate(state, book, account, seats, row):
    """Note when the seat that is empty now is taken again: after an exponential time."""
    if book.turnover.active == 1:
        steps = -math.log(pseudo_random(state, -1 - row)) * book.turnover.reentry_steps
        account.wait = state.step + min(max(1, math.ceil(steps)), len(seats.ring) - 1)
        wait_until(state, seats, row, account.wait)


@rule
def wait_until(state, seats, row, step):
    """Let an empty seat wait until a step."""
    place = step % len(seats.ring)
    seats.after[row] = seats.ring[place]
    seats.ring[place] = row
    state.empty += 1


@rule
def next_to_take(state, seats):
    """Return the next seat that is taken at this step, and take it out of the ring; NOBODY if there is none."""
    place = state.step % len(seats.ring)
    row = seats.ring[place]
    if row != NOBODY:
        seats.ring[place] = seats.after[row]
        state.empty -= 1
    return row


@rule
def clear_ring(seats):
    """Begin a path: nobody waits."""
    for place in range(len(seats.ring)):
        seats.ring[place] = NOBODY


@rule
def price_of_entry(state, book):
    """Return at what price accounts come and go: the mark on the grid of ticks, net of funding."""
    return math.floor((state.mark - state.funding) / book.tick + 0.5) * book.tick


@rule
def trade_at_mark(state, quantity, price):
    """Let the makers take the other side of `quantity`, which is ordinary flow: it is in the market's own moves."""
    state.maker_qty -= quantity
    state.maker_cost -= quantity * price


@rule
def pay_out(state, book, account):
    """Close a holder at the mark and pay out what it has."""
    price = price_of_entry(state, book)
    state.released += account.collateral + account.qty * (price - account.entry)
    state.alive_qty -= account.qty
    state.alive_cost -= account.qty * account.entry
    state.alive_collateral -= account.collateral
    trade_at_mark(state, -account.qty, price)
    account.qty = 0.0
    account.collateral = 0.0
    account.wait = 0


@rule
def react_alike(book, account, seats, row):
    """Let a newcomer react as whoever had the seat at the start did, in shares of the margin."""
    per_margin = account.collateral / account.qty
    account.stop = max(0.0, account.entry - seats.loss[row] * per_margin) if seats.loss[row] != 0.0 else 0.0
    account.target = max(0.0, account.entry + seats.gain[row] * per_margin) if seats.gain[row] != 0.0 else 0.0
    account.spare = math.floor(seats.spare[row] * account.collateral / book.cent) * book.cent


@rule
def take_seat(state, book, account, seats, row):
    """Let a newcomer open the seat's position at the mark, with the margin of its leverage, or the tier's if more."""
    qty, price = seats.qty[row], price_of_entry(state, book)
    value = abs(qty) * state.mark
    margin = max(value / seats.leverage[row], initial_margin(value, book.tiers))
    account.qty = qty
    account.entry = price
    account.collateral = math.ceil(margin / book.cent) * book.cent
    account.wait = 0
    if book.reactive == 1:
        react_alike(book, account, seats, row)
    state.alive_qty += qty
    state.alive_cost += qty * price
    state.alive_collateral += account.collateral
    state.deposits += account.collateral
    state.entered += 1
    trade_at_mark(state, qty, price)


@rule
def departs(state, book, account, row):
    """Say whether whoever holds a seat leaves for good after ADL or a haircut; not while it is being liquidated."""
    if account.wait < 0 or not is_fed_up(state, book, row):
        return False
    return not is_breached(account.qty, account.entry, account.collateral, state.mark, state.funding, book.tiers)


@rule
def is_fed_up(state, book, row):
    """Say whether somebody has had enough of the venue."""
    return pseudo_random(state, row) < book.turnover.leave_share


@rule
def depart(state, book, account, seats, row):
    """Let whoever holds a seat leave for good, if he does; a seat that ADL has emptied is taken again, or never."""
    if account.qty != 0.0:
        if departs(state, book, account, row):
            pay_out(state, book, account)
            account.wait = GONE
    elif account.wait == 0:
        if is_fed_up(state, book, row):
            account.wait = GONE
        else:
            vacate(state, book, account, seats, row)


@rule
def are_hurt(state, book):
    """Say whether winners have been deleveraged or customers charged since they were last asked."""
    hurt = state.deleveraged_notional + state.socialized_loss
    if book.turnover.active == 0 or hurt <= state.hurt:
        return False
    state.hurt = hurt
    return True


@rule
def note_threshold(state, book, account):
    """Narrow the marks between which nothing happens by an account that has come."""
    low, high = triggers(account, state.funding, book.tiers)
    state.next_low = max(state.next_low, low * (1.0 + ROUNDING))
    state.next_high = min(state.next_high, high * (1.0 - ROUNDING))


@inline
def advance(state, steps):
    """Go to the next event."""
    state.turn += 1
    state.next_turn = steps[state.turn]


def compose_renew(move_out, move_in, melt=rule):
    """Return the rule by which the events of a step happen, given how a holder leaves a seat and who takes it."""

    @melt
    def renew(state, book, path, step, works, holdings):
        """Let holders close and be followed, and empty seats be taken; while the engine stands still, nobody moves."""
        seats = holdings.seats
        while state.next_turn == step:
            row = seat_at(path.places[state.turn], book.turnover, seats.starts) if works else NOBODY
            if row != NOBODY and closes(state, book, holdings.accounts[row], path.chances[state.turn]):
                move_out(state, book, holdings, row)
                move_in(state, book, holdings, row)
            advance(state, path.turns)
        row = next_to_take(state, seats)
        while row != NOBODY:
            if works:
                move_in(state, book, holdings, row)
            else:
                wait_until(state, seats, row, step + 1)
            row = next_to_take(state, seats)

    return renew
