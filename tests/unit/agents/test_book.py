"""A venue's own book as a cohort: found, known by its sha256, and run as the same accounts given by hand."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

import stress
from stress.agents.book import Book
from stress.cli import main
from stress.outcomes import COLUMNS
from stress.scenario import Scenario, ScenarioError

CONFIGS = Path(__file__).parents[3] / "configs"
TINY, ARTICLE = CONFIGS / "tiny.toml", CONFIGS / "article_example.toml"
HEADER = "account,symbol,qty,entry,collateral,mode"


def write(path="book.parquet", metadata=None, **changed):
    """Write two positions as a book; a column that is None is left out."""
    columns = {
        "symbol": ["B", "B"],
        "qty": [1.5, -2.0],
        "entry": [50_000.0, 49_000.0],
        "collateral": [7_500.0, 9_800.0],
    }
    columns |= {"mode": ["isolated", "cross"]} | changed
    table = pa.table({name: column for name, column in columns.items() if column is not None})
    pq.write_table(table.replace_schema_metadata({"fundstress.snapshot": json.dumps(metadata or {})}), path)
    return str(path)


def imported(rows, *options, base=TINY, out="ours.toml"):
    Path("positions.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    assert main(["import", "positions.csv", "--base", str(base), "--out", out, "--quiet", *options]) == 0
    return Path(out)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


# --- the cohort -----------------------------------------------------------------------------------------------------


def test_accounts_are_those_of_the_file_on_the_venues_grids(venue, rng):
    accounts = Book(name="book", file=write()).draw(rng, venue)
    assert accounts["qty"].tolist() == [1.5, -2.0]
    assert accounts["entry"].tolist() == [50_000.0, 49_000.0]
    assert accounts["collateral"].tolist() == [7_500.0, 9_800.0]
    assert accounts["cross"].tolist() == [0, 1]


def test_stops_of_the_file_are_its_holders_except_those_that_the_price_has_passed(venue, rng):
    """A long's stop below today's 50,000 stands, a short's at 49,500 should have been executed."""
    book = Book(name="book", file=write(stop=[48_000.0, 49_500.0]))
    assert book.reacts
    assert book.draw(rng, venue)["stop"].tolist() == [48_000.0, 0.0]
    assert not Book(name="book", file=write("plain.parquet", stop=[None, None])).reacts


def test_a_position_below_half_a_lot_is_left_out(venue, rng):
    assert Book(name="book", file=write(qty=[1.5, 4e-4])).draw(rng, venue).size == 1


def test_a_book_needs_no_random_number_and_is_conditional_on_itself(venue, rng):
    before = rng.bit_generator.state
    Book(name="book", file=write()).draw(rng, venue)
    assert rng.bit_generator.state == before
    assert not Book.laws


def test_the_sha256_is_that_of_the_file_and_may_be_left_out():
    path = write()
    assert Book(name="book", file=path).sha256 == hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert Book(name="book", file=path, sha256=Book(name="book", file=path).sha256).file == os.path.abspath(path)


def test_a_file_that_has_changed_is_one_line():
    stated = Book(name="book", file=write()).sha256
    write(qty=[1.5, -2.001])
    with pytest.raises(ValidationError, match=r"sha256: .*book.parquet has .*: the file has changed"):
        Book(name="book", file="book.parquet", sha256=stated)


