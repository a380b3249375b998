import math
from dataclasses import replace

import numpy as np
import pytest

from stress.outcomes import Attribution, Outcomes, Pools
from stress.summary import Estimate, Hindcast, Hindcasts, from_increments, page_model, summarize
from stress.summary.notation import Money
from stress.summary.page import percent

COVER = tuple(
    {"n": n, "move": move, "losses": [n * loss, n * loss]}
    for n in (1, 2)
    for move, loss in ((-0.2, 0.0), (-0.3, 3e7), (-0.5, 1.2e8))
)


HINDCASTS = Hindcasts(
    "2026-03",
    "Those of the default venue.",
    (
        Hindcast("BitMEX 2020", "fund loss / fund", 0.046, 0.031),
        Hindcast("ETH whale 2025", "fund loss / liquidated", 0.013, 0.001),
        Hindcast("Binance 2025", "fund loss / fund", 0.153, 0.09),
        Hindcast("JELLY 2025", "fund loss / fund", 0.05, missing="validators overrule the price"),
    ),
)


@pytest.fixture(autouse=True)
def hindcasts(monkeypatch):
    """The page of these tests does not depend on the data file that ships; tests may set another."""

    def use(found):
        monkeypatch.setattr(page_model, "shipped_hindcasts", lambda: found)

    use(None)
    return use


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


@pytest.fixture
def full(outcomes, risk, interval, hindcasts):
    """A summary with everything that a page can hold."""
    hindcasts(HINDCASTS)
    beyond = Estimate(0.061, 0.055, 0.067, 0.95, "cluster-binomial", 7.7, 6.9, 8.4)
    return replace(summarize(outcomes), inventory_beyond_fund=beyond).with_(model_risk=risk, parameters=interval)


def lines(summary):
    return str(summary).splitlines()


def page(outcomes):
    return lines(summarize(outcomes))


def find(rows, start):
    return next(row for row in rows if row.strip().startswith(start))


def after(rows, start):
    """Return the row beneath the first that begins so."""
    return rows[rows.index(find(rows, start)) + 1]


def line(outcomes, start):
    return find(page(outcomes), start)


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
    assert Money()(amount) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (35_508.4, "BTC 35,508"),
        (-1234.5, "-BTC 1,234"),
        (0.02345, "BTC 0.0234"),
        (12.0, "BTC 12.0"),
        (2.5e6, "BTC 2.50 m"),
    ],
)
def test_coins_are_counted_one_by_one(amount, text):
    assert Money("BTC")(amount) == text


def test_an_amount_without_its_unit_is_written_alike():
    assert (Money().bare(6e7), Money("BTC").bare(-35_508.4)) == ("60.0 m", "-35,508")


@pytest.mark.parametrize(("unit", "axis", "scale"), [("USD", "USD m", 1e6), ("BTC", "BTC", 1.0)])
def test_an_axis_shows_millions_of_dollars_or_single_coins(unit, axis, scale):
    assert (Money(unit).axis, Money(unit).scale) == (axis, scale)


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0012, "0.12 %"), (3.7e-7, "3.7e-07"), (5.5e-66, "0 %"), (0.99995, "99.995 %"), (0, "0 %"), (1, "100 %")],
)
def test_probabilities_are_percentages(p, text):
    assert percent(p) == text


def test_the_page_begins_with_the_venue(outcomes):
    assert page(outcomes)[0] == "btc_perpetual: fund USD 60.0 m, open interest USD 2.00 bn, 20,000 accounts"


def test_the_page_answers_in_the_order_in_which_a_risk_officer_asks(full):
    starts = [
        "btc_perpetual",
        "Fund exhausted",
        "Customers hit",
        "Positions taken over exceed",
        "Reserve needed",
        "99.5 % a year",
        "Headline",
        "Expected shortfall",
        "Fund over",
        "Growth of the fund",
        "Change",
        "Model risk",
        "Hind-casts",
        "What moves the reserve",
        "Read with care",
        "No rule prescribes",
    ]
    assert [str(full).index(start) for start in starts] == sorted(str(full).index(start) for start in starts)


def test_the_page_of_a_run_fits_a_screen(outcomes):
    assert len(page(outcomes)) <= 45
    assert max(map(len, page(outcomes))) <= 118


def test_the_page_with_everything_fits_a_tall_screen(full):
    assert len(lines(full)) <= 64
    assert max(map(len, lines(full))) <= 115


