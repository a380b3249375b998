import pytest

from stress import toml
from stress.toml import ScenarioError


@pytest.fixture
def write(tmp_path):
    """Write a TOML file and return its path."""

    def make(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return make


# --- reading


def test_a_file_becomes_tables(write):
    assert toml.read(write("a.toml", "[run]\nname = 'a'")) == {"run": {"name": "a"}}


def test_extends_lays_a_file_over_another(write):
    write("base.toml", "[run]\nname = 'base'\nseed = 3")
    path = write("a.toml", "extends = 'base.toml'\n[run]\nname = 'a'")
    assert toml.read(path) == {"run": {"name": "a", "seed": 3}}


def test_extends_is_relative_to_the_file_that_says_it(write):
    write("venues/base.toml", "extends = '../root.toml'\n[fund]\nx = 1")
    write("root.toml", "[run]\nseed = 3")
    assert toml.read(write("mine/a.toml", "extends = '../venues/base.toml'")) == {"run": {"seed": 3}, "fund": {"x": 1}}


def test_a_file_is_relative_to_the_scenario_file_that_says_it(write, tmp_path):
    write("base/base.toml", "[[population]]\nfile = 'b.parquet'\n[[population]]\nfile = '/c.parquet'")
    path = write("a.toml", "extends = 'base/base.toml'\n[run]\nname = 'file'")
    files = [row["file"] for row in toml.read(path)["population"]]
    assert files == [str(tmp_path / "base" / "b.parquet"), "/c.parquet"]


def test_where_a_file_lies_is_left_out_when_its_sha256_is_stated():
    tables = {"a": [{"file": "x", "sha256": "1"}, {"file": "y"}], "file": {"b": 2}}
    assert toml.without_places(tables) == {"a": [{"sha256": "1"}, {"file": "y"}], "file": {"b": 2}}


def test_extends_may_not_come_back_to_itself(write):
    write("b.toml", "extends = 'a.toml'")
    with pytest.raises(ScenarioError, match="'extends' comes back to itself"):
        toml.read(write("a.toml", "extends = 'b.toml'"))


def test_a_file_may_not_extend_itself(write):
    with pytest.raises(ScenarioError, match="'extends' comes back to itself"):
        toml.read(write("a.toml", "extends = 'a.toml'"))


def test_a_missing_base_is_named(write):
    with pytest.raises(ScenarioError, match=r"base\.toml: no such file"):
        toml.read(write("a.toml", "extends = 'base.toml'"))


def unreadable(tmp_path, kind):
    path = tmp_path / "bad.toml"
    if kind == "folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes({"empty": b"", "binary": b"\xff\xfe\x00\x01", "broken": b"[run\nname = "}[kind])
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "no such file"),
        ("folder", "is a folder, not a scenario file"),
        ("empty", "is empty"),
        ("binary", "is not UTF-8 text"),
        ("broken", "not valid TOML: .*line 1"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_of_one_line_that_names_it(tmp_path, kind, message):
    with pytest.raises(ScenarioError, match=message) as raised:
        toml.read(unreadable(tmp_path, kind))
    assert str(raised.value).startswith(f"{tmp_path}/bad.toml: ")
    assert "\n" not in str(raised.value)


def test_a_path_below_a_file_is_an_error_of_one_line(write):
    with pytest.raises(ScenarioError, match="Not a directory"):
        toml.read(write("a.toml", "x = 1") / "b.toml")


# --- merging


def test_merging_keeps_what_is_not_said_again():
    assert toml.merge({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}}) == {"a": {"x": 1, "y": 3}}


def test_arrays_are_replaced_whole():
    assert toml.merge({"layer": [1, 2, 3]}, {"layer": [4]}) == {"layer": [4]}


def test_a_table_of_another_kind_is_replaced_whole():
    below, above = {"fee": {"kind": "a", "rate": 1}}, {"fee": {"kind": "b"}}
    assert toml.merge(below, above) == {"fee": {"kind": "b"}}


def test_a_table_of_the_same_kind_is_merged():
    below = {"fee": {"kind": "a", "rate": 1}}
    assert toml.merge(below, {"fee": {"kind": "a", "x": 2}}) == {"fee": {"kind": "a", "rate": 1, "x": 2}}
    assert toml.merge(below, {"fee": {"x": 2}}) == {"fee": {"kind": "a", "rate": 1, "x": 2}}


def test_merging_changes_neither_side():
    below, above = {"a": {"x": 1}}, {"a": {"y": 2}}
    toml.merge(below, above)
    assert (below, above) == ({"a": {"x": 1}}, {"a": {"y": 2}})


# --- presets


def test_a_preset_lies_below_the_scenario():
    tables = toml.with_preset({"exchange": {"preset": "binance_usdm", "lot": 0.01}}, "a.toml")
    assert tables["exchange"]["lot"] == 0.01
    assert len(tables["tier"]) == 12


def test_a_scenario_without_a_preset_is_left_alone():
    assert toml.with_preset({"exchange": {"lot": 0.01}}, "a.toml") == {"exchange": {"lot": 0.01}}


def test_what_a_preset_says_about_itself_is_not_part_of_the_scenario():
    assert "about" not in toml.with_preset({"exchange": {"preset": "binance_usdm"}}, "a.toml")


def test_an_unknown_preset_names_the_known_ones_and_the_nearest():
    with pytest.raises(ScenarioError, match=r"unknown preset 'binance', known: .*binance_usdm.*did you mean"):
        toml.with_preset({"exchange": {"preset": "binance"}}, "a.toml")


@pytest.mark.parametrize("path", sorted(toml.PRESETS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_preset_is_dated_and_names_its_sources(path):
    about = toml.read(path)["about"]
    assert about["as_of"][:2] == "20"
    assert about["sources"]


# --- overrides


def test_a_dotted_name_sets_a_key():
    assert toml.override({"fund": {"x": 1, "y": 2}}, {"fund.x": 5}, "") == {"fund": {"x": 5, "y": 2}}


def test_a_dotted_name_makes_the_tables_that_are_missing():
    assert toml.override({}, {"a.b.c": 5}, "") == {"a": {"b": {"c": 5}}}


def test_a_number_in_the_name_selects_a_row():
    assert toml.override({"tier": [{"x": 1}, {"x": 2}]}, {"tier.1.x": 5}, "") == {"tier": [{"x": 1}, {"x": 5}]}


@pytest.mark.parametrize("row", ["2", "-1", "x"])
def test_a_row_that_does_not_exist_is_an_error(row):
    with pytest.raises(ScenarioError, match=rf"a.toml: tier\.{row}\.x: '{row}' is not a row of 0\.\.1"):
        toml.override({"tier": [{"x": 1}, {"x": 2}]}, {f"tier.{row}.x": 5}, "a.toml")


def test_a_row_given_as_a_word_keeps_its_kind():
    assert toml.override({"layer": ["fund", "adl"]}, {"layer.1.capacity": 0.5}, "")["layer"] == [
        "fund",
        {"kind": "adl", "capacity": 0.5},
    ]


def test_another_kind_drops_the_keys_of_the_old_one_but_keeps_money():
    market = {"kind": "gbm", "price_usd": 5.0, "vol_annual": 0.5}
    changed = toml.override({"market": market}, {"market.kind": "scripted"}, "")
    assert changed == {"market": {"kind": "scripted", "price_usd": 5.0}}


def test_the_same_kind_again_changes_nothing():
    market = {"kind": "gbm", "vol_annual": 0.5}
    assert toml.override({"market": market}, {"market.kind": "gbm"}, "") == {"market": market}


def test_overriding_leaves_the_tables_as_they_were():
    tables = {"tier": [{"x": 1}], "fund": {"x": 1}}
    toml.override(tables, {"tier.0.x": 5, "fund.x": 5}, "")
    assert tables == {"tier": [{"x": 1}], "fund": {"x": 1}}


# --- --set


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b=5", 5),
        ("a.b = 5e7", 5e7),
        ("a.b=true", True),
        ("a.b=[1, 2]", [1, 2]),
        ("a.b='5'", "5"),
        ("a.b=gbm", "gbm"),
        ("a.b=two words", "two words"),
        ("a.b=x=y", "x=y"),
        ("a.b=", ""),
    ],
)
def test_a_setting_is_toml_and_a_bare_word_a_string(text, value):
    assert toml.parse_setting(text) == ("a.b", value)


@pytest.mark.parametrize("text", ["a.b", "=5", " = 5", ""])
def test_a_setting_without_name_or_value_is_an_error(text):
    with pytest.raises(ScenarioError, match=r"expected table\.key=value"):
        toml.parse_setting(text)


# --- a law of leverage in its short form and as a table; data files


def test_a_law_takes_the_place_of_its_short_form_and_the_other_way_round():
    row = {"leverage_median": 5.0, "leverage_sigma": 0.3, "count": 10}
    law = toml.override(row, {"leverage": "popular"}, "x")
    assert law == {"leverage": "popular", "count": 10}
    assert toml.override(law, {"leverage_median": 7.0}, "x") == {"leverage_median": 7.0, "count": 10}


def test_a_data_file_is_looked_for_beside_the_scenario(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "below.toml").write_text('[[population]]\nsize = { kind = "empirical", file = "book.csv" }\n')
    above = tmp_path / "above.toml"
    above.write_text('extends = "deep/below.toml"\n[run]\nname = "x"\n')
    [row] = toml.read(above)["population"]
    assert row["size"]["file"] == str(tmp_path / "deep" / "book.csv")
