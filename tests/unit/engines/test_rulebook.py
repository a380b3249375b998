"""What is a number and what compiles another kernel."""

from pathlib import Path

import pytest

from stress.engines.rulebook import rulebook
from stress.exchange.ranking import Ranking
from stress.rules import record_dtype
from stress.scenario import Scenario

TINY = Path(__file__).parents[3] / "configs" / "tiny.toml"
PLAIN = Scenario.load(TINY)


@pytest.mark.parametrize(
    "choices",
    [
        {"exchange.fee": "confiscate", "exchange.disposal": "immediate"},
        {"layer": ["fund", {"kind": "adl", "ranking": "pro_rata", "price": "mark"}, "socialize"]},
        {"exchange.mark": "median_of_three", "liquidity.permanent_share": 0.0, "exchange.band": "fixed"},
        {"layer": [{"kind": "fund", "limits": [{"kind": "floor", "usd": 1.0}], "payment": "all_or_nothing"}]},
        {"layer": ["fund", {"kind": "socialize", "basis": "notional"}, "operator"]},
    ],
    ids=lambda choices: ", ".join(choices),
)
def test_what_a_venue_chooses_compiles_no_other_kernel(choices):
    plain, other = rulebook(PLAIN, 1e6), rulebook(PLAIN.with_(**choices), 1e6)
    assert plain.key == other.key
    assert record_dtype(plain.numbers) == record_dtype(other.numbers)


def test_what_looks_at_single_accounts_shares_one_more_kernel():
    singles = ({"exchange.partial": "step_down"}, {"exchange.partial": "two_tiers"}, {"layer": ["adl", "fund"]})
    keys = {rulebook(PLAIN.with_(**choices), 1e6).key for choices in singles}
    assert len(keys) == 1
    assert rulebook(PLAIN, 1e6).key not in keys


def test_the_smallest_wallet_of_a_ranking_is_one_dollar_in_any_money():
    inverse = Scenario.load(TINY.parent / "inverse_tiny.toml")
    assert rulebook(PLAIN, 1e6).numbers["layers"]["adl"]["one_usd"] == 1.0
    assert rulebook(inverse, 400.0).numbers["layers"]["adl"]["one_usd"] == 1.0 / 50_000.0


def test_a_kind_that_is_defined_anew_is_another_set_of_rules(monkeypatch):
    before = rulebook(PLAIN, 1e6).key
    kind = "pro_rata"
    again = type(Ranking)("ProRata", (Ranking.family[kind],), {"__doc__": "The same, from a cell that was run again."})
    monkeypatch.setitem(Ranking.family, kind, again)
    assert rulebook(PLAIN, 1e6).key != before
