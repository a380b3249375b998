"""Which column is which."""

from pathlib import Path

import pytest

from stress.snapshot.columns import ALIASES, OPTIONAL, REQUIRED, match, plain
from stress.toml import ScenarioError

FILE = Path("positions.csv")


def matched(*headers, given=()):
    return match(FILE, headers, given)


@pytest.mark.parametrize(("name", "alias"), [(name, alias) for name in ALIASES for alias in ALIASES[name]])
def test_every_alias_is_understood_in_any_case_and_spacing(name, alias):
    others = [other for other in REQUIRED if other != name]
    for written in (alias, alias.upper(), alias.replace("_", " ").title(), alias.replace("_", "")):
        assert matched(*others, written)[name] == len(others)


def test_no_alias_means_two_things():
    words = [plain(word) for name in (*REQUIRED, *OPTIONAL) for word in (name, *ALIASES[name])]
    assert len(words) == len(set(words))


def test_money_that_includes_unrealized_profit_is_no_collateral():
    with pytest.raises(ScenarioError, match="missing column collateral"):
        matched("account", "symbol", "qty", "entry", "mode", "equity", "margin_balance")


def test_missing_columns_are_named_together_with_what_the_file_has():
    with pytest.raises(ScenarioError, match=r"^positions.csv: missing columns qty, mode .*'foo'"):
        matched("account", "symbol", "entry", "collateral", "foo")[0]
    with pytest.raises(ScenarioError, match="missing column mode"):
        matched("account", "symbol", "qty", "entry", "collateral")


def test_what_the_command_line_states_is_not_missed():
    assert "mode" not in matched("account", "qty", "entry", "collateral", given=("symbol", "mode"))


def test_two_columns_of_one_meaning_are_refused_unless_one_has_our_name():
    rest = ("account", "symbol", "entry", "collateral", "mode")
    with pytest.raises(ScenarioError, match="'size' and 'Amount' both mean qty"):
        matched(*rest, "size", "Amount")
    assert matched(*rest, "size", "qty")["qty"] == 6
    with pytest.raises(ScenarioError, match="both mean qty"):
        matched(*rest, "qty", "Qty")
