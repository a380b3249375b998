"""The report says what the run says, in two languages and three formats, and refuses what it cannot vouch for."""

import json
import math
import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from string import Formatter

import numpy as np
import pyarrow as pa
import pytest

from stress import plots
from stress.cli import main
from stress.manifest import describe_run
from stress.outcomes import Outcomes
from stress.report import Words, document, dossier, languages, load_run
from stress.report.formats import to_html, to_xlsx
from stress.report.tables import shown, table
from stress.rundir import RunFolder
from stress.scenario import Scenario, ScenarioError
from stress.summary import (
    Driver,
    ModelRisk,
    ParameterInterval,
    Spread,
    Variant,
    outcomes_from_increments,
    shipped_verification,
    summarize,
)
from stress.summary.caveats import SENTENCES, Caveat
from stress.summary.result_line import RESULT
from stress.sweeps import Sweep

ROOT = Path(__file__).parents[2]
BASE = Variant("base", "base", 1e-3, 1.0, 0.8, 1.2, 1.0)
RISK = ModelRisk(0.99, 24.0, 500, BASE, (Variant("regime", "stressed", 1e-2, 3.0, 2.0, 4.0, 3.0),))
SPREAD = Spread(1.0, 0.5, 2.0)
PARAMETERS = ParameterInterval(
    "abc", 50, 500, 0.9, SPREAD, SPREAD, ((0.99, SPREAD),), 0.1, (Driver("fund.x", 0.0, 1.0, 0.5),)
)


def finish(path, outcomes, figures=("ruin_curve",)):
    """Write a run folder as a run does, without an engine."""
    scenario = Scenario.load(ROOT / "configs" / "tiny.toml")
    summary = summarize(outcomes).with_(model_risk=RISK, parameters=PARAMETERS)
    folder = RunFolder.claim(scenario, path)
    folder.write_run(scenario, outcomes, summary)
    for name in figures:
        folder.write_figure(name, getattr(plots, name)(outcomes, summary=summary))
    folder.finish(describe_run(scenario, outcomes, threads=1))
    return path


