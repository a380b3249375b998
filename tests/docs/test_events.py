"""The event panel: one frozen parameter set against what insurance funds have really lost.

A miss is a result: it stays in the table.  What is held here is that the panel is honest (the frozen numbers are the
default's) and current (the committed figures are what the event files give now).
"""

from functools import cache, reduce

import event_panel as panel
import numpy as np
import pytest
import study

import stress
from stress.agents.renewal import Renewal

TOLERANCE = 0.02
DEFAULT = stress.Scenario.load(study.DEFAULT)
EVERY = pytest.mark.parametrize("event", panel.EVENTS, ids=lambda event: event.config)


@cache
def simulated(event):
    return panel.simulated(event)


def value(scenario, dotted):
    return reduce(lambda table, key: table[key], dotted.split("."), scenario.tables())


def committed_row(event):
    return next(row for row in panel.committed()["event"] if row["name"] == event.name)


@EVERY
@pytest.mark.parametrize("key", panel.FROZEN)
def test_what_is_frozen_is_the_same_as_in_the_default(event, key):
    assert value(panel.scenario_of(event.config), key) == value(DEFAULT, key)


@EVERY
def test_nothing_that_is_frozen_is_varied_with_what_is_assumed(event):
    varied = {*event.ranges, *event.with_ranges}
    assert not [key for key in varied for frozen in panel.FROZEN if key.startswith(frozen)]


@EVERY
def test_the_impact_law_and_the_depth_curve_know_one_volatility(event):
    liquidity = panel.scenario_of(event.config).liquidity
    assert liquidity.vol_annual == pytest.approx(liquidity.impact.vol_daily * 365**0.5, rel=0.02)


@EVERY
def test_the_middle_of_an_assumed_figure_lies_in_its_range(event):
    for key, (low, high) in event.ranges.items():
        row = key.split(".")
        tables = panel.scenario_of(event.config).tables()
        middle = reduce(lambda node, part: node[int(part)] if part.isdigit() else node[part], row, tables)
        assert low <= middle <= high, key


@EVERY
def test_a_crowd_is_renewed_at_the_defaults_and_a_single_holder_is_not(event):
    scenario = panel.scenario_of(event.config)
    has_crowd = any(cohort.kind == "trader" for cohort in scenario.population)
    assert scenario.renewal == (Renewal() if has_crowd else None)


@EVERY
def test_a_path_is_a_dozen_cited_points_and_not_a_series(event):
    scenario = panel.scenario_of(event.config)
    assert len([shock for shock in scenario.shock if not shock.halt]) <= 12
    assert "log_returns" not in scenario.tables()["market"] or not scenario.market.log_returns


@EVERY
def test_the_committed_figure_is_what_the_event_gives_now(event):
    assert committed_row(event)["simulated"] == pytest.approx(simulated(event), rel=TOLERANCE)


@EVERY
def test_the_document_shows_the_committed_figure(event):
    line = next(line for line in study.BELIEVABLE.read_text().splitlines() if line.startswith(f"| {event.name} |"))
    shown = [cell.strip() for cell in line.split("|")][3:5]
    assert shown == [study.percent(event.observed), study.percent(committed_row(event)["simulated"])]


def test_every_event_file_is_in_the_panel():
    assert {path.stem for path in panel.FOLDER.glob("*.toml")} == {event.config for event in panel.EVENTS}


def test_the_committed_panel_has_the_observed_figures_of_the_benchmark():
    found = [(row["name"], row["measure"], row["observed"]) for row in panel.committed()["event"]]
    expected = [(event.name, event.measure, event.observed) for event in panel.EVENTS]
    assert found == expected + [row[:3] for row in panel.NOT_EXPRESSIBLE]


def test_what_cannot_be_expressed_names_what_is_missing_and_claims_no_figure():
    rows = panel.committed()["event"][len(panel.EVENTS) :]
    assert all(row["missing"] and "simulated" not in row for row in rows)


def test_at_least_four_events_can_be_expressed():
    assert len(panel.EVENTS) >= 4


@EVERY
def test_a_miss_says_why_and_a_hit_has_nothing_to_say(event):
    assert bool(event.miss) != panel.is_hit(simulated(event), event.observed)


def test_three_quarters_of_the_events_are_within_a_factor_of_three():
    hits = [panel.is_hit(simulated(event), event.observed) for event in panel.EVENTS]
    assert sum(hits) >= 0.75 * len(hits)


@pytest.mark.parametrize("measures", [(panel.PER_LIQUIDATED,), (panel.PER_LIQUIDATED, panel.PER_FUND)])
def test_the_events_that_are_hit_come_in_the_right_order(measures):
    events = [event for event in panel.EVENTS if event.measure in measures and not event.miss]
    observed = [event.observed for event in events]
    assert panel.rank_correlation([simulated(event) for event in events], observed) >= 0.8


BITMEX = next(event for event in panel.EVENTS if event.config == "bitmex_march_2020")


@cache
def bitmex_loss(hours, halted):
    """Return the median loss over the fund at a time of the event, and what was deleveraged at most."""
    scenario = panel.until(panel.scenario_of(BITMEX.config), hours)
    shocks = [shock for shock in scenario.tables()["shock"] if halted or not shock["halt"]]
    run = stress.run(scenario.with_(shock=shocks))
    return 1.0 - float(np.median(run.fund_end)) / scenario.fund_initial, run.deleveraged_notional.max()


@pytest.mark.parametrize("halted", [True, False])
def test_bitmex_loses_single_digits_by_day_end_within_a_factor_of_two_and_nobody_is_deleveraged(halted):
    loss, deleveraged = bitmex_loss(24.0, halted)
    assert BITMEX.observed / 2.0 <= loss <= min(2.0 * BITMEX.observed, 0.10)
    assert deleveraged == 0.0


@pytest.mark.parametrize("halted", [True, False])
def test_the_fund_of_bitmex_grows_on_the_day_after(halted):
    (low, _), (end, deleveraged) = bitmex_loss(27.0, halted), bitmex_loss(48.0, halted)
    assert end < low
    assert deleveraged == 0.0
