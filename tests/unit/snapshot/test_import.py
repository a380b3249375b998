"""``fundstress import``: what it takes, what it refuses in which row, and what it writes."""

import json
import os
import pickle
import tomllib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import stress
from stress.cli import main
from stress.engines.population import draw_population
from stress.snapshot import reading

BASE = Path(__file__).parents[3] / "configs" / "tiny.toml"
FULL = BASE.with_name("btc_perpetual.toml")
HEADER = "account,symbol,qty,entry,collateral,mode"
GOOD = ("a,BTCUSDT,1.5,61000,9150,isolated", "b,BTCUSDT,-1.5,64000,20000,cross")
MARK = ("--mark", "BTCUSDT=63000")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An otherwise empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def take(folder, capsys):
    """Import text, or bytes, with options; return the exit code, what stdout and what stderr said."""

    def imported(text, *options, mark=MARK, name="positions.csv", out="ours.toml", base=BASE):
        data = text if isinstance(text, bytes) else text.encode()
        Path(name).write_bytes(data)
        code = main(["import", name, "--base", str(base), "--out", out, *mark, *options])
        said = capsys.readouterr()
        return code, said.out, said.err

    return imported


def table(*rows, header=HEADER):
    """Return the text of a CSV file: good rows, and others after them."""
    return "\n".join((header, *GOOD, *rows)) + "\n"


def written(folder):
    return sorted(path.name for path in folder.iterdir())


def book(path="ours.parquet"):
    return pq.read_table(path).to_pydict()


def report(result):
    return json.loads(result[1])


def findings(result):
    return {row["name"]: row for row in report(result)["findings"]}


# --- what is written ------------------------------------------------------------------------------------------------


def test_a_good_file_becomes_a_scenario_and_a_book_beside_it(take, folder):
    code, out, err = take(table())
    assert (code, err) == (0, "")
    assert written(folder) == ["ours.parquet", "ours.toml", "positions.csv"]
    assert "2 of 2 rows (1 isolated, 1 cross)" in out
    scenario = stress.Scenario.load("ours.toml")
    assert scenario.conditional_on_book
    assert (scenario.market.price_usd, scenario.run.name) == (63_000.0, "ours")
    assert [cohort.kind for cohort in scenario.population] == ["book", "maker"]


def test_the_book_keeps_every_number_and_the_row_it_came_from(take):
    take(table("c,BTCUSDT,0.25,62000.5,1600.25,isolated"))
    found = book()
    assert found["account"] == ["a", "b", "c"]
    assert (found["qty"], found["row"]) == ([1.5, -1.5, 0.25], [2, 3, 4])
    assert (found["entry"][2], found["collateral"][2], found["mode"][2]) == (62000.5, 1600.25, "isolated")


def test_the_scenario_has_what_a_user_should_look_at(take):
    take(table(), "--set", "fund.initial_usd=5e7", "--set", "exchange.lot=0.0001")
    text = Path("ours.toml").read_text()
    tables = tomllib.loads(text)
    assert tables["exchange"] == {"open_interest_usd": pytest.approx(94_500.0, rel=1e-3), "lot": 0.0001}
    assert tables["fund"] == {"initial_usd": 5e7}
    assert tables["liquidity"] == {"volume_usd_per_day": 400e6}
    assert text.startswith("# The book of 'positions.csv': 2 positions in 'BTCUSDT'.")


def test_overlays_of_the_laws_are_left_out_and_the_others_kept(take):
    take(table(), base=FULL)
    axes = {row["axis"] for row in tomllib.loads(Path("ours.toml").read_text())["overlay"]}
    assert "size law" not in axes
    assert {"regime", "participation cap"} <= axes


def test_time_and_mark_are_noted_in_the_scenario_and_in_the_book(take):
    take(table(), "--as-of", "2026-03-01T12:00+00:00")
    about = json.loads(pq.read_schema("ours.parquet").metadata[b"fundstress.snapshot"])
    assert about == {"contract": "linear", "symbol": "BTCUSDT", "mark": 63000.0, "as_of": "2026-03-01T12:00:00+00:00"}
    assert stress.Scenario.load("ours.toml").population[0].as_of == "2026-03-01T12:00:00+00:00"


def test_an_import_is_repeatable_to_the_byte(take):
    take(table())
    take(table(), out="again.toml")
    assert Path("ours.parquet").read_bytes() == Path("again.parquet").read_bytes()


