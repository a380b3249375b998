"""Overlays and ranges: what may vary, and one clear line for whatever is typed wrong."""

from pathlib import Path

import pytest

from stress import toml
from stress.scenario import Scenario, ScenarioError

TINY = toml.read(Path(__file__).parents[2] / "configs" / "tiny.toml")
RANGE = {"name": "market.vol_annual", "low": 1.0, "high": 3.0, "source": "illustrative"}


def overlay(changes, *, axis="regime", name="hot"):
    return {"axis": axis, "name": name, "set": changes}


def scenario(*overlays, ranges=()):
    return Scenario.from_tables({**TINY, "overlay": list(overlays), "uncertain": list(ranges)}, source="f.toml")


HOT = overlay({"market.vol_annual": 3.0})
BAD = {
    "wrong name": (
        [overlay({"market.vol_anual": 3.0})],
        [],
        "overlay.0 (regime/hot): market.vol_anual: unknown key; did",
    ),
    "wrong value": ([overlay({"market.vol_annual": -1.0})], [], "overlay.0 (regime/hot): market.vol_annual: should be"),
    "no such row": ([overlay({"population.9.share": 0.1})], [], "population.9.share: '9' is not a row of 0..3"),
    "repeated pair": ([HOT, HOT], [], "overlay.1.name: 'hot' is repeated on the axis 'regime'"),
    "wrong key": ([{**HOT, "nmae": "x"}], [], "overlay.0.nmae: unknown key; did you mean 'name'?"),
    "nothing set": ([overlay({})], [], "overlay.0.set"),
    "other random numbers": ([overlay({"run.seed": 1})], [], "run.seed cannot vary"),
    "other overlays": ([overlay({"overlay.0.name": "x"})], [], "overlay.0.name cannot vary"),
    "wrong name of a range": (
        [],
        [{**RANGE, "name": "market.vol_anual"}],
        "uncertain.0.low: market.vol_anual: unknown",
    ),
    "low end not valid": ([], [{**RANGE, "low": -1.0}], "uncertain.0.low: market.vol_annual: should be"),
    "high end not valid": ([], [{**RANGE, "high": 9.0}], "uncertain.0.high: market.vol_annual: should be"),
    "low above high": ([], [{**RANGE, "low": 4.0}], "low 4 is not below high 3"),
    "log of zero": ([], [{**RANGE, "low": 0.0, "law": "log_uniform"}], "low 0 must be above 0"),
    "unknown law": ([], [{**RANGE, "law": "normal"}], "uncertain.0.law"),
    "no source": ([], [{**RANGE, "source": ""}], "uncertain.0.source"),
    "a count": ([], [{**RANGE, "name": "population.0.count"}], "population.0.count is 140, not a real number"),
    "repeated range": ([], [RANGE, RANGE], "uncertain.1.name: 'market.vol_annual' is repeated"),
}


@pytest.mark.parametrize(("overlays", "ranges", "said"), BAD.values(), ids=BAD)
def test_what_is_typed_wrong_is_one_line_that_names_it(overlays, ranges, said):
    with pytest.raises(ScenarioError) as error:
        scenario(*overlays, ranges=ranges)
    assert said in str(error.value)
    assert str(error.value).startswith("f.toml: ")
    assert "\n" not in str(error.value)


def test_an_overlay_sets_its_values():
    assert scenario(HOT).overlaid("hot").market.vol_annual == 3.0


def test_names_may_be_nested_tables_and_a_kind_comes_before_its_keys():
    changes = {"exchange": {"disposal": {"participation": 0.5, "kind": "participation"}}}
    assert scenario(overlay(changes)).overlaid("hot").exchange.disposal.participation == 0.5


def test_of_several_overlays_the_later_one_wins():
    both = scenario(HOT, overlay({"market.vol_annual": 1.0}, name="cold"))
    assert both.overlaid("hot", "cold").market.vol_annual == 1.0


def test_a_variant_has_no_overlays_and_no_ranges():
    variant = scenario(HOT, ranges=[RANGE]).overlaid("hot")
    assert (variant.overlay, variant.uncertain) == ((), ())


def test_a_variant_is_the_scenario_with_its_values_typed_in():
    assert scenario(HOT).overlaid("hot").sha256 == scenario().with_(**{"market.vol_annual": 3.0}).sha256


def test_a_name_on_two_axes_needs_its_axis():
    twice = scenario(HOT, overlay({"market.vol_annual": 2.5}, axis="clock"))
    with pytest.raises(ScenarioError, match="on several axes: regime/hot, clock/hot"):
        twice.overlaid("hot")
    assert twice.overlaid("clock/hot").market.vol_annual == 2.5


def test_an_unknown_overlay_names_the_nearest():
    with pytest.raises(ScenarioError, match="unknown overlay 'hott'; did you mean 'hot'"):
        scenario(HOT).overlaid("hott")


def test_overrides_come_after_overlays():
    tables = {**TINY, "overlay": [HOT]}
    loaded = Scenario.from_tables(tables, overlay=["hot"], overrides={"market.vol_annual": 2.2})
    assert loaded.market.vol_annual == 2.2


def test_the_hash_knows_overlays_and_ranges_and_a_scenario_without_them_is_as_before():
    assert len({scenario().sha256, scenario(HOT).sha256, scenario(ranges=[RANGE]).sha256}) == 3
    assert "overlay" not in scenario().tables()


def test_the_resolved_file_reads_back_as_the_same_scenario():
    given = scenario(HOT, ranges=[RANGE])
    assert Scenario.from_tables(given.tables()).sha256 == given.sha256


# --- another preset than the file's own


IN_COIN = overlay({"fund.in_coin": 0.3}, axis="fund", name="coin")


def chosen(preset, *overlays, ranges=()):
    plain = toml.merge(TINY, {"liquidity": {"permanent_share": 0.0}})
    tables = {**plain, "overlay": list(overlays), "uncertain": list(ranges)}
    return Scenario.from_tables(tables, source="f.toml", overrides={"exchange.preset": preset})


def test_what_the_preset_of_an_override_forbids_is_left_out_with_its_reason():
    found = chosen("binance_usdm", HOT, IN_COIN)
    assert [row.name for row in found.overlay] == ["hot"]
    assert found.left_out == ("overlay.1 (fund/coin): fund.in_coin: must be 0 where fund.assets are listed",)


def test_a_range_with_an_end_that_the_preset_forbids_is_left_out():
    found = chosen("kraken", ranges=[RANGE, {**RANGE, "name": "population.2.leverage", "low": 5.0, "high": 70.0}])
    assert [row.name for row in found.uncertain] == ["market.vol_annual"]
    assert found.left_out[0].startswith("uncertain.1.high: population.2.leverage: ")


def test_under_a_preset_that_allows_them_all_variants_stay():
    found = chosen("bybit_linear", HOT, IN_COIN)
    assert (len(found.overlay), found.left_out) == (2, ())


def test_the_files_own_preset_forbids_a_variant_with_an_error():
    tables = toml.merge(TINY, {"exchange": {"preset": "binance_usdm"}, "liquidity": {"permanent_share": 0.0}})
    with pytest.raises(ScenarioError, match=r"^f.toml: overlay.0 \(fund/coin\): fund.in_coin: must be 0"):
        Scenario.from_tables({**tables, "overlay": [IN_COIN]}, source="f.toml")


def test_a_mistake_in_a_variant_is_an_error_under_any_preset():
    with pytest.raises(ScenarioError, match=r"overlay.0 \(regime/hot\): market.vol_anual: unknown key"):
        chosen("binance_usdm", overlay({"market.vol_anual": 3.0}))
