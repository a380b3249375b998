"""``fundstress replay``: history through a venue, and the story of one path."""

import json
from pathlib import Path

import numpy as np
import pytest

import stress
from stress import plots
from stress.cli import main
from stress.engines.desks import SeveralWorld
from stress.engines.timeline import timeline
from stress.launch_replay import ReplayOptions, replayed

TINY = Path(__file__).parents[2] / "configs" / "tiny.toml"


@pytest.fixture(scope="module")
def prices(tmp_path_factory):
    """Four hourly candles: the price falls by a third and comes half of the way back."""
    path = tmp_path_factory.mktemp("prices") / "crash.csv"
    rows = ["time,open,high,low,close", "0,60,61,58,59", "3600,59,59,40,41", "7200,41,46,40,45", "10800,45,50,44,49"]
    path.write_text("\n".join(rows))
    return path


@pytest.fixture(scope="module")
def folder(prices, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "crash"
    words = ["replay", str(TINY), "--prices", str(prices), "--paths", "20", "--out", str(out), "--quiet"]
    assert main([*words, "--no-figures"]) == 0
    return out


@pytest.fixture(scope="module")
def scenario(folder):
    return stress.Scenario.load(folder / "config.toml")


@pytest.fixture(scope="module")
def followed(scenario):
    return timeline(scenario, [0, 7], n_times=9)


def test_a_replay_is_a_run_whose_price_is_history(folder, scenario, prices):
    assert (scenario.market.kind, scenario.run.horizon_hours, scenario.run.n_paths) == ("replay", 4.0, 20)
    assert scenario.market.price_usd == 60.0
    command = json.loads((folder / "manifest.json").read_text())["command"]
    assert command[:5] == ["fundstress", "replay", str(TINY), "--prices", str(prices)]
    lowest = stress.Outcomes.load(folder / "outcomes.parquet").price_min
    assert lowest.max() <= 40.0 * (1 + 1e-9)


def test_a_timeline_is_at_the_closes_when_the_bars_end(followed):
    assert followed.hours.tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]
    assert followed.price[:, ::2] == pytest.approx(np.tile([60, 59, 41, 45, 49], (2, 1)), rel=1e-9)


def test_a_timeline_adds_up(followed, scenario):
    for i, events in enumerate(followed.events):
        longs = sum(event.notional_usd for event in events if event.side == "long")
        assert followed.liquidated_long[i, -1] == pytest.approx(longs)
        assert [event.hours for event in events] == sorted(event.hours for event in events)
    assert followed.liquidated_long[:, -1].min() > 0.5 * scenario.exchange.open_interest_usd
    assert followed.open_interest[:, 0] == pytest.approx(scenario.exchange.open_interest_usd, rel=0.02)
    assert (np.diff(followed.open_interest, axis=1) <= 0).all()
    assert (followed.fund[:, 0] == scenario.fund.initial_usd).all()


def test_a_timeline_is_of_the_run_as_it_was_configured(followed, folder):
    outcomes = stress.Outcomes.load(folder / "outcomes.parquet")
    assert (outcomes.ruin_step[[0, 7]] >= 0).any()  # so that a fund without a bottom would show another story
    assert followed.fund[:, -1] == pytest.approx(outcomes.fund_end[[0, 7]], rel=1e-9)
    assert followed.deleveraged[:, -1] == pytest.approx(outcomes.deleveraged_notional[[0, 7]], rel=1e-9)
    assert (followed.mark[:, 0] == followed.price[:, 0]).all()
    assert (followed.mark[:, 3:5] < followed.price[:, 3:5]).all()  # liquidated longs push the mark below the index
    assert np.abs(followed.inventory).max() > 0.0


def test_the_story_of_a_path_is_that_of_the_run(folder, capsys):
    assert main(["replay", str(folder), "--path", "7", "--top", "3"]) == 0
    said = capsys.readouterr()
    assert "path 7, population 3" in said.out
    assert "The 3 largest" in said.out
    assert said.err == ""


def test_the_story_as_a_document_holds_every_liquidation(folder, capsys, followed):
    assert main(["replay", str(folder), "--path", "7", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["same_as_run"]) == ("fundstress.replay/1", True)
    assert len(told["liquidations"]) == len(followed.events[1])
    outcomes = stress.Outcomes.load(folder / "outcomes.parquet")
    assert told["drawdown"] == outcomes.drawdown[7]
    assert len({event["account"] for event in told["liquidations"]}) == outcomes.liquidated_accounts[7]


def test_a_timeline_is_drawn(followed, tmp_path):
    ax = plots.timeline(followed)
    assert [panel.get_ylabel().split(" (")[0] for panel in ax.figure.axes] == ["Index", "Open", "Liquidated", "Fund"]
    assert "median and 90 % of 2 paths" in ax.texts[0].get_text()
    assert plots.save(ax, tmp_path / "timeline.png").stat().st_size > 10_000


def test_several_symbols_keep_their_prices_and_follow_the_bars(prices):
    base = stress.Scenario.load(TINY.with_name("cross_margin.toml"))
    found = replayed(base, stress.candles.read_candles(prices), ReplayOptions(config=TINY, prices=prices))
    scenario = base.with_(**found)
    paths = SeveralWorld(scenario, decay=np.ones(scenario.clock.n_steps + 1)).block(0, 20).shocks
    assert scenario.market.price_usd == base.asset[0].price_usd
    assert np.exp(paths[:, 0, -1]) == pytest.approx(np.full(20, 49.0 / 60.0))
    assert (paths[:, 1, -1] != 1.05 * paths[:, 0, -1]).all()


def test_scripted_halts_stay_and_scripted_moves_go(prices):
    shocks = [{"at_hours": 1.0, "move": -0.5}, {"at_hours": 2.0, "minutes": 30.0, "move": 0.1, "halt": True}]
    base = stress.Scenario.load(TINY, overrides={"shock": shocks})
    found = replayed(base, stress.candles.read_candles(prices), ReplayOptions(config=TINY, prices=prices))
    assert [(shock["at_hours"], shock["move"], shock["halt"]) for shock in found["shock"]] == [(2.0, 0.0, True)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["RUN", "--path", "20"], "--path 20: not one of the paths 0 to 19"),
        (["RUN"], "one of --prices (with CONFIG) and --path (with RUN_DIR) is needed"),
        ([str(TINY), "--path", "3"], "tiny.toml: no such run folder"),
        ([str(TINY), "--prices", "none.csv"], "none.csv: no such file"),
        ([str(TINY), "--prices", "PRICES", "--from", "1999-01-01", "--to", "2000-01-01"], "0 bars between"),
        ([str(TINY), "--prices", "PRICES", "--set", "run.step_seconds=7"], "is not a multiple of run.step_seconds = 7"),
    ],
)
def test_what_cannot_be_replayed_is_one_line_and_exit_code_two(folder, prices, capsys, words, said):
    named = {"RUN": str(folder), "PRICES": str(prices)}
    assert main(["replay", *(named.get(word, word) for word in words)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
