"""The page on presets names every preset and every key of the comparison's document."""

import re
from dataclasses import fields
from pathlib import Path

from stress import presets
from stress.scenario import Scenario
from stress.summary.comparison import Comparison, Rulebook
from stress.toml import tomllib

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "presets.md").read_text(encoding="utf-8")


def test_every_preset_and_every_label_stands_on_the_page():
    assert [name for name in (*presets.names(), *presets.LABELS) if f"`{name}`" not in PAGE] == []


def test_every_key_of_the_document_stands_on_the_page():
    names = {field.name for kind in (Comparison, Rulebook) for field in fields(kind)}
    assert [name for name in names if f'"{name}"' not in PAGE] == []


def test_the_rulebook_of_the_page_is_valid():
    (example,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, flags=re.M | re.S)
    rest = tomllib.loads((ROOT / "configs" / "tiny.toml").read_text())
    rest.pop("exchange")
    rest["liquidity"]["permanent_share"] = 0.0
    rules = tomllib.loads(example)
    rules["exchange"]["open_interest_usd"] = 20.0e6
    scenario = Scenario.from_tables({**rest, **rules})
    assert (scenario.exchange.fee.kind, [layer.kind for layer in scenario.layer]) == (
        "confiscate",
        ["fund", "socialize"],
    )
