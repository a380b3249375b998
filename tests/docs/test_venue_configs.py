"""Scenarios like venues: their books have the figures that are on record of the venues."""

import re
from functools import cache
from pathlib import Path

import pytest

import stress
from stress.agents import recorded
from stress.agents.leverages import LeverageLaw
from stress.agents.sizes import SizeLaw
from stress.census import census

CONFIGS = Path(__file__).parents[2] / "configs"


@cache
def scenario(name, n_paths):
    more = {"run.n_paths": n_paths, "run.redraw_every": n_paths // 20}
    return stress.Scenario.load(CONFIGS / f"{name}.toml", overrides=more)


@cache
def book(name):
    return census(scenario(name, 200), n_populations=10)


def test_leverage_like_hyperliquids_is_that_of_all_its_open_interest():
    record = recorded.load("hyperliquid_2025")["reported"]
    below_3, middle, _ = book("hyperliquid_like").everybody.bands
    assert below_3 == pytest.approx(record["share below 3"], abs=0.02)
    assert below_3 + middle == pytest.approx(record["share below 7"], abs=0.02)


def test_isolated_positions_like_hyperliquids_are_a_fourteenth_of_the_notional():
    asked = {(row.cohort, row.side): row.achieved for row in book("hyperliquid_like").shares}
    isolated, whole = (
        sum(share for (name, _), share in asked.items() if wanted(name)) for wanted in (lambda n: n == "isolated", bool)
    )
    assert isolated / whole == pytest.approx(1 / 14.6, rel=0.15)


def test_accounts_like_hyperliquids_are_as_unequal_as_its_positions():
    # Tail index 0.74 to 0.79 for BTC positions, 0.86 to 0.88 for all deleveraged ones; ours are capped at 2 %.
    both = book("hyperliquid_like").concentration["both"].mean
    assert 0.7 < both.hill < 1.1
    assert both.gini > 0.93


def test_the_crowd_like_bitmexs_has_its_leverage_before_the_risk_limits():
    [crowd] = (row for row in book("bitmex_2019_like").cohorts if row.name == "crowd")
    assert crowd.law_mean == pytest.approx(25.0, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "n_paths", "low", "high"), [("bitmex_2019_like", 400, 0.03, 0.06), ("hyperliquid_like", 200, 0.005, 0.015)]
)
def test_as_much_is_liquidated_a_day_as_at_the_venue(name, n_paths, low, high):
    # 3.5 % of the longs and 1.9 % of the shorts at BitMEX; 1.28 % at Hyperliquid, 0.5 to 1.5 % at venues like it.
    found = stress.summarize(stress.run(scenario(name, n_paths)))
    assert low <= found.growth.liquidated_per_day.value <= high


PAGE = (CONFIGS.parent / "docs" / "population.md").read_text(encoding="utf-8")


def test_the_page_on_the_population_has_every_key_of_the_document():
    keys = book("bitmex_2019_like").to_dict()
    named = {*keys, *keys["cohorts"][0], *keys["shares"][0], *keys["distance"][0], *keys["cohorts"][0]["by_notional"]}
    assert [key for key in named if f'"{key}"' not in PAGE] == []


def test_every_law_and_every_record_stands_in_the_method():
    method = (CONFIGS.parent / "docs" / "method.md").read_text(encoding="utf-8")
    kinds = {kind for family in (LeverageLaw, SizeLaw) for kind in family.family}
    assert [name for name in {*kinds, *recorded.names()} if f"`{name}`" not in method] == []


def test_the_cohort_of_the_page_is_valid(tmp_path):
    (tmp_path / "accounts.csv").write_text("notional\n100\n2000\n50000\n")
    (example,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, flags=re.M | re.S)
    ours = tmp_path / "ours.toml"
    makers = '[[population]]\nkind = "maker"\nname = "makers"\ncollateral_usd = 1e9\n'
    share = example.replace("long_share = 0.55", "long_share = 1.0")
    ours.write_text(f'extends = "{CONFIGS / "btc_perpetual.toml"}"\noverlay = []\nuncertain = []\n{share}{makers}')
    assert stress.Scenario.load(ours).population[0].leverage.kind == "histogram"
