"""Candles from files of other people: aliases, times, and what is refused in one line."""

import numpy as np
import pandas as pd
import pytest

from stress.candles import read_candles
from stress.toml import ScenarioError

START = 1_583_971_200  # 2020-03-12 00:00 UTC


@pytest.fixture
def frame():
    close = 100.0 + np.arange(10.0)
    return pd.DataFrame(
        {"time": START + 3600 * np.arange(10), "open": close - 1, "high": close + 1, "low": close - 2, "close": close}
    )


@pytest.fixture
def write(tmp_path):
    def save(frame, name="prices.csv"):
        path = tmp_path / name
        if path.suffix == ".csv":
            frame.to_csv(path, index=False)
        else:
            frame.to_parquet(path)
        return path

    return save


@pytest.mark.parametrize("name", ["prices.csv", "prices.parquet"])
def test_candles_are_read(write, frame, name):
    candles = read_candles(write(frame, name))
    assert (len(candles), candles.seconds, candles.time[0]) == (10, 3600, START)
    assert candles.returns == pytest.approx(np.diff(np.log(frame["close"])))
    assert candles.span == "2020-03-12 00:00 to 2020-03-12 10:00 UTC"


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
def test_an_epoch_may_be_in_any_unit(write, frame, unit):
    assert read_candles(write(frame.assign(time=frame["time"] * unit))).time[0] == START


@pytest.mark.parametrize(
    ("texts", "first", "notes"),
    [
        ("%Y-%m-%d %H:%M:%S", START, 1),
        ("%Y-%m-%dT%H:%M:%SZ", START, 0),
        ("%Y-%m-%dT%H:%M:%S+02:00", START - 7_200, 0),
    ],
)
def test_a_time_may_be_iso_8601_and_is_utc_unless_it_says_otherwise(write, frame, texts, first, notes):
    stamps = pd.to_datetime(frame["time"], unit="s").dt.strftime(texts)
    candles = read_candles(write(frame.assign(time=stamps)))
    assert candles.time[0] == first
    assert len(candles.notes) == notes


def test_columns_go_by_their_usual_names(write, frame):
    other = frame.set_axis(["Open Time", "O", "H", "L", "C"], axis=1).assign(Volume=1.0)
    assert len(read_candles(write(other))) == 10


def test_one_of_several_symbols_is_chosen(write, frame):
    both = pd.concat([frame.assign(symbol="BTC"), frame.assign(symbol="ETH", close=frame["close"] + 0.5)])
    assert read_candles(write(both), symbol="ETH").close[0] == 100.5
    with pytest.raises(ScenarioError, match="needs --symbol; known: BTC, ETH"):
        read_candles(write(both))
    with pytest.raises(ScenarioError, match="--symbol XRP: not there"):
        read_candles(write(both), symbol="XRP")


def test_gaps_are_reported_and_no_return_is_taken_across(write, frame):
    candles = read_candles(write(frame.drop(index=[4, 5])))
    assert candles.notes == ("1 gaps, 2 bars missing, the longest 2 h; no return is taken across",)
    assert candles.returns.size == 6


def test_a_bad_print_is_left_out_and_said(write, frame):
    frame.loc[3, "high"] = 500.0
    candles = read_candles(write(frame))
    assert len(candles) == 9
    assert candles.notes[0] == "1 bad prints left out, the first 2020-03-12 03:00"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: f.iloc[::-1], "followed by an earlier one: sort the file"),
        (lambda f: pd.concat([f.iloc[:3], f.iloc[2:]]), "2020-03-12 02:00 .row 3. comes twice"),
        (lambda f: f.assign(time=f["time"] + np.where(f.index == 5, 60, 0)), "mixed frequency: most bars last 3600 s"),
        (lambda f: f.assign(low=np.where(f.index == 5, 0.0, f["low"])), "low: row 6 is 0.0, prices must"),
        (lambda f: f.assign(close=-f["close"]), "close: row 1 .*and 9 more"),
        (lambda f: f.assign(close=["x"] * 10), "close: row 1 is 'x', prices must be positive numbers"),
        (lambda f: f.drop(columns=["high", "time"]), "has no column time, high; it has open, low, close"),
        (lambda f: f.assign(time=["noon"] * 10), "time: "),
        (lambda f: f.iloc[:1], "holds 1 bars"),
    ],
)
def test_what_is_no_price_history_is_one_line(write, frame, spoil, said):
    with pytest.raises(ScenarioError, match=said) as caught:
        read_candles(write(spoil(frame)))
    assert "\n" not in str(caught.value)
    assert "prices.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ({"since": "tomorrow"}, "from tomorrow: expected a time in ISO 8601"),
        ({"since": "2021-01-01"}, "0 bars between 2021-01-01 and -; has 2020-03-12 00:00 to"),
    ],
)
def test_a_window_that_is_no_time_or_holds_nothing_is_refused(write, frame, window, said):
    with pytest.raises(ScenarioError, match=said):
        read_candles(write(frame), **window)


def test_another_kind_of_file_and_a_missing_one_are_refused(tmp_path):
    with pytest.raises(ScenarioError, match="should end in"):
        read_candles(tmp_path / "prices.xlsx")
    with pytest.raises(ScenarioError, match="no such file"):
        read_candles(tmp_path / "prices.csv")
