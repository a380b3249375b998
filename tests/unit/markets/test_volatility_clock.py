import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from stress.markets.base import NO_TABLE, Clock
from stress.markets.daily import daily_states, exponentiate
from stress.markets.volatility_clock import VolatilityClock, look_up, spread_jump
from stress.randomness import stream_key

CALM = {"log_vol_sd": 0.0, "jumps_per_year": 0.0}  # neither volatility of volatility nor jumps
NORMAL = {"tail_index": 200.0}
STILL = {"vol_annual": 0.0, "log_vol_sd": 0.0}  # nothing but jumps
HOUR, DAY, YEAR = 3600.0, 86400.0, 365 * 86400.0


def market(**settings):
    """A market with a five-minute noise clock and uncapped noise, unless said otherwise."""
    return VolatilityClock(**{"price_usd": 1.0, "noise_clock_seconds": 300.0, "noise_largest": 1e9, **settings})


def problems(step_seconds=60.0, n_steps=1440, **settings):
    return dict(market(**settings).problems(Clock(n_steps, step_seconds)))


# --- the noise


@pytest.mark.parametrize("nu", [2.5, 3.2, 8.0])
def test_returns_on_their_own_clock_are_student_t_of_unit_variance(draw_paths, nu):
    step = 300.0
    paths, _, _ = draw_paths(market(vol_annual=0.6, tail_index=nu, **CALM), 500, 200, step)
    sd = 0.6 * math.sqrt(step / YEAR)
    returns = (np.diff(paths, axis=1).ravel() + 0.5 * sd**2) / sd
    assert stats.kstest(returns * math.sqrt(nu / (nu - 2)), stats.t(nu).cdf).pvalue > 1e-3


def test_without_fat_tails_returns_are_normal(draw_paths):
    paths, _, _ = draw_paths(market(vol_annual=0.6, **NORMAL, **CALM), 500, 200, 300.0)
    sd = 0.6 * math.sqrt(300.0 / YEAR)
    assert stats.kstest(np.diff(paths, axis=1).ravel() / sd + 0.5 * sd, "norm").pvalue > 1e-3


def absolute_returns(draw_paths, step):
    paths, _, _ = draw_paths(market(tail_index=6.0, **CALM), 4_000, 20, step)
    return np.abs(np.diff(paths, axis=1, prepend=0.0))


def test_steps_of_one_noise_interval_share_its_scale(draw_paths):
    moves = absolute_returns(draw_paths, 60.0)  # five steps an interval
    within = np.corrcoef(moves[:, 5], moves[:, 9])[0, 1]
    assert within > 8 / math.sqrt(4_000)


def test_steps_of_different_noise_intervals_do_not(draw_paths):
    moves = absolute_returns(draw_paths, 60.0)
    across = np.corrcoef(moves[:, 4], moves[:, 5])[0, 1]
    assert abs(across) < 4 / math.sqrt(4_000)


@pytest.mark.parametrize("steps", [(300.0, 150.0), (300.0, 60.0), (3600.0, 300.0)])
@pytest.mark.parametrize("level", [0.005, 0.05, 0.95, 0.995])
def test_a_finer_step_leaves_the_quantiles_of_two_hours_where_they_are(draw_paths, steps, level):
    n = 40_000
    ends = [
        draw_paths(market(vol_annual=0.8, **CALM), n, round(2 * HOUR / step), step, seed=seed)[0][:, -1]
        for seed, step in enumerate(steps)
    ]
    below = (ends[1] < np.quantile(ends[0], level)).mean()
    assert abs(below - level) < 4 * math.sqrt(level * (1 - level) * 2 / n)


def test_the_variance_of_a_day_is_that_of_the_annual_volatility(draw_paths):
    ends = draw_paths(market(vol_annual=0.6, **NORMAL, **CALM), 20_000, 24, HOUR)[0][:, -1]
    sd = 0.6 / math.sqrt(365)
    assert abs(ends.std() - sd) < 4 * sd / math.sqrt(2 * 20_000)