def test_the_report_is_one_json_document(take):
    code, out, err = take(table(), "--json")
    found = json.loads(out)
    assert (code, err, found["schema"]) == (0, "", "fundstress.import/1")
    assert (found["rows"], found["positions"], found["cross"]) == (2, 2, 1)
    assert found["long"] == pytest.approx(1.5 * 63_000.0, rel=1e-3)
    assert found["collateral"] == 29_150.0


def test_makers_take_the_difference_of_the_sides_and_the_report_says_so(take):
    found = report(take(table("c,BTCUSDT,0.5,62000,5000,isolated"), "--json"))
    assert found["to_makers"] == pytest.approx(-0.5 * 63_000.0, rel=1e-2)  # makers are short what the longs have more
    assert found["imbalance"] == pytest.approx(0.25, rel=1e-2)


def test_rounding_to_the_grids_is_reported(take):
    found = report(take(table("c,BTCUSDT,0.0013,62000,50,isolated"), "--json"))
    assert 0.0 < found["rounding"]["qty"] < 0.001 * 63_000.0


@pytest.mark.parametrize("taken", ["ours.toml", "ours.parquet"])
def test_nothing_is_ever_overwritten(take, folder, taken):
    Path(taken).write_text("mine")
    code, _, err = take(table())
    assert (code, err.count("\n")) == (2, 1)
    assert "exists already" in err
    assert Path(taken).read_text() == "mine"
    assert written(folder) == sorted([taken, "positions.csv"])


# --- columns, units, formats ----------------------------------------------------------------------------------------


def test_columns_have_aliases_and_a_side(take):
    code, *_ = take(
        "UID,Pair,Position Size,Side,Avg Price,Margin,Margin Mode\na,X,2,Short,64000,20000,Crossed\n", mark=()
    )
    assert code == 0
    assert (book()["qty"], book()["mode"]) == ([-2.0], ["cross"])


@pytest.mark.parametrize(
    ("side", "qty", "signed"),
    [("long", 2, 2.0), ("sell", 2, -2.0), ("short", -2, -2.0), ("BOTH", -2, -2.0), ("", 2, 2.0)],
)
def test_qty_has_its_own_sign_or_that_of_its_side(take, side, qty, signed):
    code, *_ = take(f"{HEADER},side\na,BTCUSDT,{qty},63000,40000,cross,{side}\n")
    assert (code, book()["qty"]) == (0, [signed])


def test_quantities_in_usd_are_divided_by_the_mark(take):
    take(f"{HEADER}\na,BTCUSDT,126000,63000,40000,cross\n", "--qty-unit", "usd")
    assert book()["qty"] == [2.0]


def test_mode_and_symbol_may_be_stated_for_all_rows(take):
    code, *_ = take("account,qty,entry,collateral\na,1,63000,9000\n", "--mode", "cross", "--symbol", "BTCUSDT")
    assert (code, book()["mode"], book()["symbol"]) == (0, ["cross"], ["BTCUSDT"])


def test_semicolons_and_decimal_commas(take):
    text = f"{HEADER.replace(',', ';')}\na;BTCUSDT;1,5;61.000,5;9150;isolated\n"
    code, _, err = take(text)
    assert code == 2
    assert "row 2: not a number, e.g. qty '1,5'" in err
    code, *_ = take(text, "--decimal", "comma")
    assert (code, book()["qty"], book()["entry"]) == (0, [1.5], [61000.5])


def test_thousands_separators_in_quotation_marks(take):
    code, *_ = take(f'{HEADER}\na,BTCUSDT,1.5,"61,000.5","9,150",isolated\n')
    assert (code, book()["entry"], book()["collateral"]) == (0, [61000.5], [9150.0])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_byte_order_mark_line_ends_and_empty_lines(take, end):
    text = table("", "c,BTCUSDT,0.5,62000,5000,isolated", "", "d,BTCUSDT,x,62000,5000,isolated").replace("\n", end)
    code, _, err = take(b"\xef\xbb\xbf" + text.encode())
    assert code == 2
    assert "row 7: not a number, e.g. qty 'x'" in err


def test_parquet_is_read_like_csv(take, folder):
    columns = {"uid": [1, 2], "symbol": ["B", "B"], "size": [1.0, -1.0], "entry": [62_000, 64_000]}
    numbers = pa.table({**columns, "margin": [9000.0, 9000.0], "mode": pa.array(["cross"] * 2).dictionary_encode()})
    pq.write_table(numbers, "in.parquet")
    code, *_ = take(Path("in.parquet").read_bytes(), mark=("--mark", "B=63000"), name="in.parquet")
    assert (code, book()["account"], book()["row"]) == (0, ["1", "2"], [1, 2])


