"""``fundstress import`` with a base of several symbols: one wallet behind the cross rows of an account.

By hand, at marks B 50,000 and E 2,500 with maintenance margin 0.5 %:

a  cross, long 1 B from 51,000 and short 20 E from 2,600, wallet 2,000 + 500: profit -1,000 + 2,000, equity 3,500,
   maintenance 250 + 250.
b  isolated, short 2 B from 49,000, margin 12,000: profit -2,000, equity 10,000, maintenance 500.
c  cross, long 10 E from 2,700 and short 0.125 B from 51,000, wallet 2,100: profit -2,000 + 125, equity 225,
   maintenance 125 + 31.25.  Its position in E alone, 100 against 125, would be liquidatable.
"""

import json
import tomllib
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import stress
from stress.agents.book import Book
from stress.cli import main
from stress.engines.population import draw_population
from stress.scenario import ScenarioError
from stress.symbols import venues

CONFIGS = Path(__file__).parents[3] / "configs"
BASE = f"""
extends = "{CONFIGS / "article_example.toml"}"
shock = []
[market]
price_usd = 50000.0
[fund]
initial_usd = 1e6
[[asset]]
symbol = "B"
price_usd = 50000.0
[[asset]]
symbol = "E"
price_usd = 2400.0
tiers = [[1e9, 100, 0.005]]
[[population]]
kind = "account"
name = "base"
qty = 1.0
entry_usd = 50000.0
collateral_usd = 50000.0
"""
HEADER = "account,symbol,qty,entry,collateral,mode"
A = ("a,B,1,51000,2000,cross", "a,E,-20,2600,500,cross")
B = ("b,B,-2,49000,12000,isolated",)
C = ("c,E,10,2700,2100,cross", "c,B,-0.125,51000,0,cross")
REPEATED = ("a,B,1,51000,2500,cross", "a,E,-20,2600,2500,cross", *B, C[0], "c,B,-0.125,51000,2100,cross")


@pytest.fixture
def take(tmp_path, monkeypatch, capsys):
    """Import rows; return the exit code, the report as JSON and what stderr said."""
    monkeypatch.chdir(tmp_path)
    Path("base.toml").write_text(BASE)

    def imported(rows, *options, header=HEADER, mark=("--mark", "E=2500")):
        Path("in.csv").write_text("\n".join((header, *rows)) + "\n")
        code = main(["import", "in.csv", "--base", "base.toml", "--out", "ours.toml", "--json", *mark, *options])
        said = capsys.readouterr()
        assert sorted(path.name for path in tmp_path.glob("ours*")) == (["ours.parquet", "ours.toml"] * (code == 0))
        return code, json.loads(said.out) if said.out else {}, said.err

    return imported


def findings(report):
    return {row["name"]: (row["count"], row["rows"]) for row in report["findings"]}


# --- the worked example ---------------------------------------------------------------------------------------------


def test_totals_and_imbalance_are_those_of_each_symbol(take):
    code, report, err = take((*A, *B, *C))
    assert (code, err) == (0, "")
    of_b, of_e = report["symbols"]
    assert (of_b["symbol"], of_b["mark"], of_b["positions"]) == ("B", 50_000.0, 3)
    assert (of_b["long"], of_b["short"], of_b["to_makers"]) == (50_000.0, 106_250.0, 56_250.0)
    assert (of_e["long"], of_e["short"], of_e["to_makers"]) == (25_000.0, 50_000.0, 25_000.0)
    assert report["imbalance"] == pytest.approx((56_250.0 + 25_000.0) / (106_250.0 + 50_000.0))


def test_collateral_and_equity_are_those_of_accounts(take):
    report = take((*A, *B, *C))[1]
    assert report["collateral"] == 2_500.0 + 12_000.0 + 2_100.0
    assert report["equity"] == 3_500.0 + 10_000.0 + 225.0


def test_a_wallet_that_every_row_repeats_counts_once(take):
    code, report, _ = take(REPEATED, "--cross-wallet", "repeated")
    assert (code, report["cross_wallet"]) == (0, "repeated")
    assert (report["collateral"], report["equity"]) == (16_600.0, 13_725.0)


