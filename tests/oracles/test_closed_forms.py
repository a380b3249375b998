"""Formulas against their values at 40 digits: D02, D03 (BGK), D05, D06.  Tolerance T1: 1e-8 relative."""

import math

import pytest

from stress.summary.closed_forms import (
    BETA,
    bgk_barrier_shift,
    bridge_crossing_probability,
    gap_bad_debt,
    liquidation_probability,
)

SPOT, MAINTENANCE = 50_000.0, 0.005
DAY = {"vol_annual": 0.80, "years": 1 / 365}


def t1(value):
    return pytest.approx(value, rel=1e-8)


def long_liquidation_price(leverage):
    return SPOT * (1 - 1 / leverage) / (1 - MAINTENANCE)


def short_liquidation_price(leverage):
    return SPOT * (1 + 1 / leverage) / (1 + MAINTENANCE)


@pytest.mark.parametrize(("leverage", "value"), [(20, 0.275320284798), (10, 0.0174043933449), (100, 0.906501143668)])
def test_d02_probability_of_liquidation_within_a_day(leverage, value):
    assert liquidation_probability(SPOT, long_liquidation_price(leverage), **DAY) == t1(value)


def test_d02_a_short_is_the_mirror_image_of_a_long():
    up, down = SPOT * math.exp(0.04), SPOT * math.exp(-0.04)
    short = liquidation_probability(SPOT, up, drift=0.3, **DAY)
    assert short == t1(liquidation_probability(SPOT, down, drift=-0.3, **DAY))


def test_d02_a_barrier_at_the_price_is_touched_for_sure():
    assert liquidation_probability(SPOT, SPOT, **DAY) == 1.0


def test_d03_beta_is_that_of_the_riemann_zeta_function():
    assert pytest.approx(0.58259715793901, abs=5e-15) == BETA


@pytest.mark.parametrize(("checks", "value"), [(24, 0.226596089563), (1440, 0.268658445582)])
def test_d03_the_shifted_barrier_gives_the_approximation_of_broadie_glasserman_and_kou(checks, value):
    barrier = bgk_barrier_shift(SPOT, long_liquidation_price(20), n_checks=checks, **DAY)
    assert liquidation_probability(SPOT, barrier, **DAY) == t1(value)


def test_d03_the_barrier_of_a_short_is_shifted_up():
    barrier = short_liquidation_price(20)
    assert bgk_barrier_shift(SPOT, barrier, n_checks=24, **DAY) > barrier


def test_d05_crossing_inside_a_step():
    assert bridge_crossing_probability(100, 98, 97.5, vol_annual=0.8, years=1 / 8760) == t1(0.0288643398286)


def test_d05_a_step_that_ends_beyond_the_barrier_has_crossed_it():
    assert bridge_crossing_probability(100, 97, 97.5, vol_annual=0.8, years=1 / 8760) == 1.0


@pytest.mark.parametrize(("qty", "bankruptcy", "value"), [(1, 47_500, 108.735281049), (-1, 52_500, 129.198407547)])
def test_d06_gap_bad_debt_is_an_option_on_the_bankruptcy_price(qty, bankruptcy, value):
    assert gap_bad_debt(SPOT, bankruptcy, qty=qty, **DAY) == t1(value)


def test_d06_put_call_parity():
    strike = 47_500.0
    put, call = (gap_bad_debt(SPOT, strike, qty=qty, **DAY) for qty in (1.0, -1.0))
    assert call - put == t1(SPOT - strike)
