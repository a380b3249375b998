"""What a run is told once before it starts."""

from pathlib import Path

import pytest

from stress.cli import main
from stress.notices import notices
from stress.scenario import Scenario, ScenarioError

CONFIGS = Path(__file__).parents[2] / "configs"
DEFAULT, TINY = CONFIGS / "btc_perpetual.toml", CONFIGS / "tiny.toml"


def said(config, about="replace", **overrides):
    return [line for line in notices(Scenario.load(config, overrides=overrides)) if about in line]


@pytest.mark.parametrize("config", ["btc_perpetual", "tiny", "inverse_tiny", "textbook_waterfall"])
def test_nothing_is_said_where_no_venue_is_claimed(config):
    assert said(CONFIGS / f"{config}.toml", "") == []


def test_an_unverified_value_is_said_before_what_is_replaced():
    lines = said(DEFAULT, "", **{"exchange.preset": "kraken"})
    assert [line.split()[1] for line in lines] == ["preset", "the", "left"]


def test_a_key_of_the_file_that_replaces_the_presets_own_is_named_with_both_values():
    line = said(DEFAULT, **{"exchange.preset": "binance_usdm"})[0]
    assert line == (
        "warning: the scenario's own values replace those of preset binance_usdm: "
        "exchange.disposal = participation (participation 0.1) "
        "instead of limit_at_bankruptcy (participation 0.1)"
    )


def test_what_the_preset_forbids_is_one_line_however_much_it_is():
    (line,) = said(DEFAULT, "left out", **{"exchange.preset": "binance_usdm"})
    assert line.startswith("warning: left out, as preset binance_usdm forbids it: overlay.7 (held in the coin/30 %")


@pytest.mark.parametrize(
    ("overrides", "word"),
    [
        ({"exchange.fee": "confiscate"}, "exchange.fee = confiscate"),
        (
            {"exchange.fee": {"kind": "capped_fee", "rate": 0.02}},
            "= capped_fee (rate 0.02) instead of capped_fee (rate 0.0125)",
        ),
        ({"funding.clamp": 0.002}, "funding.clamp = 0.002 instead of 0.003"),
        ({"layer": ["fund", "socialize"]}, "layer = fund > socialize instead of fund > adl > socialize"),
        (
            {"tier": [{"cap_usd": 1e12, "max_leverage": 50, "maintenance_margin_rate": 0.01}]},
            "tier: 1 tiers instead of 12",
        ),
    ],
)
def test_any_article_of_the_rulebook_may_be_replaced_and_is_said(overrides, word):
    line = said(DEFAULT, **{"exchange.preset": "binance_usdm"}, **overrides)[0]
    assert word in line
    assert "\n" not in line


def test_a_resolved_configuration_that_only_spells_the_preset_out_is_silent():
    plain = {"exchange.preset": "dydx_v4", "liquidity.permanent_share": 0.0}
    tables = Scenario.load(TINY, overrides=plain).tables()
    del tables["exchange"]["disposal"], tables["funding"]
    resolved = Scenario.from_tables(Scenario.from_tables(tables).tables())
    assert not [line for line in notices(resolved) if "replace" in line]


def test_check_tells_it_on_stderr(capsys):
    small = ["--set", "exchange.preset=binance_usdm", "--set", "liquidity.permanent_share=0"]
    assert main(["check", str(TINY), *small]) == 0
    streams = capsys.readouterr()
    assert "exchange.disposal = participation (participation 0.2) instead of limit_at_bankruptcy (" in streams.err
    assert "warning" not in streams.out


def test_leverage_above_the_venues_is_refused_with_a_way_out():
    with pytest.raises(ScenarioError) as raised:
        Scenario.load(DEFAULT, overrides={"exchange.preset": "eu_retail"})
    assert str(raised.value).endswith(
        "population.1.leverage_median: 4.5 is above the first tier's maximum 2; lower it, or let accounts post this "
        "venue's margin: fundstress compare CONFIG --presets OTHER,eu_retail"
    )
    assert "\n" not in str(raised.value)