# --- one path at every step

BUSY = {"noise_clock_seconds": 3600.0, "jumps_per_year": 2_000.0, "persistence_daily": 0.5}


def at_common_times(draw_paths, step, common, **settings):
    """Log prices of 20 paths of 30 hours at the ends of every `common` seconds."""
    paths, _, _ = draw_paths(market(**BUSY | settings), 20, round(30 * HOUR / step), step)
    every = round(common / step)
    return paths[:, every - 1 :: every]


@pytest.mark.parametrize("step", [30.0, 20.0, 15.0, 5.0, 1.0])
def test_a_finer_step_is_the_same_path_at_every_full_minute(draw_paths, step):
    coarse, fine = (at_common_times(draw_paths, seconds, 60.0) for seconds in (60.0, step))
    assert np.abs(fine - coarse).max() < 1e-12 * np.abs(coarse).max()


@pytest.mark.parametrize("step", [120.0, 300.0, 3600.0])
def test_a_coarser_step_is_the_same_path_at_the_times_it_knows(draw_paths, step):
    fine, coarse = (at_common_times(draw_paths, seconds, step) for seconds in (60.0, step))
    assert np.abs(fine - coarse).max() < 1e-12 * np.abs(fine).max()


def test_today_started_paths_agree_too(draw_paths):
    today = {"start": "today", "vol_today_annual": 1.2}
    coarse, fine = (at_common_times(draw_paths, seconds, 60.0, **today) for seconds in (60.0, 15.0))
    assert np.abs(fine - coarse).max() < 1e-12 * np.abs(coarse).max()


def test_a_step_of_several_noise_intervals_pools_their_scales_and_is_a_relative_of_the_path(draw_paths):
    settings = {"noise_clock_seconds": 300.0, "jumps_per_year": 0.0}
    fine, coarse = (np.diff(at_common_times(draw_paths, s, HOUR, **settings)).ravel() for s in (300.0, HOUR))
    assert 0.6 < np.corrcoef(fine, coarse)[0, 1] < 1.0 - 1e-6


# --- the table


@pytest.mark.parametrize("nu", [2.5, 3.2, 30.0])
def test_the_table_is_the_exact_scale_to_five_digits(nu):
    table = market(tail_index=nu).table(Clock(10, 60.0))
    tails = np.geomspace(1e-13, 0.5, 400)
    low = [look_up(table, u) for u in tails]
    high = [look_up(table, 1.0 - u) for u in tails[tails > 1e-9]]
    law = stats.chi2(nu)
    assert low == pytest.approx(np.sqrt((nu - 2) / law.ppf(tails)), rel=1e-4)
    assert high == pytest.approx(np.sqrt((nu - 2) / law.isf(tails[tails > 1e-9])), rel=1e-4)


@pytest.mark.parametrize("u", [2.0**-53, 0.25, 0.5, 0.75, 1.0 - 2.0**-53])
def test_the_table_has_an_answer_at_its_edges(u):
    value = look_up(market().table(Clock(10, 60.0)), u)
    assert 0.0 < value < math.inf


def scale_of(nu, largest):
    """The scales of 20,000 equally likely noise intervals."""
    table = market(tail_index=nu, noise_largest=largest).table(Clock(10, 60.0))
    return np.array([look_up(table, u) for u in (np.arange(20_000) + 0.5) / 20_000])


def test_no_noise_interval_is_more_volatile_than_the_cap():
    assert scale_of(2.2, 3.0).max() <= 3.0 * (1 + 1e-12)


def test_a_cap_on_the_tail_leaves_the_variance_at_one():
    # `vol_annual` is the root mean square of the volatility, whatever the cap.
    assert (scale_of(3.2, 6.0) ** 2).mean() == pytest.approx(1.0, abs=1e-3)


# --- the volatility of days