def test_exhaustion_has_its_interval_and_its_annual_equivalent(outcomes):
    ruin = summarize(outcomes).ruin_probability
    row = line(outcomes, "Fund exhausted")
    assert f"{percent(ruin.value)} [{percent(ruin.low)}, {percent(ruin.high)}]" in row
    in_year = [percent(1 - math.exp(-x)) for x in (ruin.annual, ruin.annual_low, ruin.annual_high)]
    assert "{} [{}, {}]".format(*in_year) in row
    assert row.endswith(f" {ruin.annual:.3g}")


def test_the_annual_equivalent_is_marked_indicative(outcomes):
    assert "no renewal: indicative" in line(outcomes, "Probability")


def test_a_level_says_how_often_its_reserve_fails_in_a_year(outcomes):
    # -ln(0.99) / 3 days * 365 days
    assert "fails 1.22 times a year" in line(outcomes, "99 %")


def test_a_level_over_a_year_is_refused_with_the_paths_it_needs(outcomes):
    # ln(0.025) / ln(0.995^(72/8760)) = 89,538.7
    row = line(outcomes, "99.5 % a year")
    assert "no renewal: indicative" in row
    assert row.count("refused; needs") == 2
    assert summarize(outcomes).year.net.n_paths_needed >= 89_539


def test_a_level_over_a_year_is_a_reserve_where_the_paths_suffice(make_outcomes):
    outcomes = make_outcomes(np.arange(10_000.0) * 1e4, horizon_hours=8760.0)
    assert "USD 99.5 m [99.3 m, 99.6 m]" in line(outcomes, "99.5 % a year")


def test_positions_beyond_the_fund_are_said_where_the_run_recorded_them(full):
    assert "6.1 % [5.5 %, 6.7 %]" in find(lines(full), "Positions taken over exceed the fund")
    assert after(lines(full), "Positions taken over") == "    (a venue with that cap deleverages)"


def test_deleveraged_notional_has_its_mean_over_the_horizon_and_a_year(make_outcomes):
    closed = np.array([4e6, 0.0, 0.0, 0.0])
    row = line(make_outcomes(np.zeros(4), columns={"deleveraged_notional": closed}), "Notional auto-deleveraged")
    assert "USD 1.00 m [0, " in row
    assert "USD 365 m [0, " in row


def test_who_pays_stands_side_by_side(make_outcomes):
    names = {"fund_draw": 5e6, "deleveraged_notional": 8e6, "forgone_profit": 2e5, "broken_hedges": 1e6}
    columns = {name: np.full(4, amount) for name, amount in names.items()} | {"fee_pool_paid": np.full(4, 3e3)}
    found = page(make_outcomes(np.zeros(4), columns=columns))
    first = find(found, "Who pays")
    rows = " ".join(f"{first} {after(found, 'Who pays')}".split())
    assert rows == (
        "Who pays, mean fund draw 5.00 m deleveraged (notional) 8.00 m forgone by them 200 k "
        "broken hedges (notional) 1.00 m socialized 0 fee pool 3.00 k"
    )


def test_where_only_the_fund_pays_nobody_else_is_named(make_outcomes):
    assert "Who pays" not in str(summarize(make_outcomes(np.ones(4), columns={"bad_debt": np.ones(4)})))


def test_ruin_is_that_of_the_run_and_not_of_the_shadow(make_outcomes):
    ruined = np.array([-1, 3, -1, -1], np.int32)
    assert summarize(make_outcomes(np.full(4, 20.0), columns={"ruin_step": ruined})).ruin_probability.value == 0.25


@pytest.mark.parametrize(
    ("row", "bracket"),
    [
        ("Fund exhausted", "[0.01 %, 2 %]                  [1.19 %, 90.9 %]"),
        ("99 %", "[3.00 m, 50.0 m]"),
        ("99.9 %", "[15.0 m, 320 m]"),
    ],
)
def test_a_second_bracket_is_labelled_as_that_of_the_parameters(full, row, bracket):
    beneath = after(lines(full), row)
    assert beneath.startswith("    parameter interval ")
    assert beneath.endswith(bracket)


def test_a_level_without_draws_has_one_bracket_only(full):
    assert "parameter" not in after(lines(full), "99.5 % (fails")


def test_without_draws_the_page_says_how_to_get_them(make_outcomes):
    rows = page(make_outcomes(np.arange(2000.0), config_sha256="abc"))
    assert after(rows, "Fund exhausted").endswith("fundstress uncertainty CONFIG")


def test_losses_of_another_model_have_no_configuration_to_vary():
    assert "fundstress uncertainty" not in str(from_increments([[1.0], [2.0]]))


def test_draws_of_another_configuration_are_a_caveat(full, outcomes):
    other = replace(full, facts=replace(outcomes.facts, config_sha256="0123456789abcdef"))
    assert "Parameter intervals are of configuration abcdef01, this run is of 01234567: compare the two." in (
        other.caveats
    )


