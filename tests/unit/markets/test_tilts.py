"""What may be drawn otherwise: tilts see what the process drew, and their weights keep every mean."""

import math

import numpy as np
import pytest
from scipy import stats

from stress.markets.base import Clock, sampler
from stress.markets.gbm import Gbm
from stress.markets.merton import Merton
from stress.markets.storms import Storm
from stress.markets.tilts import Drift, NormalJumpSizes, ParetoJumpSizes, _Jumps, poisson_counts
from stress.markets.volatility_clock import VolatilityClock
from stress.randomness import stream_key
from stress.rules import record

CLOCK, KEY, N = Clock(240, 60.0), stream_key(7), 4_000
MARKETS = {
    "gbm": Gbm(price_usd=100.0, vol_annual=0.8),
    "merton": Merton(price_usd=100.0, vol_annual=0.5, jumps_per_year=500.0, jump_mean=-0.01, jump_sd=0.04),
    "volatility_clock": VolatilityClock(price_usd=100.0, jumps_per_year=400.0),
}
MOVED = {
    "gbm": {"drift": -1e-4},
    "merton": {"drift": -4e-5, "expected_jumps": 1.0, "jump_mean": -0.06, "jump_sd": 0.05},
    "volatility_clock": {
        **{"wild": 0.3, "run": -0.7, "heat": 0.5},
        **{"expected_jumps": 0.8, "tail_index": 1.5, "down_share": 0.9},
    },
}


def numbers_of(name, *, moved):
    market = MARKETS[name]
    found = market.numbers(CLOCK) | (MOVED[name] if moved else {})
    if "beyond_largest" in found:
        found["beyond_largest"] = (market.jump_largest / market.jump_smallest) ** -found["tail_index"]
    return found