def test_the_first_mark_of_the_file_is_used_unless_one_is_given(take):
    text = f"{HEADER},mark\na,B,1,62000,9000,cross,62500\nb,B,-1,62000,9000,cross,64000\n"
    found = report(take(text, "--json", mark=()))
    assert (found["mark"], found["mark_from"]) == (62500.0, "the first of the file")
    assert [(row["name"], row["rows"]) for row in found["findings"]] == [("other_mark", [3])]
    found = report(take(text, "--json", mark=("--mark", "B=63999"), out="other.toml"))
    assert (found["mark"], found["mark_from"]) == (63999.0, "given")


def test_without_any_mark_the_report_says_that_it_is_the_bases(take):
    found = report(take(f"{HEADER}\na,B,1,49000,9000,cross\n", "--json", mark=()))
    assert (found["mark"], "--mark" in found["mark_from"]) == (50_000.0, True)


def test_a_stop_is_kept(take):
    text = f"{HEADER},Stop Loss\na,BTCUSDT,1,62000,9000,cross,58000\nb,BTCUSDT,-1,62000,9000,cross,\n"
    assert take(text)[0] == 0
    assert book()["stop"] == [58000.0, None]


def test_one_of_several_symbols_is_chosen_by_name(take):
    text = table("c,ETHUSDT,5,3000,3000,isolated")
    code, _, err = take(text)
    assert code == 2
    assert "holds several symbols, a book has one: choose it with --symbol: 'BTCUSDT', 'ETHUSDT'" in err
    result = take(text, "--symbol", "BTCUSDT", "--json")
    assert (result[0], report(result)["left_out_symbols"]) == (0, ["ETHUSDT"])
    assert findings(result)["other_symbol"]["rows"] == [4]


# --- errors of rows: each with its row number and count -------------------------------------------------------------