def levels_of(n_paths, n_days, **settings):
    numbers, key = SimpleNamespace(**market(**settings).numbers(Clock(n_days, DAY))), stream_key(7)
    levels = np.empty((n_paths, n_days))
    for path in range(n_paths):
        daily_states(numbers, NO_TABLE, path, key[0], key[1], levels[path])
        exponentiate(numbers, levels[path])
    return levels


@pytest.fixture(scope="module")
def levels():
    return levels_of(20_000, 12, log_vol_sd=0.45, persistence_daily=0.8)


@pytest.mark.parametrize("day", [0, 1, 11])
def test_the_mean_square_of_the_volatility_factor_is_one(levels, day):
    squares = levels[:, day] ** 2
    assert abs(squares.mean() - 1.0) < 4 * squares.std() / math.sqrt(len(squares))


@pytest.mark.parametrize("day", [0, 11])
def test_log_volatility_has_its_stationary_spread(levels, day):
    assert abs(np.log(levels[:, day]).std() - 0.45) < 4 * 0.45 / math.sqrt(2 * len(levels))


def test_log_volatility_persists_from_day_to_day(levels):
    logs = np.log(levels)
    found = np.corrcoef(logs[:, 4], logs[:, 6])[0, 1]
    assert abs(found - 0.64) < 4 * (1 - 0.64**2) / math.sqrt(len(levels))


def test_started_today_the_first_day_has_todays_volatility():
    first = levels_of(50, 3, vol_annual=0.5, start="today", vol_today_annual=1.1)[:, 0]
    assert first == pytest.approx(1.1 / 0.5)


def test_started_today_volatility_forgets_today():
    settings = {"log_vol_sd": 0.45, "start": "today", "vol_today_annual": 2.0, "persistence_daily": 0.7}
    logs = np.log(levels_of(10_000, 40, **settings)[:, -1])
    assert abs(logs.mean() + 0.45**2) < 4 * 0.45 / math.sqrt(10_000)


def test_the_volatility_changes_at_midnight_only(draw_paths):
    settings = {"log_vol_sd": 1.0, "persistence_daily": 0.0, "jumps_per_year": 0.0, **NORMAL}
    paths, _, _ = draw_paths(market(**settings), 4_000, 48, HOUR)
    sizes = np.log(np.diff(paths, axis=1, prepend=0.0) ** 2)
    morning, evening, tomorrow = (sizes[:, hours].mean(axis=1) for hours in (slice(12), slice(12, 24), slice(24, 36)))
    assert np.corrcoef(morning, evening)[0, 1] > 0.8  # one volatility, seen through noise
    assert abs(np.corrcoef(evening, tomorrow)[0, 1]) < 4 / math.sqrt(4_000)


def test_today_without_volatility_of_volatility_is_refused():
    # log volatility could not start away from its mean: `vol_today_annual` would be ignored.
    assert "log_vol_sd" in problems(start="today", log_vol_sd=0.0)


def test_today_without_volatility_is_refused():
    assert "vol_annual" in problems(start="today", vol_annual=0.0)


# --- jumps


@pytest.fixture(scope="module")
def jumps(draw_paths):
    """Returns of 60,000 days with one jump in twenty days and nothing else."""
    settings = {"jumps_per_year": 365 * 0.05, "jump_minutes_shortest": 5.0, "jump_minutes_longest": 60.0}
    paths, _, _ = draw_paths(market(**STILL, **settings), 60_000, 288, 300.0)
    return np.diff(paths, axis=1, prepend=0.0)


@pytest.fixture(scope="module")
def single(jumps):
    """Days with exactly one jump that ends within the day: one unbroken run of equal signs, at most 60 minutes."""
    moving = jumps != 0.0
    starts = (np.diff(moving, axis=1, prepend=False) & moving).sum(axis=1)
    return jumps[(starts == 1) & ~moving[:, -1] & (moving.sum(axis=1) <= 13)]


def test_jumps_come_at_their_rate(jumps):
    quiet = (jumps == 0.0).all(axis=1).mean()
    assert abs(quiet - math.exp(-0.05)) < 4 * math.sqrt(0.05 / len(jumps))