def paths(name, numbers, first=0, n=N):
    """Return log paths drawn by the process itself, shape (n, n_steps)."""
    market, shocks = MARKETS[name], np.empty((n, CLOCK.n_steps))
    extremes = np.empty((2, n, -(-CLOCK.n_steps // 32)))
    sample = sampler(type(market).increments)
    sample(record(numbers), market.table(CLOCK), np.zeros(CLOCK.n_steps), KEY, first, shocks, *extremes)
    return shocks


@pytest.mark.parametrize("name", MARKETS)
def test_weights_keep_the_chance_of_a_rare_fall(name):
    # P(fall below the model's 1 % quantile), from paths of the moved law with their likelihood ratios.
    own, moved = (numbers_of(name, moved=flag) for flag in (False, True))
    ends = paths(name, own, n=20_000).min(axis=1)
    level = np.quantile(ends, 0.01)
    tilts = MARKETS[name].tilts(CLOCK)
    drawn = tilts.drawn(moved, KEY, 50_000, N)
    weight = np.exp(tilts.log_density(own, drawn) - tilts.log_density(moved, drawn))
    hits = weight * (paths(name, moved, first=50_000).min(axis=1) < level)
    error = math.hypot(hits.std() / math.sqrt(N), math.sqrt(0.01 * 0.99 / 20_000))
    assert abs(hits.mean() - 0.01) < 4 * error
    assert hits.std() / hits.mean() < 0.7 * math.sqrt(99)  # fewer paths than counting would need


@pytest.mark.parametrize("name", MARKETS)
def test_the_densities_of_a_law_integrate_to_one(name):
    own, moved = (numbers_of(name, moved=flag) for flag in (False, True))
    tilts = MARKETS[name].tilts(CLOCK)
    drawn = tilts.drawn(own, KEY, 0, 40_000)  # q / p under p: bounded better than p / q under q
    ratio = np.exp(tilts.log_density(moved, drawn) - tilts.log_density(own, drawn))
    ratio = np.minimum(ratio, 1e6)
    assert abs(ratio.mean() - 1.0) < 5 * ratio.std() / math.sqrt(len(ratio))


def test_a_drift_knows_the_sum_of_the_normals():
    own, moved = (numbers_of("gbm", moved=flag) for flag in (False, True))
    drawn = Drift(own, CLOCK.n_steps).drawn(moved, KEY, 3, 50)[:, 0]
    ends = paths("gbm", moved, first=3, n=50)[:, -1]
    assert drawn * own["sd"] + CLOCK.n_steps * own["drift"] == pytest.approx(ends, rel=1e-9)


def test_merton_jumps_are_those_that_the_process_adds():
    own = numbers_of("merton", moved=False) | {"sd": 1e-12, "drift": 0.0}
    drawn = NormalJumpSizes(own).drawn(own, KEY, 0, 500)
    assert drawn[:, 1] == pytest.approx(paths("merton", own, n=500)[:, -1], abs=1e-9)


def test_pareto_jumps_are_those_that_the_process_adds():
    own = numbers_of("volatility_clock", moved=True) | {"sd": 0.0, "longest": 1e-6, "shortest": 1e-6, "down_share": 1.0}
    counts, logs, fell = ParetoJumpSizes(own).drawn(own, KEY, 0, 500).T
    one = counts == 1
    ends = paths("volatility_clock", own, n=500)[:, -1]
    assert -own["smallest"] * np.exp(logs[one]) == pytest.approx(ends[one], rel=1e-6)
    assert np.array_equal(fell, counts)


def test_counts_are_inverted_as_the_rules_do():
    assert poisson_counts(np.array([0.2, 0.7, 0.95]), 1.0).tolist() == [0, 1, 3]


def test_fitting_finds_the_law_that_the_paths_are_of():
    for name in MARKETS:
        own, moved = (numbers_of(name, moved=flag) for flag in (False, True))
        tilts = MARKETS[name].tilts(CLOCK)
        found = tilts.fitted(own, tilts.drawn(moved, KEY, 0, 20_000), np.ones(20_000))
        for key, value in MOVED[name].items():
            assert found[key] == pytest.approx(value, rel=0.1), (name, key)


def storm(clock=CLOCK, **changes):
    market = VolatilityClock(price_usd=100.0, **changes)
    return market.numbers(clock), Storm(market.numbers(clock), clock.n_steps, market.table(clock))


def test_a_storm_is_mixed_over_all_intervals():
    # Two intervals on one day: u = 1/4 and 1, a = 1/2: (1/2) (2, 1); S = 1 and -1, m = 1/2: e^(+-1/2 - 1/8);
    # Z = 2, c = 1: e^(2 - 1/2).
    found = storm(Clock(120, 60.0))[1].log_density(
        {"wild": 0.5, "run": 0.5, "heat": 1.0}, np.array([[math.log(0.25), 0.0, 1.0, -1.0, 2.0]])
    )
    by_hand = 0.5 * (math.exp(0.375) + 0.5 * math.exp(-0.625)) * math.exp(1.5)
    assert np.exp(found) == pytest.approx([by_hand])


def test_without_a_storm_the_density_is_the_models_own():
    own, part = storm()
    assert part.log_density(own, part.drawn(own, KEY, 0, 20)) == pytest.approx(np.zeros(20), abs=1e-12)


def test_a_storm_shifts_its_hour_and_the_days_around_it_and_nothing_else():
    clock = Clock(3 * 1440, 60.0)
    own, part = storm(clock)
    calm, stormy = (part.drawn({**own, **moved}, KEY, 0, 30) for moved in ({}, {"run": 2.0, "heat": 1.0}))
    moved = stormy - calm
    at = np.abs(moved[:, 72:144]).argmax(axis=1)
    assert moved[:, :72] == pytest.approx(np.zeros((30, 72)))
    assert moved[np.arange(30), 72 + at] == pytest.approx(np.full(30, 2.0))
    assert np.abs(moved[:, 72:144]).sum(axis=1) == pytest.approx(np.full(30, 2.0))
    apart = np.abs(np.arange(3) - at[:, None] // 24)
    assert moved[:, 144:] == pytest.approx(0.93**apart)


@pytest.mark.parametrize("step", [30.0, 60.0, 300.0, 3600.0, 7200.0])
def test_the_weights_of_storms_have_mean_one_at_any_step(step):
    clock = Clock(int(2 * 86400 / step), step)
    own, part = storm(clock)
    moved = own | {"wild": 0.6, "run": -0.7, "heat": 0.5}
    ratio = np.exp(part.log_density(moved, part.drawn(own, KEY, 0, 20_000)))
    assert abs(ratio.mean() - 1.0) < 4 * ratio.std() / math.sqrt(len(ratio))


def test_starts_that_are_given_keep_their_volatility():
    for changes in ({"start": "today"}, {"start_vols_annual": (0.4, 0.9)}):
        own, part = storm(**changes)
        found = part.fitted(own, part.drawn(own, KEY, 0, 50), np.ones(50))
        assert found["heat"] == 0.0


def test_pareto_densities_are_those_of_the_law():
    own = numbers_of("volatility_clock", moved=False)
    part = ParetoJumpSizes(own)
    density = part.log_density(own, np.array([[1.0, 0.7, 1.0]]))[0]
    law = stats.truncexpon(b=own["tail_index"] * part.width, scale=1.0 / own["tail_index"])
    chance = math.log(own["expected_jumps"]) - own["expected_jumps"] + math.log(own["down_share"])
    assert density == pytest.approx(chance + law.logpdf(0.7))


def test_paths_that_jump_and_paths_that_do_not_are_two_modes():
    tilts = MARKETS["volatility_clock"].tilts(CLOCK)
    own = numbers_of("volatility_clock", moved=False)
    drawn = tilts.drawn(own, KEY, 0, 500)
    assert np.array_equal(tilts.modes(drawn), drawn[1][:, 0] > 0)
    assert own["expected_jumps"] < 0.2
    assert tilts.explored(own) == {**own, "expected_jumps": 1.0}


def test_a_market_of_one_mode_has_nothing_to_explore():
    own = numbers_of("gbm", moved=False)
    tilts = MARKETS["gbm"].tilts(CLOCK)
    assert not tilts.modes(tilts.drawn(own, KEY, 0, 10)).any()
    assert tilts.explored(own) == own


def test_jumps_without_sizes_say_so():
    with pytest.raises(TypeError, match="_Jumps does not define the sizes of its jumps"):
        _Jumps().sizes({}, np.empty(0), np.empty(0))
