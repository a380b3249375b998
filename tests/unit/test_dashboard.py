"""The dashboard: a push is a push of the index, the map is that of the accounts, and a browser shows both pages."""

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import stress
from stress import launch_dashboard
from stress.census import book_of
from stress.cli import main
from stress.viz.filters import readable, within
from stress.viz.model import PushedModel, live_book, sliders

ROOT = Path(__file__).parents[2]
SMALL = {"n_traders": 100, "horizon_hours": 2.0}


def test_a_push_moves_the_index_from_the_next_step_on_and_keeps_the_books():
    calm, pushed = PushedModel(**SMALL), PushedModel(**SMALL)
    for model in (calm, pushed):
        model.step()
    before = list(pushed.outside.shocks[:1])
    pushed.push(-0.2)
    shift = np.array(pushed.outside.shocks[1:]) - np.array(calm.outside.shocks[1:])
    np.testing.assert_allclose(shift, np.log(0.8), rtol=1e-12)
    assert pushed.outside.shocks[:1] == before
    calm.run_path()
    pushed.run_path()
    assert pushed.state.liquidated_accounts > calm.state.liquidated_accounts
    assert pushed.fund != calm.fund
    assert pushed.state.conservation_error < 1e-9


def test_what_is_watched_begins_with_the_start():
    model = PushedModel(**SMALL)
    model.step()
    table = model.datacollector.get_model_vars_dataframe()
    assert table["fund"].iloc[0] == model.fund_scenario.fund_initial
    assert len(table) == 2


def test_a_fall_by_everything_is_refused():
    with pytest.raises(ValueError, match="above -1"):
        PushedModel(**SMALL).push(-1.0)


def test_the_map_begins_as_that_of_the_scenario():
    model = PushedModel(**SMALL)
    live, first = live_book(model), book_of(model.fund_scenario)
    held = model.population.accounts["qty"] != 0.0
    np.testing.assert_allclose(live.move, first.move[held], rtol=1e-12)
    np.testing.assert_allclose(live.notional, first.notional[held], rtol=1e-12)


def test_sliders_stand_where_the_scenario_is():
    scenario = PushedModel(**SMALL).fund_scenario
    found = sliders(scenario)
    assert found["fund_usd"]["value"] == scenario.fund.initial_usd
    assert all(x["min"] <= x["value"] <= x["max"] for x in found.values() if isinstance(x, dict))


@pytest.fixture
def extra(monkeypatch):
    """As if the extra were installed; nothing is started."""
    monkeypatch.setattr(launch_dashboard, "NEEDED", ())


def refused(words, capsys):
    assert main(["dashboard", *map(str, words)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_a_port_that_is_taken_is_one_line(extra, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"--port {port}: Address already in use" in refused(["--port", port], capsys)


def test_what_does_not_exist_is_one_line(extra, capsys, tmp_path):
    assert "holds no finished run (there is no manifest.json) and no sweep" in refused(["--run", tmp_path], capsys)
    assert "none.toml" in refused([tmp_path / "none.toml"], capsys)


def test_a_missing_extra_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(launch_dashboard, "NEEDED", ("no_such_package",))
    assert "no_such_package missing: pip install 'fundstress[viz]'" in refused([], capsys)


def chromium():
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture
def served(tmp_path):
    """The address of a dashboard."""
    pytest.importorskip("solara", reason="needs the extra viz")
    pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if chromium() is None:
        pytest.skip("needs a Chromium on the PATH")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "solara", "run", "stress.viz.app", "--port", str(port), "--no-open", "--production"]
    with (tmp_path / "log").open("w") as log, subprocess.Popen(words, stdout=log, stderr=log, cwd=ROOT) as server:
        try:
            yield f"http://127.0.0.1:{port}", tmp_path / "log"
        finally:
            server.terminate()


def wait_for(address, seconds=60):
    host, port = address.removeprefix("http://").split(":")
    for _ in range(10 * seconds):
        with socket.socket() as trial:
            if trial.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(address)


@pytest.mark.slow
def test_a_browser_shows_the_figures_a_step_and_a_push_that_moves_the_fund(served):
    from playwright.sync_api import sync_playwright

    address, _ = served
    wait_for(address)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page, failed = browser.new_page(), []
        page.on("requestfailed", lambda request: failed.append(request.url))
        page.goto(address)
        state = page.get_by_text("mark").first
        state.wait_for(timeout=60_000)
        page.locator("img").nth(3).wait_for(timeout=60_000)  # mark, fund, open interest, map
        before = state.text_content()
        page.get_by_role("button", name="-20 %").click()
        page.get_by_role("button", name="Step").first.click()
        page.get_by_text("Step: 1").wait_for(timeout=30_000)
        assert fund_of(state.text_content()) < fund_of(before)
        assert failed == []
        page.goto(f"{address}/runs")
        page.get_by_text("Give the folder of a finished run").wait_for(timeout=30_000)
        browser.close()


@pytest.mark.slow
def test_a_browser_shows_a_sweep_and_its_filtered_points(served, tmp_path):
    from playwright.sync_api import sync_playwright

    axes = {"market.vol_annual": [0.5, 1.0, 2.0], "fund.initial_usd": [1e5, 1e6]}
    stress.sweep(ROOT / "configs" / "tiny.toml", axes, n_paths=40, populations=2, out=tmp_path / "swept")
    address, _ = served
    wait_for(address)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page, failed = browser.new_page(), []
        page.on("requestfailed", lambda request: failed.append(request.url))
        page.goto(f"{address}/runs")
        box = page.get_by_label("Folder of a finished run or sweep")
        box.wait_for(timeout=60_000)
        box.fill(str(tmp_path / "swept"))
        box.press("Enter")
        page.get_by_text("6 of 6 points").wait_for(timeout=60_000)
        page.get_by_role("tab", name="Figures").click()
        page.locator("img").first.wait_for(timeout=60_000)
        page.get_by_role("tab", name="Inputs").click()
        page.get_by_text("This design was not made for sensitivities").wait_for(timeout=30_000)
        box.fill(str(tmp_path))
        box.press("Enter")
        page.get_by_text("holds no finished run").wait_for(timeout=30_000)
        assert failed == []
        browser.close()


def test_points_are_filtered_by_ranges_and_by_texts():
    frame = pd.DataFrame({"vol": [0.5, 1.0, 2.0], "kind": ["a", "b", "a"]})
    assert within(frame, {}).equals(frame)
    assert within(frame, {"vol": (0.5, 1.0), "kind": []})["vol"].tolist() == [0.5, 1.0]
    assert within(frame, {"kind": ["a"], "vol": (0.6, 2.0)})["vol"].tolist() == [2.0]


def test_a_table_is_rounded_and_says_nothing_empty():
    frame = pd.DataFrame({"point": [1, 2], "ruin": [0.000123456, np.nan], "error": ["", ""], "kind": ["a", ""]})
    found = readable(frame)
    assert list(found.columns) == ["point", "ruin", "kind"]
    assert found["ruin"][0] == 0.0001235


def fund_of(text):
    return float(text.split("fund ")[1].split(" ")[0].replace(",", ""))
