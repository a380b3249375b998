import json
from types import SimpleNamespace

import numpy as np
import pytest

from stress.outcomes import Attribution
from stress.summary import summarize
from stress.summary.summary import inventory_beyond_fund

CONTRACT = [
    "schema",
    "scenario",
    "config_sha256",
    "seed",
    "engine",
    "n_paths",
    "n_steps",
    "n_accounts",
    "n_populations",
    "horizon_hours",
    "elapsed_s",
    "fund_initial",
    "open_interest",
    "ruin_probability",
    "reserve",
    "expected_shortfall",
    "mean",
    "probability",
    "cover",
    "conservation_error",
    "conditional_on_book",
    "one_run_curve_exact",
]

ROW = ["level", "kind", "value", "low", "high", "method", "reason", "n_paths_needed", "upper_bound"]
ROW += ["smooth", "smooth_low", "smooth_high", "loss_beyond"]


@pytest.fixture
def outcomes(make_outcomes):
    drawdown = np.random.default_rng(6).exponential(size=5000) * 3
    return make_outcomes(drawdown, population=np.arange(5000) // 100, elapsed_s={"total": 4.0})


def refuse(constant):
    raise AssertionError(f"{constant} is not JSON")


def test_the_document_holds_every_key_of_the_contract(outcomes):
    assert not [key for key in CONTRACT if key not in summarize(outcomes).to_dict()]


@pytest.mark.parametrize("drawdown", [np.zeros(3), np.full(5, 99.0), [7.0], 1e9 * np.arange(1e3) ** 4])
def test_the_document_is_strict_json_whatever_happens(make_outcomes, drawdown):
    text = summarize(make_outcomes(drawdown)).to_json()
    assert json.loads(text, parse_constant=refuse)["schema"] == "fundstress.summary/1"


def test_ruin_is_the_share_of_paths_beyond_the_fund(outcomes):
    assert summarize(outcomes).ruin_probability.value == np.mean(outcomes.drawdown > 10.0)


def test_reserves_are_order_statistics_of_both_drawdowns(outcomes):
    summary = summarize(outcomes, levels=(0.99,))
    x = np.sort(outcomes.drawdown)
    assert summary.reserve(0.99).value == x[4949]
    assert summary.reserve(0.99, "gross").value == np.sort(outcomes.drawdown_gross)[4949]
    assert summary.reserve(0.99).method == "cluster-order-statistic"


def test_a_reserve_that_was_not_asked_for_is_a_key_error(outcomes):
    with pytest.raises(KeyError, match=r"no net reserve at level 0\.9"):
        summarize(outcomes).reserve(0.9)


def test_reserves_rise_with_the_level_in_any_order(outcomes):
    values = [row.value for row in summarize(outcomes, levels=(0.99, 0.9, 0.95)).reserves if row.kind == "net"]
    assert values == sorted(values)


def test_a_refused_reserve_has_no_value_but_a_reason(make_outcomes):
    row = summarize(make_outcomes(np.arange(100.0)), levels=(0.999,)).to_dict()["reserve"][0]
    assert sorted(row) == sorted(ROW)
    assert (row["value"], row["low"], row["high"], row["n_paths_needed"]) == (None, None, None, 3688)
    assert "100 paths are too few" in row["reason"]


def test_means_are_means_of_columns(outcomes):
    mean = summarize(outcomes).mean
    assert all(mean[name] == outcomes.columns[name].mean() for name in mean)


@pytest.mark.parametrize(
    ("column", "events"),
    [
        ("liquidated_accounts", ["any_liquidation"]),
        ("bad_debt", ["any_bad_debt"]),
        ("deleveraged_notional", ["deleveraging", "any_haircut"]),
        ("socialized_loss", ["any_haircut"]),
        ("unresolved_shortfall", ["any_haircut", "unresolved"]),
    ],
)
def test_an_event_is_a_positive_amount(make_outcomes, column, events):
    amounts = make_outcomes(np.zeros(4), columns={column: np.array([0, 0, 0, 7], dtype=np.int32)})
    found = summarize(amounts).probability
    assert {name: p for name, p in found.items() if p} == dict.fromkeys(events, 0.25)


def test_events_that_hit_customers_have_intervals(outcomes):
    found = summarize(outcomes).to_dict()["probability_interval"]
    assert list(found) == ["deleveraging", "any_haircut"]
    assert found["deleveraging"]["high"] == pytest.approx(1 - 0.05 ** (1 / 5000))


def test_the_change_of_the_fund_is_against_its_start(make_outcomes):
    change = summarize(make_outcomes([1.0, 3.0], fund_initial=10.0)).fund_change
    assert change.value == -2.0


def test_levels_and_confidence_are_those_of_the_run_unless_given(make_outcomes):
    outcomes = make_outcomes(np.arange(1000.0), levels=(0.5,), confidence=0.9)
    assert [row.level for row in summarize(outcomes).expected_shortfall] == [0.5]
    assert summarize(outcomes).ruin_probability.confidence == 0.9
    assert summarize(outcomes, confidence=0.8).ruin_probability.confidence == 0.8


def test_weighted_paths_are_refused(make_outcomes):
    with pytest.raises(ValueError, match="weights other than 1"):
        summarize(make_outcomes([1.0, 2.0], columns={"weight": np.array([0.5, 1.5])}))


def test_shares_are_those_of_the_lowest_level_that_is_listed(make_outcomes):
    drawdown = np.arange(1.0, 101.0)
    table = Attribution(("all",), [99, 98, 97, 96, 95, 94], drawdown[:93:-1, np.newaxis])
    summary = summarize(make_outcomes(drawdown, attribution=table), levels=(0.9, 0.95))
    assert summary.shares.level == 0.95
    assert summary.to_dict()["attribution"]["shares"][0]["share"] == 1.0


def test_elapsed_seconds_pass_through(outcomes):
    assert summarize(outcomes).to_dict()["elapsed_s"] == {"total": 4.0}


def test_the_worst_imbalance_is_reported(make_outcomes):
    outcomes = make_outcomes([1.0, 2.0], columns={"conservation_error": np.array([1e-13, 3e-13])})
    assert summarize(outcomes).to_dict()["conservation_error"] == 3e-13


def test_nothing_is_attached_at_first(outcomes):
    document = summarize(outcomes).to_dict()
    assert [document[key] for key in ("model_risk", "parameters", "headline")] == [None, None, None]


def test_what_is_attached_stands_in_the_document(outcomes, risk, interval):
    document = summarize(outcomes).with_(model_risk=risk, parameters=interval).to_dict()
    assert document["model_risk"] == risk.to_dict()
    assert document["parameters"] == interval.to_dict()
    own = document["headline"]["base"]  # of the run, not of the table's fewer paths
    assert own == next(row.value for row in summarize(outcomes).reserves if row.level == risk.level)
    assert document["headline"]["value"] == max(own, 0.75 * own + 0.25 * 180e6)


def test_attaching_one_thing_keeps_the_other(outcomes, risk, interval):
    summary = summarize(outcomes).with_(model_risk=risk).with_(parameters=interval)
    assert (summary.model_risk, summary.parameters) == (risk, interval)


def test_a_year_is_in_the_document_and_says_that_nothing_is_renewed(outcomes):
    year = summarize(outcomes).to_dict()["year"]
    assert year["renewal"] is False
    assert [(row["level"], row["kind"]) for row in year["reserve"]] == [(0.995, "net"), (0.995, "gross")]


def test_growth_is_in_the_document(outcomes):
    assert list(summarize(outcomes).to_dict()["growth"]) == ["year", "per_liquidated", "liquidated_per_day"]


def test_a_run_without_the_column_says_nothing_of_inventory(outcomes):
    known = SimpleNamespace(columns={}, facts=outcomes.facts)
    assert inventory_beyond_fund(known) is None


def test_inventory_beyond_the_fund_is_against_its_start(make_outcomes):
    facts = make_outcomes([1.0], fund_initial=10.0).facts
    known = SimpleNamespace(columns={"inventory_peak": np.array([9.0, 10.0, 11.0])}, facts=facts)
    assert inventory_beyond_fund(known).tolist() == [False, False, True]