def test_with_draws_the_intervals_are_no_longer_of_the_simulation_only(full):
    assert not any("simulation only" in sentence for sentence in full.caveats)
    assert full.caveats[0].startswith("Parameter intervals: 90 % of 200 draws, 2,000 paths each")


def test_the_headline_is_the_worse_of_base_and_weighting(full):
    said = "Headline at 99.9 %: USD 95.2 m, the 75/25 weighting, the worse of base (USD 67.0 m)"
    assert said in find(lines(full), "Headline")


def test_a_stressed_regime_that_is_no_stress_is_a_caveat(full, risk):
    assert not any("stressed regime" in sentence for sentence in full.caveats)
    mild = replace(risk, variants=(replace(risk.variants[2], ratio=1.0),))
    said = "The stressed regime needs 1 times what the scenario needs"
    assert any(sentence.startswith(said) for sentence in full.with_(model_risk=mild).caveats)


def test_an_axis_of_model_risk_is_a_row_of_variants(full):
    row = find(lines(full), "participation")
    assert "5 %: 90.0 m [72.0 m, 112 m] x 1.50" in row
    assert "20 %: 45.0 m [36.0 m, 56.2 m] x 0.750" in row


def test_the_table_of_model_risk_names_its_level(full):
    assert "net reserve at 99.9 % over 72 h, 20,000 paths each; base 60.0 m [48.0 m, 75.0 m]" in (
        find(lines(full), "Model risk")
    )


def test_a_variant_that_the_paths_do_not_support_is_refused(full, risk):
    refused = replace(risk.variants[3], reserve=None, low=None, high=None, ratio=None)
    summary = full.with_(model_risk=replace(risk, variants=(refused,)))
    assert find(lines(summary), "whale     ").split() == ["whale", "none:", "refused"]


def test_growth_stands_beside_history(make_outcomes):
    outcomes = make_outcomes(
        np.zeros(500), columns={"liquidated_notional": np.full(500, 0.1)}, open_interest=5.0, fund_initial=10.0
    )
    rows = page(outcomes)
    assert find(rows, "Median year").endswith("+61 % (BitMEX 2019)")
    assert "2 % [2 %, 2 %]" in find(rows, "Liquidated / open interest")


def test_a_fund_that_starts_empty_has_no_relative_growth(make_outcomes):
    assert "Median year" not in str(summarize(make_outcomes(np.arange(100.0), fund_initial=0.0)))


def test_hindcasts_count_and_mark_the_misses(full):
    rows = lines(full)
    assert "2 of 3 within a factor 3" in find(rows, "Hind-casts")
    assert after(rows, "Hind-casts").startswith("  of liquidated: MISS ETH whale 2025 1.3 -> 0.1 %; of fund: ")


def test_events_beyond_the_rulebook_are_named_with_what_is_missing(full):
    assert find(lines(full), "Not expressible") == "  Not expressible: JELLY 2025 (validators overrule the price)"


def test_events_that_lack_the_same_mechanism_stand_together(full, hindcasts):
    missing = ("an inverse contract", "an inverse contract; its own coin falls", "an outage: no clean evidence")
    events = tuple(Hindcast(name, "fund loss / fund", 0.1, missing=m) for name, m in zip("ABC", missing, strict=True))
    hindcasts(replace(HINDCASTS, events=(*HINDCASTS.events[:3], *events)))
    assert find(lines(full), "Not expr") == "  Not expressible: A; B (an inverse contract); C (an outage)"


def test_what_cannot_be_expressed_takes_at_most_three_lines(full, hindcasts):
    wordy = tuple(Hindcast(f"Event {n}", "fund loss / fund", 0.1, missing=f"{n} words " * 20) for n in range(9))
    hindcasts(replace(HINDCASTS, events=(*HINDCASTS.events, *wordy)))
    rows = lines(full)
    start = rows.index(find(rows, "Not expressible"))
    assert rows.index("", start) - start == 3


def test_without_hindcasts_nothing_is_said_of_them(outcomes):
    assert "Hind-casts" not in str(summarize(outcomes))


def test_the_five_strongest_parameters_are_named(full):
    rows = lines(full)
    assert after(rows, "What moves").split("  ")[1] == "table.key_0 0.5 to 2: +0.90"
    assert "key_4" in str(full)
    assert "key_5" not in str(full)


def test_without_draws_the_variants_say_what_moves_the_reserve(outcomes, risk):
    rows = lines(summarize(outcomes).with_(model_risk=risk))
    beneath = after(rows, "What moves")
    assert beneath.split() == ["whale", "none:", "x", "0.250", "regime", "stressed:", "x", "3.00"]


