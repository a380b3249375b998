"""What draws say, by hand."""

import math

import numpy as np
import pytest

from stress.summary import QuantileInterval, parameters_from_dict
from stress.summary.parameters import Draws, error_shares, log_error, parameter_interval, parameter_page

Z = 1.959963984540054


def quantile(low, value, high):
    return QuantileInterval(0.99, value, low, high, "order-statistic")


def draws(ruin=(0.1, 0.2, 0.3), reserves=((1.0,), (2.0,), (4.0,)), x=(1.0, 2.0, 3.0)):
    table = np.array(reserves, dtype=float)
    parameters, ranges = {"x": np.array(x)}, {"x": (0.0, 4.0)}
    levels = (0.9, 0.99)[: table.shape[1]]
    return Draws(parameters, ranges, np.array(ruin), levels, table, np.full(table.shape, 0.1))


def interval(table):
    return parameter_interval(table, config_sha256="ab", horizon_hours=8760.0, n_paths=100, confidence=0.95)


def test_an_interval_of_a_factor_e_to_both_sides_is_an_error_of_one_over_z():
    assert log_error(quantile(1.0, math.e, math.e**2), 0.95) == pytest.approx(1.0 / Z)


def test_an_interval_down_to_zero_is_judged_by_its_upper_half():
    assert log_error(quantile(0.0, 1.0, math.e), 0.95) == pytest.approx(1.0 / Z)


@pytest.mark.parametrize("found", [quantile(None, 1.0, None), quantile(0.0, 0.0, 1.0)])
def test_a_refused_or_empty_reserve_has_no_error(found):
    assert math.isnan(log_error(found, 0.95))


def test_the_share_is_the_root_mean_square_error_over_the_spread_of_logs():
    reserves, errors = np.exp([[0.0], [2.0], [4.0]]), np.array([[0.1], [0.5], [0.7]])
    assert error_shares(reserves, errors) == pytest.approx([math.sqrt(0.25) / 2.0])


def test_a_level_that_one_draw_refuses_has_no_share_and_no_interval():
    table = draws(reserves=((1.0, 2.0), (2.0, math.nan), (4.0, 8.0)))
    assert np.isnan(error_shares(table.reserves, table.errors)).tolist() == [False, True]
    assert [level for level, _ in interval(table).reserves] == [0.9]


def test_draws_that_do_not_differ_are_all_luck():
    assert interval(draws(reserves=((2.0,), (2.0,), (2.0,)))).error_share == 1.0


def test_the_rate_a_year_is_that_of_the_probability():
    found = interval(draws())
    assert found.ruin_annual.median == pytest.approx(-math.log1p(-found.ruin.median))


def test_a_certain_ruin_has_a_finite_rate():
    assert interval(draws(ruin=(1.0, 1.0, 1.0))).ruin_annual.high == pytest.approx(math.log(101))


def test_drivers_stand_strongest_first_with_their_sign():
    table = draws()
    table.parameters.update({"y": np.array([2.0, 3.0, 1.0]), "z": np.array([9.0, 5.0, 1.0])})
    table.ranges.update({"y": (1.0, 3.0), "z": (1.0, 9.0)})
    found = {driver.name: driver.rank_correlation for driver in interval(table).drivers}
    assert list(found) == ["x", "z", "y"]
    assert found == pytest.approx({"x": 1.0, "z": -1.0, "y": -0.5})


def test_it_reads_back_from_its_document():
    assert parameters_from_dict(interval(draws()).to_dict()) == interval(draws())


def test_the_page_says_whether_the_goal_is_met():
    assert "NOT met" in parameter_page(interval(draws(reserves=((2.0,), (2.1,), (2.2,)))), name="n", horizon_hours=72.0)
    assert "; met)" in parameter_page(interval(draws()), name="n", horizon_hours=72.0)