def losses(seed, scale=1.0):
    loss = np.random.default_rng(seed).exponential(scale, size=(2_000, 1))
    return outcomes_from_increments(loss, fund_initial=5.0)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Two finished runs, which no test changes."""
    folder = tmp_path_factory.mktemp("runs")
    return finish(folder / "calm", losses(3)), finish(folder / "wild", losses(3, 2.0), figures=())


@pytest.fixture
def run(kept, tmp_path):
    """A copy that a test may damage."""
    return Path(shutil.copytree(kept[0], tmp_path / "calm"))


def page(*folders, lang="en"):
    """Return the page as a tree: it is well-formed XML, whatever else it is."""
    text = to_html(document([load_run(folder) for folder in folders], Words(lang))).decode()
    assert text.startswith("<!DOCTYPE html>")
    return ET.fromstring(text.removeprefix("<!DOCTYPE html>")), text


def tables_of(folder, lang="en"):
    return {table.key: table for _, table in document([load_run(folder)], Words(lang)).tables}


def test_the_page_needs_no_network_and_carries_its_data(kept):
    tree, text = page(kept[0])
    sources = [node.get(name) for node in tree.iter() for name in ("src", "href") if node.get(name)]
    assert all(source.startswith(("#", "data:image/png;base64,")) for source in sources)
    assert "http" not in text.split("<style>")[1].split("</style>")[0]
    data = json.loads(tree.find(".//script").text)
    assert data["schema"] == "fundstress.report/1"
    assert data["runs"][0]["summary"] == json.loads((kept[0] / "summary.json").read_text())


@pytest.mark.parametrize("lang", languages())
def test_the_page_can_be_heard_and_copied(kept, lang):
    tree, _ = page(*kept, lang=lang)
    assert tree.get("lang") == lang
    assert len(tree.findall(".//h1")) == 1
    ids = [node.get("id") for node in tree.iter() if node.get("id")]
    assert len(ids) == len(set(ids))
    links = {node.get("href") for node in tree.iter("a")}
    assert links <= {f"#{name}" for name in ids}
    assert all(node.get("scope") in ("row", "col") for node in tree.iter("th"))
    assert all(node.find("caption") is not None for node in tree.iter("table"))
    assert all(len(node.get("alt")) > 40 for node in tree.iter("img"))
    assert list(tree.iter("img"))


def test_the_alternative_text_has_the_finding_of_the_figure(kept):
    tree, _ = page(kept[0])
    alt = next(node.get("alt") for node in tree.iter("img"))
    assert "is ruined within" in alt
    assert "up: Probability of ruin" in alt


def test_the_tables_hold_the_numbers_of_the_summary(kept):
    summary, found = load_run(kept[0]).summary, tables_of(kept[0])
    row = next(row for row in found["reserves"].rows if row[:2] == ("99 %", "net"))
    reserve = summary.reserve(0.99)
    scale = summary.money.scale
    assert row[2:5] == (reserve.value / scale, reserve.low / scale, reserve.high / scale)
    assert row[5:7] == (0.5 / scale, 2.0 / scale)  # the draws of the parameters
    assert found["probabilities"].rows[0][1] == 100 * summary.ruin_probability.value
    assert found["model_risk"].rows[1][:3] == ("regime", "stressed", 3.0 / scale)
    assert found["drivers"].rows == (("fund.x", 0.0, 1.0, 0.5),)
    assert found["movers"].rows[0][2] == 0.5


def swept(unit="USD"):
    rows = {"point": [0, 1], "status": ["done"] * 2, "error": [None] * 2, "fund.x": [1.0, 2.0], "n_paths": [100, 100]}
    rows |= {"ruin": [0.01, 0.02], "reserve_0.9": [3e6, math.nan]}
    rows |= {f"{name}_{end}": rows[name] for name in ("ruin", "reserve_0.9") for end in ("low", "high")}
    about = {"name": "s", "scenario": "tiny", "unit": unit, "horizon_hours": 4.0, "levels": [0.9], "n_points": 2}
    return Sweep(pa.table(rows), ("fund.x",), {**about, "axes": ["fund.x"], "design": {"kind": "grid"}, "seed": 1})


@pytest.mark.parametrize("lang", languages())
def test_a_sweep_beside_the_run_is_a_part_of_its_own(kept, lang):
    made = document([load_run(kept[0])], Words(lang), swept())
    found = {table.key: table for part, table in made.tables if part.name == "sensitivity"}
    assert found["points"].rows == ((0, 1.0, 1.0, 3.0, 3.0, 3.0), (1, 2.0, 2.0, None, None, None))
    assert made.parts[-1].sections[0].figures
    assert b"fund.x" in to_html(made)


def test_a_sweep_in_another_money_or_from_nowhere_is_one_line(kept, tmp_path, capsys):
    with pytest.raises(ScenarioError, match="sweep s is in BTC, the run in USD"):
        document([load_run(kept[0])], Words("en"), swept("BTC"))
    assert "holds no sweep" in refused(["report", kept[0], "--sweep", tmp_path], capsys)


def test_two_runs_are_compared_with_the_first(kept):
    made = document([load_run(folder) for folder in kept], Words("en"))
    found = {table.key: table for part, table in made.tables if part.name == "comparison"}
    calm, wild = (load_run(folder).summary.reserve(0.99).value for folder in kept)
    assert found["ratios"].rows[0] == ("99 %", pytest.approx(wild / calm))
    assert wild / calm == pytest.approx(2.0)  # the same draws, twice as large
    assert [part.name for part in made.parts] == ["comparison", "calm", "wild"]


def test_a_workbook_has_numbers_as_numbers(kept):
    openpyxl = pytest.importorskip("openpyxl")
    from io import BytesIO

    book = openpyxl.load_workbook(BytesIO(to_xlsx(document([load_run(kept[0])], Words("en")))))
    sheet = book["probabilities"]
    assert sheet["B3"].value == pytest.approx(100 * load_run(kept[0]).summary.ruin_probability.value)
    assert sheet["B3"].data_type == "n"


def test_the_printed_report_is_a_pdf(run, capsys):
    pytest.importorskip("weasyprint", exc_type=(ImportError, OSError))
    assert main(["report", str(run), "--format", "pdf"]) == 0
    assert (run / "report.pdf").read_bytes().startswith(b"%PDF")


def test_every_language_has_the_same_keys_and_the_same_blanks():
    def flat(table, key=""):
        for name, value in table.items():
            if isinstance(value, dict):
                yield from flat(value, f"{key}{name}.")
            else:
                yield f"{key}{name}", sorted({field for _, field, _, _ in Formatter().parse(value) if field})

    english = dict(flat(Words("en").table)) | {f"caveat.{k}": v for k, v in flat(SENTENCES)}
    english |= {f"result.{k}": v for k, v in flat(RESULT)}
    for lang in set(languages()) - {"en"}:
        assert dict(flat(Words(lang).table)) == english


def test_a_caveat_is_an_english_sentence_that_other_languages_can_say():
    caveat = Caveat("beyond_the_data", years="860", what=[Caveat("exhaustion"), Caveat("reserve_at", level="99.9")])
    assert caveat.endswith("(rarer than once in 860 years, 100 times the data): exhaustion, reserve at 99.9 %.")
    said = caveat.in_words({"beyond_the_data": "{years} / {what}", "exhaustion": "leer"})
    assert said == "860 / leer, reserve at 99.9 %"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "\N{EN DASH}"),
        ("=1+1", "=1+1"),
        (0.0, "0"),
        (-1234.5, "-1,234"),
        (1000, "1,000"),
        (1, "1"),
        (12.345, "12.3"),
        (2e-5, "2e-05"),
    ],
)
def test_cells_are_written_so_that_they_can_be_pasted(cell, text):
    assert shown(cell) == text


def test_a_table_without_rows_is_left_out_and_a_ragged_one_is_refused():
    assert list(table("x", "x", ("a",), ())) == []
    with pytest.raises(ValueError, match="not as long"):
        list(table("x", "x", ("a",), [("a", 1.0)]))


def test_nothing_is_overwritten(run, capsys):
    for name in ("report.html", "report-2.html"):
        assert main(["report", str(run)]) == 0
        assert capsys.readouterr().out.strip() == str(run / name)
    assert main(["report", str(run), "--out", str(run / "report.html")]) == 2
    assert "exists already" in capsys.readouterr().err


def refused(words, capsys):
    """Return the one line that a command says before it stops with exit code 2."""
    assert main([str(word) for word in words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--lang", "xx"], "--lang xx: unknown language; one of en, zh"),
        (["--format", "doc"], "--format doc: one of html, pdf, xlsx, md"),
        (["--format", "html,xlsx", "--out", "x"], "--out names one file"),
        (["--out", "no/such/folder.html"], "cannot be written"),
    ],
)
def test_a_wrong_wish_is_one_line(kept, capsys, words, message):
    assert message in refused(["report", kept[0], *words], capsys)


def rewrite(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda run: shutil.rmtree(run), "no such run folder"),
        (lambda run: (run / "manifest.json").unlink(), "holds no finished run"),
        (lambda run: (run / "manifest.json").write_text("{"), "manifest.json: damaged"),
        (lambda run: (run / "manifest.json").write_text("[]"), "is of another version"),
        (lambda run: rewrite(run / "manifest.json", schema="fundstress.manifest/9"), "'fundstress.manifest/9' is of"),
        (lambda run: (run / "summary.json").unlink(), "incomplete: summary.json is missing"),
        (lambda run: (run / "figures/ruin_curve.png").unlink(), "incomplete: figures/ruin_curve.png is missing"),
        (lambda run: (run / "config.toml").write_text("x = 1"), "config.toml: was changed after the run"),
        (lambda run: (run / "outcomes.parquet").write_text("x"), "not an outcomes file"),
    ],
)
def test_a_damaged_run_is_one_line(run, capsys, damage, message):
    damage(run)
    assert message in refused(["report", run], capsys)


def test_runs_in_several_moneys_are_not_compared(kept, tmp_path, capsys):
    outcomes = losses(3)
    coins = Outcomes(outcomes.columns, replace(outcomes.facts, unit="BTC", unit_usd=5e4))
    other = finish(tmp_path / "coins", coins, figures=())
    assert "runs are in USD and BTC: a comparison needs one money" in refused(["report", kept[0], other], capsys)
    assert "given twice" in refused(["report", kept[0], kept[0]], capsys)


# --- the model-risk document


def dossier_of(folder, lang="en"):
    (part,) = dossier([load_run(folder)], Words(lang)).parts
    return {section.key: section for section in part.sections}


def test_the_dossier_has_the_twelve_sections_in_order(kept):
    found = dossier_of(kept[0])
    assert list(found) == [
        "purpose",
        "scope",
        "data",
        "theory",
        "assumptions",
        "parameters",
        "verification",
        "outcomes",
        "limits",
        "models",
        "monitoring",
        "sign_off",
    ]
    assert all(section.tables for key, section in found.items() if key != "data")


def test_the_dossier_tells_what_reproduces_the_run_and_who_signs(kept):
    found, run = dossier_of(kept[0]), load_run(kept[0])
    identity = dict(found["purpose"].tables[0].rows)
    assert identity["Configuration, sha256"] == run.summary.facts.config_sha256
    assert identity["Owner"] == "____________"
    assert [row[0] for row in found["sign_off"].tables[0].rows][-1] == "Validated by somebody who did not build it"


def test_the_dossier_explains_every_component_that_the_scenario_chose(kept):
    kinds = {row[1]: row[2] for row in dossier_of(kept[0])["theory"].tables[0].rows}
    assert kinds["square_root"].startswith("I = Y sigma_day sqrt(Q / V_day)")
    assert {"trader", "maker", "linear", "fund"} <= set(kinds)


def test_the_add_on_is_the_largest_model_less_the_median(kept):
    spread = next(table for table in dossier_of(kept[0])["models"].tables if table.key == "spread")
    # The base needs 1 and the stressed regime 3: the median is 2, and 1 more reaches the largest.
    assert dict(spread.rows)["Median"] == "USD 2.00"
    assert dict(spread.rows)["Add-on: largest less median"] == "USD 1.00"


def test_known_answers_are_within_four_standard_errors():
    found = shipped_verification().answers
    assert len(found) >= 10
    assert all(abs(answer.z) < 4 for answer in found)


def test_the_dossier_is_written_as_markdown_beside_the_run(run, capsys):
    assert main(["model-risk", str(run)]) == 0
    written = run / "model-risk.md"
    assert capsys.readouterr().out.strip() == str(written)
    text = written.read_text(encoding="utf-8")
    assert text.startswith("# Model risk: increments\n\n## calm\n\nReserve (ruin <= ")
    assert "### 12. Changes and sign-off" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in rows)
    heads = [i for i, line in enumerate(rows) if set(line) <= set("|-: ")]
    assert heads
    assert all(rows[i].count("|") == rows[i - 1].count("|") for i in heads)


@pytest.mark.parametrize("lang", languages())
def test_the_dossier_is_a_page_in_every_language(kept, lang):
    text = to_html(dossier([load_run(kept[0])], Words(lang))).decode()
    assert ET.fromstring(text.removeprefix("<!DOCTYPE html>")).get("lang") == lang


def test_a_damaged_run_has_no_dossier(run, capsys):
    (run / "summary.json").unlink()
    assert "incomplete: summary.json is missing" in refused(["model-risk", run], capsys)
