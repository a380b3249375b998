"""The reference of scenario keys is what the classes say."""

import re

import scenario_keys

from stress.markets.base import Market
from stress.scenario import Run, Scenario


def test_the_page_is_as_generated():
    assert scenario_keys.PAGE.read_text(encoding="utf-8") == scenario_keys.page()


def test_every_table_and_every_market_is_on_it():
    page = scenario_keys.page()
    assert set(re.findall(r"^## `\[+(\w+)\]+`", page, re.M)) == set(Scenario.model_fields)
    assert all(f'`kind = "{kind}"`' in page for kind, each in Market.family.items() if "stress." in each.__module__)


def test_a_key_has_its_bounds_its_default_its_source_and_what_its_comment_says():
    page = scenario_keys.page()
    assert "| `move` | number, above -1, at most 10 | `0` |  | relative: -0.3 is a fall of 30 % |" in page
    assert "| `halt` | true or false | `false` |  | the engine neither checks nor trades meanwhile |" in page
    assert "| `jump_mean` | number, at least -0.5, at most 0.5 | `-0.005` | illustrative | log |" in page
    assert "| `jumps_per_year` | number | `50` | docs/method.md, section 11 | hourly BTC jumps a year, 39-69 |" in page


def test_every_number_says_where_it_comes_from():
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| `([-\d_.e]+)` \| ([^|]*) \|", scenario_keys.page(), re.M)
    run = set(Run.model_fields)
    assert not [name for name, value, source in rows if float(value) not in (0, 1) and not source and name not in run]