BAD_BOOKS = {
    "missing column": ({"mode": None}, "has no column mode"),
    "no rows": ({name: pa.array([], pa.string()) for name in ("symbol", "mode")}
                | {name: pa.array([], pa.float64()) for name in ("qty", "entry", "collateral")}, "holds no position"),
    "text": ({"qty": ["1", "x"]}, "Failed to parse"),
    "NaN": ({"entry": [50_000.0, float("nan")]}, "entry: holds a value that is missing or not finite"),
    "null": ({"collateral": [1e4, None]}, "collateral: holds a value that is missing or not finite"),
    "zero qty": ({"qty": [1.0, 0.0]}, "without quantity"),
    "mode": ({"mode": ["isolated", "both"]}, "mode is neither"),
    "symbols": ({"symbol": ["A", "B"], "account": ["a", "a"]}, "holds several symbols, a book has one: A, B"),
    "no account": ({"symbol": ["A", "B"]}, "has several symbols and no column account"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_BOOKS)
def test_a_file_that_is_no_book_is_one_line_that_names_it(case):
    changed, expected = BAD_BOOKS[case]
    write(**changed)
    Path("a.toml").write_text(f'extends = "{TINY}"\n[[population]]\nkind = "book"\nname = "b"\nfile = "book.parquet"\n')
    with pytest.raises(ScenarioError, match=f"^a.toml: population.0.file: .*book.parquet: .*{expected}") as caught:
        Scenario.load("a.toml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("text", "expected"), [("no.parquet", "no.parquet: No such file"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read_is_one_line(text, expected):
    Path("a.toml").write_text(f'extends = "{TINY}"\n[[population]]\nkind = "book"\nname = "b"\nfile = "{text}"\n')
    with pytest.raises(ScenarioError, match=f"^a.toml: population: row 0: file: .*{expected}"):
        Scenario.load("a.toml")


def test_sizes_of_another_contract_are_refused(venue):
    book = Book(name="book", file=write(metadata={"contract": "inverse"}))
    assert "contract 'inverse', exchange.contract is 'linear'" in book.problems(venue)[0][1]


# --- where the file lies --------------------------------------------------------------------------------------------

ROWS = ("a,B,0.5,50000,2500,isolated", "b,B,-0.25,50000,4000,cross", "c,B,-0.25,49000,1000,isolated")


def test_the_file_is_found_from_any_folder(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    imported(ROWS, out="mine/ours.toml")
    here = Scenario.load("mine/ours.toml")
    monkeypatch.chdir("/")
    assert Scenario.load(tmp_path / "mine" / "ours.toml").population == here.population


def test_the_configuration_is_the_same_wherever_the_file_lies(tmp_path):
    path = imported(ROWS)
    (tmp_path / "moved").mkdir()
    text = path.read_text().replace('extends = "', f'extends = "{tmp_path}/')
    (tmp_path / "moved" / "ours.toml").write_text(text)
    shutil.copy("ours.parquet", "moved/ours.parquet")
    assert Scenario.load("moved/ours.toml").sha256 == Scenario.load(path).sha256
    assert Scenario.load("moved/ours.toml").population[0].file != Scenario.load(path).population[0].file


def test_a_run_says_that_it_is_conditional_on_the_book_and_can_be_repeated_elsewhere(tmp_path, monkeypatch):
    path = imported(ROWS)
    words = ["--paths", "20", "--no-figures", "--quiet", "--engine", "ladder"]
    assert main(["run", str(path), *words, "--out", "first"]) == 0
    assert json.loads(Path("first/summary.json").read_text())["conditional_on_book"] is True
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert main(["run", "../first/config.toml", *words, "--out", "second"]) == 0
    first, second = (json.loads(Path(folder, "manifest.json").read_text()) for folder in ("../first", "second"))
    for key in ("config_sha256", "outcomes_digest", "config"):
        assert first[key] == second[key]
    write("../ours.parquet")
    assert main(["run", "../first/config.toml", *words, "--out", "third"]) == 2
    assert not Path("third").exists()


# --- what it does in a run ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["reference", "loop", "ladder"])
def test_a_book_runs_as_the_same_accounts_given_by_hand(engine):
    """Twelve accounts under falling and rising marks, liquidations, impact, a common factor, ruin and ADL."""
    rng = np.random.default_rng(5)
    side, leverage = np.where(np.arange(12) % 2, -1.0, 1.0), rng.uniform(10.0, 45.0, 12)
    qty, entry = side * rng.integers(200, 20_000, 12) / 256.0, 50_000.0 * (1.0 - side * rng.uniform(0.0, 0.01, 12))
    collateral = np.abs(qty) * entry / leverage
    modes = np.where(rng.random(12) < 0.5, "isolated", "cross")
    columns = zip(qty.tolist(), entry.tolist(), collateral.tolist(), modes, strict=True)
    rows = [f"u{i},B,{q!r},{e!r},{w!r},{m}" for i, (q, e, w, m) in enumerate(columns)]
    changes = {"liquidity.permanent_share": 0.0, "liquidity.common_liquidation": 1.0, "fund.initial_usd": 10_000.0}
    given = [
        {"kind": "account", "name": f"u{i}", "qty": qty[i], "entry_usd": entry[i], "collateral_usd": collateral[i]}
        | {"margin": str(modes[i])}
        for i in range(12)
    ]
    makers = {"kind": "maker", "name": "makers", "collateral_usd": 20.0e6}
    ours = Scenario.load(imported(rows), overrides=changes)
    theirs = ours.with_(population=[*given, makers])
    book, accounts = (stress.run(s, n_paths=12, rng=3, engine=engine, ledger=True) for s in (ours, theirs))
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(book, name), getattr(accounts, name), err_msg=name)
    assert (book.ledger == accounts.ledger).all()
    assert book.liquidated_accounts.sum() > 20
    assert (book.ruin_step >= 0).any()


@pytest.mark.parametrize("engine", ["reference", "loop", "ladder"])
def test_a_small_book_is_liquidated_at_the_prices_that_a_pencil_finds(engine):
    """Maintenance margin 0.5 %, prices without impact.

    A: long 10 at 100,000 with 100,000: M (1 - 0.005) < 100,000 - 10,000, so below 90,452.26.
    B: long 10 at 100,000 with  50,000: below 95,000 / 0.995 = 95,477.39.
    C: short 10 at 100,000 with 50,000: above 105,000 / 1.005 = 104,477.61.
    D: short 10 at 100,000 with 500,000: above 150,000 / 1.005, never.
    95,500 takes nobody, 95,400 takes B with 50,000 - 46,000 = 4,000 left, 90,400 takes A with 100,000 - 96,000 = 4,000
    left, 104,500 takes C with 50,000 - 45,000 = 5,000 left; the fund gets all that is left.
    """
    rows = [f"{name},BTC,{qty},100000,{margin},isolated" for name, qty, margin in
            (("A", 10, 100_000), ("B", 10, 50_000), ("C", -10, 50_000), ("D", -10, 500_000))]  # fmt: skip
    path = imported(rows, "--mark", "BTC=100000", base=ARTICLE)
    prices = [100_000.0, 95_500.0, 95_400.0, 90_400.0, 104_500.0]
    shocks = [{"at_hours": 0.1 * i, "move": prices[i] / prices[i - 1] - 1.0} for i in range(1, 5)]
    outcomes = stress.run(Scenario.load(path, overrides={"shock": shocks}), engine=engine, ledger=True)
    assert outcomes.ledger["account"].tolist() == [1, 0, 2]
    assert outcomes.ledger["qty"].tolist() == [10.0, 10.0, -10.0]
    assert outcomes.ledger["step"].tolist() == [12, 18, 24]
    assert outcomes.surplus[0] == pytest.approx(13_000.0)
    assert outcomes.fund_end[0] == pytest.approx(43_000.0)
    assert outcomes.bad_debt[0] == 0.0