BAD_ROWS = {
    "no account": (",BTCUSDT,1,62000,9000,cross", "missing_value"),
    "no symbol": ("c,,1,62000,9000,cross", "missing_value"),
    "no qty": ("c,BTCUSDT,,62000,9000,cross", "missing_value"),
    "no entry": ("c,BTCUSDT,1,,9000,cross", "missing_value"),
    "no collateral": ("c,BTCUSDT,1,62000,,cross", "missing_value"),
    "no mode": ("c,BTCUSDT,1,62000,9000,", "missing_value"),
    "qty": ("c,BTCUSDT,one,62000,9000,cross", "not_a_number"),
    "entry": ("c,BTCUSDT,1,?,9000,cross", "not_a_number"),
    "collateral": ("c,BTCUSDT,1,62000,$9000,cross", "not_a_number"),
    "NaN qty": ("c,BTCUSDT,NaN,62000,9000,cross", "not_finite"),
    "infinite entry": ("c,BTCUSDT,1,inf,9000,cross", "not_finite"),
    "huge collateral": ("c,BTCUSDT,1,62000,1e999,cross", "not_finite"),
    "mode": ("c,BTCUSDT,1,62000,9000,portfolio", "unknown_mode"),
    "zero entry": ("c,BTCUSDT,1,0,9000,cross", "bad_entry"),
    "negative entry": ("c,BTCUSDT,1,-62000,9000,cross", "bad_entry"),
    "negative collateral": ("c,BTCUSDT,1,62000,-9000,cross", "negative_collateral"),
    "liquidatable": ("c,BTCUSDT,1,70000,7001,cross", "liquidatable"),
    "bankrupt": ("c,BTCUSDT,-1,50000,7001,isolated", "liquidatable"),
    "below a tick": ("c,BTCUSDT,1,0.01,1,isolated", "below_tick"),
    "duplicate": ("a,BTCUSDT,1,62000,9000,isolated", "duplicate"),
    "too few values": ("c,BTCUSDT,1,62000", "torn"),
    "too many values": ("c,BTCUSDT,1,62000,9000,cross,7,8", "torn"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_row_is_one_line_with_its_number_and_nothing_is_written(take, folder, case):
    row, _ = BAD_ROWS[case]
    code, out, err = take(table("d,BTCUSDT,0.5,62000,5000,cross", row))
    assert (code, out) == (2, "")
    first, hint = err.splitlines()
    assert first.startswith("fundstress: positions.csv: row 5: ")
    assert "--skip-bad" in hint
    assert written(folder) == ["positions.csv"]


@pytest.mark.parametrize("case", BAD_ROWS)
def test_bad_rows_are_counted_and_may_be_skipped(take, case):
    row, name = BAD_ROWS[case]
    result = take(table(row, "d,BTCUSDT,0.5,62000,5000,cross", row), "--skip-bad", "--json")
    found = findings(result)[name]
    assert (result[0], found["count"], found["rows"], found["level"]) == (0, 2, [4, 6], "error")
    assert book()["account"] == ["a", "b", "d"]


def test_an_account_may_be_in_two_modes_but_not_twice_in_one(take):
    assert take(table("a,BTCUSDT,1,62000,9000,cross"))[0] == 0


@pytest.mark.parametrize(
    ("header", "value", "name"),
    [
        ("side", "sideways", "unknown_side"),
        ("mark", "high", "not_a_number"),
        ("stop", "low", "not_a_number"),
        ("stop", "-5", "bad_stop"),
        ("leverage", "ten", "not_a_number"),
        ("leverage", "inf", "not_finite"),
    ],
)
def test_optional_columns_are_checked_too(take, folder, header, value, name):
    text = f"{HEADER},{header}\na,BTCUSDT,1,62000,9000,cross,\nb,BTCUSDT,1,62000,9000,cross,{value}\n"
    code, _, err = take(text)
    assert (code, "row 3" in err) == (2, True)
    assert written(folder) == ["positions.csv"]
    assert findings(take(text, "--skip-bad", "--json"))[name]["rows"] == [3]


def test_a_long_side_of_negative_quantity_contradicts_itself(take):
    _, _, err = take(f"{HEADER},side\na,BTCUSDT,-1,62000,9000,cross,long\n")
    assert "row 2: qty is negative and side is long" in err


def test_many_kinds_of_problems_are_at_most_ten_lines(take):
    rows = [row for row, _ in BAD_ROWS.values()]
    _, _, err = take(table(*rows, "e,ETHUSDT,1,1,1,cross"), "--strict")
    assert len(err.splitlines()) == 10
    assert err.splitlines()[-1].endswith("more")


def test_many_bad_rows_show_the_first_five_and_how_many(take):
    rows = [f"x{i},BTCUSDT,1,62000,-1,cross" for i in range(40)]
    _, _, err = take(table(*rows))
    assert "40 rows (4, 5, 6, 7, 8, ...): collateral is negative, e.g. -1" in err


# --- left out by rule, and warnings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ("c,BTCUSDT,0,62000,9000,cross", "zero_qty"),
        ("c,BTCUSDT,0.0004,62000,9000,cross", "below_lot"),
    ],
)
def test_rows_without_a_position_are_left_out_and_counted(take, row, name):
    result = take(table(row), "--json")
    found = findings(result)[name]
    assert (result[0], found["count"], found["rows"], found["level"]) == (0, 1, [4], "dropped")
    assert report(result)["positions"] == 2


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ("c,BTCUSDT,1,62900,400,isolated", "above_tier"),
        ("c,BTCUSDT,1,5000,1000,isolated", "far_entry"),
        ("c,BTCUSDT,-1,630000,1000000,isolated", None),
        ("c,BTCUSDT,-1,640000,1000000,isolated", "far_entry"),
        ("c,BTCUSDT,0.001,62000,90000,cross", "tiny"),
        ("c,BTCUSDT,-100,63900,6000,cross", "like_usd"),
    ],
)
def test_what_is_odd_is_a_warning_and_is_kept(take, row, name):
    result = take(table(row), "--json", "--set", "exchange.tier_mode=continuous")
    found = {key: value for key, value in findings(result).items() if key != "above_tier" or name == "above_tier"}
    assert result[0] == 0
    assert [(key, value["rows"], value["level"]) for key, value in found.items()] == (
        [(name, [4], "warning")] if name else []
    )
    assert report(result)["positions"] == 3


def test_a_stated_leverage_above_the_tier_is_a_warning(take):
    text = f"{HEADER},leverage\na,BTCUSDT,1,62000,9000,cross,10\nb,BTCUSDT,-1,62000,9000,cross,500\n"
    assert findings(take(text, "--json"))["above_tier"]["rows"] == [3]


def test_a_stop_beyond_the_mark_is_a_warning(take):
    text = f"{HEADER},stop\na,BTCUSDT,1,62000,9000,cross,64000\nb,BTCUSDT,-1,62000,9000,cross,64000\n"
    assert findings(take(text, "--json"))["stop_reached"]["rows"] == [2]


