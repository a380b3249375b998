"""The reference of scenario keys is what the classes say."""

import re

import scenario_keys

from stress.markets.base import Market
from stress.scenario import Scenario


def test_the_page_is_as_generated():
    assert scenario_keys.PAGE.read_text(encoding="utf-8") == scenario_keys.page()


def test_every_table_and_every_market_is_on_it():
    page = scenario_keys.page()
    assert set(re.findall(r"^## `\[+(\w+)\]+`", page, re.M)) == set(Scenario.model_fields)
    assert all(f'`kind = "{kind}"`' in page for kind, each in Market.family.items() if "stress." in each.__module__)


def test_a_key_has_its_bounds_its_default_and_what_its_comment_says():
    page = scenario_keys.page()
    assert "| `move` | number, above -1, at most 10 | `0` | relative: -0.3 is a fall of 30 % |" in page
    assert "| `halt` | true or false | `false` | the engine neither checks nor trades meanwhile |" in page