@pytest.mark.parametrize("rows", [((*A, *B, *C), "split"), (REPEATED, "repeated")], ids=["split", "repeated"])
def test_the_run_holds_the_same_accounts(take, rows):
    take(rows[0], "--cross-wallet", rows[1])
    book = draw_population(stress.Scenario.load("ours.toml"), 0)
    legs, starts = book.portfolios.legs, book.portfolios.starts
    assert book.portfolios.wallet.tolist() == [2_500.0, 2_100.0, 12_000.0]  # isolated ones after the others
    assert starts.tolist() == [0, 2, 4, 5]
    assert legs["symbol"].tolist() == [0, 1, 0, 1, 0]
    assert legs["qty"].tolist() == [1.0, -20.0, -0.125, 10.0, -2.0]
    assert legs["entry"].tolist() == [51_000.0, 2_600.0, 51_000.0, 2_700.0, 49_000.0]
    assert legs["cross"].tolist() == [1, 1, 1, 1, 0]


def test_the_scenario_has_marks_and_open_interest_of_every_symbol(take):
    take((*A, *B, *C))
    tables = tomllib.loads(Path("ours.toml").read_text())
    first, second = tables["asset"]
    assert first == {"symbol": "B", "price_usd": 50_000.0, "open_interest_usd": 106_250.0}
    assert second == {"symbol": "E", "price_usd": 2_500.0, "tiers": [[1e9, 100, 0.005]], "open_interest_usd": 50_000.0}
    assert tables["market"] == {"price_usd": 50_000.0}
    assert stress.Scenario.load("ours.toml").conditional_on_book


@pytest.mark.parametrize(("move", "liquidated"), [(-0.060, []), (-0.061, [0, 1])])
def test_an_account_is_liquidated_where_a_pencil_finds_it(take, move, liquidated):
    """B falls by x: a's equity 3,500 - 50,000 x is below 500 - 250 x from x = 3,000 / 49,750 = 6.03 % on."""
    take((*A, *B, *C))
    shock = [{"at_hours": 0.5, "move": move, "symbol": "B"}]
    scenario = stress.Scenario.load("ours.toml", overrides={"shock": shock})
    outcomes = stress.run(scenario, engine="reference", ledger=True)
    assert outcomes.ledger["account"].tolist() == liquidated  # numbers of legs


# --- cross accounts as wholes ---------------------------------------------------------------------------------------


def test_an_account_is_liquidatable_as_a_whole_and_all_its_rows_are_named(take):
    poor = ("c,E,10,2700,2000,cross", C[1])  # equity 125, maintenance 156.25
    code, _, err = take((*A, *B, *poor))
    assert code == 2
    assert "2 rows (5, 6): equity of the cross account is below its maintenance margins, e.g. account 'c'" in err
    code, report, _ = take((*A, *B, *poor), "--skip-bad")
    assert (code, report["positions"], report["collateral"]) == (0, 3, 14_500.0)


def test_an_isolated_row_is_not_saved_by_the_rest_of_its_account(take):
    code, _, err = take((*A, *B, *C, "a,E,10,2700,2100,isolated"))
    assert (code, "row 7: equity is below maintenance margin" in err) == (2, True)


def test_equal_amounts_in_most_accounts_need_a_word(take):
    code, _, err = take(REPEATED)
    assert code == 2
    assert "in 2 of 2 cross accounts with several rows every row states the same collateral" in err
    assert "--cross-wallet repeated" in err
    assert take(REPEATED, "--cross-wallet", "split")[1]["collateral"] == 16_600.0 + 2_500.0 + 2_100.0


def test_a_wallet_that_is_repeated_must_be_one(take):
    code, _, err = take((*A, *B), "--cross-wallet", "repeated")
    assert code == 2
    assert "2 rows (2, 3): cross rows of one account state different wallets" in err