# --- errors of the file as a whole ----------------------------------------------------------------------------------


def test_sizes_in_usd_are_recognized_when_most_rows_have_them(take, folder):
    rows = "".join(f"x{i},BTCUSDT,{'-' * (i % 2)}126000,63000,12600,isolated\n" for i in range(6))
    code, _, err = take(f"{HEADER}\n{rows}", "--skip-bad")
    assert code == 2
    assert "in 6 of 6 rows the sizes look like USD: use --qty-unit usd" in err
    assert written(folder) == ["positions.csv"]
    assert take(f"{HEADER}\n{rows}", "--qty-unit", "usd")[0] == 0


def test_a_mark_of_another_order_is_recognized(take):
    _, _, err = take(table(), "--skip-bad", mark=("--mark", "BTCUSDT=63"))
    assert "in 2 of 2 rows the entries are more than 10 times off the mark 63: check --mark" in err


def test_strict_refuses_sides_that_differ(take, folder):
    assert take(table(), "--strict")[0] == 0
    code, _, err = take(table("c,BTCUSDT,0.5,62000,5000,isolated"), "--strict", out="other.toml")
    assert code == 2
    assert "the sides differ by 25" in err


def test_a_book_too_large_for_its_grids_is_refused(take):
    _, _, err = take(table("c,BTCUSDT,1e9,63000,1e14,cross", "d,BTCUSDT,-1e9,63000,1e14,cross"))
    assert "exchange.tick is too fine: the book is" in err