def test_a_probability_beyond_the_data_is_labelled(make_outcomes):
    # 1 of 500,000 paths of a day is once in 1,370 years.
    drawdown = np.zeros(500_000)
    drawdown[0] = 20.0
    summary = summarize(make_outcomes(drawdown), levels=(0.9,))
    assert find(lines(summary), "Fund exhausted").startswith("  Fund exhausted *")
    assert any(sentence.startswith("Conditional on the model: beyond the data") for sentence in summary.caveats)


def test_a_level_beyond_the_data_is_labelled(make_outcomes):
    rows = page(make_outcomes(np.arange(2000.0), levels=(0.9, 0.999_999)))
    assert "times a year) * refused" in find(rows, "99.9999 %")
    assert " *" not in find(rows, "90 %")


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
    whole = " ".join(str(summarize(make_outcomes(np.arange(2000.0), **changes))).split())  # lines may break within
    assert caveat in whole


def test_a_fund_in_coin_is_written_in_coin_and_once_in_dollars(make_outcomes):
    found = make_outcomes(
        [3.0, 1.0, 0.0] * 400, fund_initial=35_508.0, open_interest=150_000.0, unit="XBT", unit_usd=8e3
    )
    rows = page(found)
    assert "fund XBT 35,508 (USD 284 m at the start), open interest XBT 150,000" in rows[0]
    assert not [row for row in rows[1:] if "USD" in row]


def test_the_document_names_the_money(make_outcomes):
    document = summarize(make_outcomes([1.0, 2.0], unit="XBT", unit_usd=8e3)).to_dict()
    assert (document["unit"], document["unit_usd"]) == ("XBT", 8e3)


# --- pools of the fund


@pytest.fixture
def in_pools(make_outcomes):
    """The whole fund never ruined; the second of two pools on 30 of 20,000 paths, all in three populations."""
    n = 20_000
    drawdown = np.random.default_rng(5).permutation(np.linspace(0.0, 1.0, n))[:, None] * [5e6, 8e6]
    ruin_step = np.full((n, 2), -1)
    ruin_step[:600:20, 1] = 9
    rows = (("majors", ["BTC", "ETH"], 85e6), ("sol", ["SOL"], 15e6))
    facts = tuple(dict(zip(("name", "symbols", "initial_usd"), row, strict=True)) for row in rows)
    whole = make_outcomes(np.zeros(n), population=np.arange(n) // 200, fund_initial=1e8, pools=facts)
    return Outcomes(whole.columns, whole.facts, pools=Pools(drawdown, ruin_step))


def test_a_ruined_pool_stands_beside_the_headline_although_the_whole_fund_never_is(in_pools):
    rows = page(in_pools)
    assert "on no path" in find(rows, "Fund exhausted")
    assert "0.15 % [" in find(rows, "Any pool of the fund exhausted")


def test_every_pool_has_its_symbols_start_chance_and_quantiles(in_pools):
    rows = page(in_pools)
    at = next(i for i, row in enumerate(rows) if row.startswith("Pool of the fund"))
    assert "exhausted within" in rows[at]
    first, second = rows[at + 1 : at + 4], rows[at + 4 : at + 7]
    assert first[0].startswith("  majors, USD 85.0 m")
    assert "on no path" in first[0]
    assert first[1].startswith("    BTC, ETH  ")
    assert "99 %: USD 4.95 m [" in first[0]
    assert second[0].startswith("  sol, USD 15.0 m ")
    assert "0.15 % [" in second[0]
    assert "99.5 %: USD 7.96 m [" in second[1]


def test_the_interval_of_a_pool_is_by_population(in_pools):
    summary = summarize(in_pools)
    found = summary.pools[1].ruin_probability
    assert found == summary.any_pool_ruined
    assert (found.value, found.method) == (0.0015, "cluster-binomial")
    assert found.high > 0.0022  # 30 independent paths would give 0.0021


def test_the_document_has_the_pools_and_the_probability_that_any_is_exhausted(in_pools):
    document = summarize(in_pools).to_dict()
    assert [row["name"] for row in document["pools"]] == ["majors", "sol"]
    assert document["any_pool_ruined"]["value"] == 0.0015
    assert document["pools"][0]["drawdown"][0]["level"] == 0.99


def test_a_fund_in_one_pool_is_the_headline(outcomes):
    assert "ool" not in "".join(row for row in page(outcomes) if "ool of the fund" in row)
    assert (summarize(outcomes).to_dict()["pools"], summarize(outcomes).any_pool_ruined) == ([], None)
