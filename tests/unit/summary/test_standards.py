from typing import get_args

import numpy as np
import pytest

from stress.scenario import Standard
from stress.summary import summarize
from stress.summary.standards import PRESETS, ccp_own_resources, cover_requirement, default_fund, mica_own_funds

ALL = tuple(PRESETS)
COVER = tuple({"n": n, "move": m, "losses": [n * x, n * x]} for n in (1, 2) for m, x in ((-0.3, 3.0), (-0.5, 12.0)))


@pytest.fixture
def run(make_outcomes, rng):
    def make(hours, presets=ALL, **facts):
        drawdown = rng.exponential(size=40_000)
        return summarize(make_outcomes(drawdown, horizon_hours=hours, presets=presets, cover=COVER, **facts))

    return make


def rows(summary, preset):
    return [row for row in summary.standards.rows if row.preset == preset]


def test_own_funds_are_a_floor_or_a_quarter_of_overheads():
    # Oracle D25.
    assert mica_own_funds(3, 900_000) == 225_000
    assert mica_own_funds(2, 300_000) == 125_000
    assert mica_own_funds(1, 0) == 50_000


def test_a_default_fund_withstands_the_largest_or_the_next_two():
    # Oracle D25.
    assert default_fund([65, 100, 70]) == 135
    assert cover_requirement([65, 100, 70]) == 170
    assert default_fund([100]) == 100


def test_a_clearing_house_adds_a_quarter_of_its_capital():
    assert ccp_own_resources(40e6) == 10e6


def test_a_scenario_may_name_exactly_the_presets_that_exist():
    assert set(get_args(Standard)) == set(PRESETS)


def test_without_presets_there_are_no_standards(make_outcomes):
    assert summarize(make_outcomes([1.0, 2.0])).standards is None


def test_a_year_of_paths_answers_solvency_2_directly(run):
    summary = run(8760.0)
    (row,) = rows(summary, "solvency2")
    assert (row.value, row.basis) == (summary.reserve(0.995).value, "simulated")


def test_a_shorter_run_is_repeated_with_independent_horizons(run):
    # 0.99 over 30 days is sqrt(0.99) over 15: exponential losses then need ln(1 / (1 - sqrt(0.99))).
    row = rows(run(360.0), "ruin")[0]
    assert row.low < -np.log(1 - np.sqrt(0.99)) < row.high
    assert row.basis == "no renewal: indicative"


def test_a_longer_run_bounds_a_shorter_horizon(run):
    summary = run(8760.0)
    assert rows(summary, "ccp_margin")[0].basis == "upper bound: paths of 8760 h"
    assert rows(summary, "ccp_margin")[0].value == summary.reserve(0.99, "gross").value


def test_an_expected_shortfall_is_not_extended_to_a_longer_horizon(run):
    (row,) = rows(run(24.0), "basel_es")
    assert (row.value, row.reason) == (None, "needs paths of at least 240 h")


def test_expected_shortfall_over_ten_days_is_that_of_the_drawdown(run):
    (row,) = rows(run(240.0), "basel_es")
    assert row.low < np.log(40) + 1 < row.high


def test_cover_2_is_the_worst_scenario(run):
    (row,) = rows(run(24.0), "emir_cover2")
    assert (row.value, row.measure) == (24.0, "the two largest default at -50 %")


def test_the_headline_is_the_largest_and_names_the_binding_one(run):
    standards = run(240.0).standards
    assert standards.binding.preset == "emir_cover2"
    assert standards.binding.value == max(row.value for row in standards.answered)


def test_own_funds_stand_apart_from_the_headline(run):
    summary = run(240.0, presets=("solvency2",), own_funds={"service_class": 3, "fixed_overheads_eur": 9e5})
    assert summary.standards.own_funds_eur == 225_000
    assert summary.standards.binding.preset == "solvency2"
    assert "Own funds of the firm, MiCA Art. 67: EUR 225,000, apart from the fund" in str(summary)


def test_the_page_names_the_binding_preset_and_says_that_no_rule_does(run):
    text = str(run(240.0))
    assert "binding: emir_cover2 (the two largest default at -50 %)" in text
    assert "No rule prescribes the fund" in text