BAD_FILES = {
    "empty": (b"", "is empty"),
    "header only": (HEADER.encode(), "no row besides its header"),
    "no rows": (f"{HEADER}\n".encode(), "holds no position"),
    "empty first line": (b"\n" + HEADER.encode(), "row 1 is empty"),
    "missing column": (b"account,symbol,qty,entry,mode\na,b,1,2,cross\n", "missing column collateral"),
    "latin-1": (table("\xe9,BTCUSDT,1,62000,9000,cross").encode("latin-1"), "row 4 is not UTF-8 text"),
    "latin-1 header": ("\xe9,symbol\n".encode("latin-1"), "row 1 is not UTF-8 text"),
    "UTF-16": (table().encode("utf-16"), "is UTF-16 text"),
    "Excel": (b"PK\x03\x04rest", "Excel workbook"),
    "gzip": (b"\x1f\x8b\x08rest", "compressed by gzip"),
    "pickle": (pickle.dumps({"account": [1]}, protocol=4), "a pickle, which is never loaded"),
    "binary": (b"\x00\x01\x02\n\x00", "no line of column names"),
    "torn Parquet": (b"PAR1 and then nothing", "cannot be read"),
    "only zeros": (f"{HEADER}\na,B,0,1,1,cross\n".encode(), "holds no position"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_one_line_exit_2_and_nothing_written(take, folder, case):
    data, expected = BAD_FILES[case]
    code, out, err = take(data)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith("fundstress: positions.csv: ")
    assert expected in err
    assert written(folder) == ["positions.csv"]


def test_a_row_longer_than_a_block_is_one_line(take, monkeypatch, folder):
    monkeypatch.setattr(reading, "LONGEST_ROW", 1 << 10)
    code, _, err = take(table(f"{'x' * 5000},BTCUSDT,1,62000,9000,cross"))
    assert (code, len(err.splitlines())) == (2, 1)
    assert "a row is longer than" in err
    assert written(folder) == ["positions.csv"]


def test_rows_are_numbered_right_across_blocks(take, monkeypatch):
    monkeypatch.setattr(reading, "LONGEST_ROW", 1 << 9)
    rows = [
        "x,BTCUSDT,1",
        *(f"y{i},BTCUSDT,1,62000,9000,cross" for i in range(200)),
        "",
        "z,BTCUSDT,1,62000,-1,cross",
        "x",
    ]
    result = take(table(*rows), "--skip-bad", "--json")
    assert findings(result)["torn"]["rows"] == [4, 207]
    assert findings(result)["negative_collateral"]["rows"] == [206]
    assert book()["row"] == [2, 3, *range(5, 205)]


def test_nested_parquet_columns_are_refused_by_name(take):
    pq.write_table(pa.table({name: [[1]] for name in HEADER.split(",")}), "in.parquet")
    _, _, err = take(Path("in.parquet").read_bytes(), name="in.parquet")
    assert "column 'account' is of type list" in err


def test_what_a_file_says_cannot_reach_the_terminal_unescaped(take):
    code, _, err = take(table("c,BTC\x1b[2JUSDT,1,62000,9000,cross", "d,BTCUSDT,\x1b[31mone,62000,9000,cross"))
    assert code == 2
    assert "\x1b" not in err


# --- what is typed wrong --------------------------------------------------------------------------------------------

BAD_OPTIONS = {
    "mark without a price": (("--mark", "BTCUSDT"), "--mark BTCUSDT: expected SYMBOL=PRICE"),
    "negative mark": (("--mark", "BTCUSDT=-1"), "--mark BTCUSDT=-1"),
    "NaN mark": (("--mark", "BTCUSDT=nan"), "--mark BTCUSDT=nan"),
    "mark of another symbol": (("--mark", "BTC=63000"), "--mark: is of BTC; the positions are in 'BTCUSDT'"),
    "time": (("--as-of", "yesterday"), "--as-of yesterday: expected a time in ISO 8601"),
    "unknown symbol": (("--symbol", "BTCUSD"), "holds no 'BTCUSD'; did you mean 'BTCUSDT'?"),
    "unit": (("--qty-unit", "lots"), "--qty-unit"),
    "setting": (("--set", "fund.initial_usd=-5"), "fund.initial_usd"),
    "population": (("--set", "population.0.share=0.5"), "the population is the book"),
}


@pytest.mark.parametrize("case", BAD_OPTIONS)
def test_a_wrong_option_is_one_line_exit_2_and_nothing_written(take, folder, case):
    options, expected = BAD_OPTIONS[case]
    code, out, err = take(table(), *options, mark=())
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert expected in err
    assert written(folder) == ["positions.csv"]


@pytest.mark.parametrize("out", ["ours", "ours.csv", "no/such/folder/ours.toml", "bad name!.toml"])
def test_a_wrong_target_is_one_line_and_nothing_written(take, folder, out):
    code, _, err = take(table(), out=out)
    assert (code, len(err.splitlines())) == (2, 1)
    assert written(folder) == ["positions.csv"]


def test_a_missing_file_and_a_folder_are_one_line(take, folder):
    assert "no such file" in take(table(), base=Path("none.toml"))[2]
    assert main(["import", ".", "--out", "ours.toml", "--base", str(BASE)]) == 2
    assert main(["import", "none.csv", "--out", "ours.toml", "--base", str(BASE)]) == 2


def test_a_full_disk_leaves_nothing(take, folder, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device", "ours.parquet")

    monkeypatch.setattr("stress.snapshot.intake._put", full)
    code, _, err = take(table())
    assert (code, err) == (1, "fundstress: ours.parquet: No space left on device\n")
    assert written(folder) == ["positions.csv"]


# --- other contracts ------------------------------------------------------------------------------------------------


def test_an_inverse_book_has_its_collateral_in_usd_and_runs_in_coin(take):
    base = BASE.with_name("inverse_tiny.toml")
    price = stress.Scenario.load(base).market.price_usd
    rows = f"a,XBTUSD,10000,{price},5000,isolated\nb,XBTUSD,-10000,{price},5000,isolated\n"
    code, *_ = take(f"{HEADER}\n{rows}", base=base, mark=("--mark", f"XBTUSD={price}"))
    assert code == 0
    population = draw_population(stress.Scenario.load("ours.toml"), 0)
    assert population.accounts["qty"].tolist() == [-10000.0, 10000.0]
    assert population.accounts["collateral"] == pytest.approx([5000.0 / price] * 2, rel=1e-4)
    assert take(table(), "--qty-unit", "usd", base=base, out="x.toml")[0] == 2


# --- memory ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path):
    """A file of 100 MB takes some bytes a position more than a small one; its rows alone would take 300 MB."""
    import snapshot

    peaks = []
    for n in (90_000, 1_800_000):
        path = tmp_path / f"{n}.csv"
        snapshot.write(path, n)
        words = (
            "--mark",
            f"{snapshot.SYMBOL}={snapshot.MARK}",
            "--base",
            str(BASE),
            "--out",
            str(tmp_path / f"{n}.toml"),
        )
        peaks.append(snapshot.measured("import", str(path), *words)[1])
    assert os.path.getsize(path) > 95e6
    assert peaks[1] - peaks[0] < 200.0  # MB
