"""The default's price: fitted to history with all feedback on, and recorded with its provenance."""

import importlib.util
import tomllib
from pathlib import Path

import pytest

import stress

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location("calibrate", ROOT / "benchmarks" / "calibrate.py")
calibrate = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(calibrate)
RECORD = tomllib.loads(calibrate.RECORD.read_text())


@pytest.fixture(scope="module")
def table():
    return calibrate.barrier_table(stress.Scenario.load(calibrate.CONFIG), 20_000)


def test_the_default_has_the_parameters_that_were_recorded():
    market = stress.Scenario.load(calibrate.CONFIG).tables()["market"]
    assert {f"market.{name}": market[name] for name in ("vol_annual", "log_vol_sd")} == RECORD["fitted"]


def test_every_barrier_is_hit_as_often_as_in_history_within_a_factor_of_one_and_a_half(table):
    cells, _ = table
    assert {(c.side, c.leverage, c.hours): c.ratio for c in cells if not 1 / 1.5 <= c.ratio <= 1.5} == {}


def test_the_day_of_a_thousand_is_between_15_and_24_percent_down(table):
    assert -0.24 <= table[1]["day_of_a_thousand"] <= -0.15


def test_no_day_falls_by_more_than_65_percent(table):
    assert table[1]["deepest_day"] > -0.65


def test_the_record_is_of_this_history():
    known = {(c["side"], c["leverage"], c["hours"]): c["history"] for c in RECORD["cell"]}
    pairs = ((key, shares) for key, shares in calibrate.HISTORY.items())
    expected = {(*key, h): x for key, shares in pairs for h, x in zip(calibrate.HORIZONS, shares, strict=True)}
    assert known == expected