def test_a_cross_account_with_a_bad_row_is_left_out_whole(take):
    code, report, _ = take((*A, *B, *C, "c,E,x,2500,10,cross", "b,E,x,2500,10,isolated"), "--skip-bad")
    assert (code, report["positions"]) == (0, 3)
    assert findings(report) == {"not_a_number": (2, [7, 8]), "incomplete": (2, [5, 6])}


def test_a_duplicate_has_account_symbol_and_mode_in_common(take):
    code, _, err = take((*A, *B, *C, "a,B,1,51000,2000,cross", "a,B,1,51000,2000,isolated"))
    assert (code, "row 7: account, symbol and mode were there before" in err) == (2, True)


# --- symbols, marks, stops ------------------------------------------------------------------------------------------


def test_an_unknown_symbol_is_named_with_the_nearest(take):
    code, _, err = take((*A, *B, "d,EE,1,2500,100,cross"))
    assert (code, "row 5: symbol is none of the base's, e.g. 'EE'; did you mean 'E'?" in err) == (2, True)


def test_a_symbol_of_the_base_that_nobody_holds_is_refused(take):
    code, _, err = take(B)
    assert (code, "holds no position in E: take a base without it" in err) == (2, True)


def test_a_mark_of_an_unknown_symbol_is_one_line(take):
    code, _, err = take(A, "--mark", "EE=5")
    assert (code, err) == (2, "fundstress: --mark 'EE': is none of the base's; did you mean 'E'?\n")


def test_each_symbol_takes_the_first_mark_of_its_own_rows(take):
    rows = [f"{row},{mark}" for row, mark in zip((*A, *B), ("50500", "2510", "50500"), strict=True)]
    report = take(rows, header=f"{HEADER},mark", mark=())[1]
    assert [row["mark"] for row in report["symbols"]] == [50_500.0, 2_510.0]
    assert report["mark"] is None


def test_stops_are_left_out_and_counted(take):
    rows = [f"{row},{stop}" for row, stop in zip((*A, *B), ("45000", "", "60000"), strict=True)]
    code, report, _ = take(rows, header=f"{HEADER},stop")
    assert (code, findings(report)) == (0, {"stop_ignored": (2, [2, 4])})
    assert pq.read_table("ours.parquet")["stop"].null_count == 3


def test_one_symbol_with_a_mark_of_another_order_is_found_among_others(take):
    _, _, err = take((*A, *B), mark=("--mark", "E=2.5"))
    assert "'E': in 1 of 1 rows the entries are more than 10 times off the mark 2.5" in err


def test_the_option_is_for_several_symbols(take):
    _, _, err = take(B, "--base", str(CONFIGS / "tiny.toml"), "--cross-wallet", "split")
    assert err.startswith("fundstress: --cross-wallet: is for a base with [[asset]] tables")


def test_a_book_of_several_symbols_needs_a_venue_that_trades_them(take):
    take((*A, *B))
    said = r"population.0.file: .*ours.parquet: unknown symbol 'E', known: B, X"
    with pytest.raises(ScenarioError, match=said):
        stress.Scenario.load("ours.toml", overrides={"asset.1.symbol": "X"})


def test_sizes_in_usd_are_divided_by_each_symbols_mark(take):
    take(("a,B,50000,51000,2000,cross", "b,E,-50000,2600,2500,isolated"), "--qty-unit", "usd")
    assert pq.read_table("ours.parquet")["qty"].to_pylist() == [1.0, -20.0]


def test_a_book_of_one_symbol_is_found_by_its_name_or_told_its_desk(take):
    take((*A, *B))
    one = pq.read_table("ours.parquet").slice(1, 1)  # by symbol, then as in the file
    assert one["symbol"].to_pylist() == ["B"]
    pq.write_table(one.set_column(1, "symbol", [["E"]]), "one.parquet")
    found = venues(stress.Scenario.load("base.toml"))
    for symbol, desk in ((None, 1), ("B", 0)):
        held = Book(name="book", file="one.parquet", symbol=symbol).draw_portfolios(None, found)
        assert held.legs["symbol"].tolist() == [desk]
        assert held.wallet.tolist() == [12_000.0]