def test_jump_sizes_are_a_truncated_pareto_law(single):
    sizes = np.abs(single.sum(axis=1))
    law = stats.truncpareto(3.0, 0.6 / 0.05, scale=0.05)
    assert stats.kstest(sizes, law.cdf).pvalue > 1e-3


def test_no_jump_is_smaller_or_larger_than_its_limits(single):
    sizes = np.abs(single.sum(axis=1))
    assert sizes.min() >= 0.05 * (1 - 1e-12)
    assert sizes.max() <= 0.6 * (1 + 1e-12)


def test_most_jumps_fall(single):
    down = (single.sum(axis=1) < 0.0).mean()
    assert abs(down - 0.65) < 4 * math.sqrt(0.65 * 0.35 / len(single))


def test_a_jump_lasts_minutes_to_an_hour(single):
    steps = (single != 0.0).sum(axis=1)  # a jump of k steps touches k or k + 1
    assert steps.min() >= 1
    assert steps.max() <= 13
    assert abs(steps.mean() - (32.5 / 5 + 1)) < 4 * steps.std() / math.sqrt(len(steps))


def test_jumps_begin_at_any_time_of_the_day(single):
    first = (single != 0.0).argmax(axis=1)
    assert stats.kstest((first + 0.5) / 277, "uniform").statistic < 0.05


def spread(start, length, size, n=8):
    out = np.zeros(n)
    spread_jump(out, start, length, size)
    return out


def test_a_jump_is_spread_evenly_over_its_duration():
    assert spread(2.0, 4.0, 0.4) == pytest.approx([0, 0, 0.1, 0.1, 0.1, 0.1, 0, 0])


def test_a_jump_that_begins_within_a_step_gives_it_its_part():
    assert spread(1.75, 1.0, 0.4) == pytest.approx([0, 0.1, 0.3, 0, 0, 0, 0, 0])


def test_a_jump_shorter_than_a_step_falls_within_it():
    assert spread(3.2, 0.001, 0.4) == pytest.approx([0, 0, 0, 0.4, 0, 0, 0, 0])


def test_a_jump_that_outlasts_the_horizon_is_cut():
    assert spread(6.0, 4.0, 0.4).sum() == pytest.approx(0.2)


def test_many_jumps_are_all_drawn(draw_paths):
    # 60 a day on average: far more than fit on one hand, and none may be lost silently.
    settings = {"jumps_per_year": 365 * 60.0, "jump_down_share": 1.0, "jump_smallest": 0.01, "jump_largest": 0.0100001}
    settings |= {"jump_minutes_shortest": 0.01, "jump_minutes_longest": 0.01}
    total = draw_paths(market(**STILL, **settings), 2_000, 1440, 60.0)[0][:, -1]
    counts = -total / 0.01
    assert abs(counts.mean() - 60) < 4 * math.sqrt(60 / 2_000)
    assert abs(counts.var() - 60) < 4 * 60 * math.sqrt(2 / 2_000)


def test_more_jumps_than_a_path_can_hold_are_refused():
    assert "jumps_per_year" in problems(jumps_per_year=100_000, n_steps=365 * 1440)


# --- the clock


@pytest.mark.parametrize("step", [60.0, 300.0, 600.0, 0.1, 1.0])
def test_a_step_that_divides_the_noise_clock_or_is_divided_by_it_fits(step):
    assert problems(step) == {}


def test_a_step_that_does_not_divide_the_noise_clock_is_refused():
    assert "noise_clock_seconds" in problems(70.0)


def test_a_default_market_fits_the_default_clock():
    assert VolatilityClock(price_usd=1.0).problems(Clock(72 * 60, 60.0)) == []


def test_a_largest_jump_below_the_smallest_is_refused():
    assert "jump_largest" in problems(jump_smallest=0.2, jump_largest=0.1)


def test_a_longest_jump_below_the_shortest_is_refused():
    assert "jump_minutes_longest" in problems(jump_minutes_shortest=30.0, jump_minutes_longest=5.0)
