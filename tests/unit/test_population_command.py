"""`fundstress population`: the page, the document, the figure, and one line for whatever is typed wrong."""

import json
from pathlib import Path

import pytest

from stress.cli import main

ROOT = Path(__file__).parents[2]
TINY = str(ROOT / "configs" / "tiny.toml")
DOCUMENT = {
    "schema",
    "scenario",
    "config_sha256",
    "unit",
    "seed",
    "n_populations",
    "open_interest",
    "n_accounts",
    "cohorts",
    "shares",
    "leverage",
    "concentration",
    "distance",
}


@pytest.fixture
def book(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("book.csv").write_text("name,size,leverage\na,100,5\nb,2000,10\nc,30,20\nd,-1,3\n")


def test_the_page_has_the_four_tables(capsys):
    assert main(["population", TINY, "--populations", "3"]) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("Cohorts", "Leverage today", "Concentration", "Distance to liquidation"))
    assert all(name in said for name in ("isolated", "cross", "whale", "makers"))
    assert max(map(len, said.splitlines())) <= 112
    assert "…" not in said


@pytest.mark.parametrize("config", ["cross_margin", "article_example", "inverse_tiny"])
def test_every_kind_of_book_has_a_page(config, capsys):
    assert main(["population", str(ROOT / "configs" / f"{config}.toml"), "--populations", "1"]) == 0
    assert "Concentration" in capsys.readouterr().out


def test_json_is_one_document(capsys):
    assert main(["population", TINY, "--populations", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == DOCUMENT
    assert (found["schema"], found["n_populations"]) == ("fundstress.population/1", 2)
    assert set(found["concentration"]) == {"both", "long", "short"}


def test_the_document_is_the_same_every_time(capsys):
    said = []
    for _ in range(2):
        main(["population", TINY, "--populations", "2", "--json"])
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]


@pytest.mark.parametrize(("config", "panels"), [("tiny", 3), ("cross_margin", 2)])
def test_the_figure_has_its_panels(config, panels, tmp_path, capsys):
    figure = tmp_path / "book.png"
    assert (
        main(["population", str(ROOT / "configs" / f"{config}.toml"), "--populations", "1", "--figure", str(figure)])
        == 0
    )
    width = int.from_bytes(figure.read_bytes()[16:20], "big")
    assert width == panels * 1200
    assert f"saved in {figure}" in capsys.readouterr().err


def test_a_setting_changes_the_book(capsys):
    main(["population", TINY, "--populations", "1", "--json", "--set", "population.0.leverage_median=3"])
    assert json.loads(capsys.readouterr().out)["cohorts"][0]["by_count"]["mean"] < 6.0


def test_a_law_may_take_the_place_of_the_short_form(capsys):
    law = '{kind="venue", venue="bitmex_2019"}'
    assert main(["population", TINY, "--populations", "1", "--json", "--set", f"population.0.leverage={law}"]) == 0
    assert json.loads(capsys.readouterr().out)["cohorts"][0]["law_mean"] == pytest.approx(25.175, abs=1e-3)


BAD = {
    "unknown law": ("population.0.leverage=popluar", "did you mean 'popular'?"),
    "unknown key of a law": ('population.0.leverage={kind="popular", weight=[1.0]}', "did you mean 'weights'?"),
    "weights too few": ('population.0.leverage={kind="popular", weights=[1.0]}', "1 weights for 11 leverages"),
    "edges that fall": ('population.0.leverage={kind="histogram", edges=[5, 1], weights=[1]}', "1 follows 5"),
    "unknown venue": ('population.0.leverage={kind="venue", venue="ftx"}', "did you mean 'ftx_2021'?"),
    "law above the venue": (
        'population.0.leverage={kind="lognormal", median=180}',
        "above the first tier's maximum",
    ),
    "beta the wrong way round": (
        'population.0.leverage={kind="beta_log", low=50, high=5}',
        "low: 50 is not below high 5",
    ),
    "infinite factor": ('population.0.leverage={kind="popular", factor=inf}', "leverage.factor"),
    "text for a factor": ('population.0.leverage={kind="popular", factor="big"}', "leverage.factor"),
    "correlation of one": ("population.0.rank_correlation=1.0", "less than 1"),
    "unknown copula": ("population.0.copula=clayton", "known: gaussian, t"),
    "t without degrees": ('population.0.copula={kind="t", degrees=1.0}', "copula.degrees"),
    "skew of NaN": ("population.0.long_skew=nan", "long_skew"),
    "unknown law of age": ("population.0.age=weibull", "known: exponential, lognormal"),
    "negative spread of age": ('population.0.age={kind="lognormal", sigma=-1}', "age.sigma"),
    "sizes of no sign": ('population.0.size={kind="list", sizes=[1, 0]}', "sizes.1"),
    "a list that does not fit": (
        'population.0.size={kind="list", sizes=[1, 2, 3, 4, 5, 6, 7]}',
        "not a multiple of the 7",
    ),
    "amounts that are not the share": (
        'population.0.size={kind="list_usd", sizes_usd=[1e6]}',
        "of what the whales leave",
    ),
    "a table that is none": (
        'population.0.size={kind="empirical", probabilities=[0.0, 1.0], quantiles=[1]}',
        "1 values for 2",
    ),
    "no such file": (
        'population.0.size={kind="empirical", file="nosuch.csv", column="size"}',
        "nosuch.csv: no such file",
    ),
    "no such column": ('population.0.size={kind="empirical", file="book.csv", column="sise"}', "column 'sise'"),
    "no column": ('population.0.size={kind="empirical", file="book.csv"}', "'column' is required"),
    "a negative size": (
        'population.0.size={kind="empirical", file="book.csv", column="size"}',
        "1 of 4 values are not",
    ),
    "text in a column": ('population.0.leverage={kind="histogram", file="book.csv", column="name"}', "column 'name'"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_law_typed_wrong_is_one_line_and_exit_code_2(book, case, capsys):
    setting, said = BAD[case]
    assert main(["population", TINY, "--json", "--set", setting]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "population" in told.err
    assert said in told.err


def test_both_forms_in_one_file_are_one_line(tmp_path, capsys):
    text = Path(TINY).read_text().replace("leverage_median", 'leverage = "popular"\nleverage_median', 1)
    (tmp_path / "both.toml").write_text(text)
    assert main(["population", str(tmp_path / "both.toml")]) == 2
    said = capsys.readouterr().err
    assert "row 0: leverage: is a law, and leverage_median is the short form of one: give one of them" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("figure", "said"), [("book.txt", "should end in .png, .svg, .pdf"), ("nosuch/book.png", "no such folder")]
)
def test_a_figure_that_cannot_be_written_is_refused_before_anything_is_drawn(figure, said, capsys):
    assert main(["population", TINY, "--figure", figure]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err


def test_no_population_is_a_usage_error(capsys):
    assert main(["population", TINY, "--populations", "0"]) == 2
    assert "--populations" in capsys.readouterr().err


def test_check_says_in_how_few_hands_the_book_is(capsys):
    assert main(["check", str(ROOT / "configs" / "article_example.toml")]) == 0
    said = "concentration: largest holder 100 % of open interest, ten largest 100 % of the notional, Gini 0.200"
    assert said in capsys.readouterr().out
