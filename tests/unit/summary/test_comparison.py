"""Comparisons of rulebooks: paired differences, who pays, and the page."""

import json
from dataclasses import replace

import numpy as np
import pytest

from stress.outcomes import AMOUNTS
from stress.summary import Clusters, compare_outcomes, outcomes_from_increments
from stress.summary.comparison import hits_of, quantile_differences

N, EVERY = 4_000, 40
LOSS = 5e6 * np.random.default_rng(1).pareto(1.9, N)
POPULATIONS = np.arange(N) // EVERY
ABOUT = {
    "venue": "a venue",
    "as_of": "2025-01-01",
    "waterfall": ("fund", "adl"),
    "unverified": (),
    "posting_more": 0.0,
    "more_margin": 0.0,
}


def outcomes(loss, **columns):
    made = outcomes_from_increments(loss[:, np.newaxis], fund_initial=6e7, populations=POPULATIONS)
    return replace(made, columns={**made.columns, **columns}) if columns else made


def compared(*rows, names=("one", "two", "three")):
    about = [{**ABOUT, "name": name} for name, _ in zip(names, rows, strict=False)]
    return compare_outcomes(rows, about, scenario="example", config_sha256="0" * 64)


@pytest.fixture(scope="module")
def found():
    return compared(outcomes(LOSS), outcomes(LOSS), outcomes(2.0 * LOSS))


def test_a_rulebook_that_changes_nothing_differs_by_nothing(found):
    same = found.differences[0]
    assert same.name == "two"
    for estimate in (same.ruin, *(row for _, row in same.reserves)):
        assert (estimate.value, estimate.low, estimate.high) == (0.0, 0.0, 0.0)


def test_events_that_never_happened_have_a_difference_without_an_interval(found):
    never = found.differences[1].deleveraging
    assert (never.value, never.low, never.high) == (0.0, None, None)


def test_a_difference_is_that_of_the_reserves(found):
    one, _, three = (row.reserves[0].value for row in found.rulebooks)
    assert found.differences[1].reserves[0][1].value == three - one == one


def test_paired_intervals_are_narrower_than_unpaired_ones():
    clusters, other = Clusters.of(POPULATIONS), LOSS * 1.05
    paired = quantile_differences(other, LOSS, [0.95], clusters, 0.95)[0]
    shuffled = quantile_differences(np.random.default_rng(2).permutation(other), LOSS, [0.95], clusters, 0.95)[0]
    assert paired.high - paired.low < 0.3 * (shuffled.high - shuffled.low)


def test_the_interval_of_a_difference_holds_its_value(found):
    for _, estimate in found.differences[1].reserves:
        assert estimate.low <= estimate.value <= estimate.high


def test_a_bootstrap_interval_covers_the_true_difference():
    rng, hits, shift = np.random.default_rng(3), 0, np.log(2.0)
    for _ in range(60):  # the 90 % quantile of exponentials doubled lies log 10 above
        x = rng.exponential(size=1_000)
        found = quantile_differences(2.0 * x, x, [0.5], Clusters.of(np.arange(1_000) // 20), 0.95)[0]
        hits += found.low <= shift <= found.high
    assert hits >= 51  # 57 expected, standard error 1.7


def test_a_refused_reserve_has_no_difference():
    few = compared(outcomes(LOSS), outcomes(LOSS))
    assert few.differences[0].reserves[0][1] is not None
    short = [replace(row, columns={k: v[:100] for k, v in row.columns.items()}) for row in (outcomes(LOSS),) * 2]
    assert compared(*short).differences[0].reserves[-1] == (0.999, None)


def test_what_the_fund_pays_is_the_column_of_what_it_draws():
    drawn = outcomes(LOSS, fund_draw=np.linspace(0.0, 8.0, N))
    assert compared(drawn, drawn).rulebooks[0].payers["fund"] == pytest.approx(4.0)


def test_a_customer_is_hit_by_any_of_three():
    columns = {name: np.zeros(N) for name in ("deleveraged_notional", "socialized_loss", "unresolved_shortfall")}
    for i, name in enumerate(columns):
        columns[name][i] = 1.0
    hits = hits_of(outcomes(LOSS, **columns))
    assert (hits["deleveraging"].sum(), hits["any_haircut"].sum()) == (1, 3)


def test_the_document_is_strict_json_with_its_schema(found):
    document = json.loads(found.to_json())
    assert document["schema"] == "fundstress.compare/1"
    assert [row["name"] for row in document["rulebooks"]] == ["one", "two", "three"]
    assert {"level", "value", "low", "high"} <= set(document["differences"][0]["reserves"][0])


def test_the_page_says_what_is_shared_who_pays_and_what_differs(found):
    page = str(found)
    assert "the same accounts and shocks for all" in page
    assert "Less one, paired" in page
    assert "fund > adl" in page


# --- a contract that settles in a coin


def in_coin(found, price=50_000.0):
    """Return the same outcomes as of a contract that settles in a coin of that price."""
    facts = {name: getattr(found.facts, name) / price for name in ("fund_initial", "open_interest")}
    columns = {name: values / price if name in AMOUNTS else values for name, values in found.columns.items()}
    return replace(found, columns=columns, facts=replace(found.facts, unit="BTC", unit_usd=price, **facts))


@pytest.fixture(scope="module")
def mixed():
    return compared(outcomes(LOSS), in_coin(outcomes(LOSS)))


def test_a_coin_is_compared_at_its_first_price(mixed):
    usd, coin = mixed.rulebooks
    assert (mixed.unit, usd.unit, coin.unit, coin.unit_usd) == ("USD", "USD", "BTC", 50_000.0)
    assert [row.value for row in coin.reserves] == pytest.approx([row.value for row in usd.reserves])
    assert max(abs(row.value) for _, row in mixed.differences[0].reserves) < 1e-6


def test_amounts_stand_in_the_money_of_the_contract_too(mixed):
    usd, coin = mixed.rulebooks
    assert coin.in_unit["fund_initial"] == pytest.approx(6e7 / 50_000.0)
    assert coin.in_unit["reserves"][0]["value"] == pytest.approx(coin.reserves[0].value / 50_000.0)
    assert usd.in_unit["reserves"][0]["value"] == usd.reserves[0].value


def test_the_document_says_the_unit_of_every_row(mixed):
    document = json.loads(mixed.to_json())
    assert document["unit"] == "USD"
    assert [(row["unit"], row["unit_usd"]) for row in document["rulebooks"]] == [("USD", 1.0), ("BTC", 50_000.0)]
    assert set(document["rulebooks"][1]["in_unit"]) == {"fund_initial", "reserves", "mean", "payers"}


def test_the_page_says_what_a_coin_was_worth_and_the_reserve_in_it(mixed, found):
    assert "1 BTC = USD 50.0 k  BTC 1,200" in str(mixed)
    assert "All amounts are in USD at the first price" in str(mixed)
    assert "money of the contract" not in str(found)
