"""Flat keyword arguments of the Mesa model, as `batch_run` and the dashboard pass them."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from stress.engines.keywords import KEYWORDS, SMALL_VENUE, from_mesa, scenario_of, to_mesa
from stress.scenario import Scenario, ScenarioError
from stress.toml import value_at

CONFIGS = Path(__file__).parents[3] / "configs"
TINY = Scenario.load(CONFIGS / "tiny.toml")


def counts(scenario):
    return [cohort.count for cohort in scenario.population if cohort.kind == "trader"]


def test_without_arguments_there_is_a_small_venue():
    scenario = scenario_of()
    assert (sum(counts(scenario)), scenario.clock.n_steps) == (1_000, 288)


def test_the_small_venue_has_the_market_of_the_default_scenario():
    small, default = Scenario.load(SMALL_VENUE), Scenario.load(CONFIGS / "btc_perpetual.toml")
    assert small.market == default.market


def test_the_small_venue_is_the_default_at_a_twentieth():
    small, default = Scenario.load(SMALL_VENUE), Scenario.load(CONFIGS / "btc_perpetual.toml")
    for key in (
        "exchange.open_interest_usd",
        "fund.initial_usd",
        "liquidity.volume_usd_per_day",
        "liquidity.depth_usd",
    ):
        assert value_at(small.tables(), key) == pytest.approx(value_at(default.tables(), key) / 20.0)
    same = {"name", "long_share", "short_share", "leverage_median", "leverage_sigma", "margin", "holding_hours"}
    for mine, its in zip(small.population[:5], default.population[:5], strict=True):
        assert mine.model_dump(include=same) == its.model_dump(include=same)


def test_a_scenario_its_file_and_its_tables_are_one_scenario():
    assert scenario_of(TINY) is TINY
    assert scenario_of(CONFIGS / "tiny.toml") == scenario_of(str(CONFIGS / "tiny.toml")) == TINY
    assert scenario_of(TINY.tables()) == TINY


def test_nothing_given_changes_nothing():
    assert scenario_of(TINY, **dict.fromkeys(KEYWORDS)) is TINY


@pytest.mark.parametrize(
    ("total", "parts"),
    [(199, [140, 59]), (100, [70, 30]), (398, [280, 118]), (np.int64(150), [106, 44]), (60.0, [42, 18])],
)
def test_traders_are_divided_as_the_scenario_divides_them(total, parts):
    # 140 and 59 accounts: of 100, 70.35 and 29.65
    assert counts(scenario_of(TINY, n_traders=total)) == parts


def test_the_median_leverage_is_that_of_every_cohort_that_has_one():
    traders = [cohort for cohort in scenario_of(TINY, leverage_median=12.0).population if cohort.kind == "trader"]
    assert [cohort.leverage_median for cohort in traders] == [12.0, 12.0]


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("open_interest_usd", "exchange.open_interest_usd", 10.0e6),
        ("fund_usd", "fund.initial_usd", 1.0e6),
        ("volume_usd_per_day", "liquidity.volume_usd_per_day", 1.0e8),
        ("vol_annual", "market.vol_annual", 0.5),
        ("horizon_hours", "run.horizon_hours", 2.0),
    ],
)
def test_an_argument_is_a_key_of_the_scenario(name, key, value):
    assert value_at(scenario_of(TINY, **{name: value}).tables(), key) == value
    assert scenario_of(TINY, **{name: np.float64(value)}) == scenario_of(TINY, **{key: value})


def test_any_other_key_goes_by_its_dotted_name():
    assert scenario_of(TINY, **{"exchange.disposal.participation": 0.05}).exchange.disposal.participation == 0.05


def test_an_unknown_argument_is_named_with_the_nearest():
    with pytest.raises(TypeError, match=r"^InsuranceFundModel has no argument 'n_trader'; did you mean 'n_traders'\?$"):
        scenario_of(TINY, n_trader=5)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"n_traders": 10.5}, "n_traders: should be a whole number, got 10.5"),
        ({"n_traders": -5}, "count: should be greater than or equal to 1"),
        ({"fund_usd": -1.0}, "fund.initial_usd: should be greater than"),
        ({"leverage_median": 500.0}, "leverage_median: should be less than or equal to 200"),
        ({"market.vol_anual": 1.0}, "market.vol_anual: unknown key; did you mean 'vol_annual'?"),
    ],
)
def test_a_wrong_value_is_one_line(given, said):
    with pytest.raises(ScenarioError) as error:
        scenario_of(TINY, **given)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["n_traders", "leverage_median"])
def test_a_book_of_given_accounts_has_no_crowd_to_change(name):
    with pytest.raises(ScenarioError, match=f"^{name}: no cohort is drawn"):
        scenario_of(CONFIGS / "article_example.toml", **{name: 10})


def test_a_scenario_that_batch_run_took_apart_is_explained():
    with pytest.raises(TypeError, match=r"got tuple; batch_run iterates .* \{'scenario': \[scenario\]\}"):
        scenario_of(next(iter(TINY)))


def test_several_symbols_are_refused():
    with pytest.raises(ScenarioError, match=r"\[\[asset\]\]: several symbols are run by stress.run"):
        scenario_of(CONFIGS / "cross_margin.toml")


# --- scenarios of Mesa 3.5: objects whose attributes are parameters


class Told(SimpleNamespace):
    """A stand-in: what it is made with, and defaults on its class."""

    def to_dict(self):
        defaults = {name: getattr(self, name) for name in getattr(type(self), "__annotations__", {})}
        return {**defaults, **vars(self), "model": None, "_scenario_id": 0}


def test_a_scenario_of_mesa_gives_flat_arguments():
    assert from_mesa(Told(n_traders=50, rng=3), {"fund_usd": None}, None) == (None, {"n_traders": 50}, 3)


def test_arguments_beside_a_scenario_of_mesa_come_first():
    _, flat, rng = from_mesa(Told(n_traders=50, rng=3), {"n_traders": 60}, 4)
    assert (flat, rng) == ({"n_traders": 60}, 4)


def test_any_other_scenario_is_left_alone():
    flat = {"n_traders": None}
    assert from_mesa(TINY, flat, 1) == (TINY, flat, 1)


def test_what_mesa_makes_anew_on_a_reset_still_knows_our_scenario():
    again = type(to_mesa(Told, TINY, 5))(rng=None)
    assert from_mesa(again, {"n_traders": 60}, None) == (TINY, {"n_traders": 60}, None)
