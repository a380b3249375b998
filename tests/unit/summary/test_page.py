import numpy as np
import pytest

from stress.outcomes import Attribution
from stress.summary import summarize
from stress.summary.page import money, percent

COVER = tuple(
    {"n": n, "move": move, "losses": [n * loss, n * loss]}
    for n in (1, 2)
    for move, loss in ((-0.2, 0.0), (-0.3, 3e7), (-0.5, 1.2e8))
)


@pytest.fixture
def outcomes(make_outcomes):
    drawdown = np.random.default_rng(8).exponential(1e7, size=20_000)
    worst = np.argsort(drawdown)[-500:]
    return make_outcomes(
        drawdown,
        population=np.arange(20_000) // 200,
        fund_initial=6e7,
        attribution=Attribution(("whale", "retail"), worst, np.outer(drawdown[worst], [0.75, 0.25])),
        columns={"deleveraged_notional": np.maximum(0.0, drawdown - 5e7)},
        scenario="btc_perpetual",
        n_accounts=20_000,
        open_interest=2e9,
        horizon_hours=72.0,
        cover=COVER,
    )


def page(outcomes):
    return str(summarize(outcomes)).splitlines()


def line(outcomes, start):
    return next(row for row in page(outcomes) if row.strip().startswith(start))


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (6e7, "USD 60.0 m"),
        (999_960_000, "USD 1.00 bn"),
        (-1234.5, "-USD 1.23 k"),
        (0, "USD 0"),
        (12.3456, "USD 12.3"),
        (4e12, "USD 4,000 bn"),
        (123e6, "USD 123 m"),
    ],
)
def test_money_has_three_digits_and_a_unit(amount, text):
    assert money(amount) == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.0012, "0.12 %"), (3.7e-7, "3.7e-07"), (0.99995, "99.995 %"), (0, "0 %"), (1, "100 %")]
)
def test_probabilities_are_percentages(p, text):
    assert percent(p) == text


def test_the_page_begins_with_the_venue(outcomes):
    assert page(outcomes)[0] == "btc_perpetual: fund USD 60.0 m, open interest USD 2.00 bn, 20,000 accounts"


def test_the_page_answers_in_the_order_in_which_a_risk_officer_asks(outcomes):
    starts = [
        "btc_perpetual",
        "Fund exhausted",
        "Customers hit",
        "Reserve needed",
        "Fund over",
        "Change",
        "Read",
    ]
    text = "\n".join(page(outcomes))
    assert [text.index(start) for start in starts] == sorted(text.index(start) for start in starts)


def test_the_page_fits_a_screen(outcomes):
    assert len(page(outcomes)) <= 33
    assert max(map(len, page(outcomes))) <= 115


def test_exhaustion_has_its_interval_and_its_annual_equivalent(outcomes):
    ruin = summarize(outcomes).ruin_probability
    row = line(outcomes, "Fund exhausted")
    assert f"{percent(ruin.value)} [{percent(ruin.low)}, {percent(ruin.high)}]" in row
    assert f"{ruin.annual:.3g} [" in row


def test_the_annual_equivalent_is_marked_indicative(outcomes):
    assert "no renewal: indicative" in line(outcomes, "Probability")


def test_a_level_says_how_often_its_reserve_fails_in_a_year(outcomes):
    # -ln(0.99) / 3 days * 365 days
    assert "fails 1.22 times a year" in line(outcomes, "99 %")


def test_cover_is_a_table_of_accounts_by_move(outcomes):
    assert line(outcomes, "Fund over").split()[-6:] == ["-50", "%", "-30", "%", "-20", "%"]
    assert line(outcomes, "the largest account").split()[-6:] == ["0.500", "x", "2.00", "x", "no", "loss"]


def test_cohorts_are_named_with_their_shares(outcomes):
    assert line(outcomes, "whale") == "  whale 75 % +- 0.0, retail 25 % +- 0.0"


def test_one_path_is_told_as_a_story_without_probabilities(make_outcomes):
    text = str(summarize(make_outcomes(np.array([5.0]))))
    assert "What happened on the one path" in text
    assert not [word for word in ("Probability", "Reserve needed", "Expected shortfall") if word in text]


def test_what_does_not_exist_is_left_out(make_outcomes):
    text = str(summarize(make_outcomes(np.arange(2000.0))))
    assert not [word for word in ("Fund over", "Who causes", "open interest USD", "accounts") if word in text]


def test_no_rule_prescribes_the_figure(outcomes):
    assert page(outcomes)[-1] == "No rule prescribes this figure."


def test_an_event_on_no_path_has_a_bound(make_outcomes):
    outcomes = make_outcomes(np.zeros(100))
    assert "on no path, below 2.95 %" in line(outcomes, "Fund exhausted")
    assert any("one-sided bound" in sentence for sentence in summarize(outcomes).caveats)


def test_certain_ruin_has_no_annual_equivalent(make_outcomes):
    assert line(make_outcomes(np.full(100, 99.0)), "Fund exhausted").endswith("on every path")


def test_a_refused_reserve_says_how_many_paths_it_needs(make_outcomes):
    assert "refused; needs 3,688 paths" in line(make_outcomes(np.arange(2000.0)), "99.9 %")


def test_a_refused_reserve_gives_the_bound_that_exists(make_outcomes):
    outcomes = make_outcomes(np.arange(3200.0) * 1e4)
    assert "refused; at most USD 32.0 m" in line(outcomes, "99.9 %")


@pytest.mark.parametrize(
    ("changes", "caveat"),
    [
        ({"conditional_on_book": True}, "conditional on this book"),
        ({"n_accounts": 10}, "One population was drawn"),
        ({"population": np.arange(2000) // 200}, "Fewer than 30 populations"),
        ({"population": np.arange(2000) // 20}, "Intervals are by population cluster, 100 populations"),
        (
            {"one_run_curve_exact": False, "curve_note": "ADL before the fund"},
            "The reserve at levels other than the configured fund is indicative: "
            "bisect on the initial fund (ADL before the fund).",
        ),
        ({"columns": {"conservation_error": np.full(2000, 1e-6)}}, "THE BOOKS DO NOT BALANCE"),
        ({}, "do not hold the uncertainty of the parameters"),
        ({}, "No reserve at 99.9 %: 2,000 paths are too few"),
        ({}, "Expected shortfall at 99.9 %: 2 paths beyond the quantile"),
    ],
)
def test_a_caveat_is_printed(make_outcomes, changes, caveat):
    assert caveat in str(summarize(make_outcomes(np.arange(2000.0), **changes)))
