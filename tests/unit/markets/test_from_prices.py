"""Processes that are made of a file of prices: bootstrap, filtered history, replay."""

import math

import numpy as np
import pytest

from stress.markets.base import Clock, Market, deviation_sampler
from stress.markets.bootstrap import Bootstrap
from stress.markets.filtered import Filtered
from stress.markets.replay import Replay
from stress.randomness import stream_key
from stress.rules import record

HOUR = 3600.0


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Five hundred hourly candles, one of them missing."""
    path = tmp_path_factory.mktemp("history") / "hours.csv"
    rng = np.random.default_rng(5)
    close = 100.0 * np.exp(np.cumsum(0.01 * rng.standard_t(4, 500)))
    open_ = np.concatenate([[100.0], close[:-1]])
    high, low = np.maximum(open_, close) * 1.003, np.minimum(open_, close) * 0.996
    rows = [
        f"{3600 * i},{o:.6f},{h:.6f},{lo:.6f},{c:.6f}"
        for i, (o, h, lo, c) in enumerate(zip(open_, high, low, close, strict=True))
        if i != 7
    ]
    path.write_text("\n".join(["time,open,high,low,close", *rows]))
    return path


def test_a_replayed_bar_touches_its_low_and_its_high_and_ends_at_its_close(draw_paths, file):
    market = Replay(price_usd=100.0, file=str(file))
    paths = draw_paths(market, 30, 300, 60.0)[0]
    candles = market.candles
    for bar in range(5):
        inside = 100.0 * np.exp(paths[:, 60 * bar : 60 * bar + 60])
        assert inside[:, -1] == pytest.approx(np.full(30, candles.close[bar]))
        assert inside.max(axis=1) == pytest.approx(np.full(30, candles.high[bar]))
        assert inside.min(axis=1) == pytest.approx(np.full(30, candles.low[bar]))
    assert len(np.unique(paths[:, 30])) == 30


def test_where_a_bar_is_missing_the_price_waits(draw_paths, file):
    paths = 100.0 * np.exp(draw_paths(Replay(price_usd=100.0, file=str(file)), 2, 600, 60.0)[0])
    candles = Market.choose({"kind": "replay", "price_usd": 1.0, "file": str(file)}).candles
    assert paths[:, 420:480] == pytest.approx(np.full((2, 60), candles.close[6]))
    assert paths[:, 539] == pytest.approx(candles.close[7])


def test_a_window_begins_and_ends_where_it_is_told(file):
    market = Replay(price_usd=1.0, file=str(file), since="1970-01-02T00:00", until="1970-01-03T00:00+00:00")
    assert (market.candles.time[0], len(market.candles)) == (86_400, 24)


def test_a_horizon_beyond_the_file_is_refused(file):
    problems = dict(Replay(price_usd=1.0, file=str(file)).problems(Clock(501, HOUR)))
    assert "covers 500 h, run.horizon_hours is 501" in problems["file"]


def test_the_bootstrap_draws_bars_of_the_past_without_their_drift(draw_paths, file):
    market = Bootstrap(price_usd=1.0, file=str(file), block_bars=5.0)
    returns = np.diff(draw_paths(market, 200, 50, HOUR)[0], axis=1, prepend=0.0)
    table = market.table(Clock(1, HOUR))[0]
    nearest = np.abs(returns[:, :, None] - table).argmin(axis=2)
    assert np.abs(returns - table[nearest]).max() < 1e-12
    assert np.exp(table).mean() == pytest.approx(1.0)
    assert (np.diff(nearest, axis=1) == 1).mean() == pytest.approx(0.8, abs=0.02)


def test_filtered_shocks_have_unit_variance_and_follow_the_volatility_of_the_path(draw_paths, file):
    market = Filtered(price_usd=1.0, file=str(file), start_vols_annual=(2.0,))
    assert (market.shocks()[0] ** 2).mean() == pytest.approx(1.0)
    first = draw_paths(market, 40_000, 1, HOUR)[0].ravel()
    assert first.std() == pytest.approx(2.0 * math.sqrt(1 / 8760), rel=0.03)


def test_filtered_shocks_have_no_drift_where_calm_bars_rise_and_wild_ones_fall(draw_paths, tmp_path):
    rng, wild = np.random.default_rng(2), np.arange(2_000) % 400 < 100
    close = 100.0 * np.exp(np.cumsum(np.where(wild, 0.02, 0.002) * rng.standard_normal(2_000) + 0.001 - 0.004 * wild))
    rows = [f"{3600 * i},{c:.8g},{c * 1.001:.8g},{c * 0.999:.8g},{c:.8g}" for i, c in enumerate(close)]
    (tmp_path / "storms.csv").write_text("\n".join(["time,open,high,low,close", *rows]))
    market = Filtered(price_usd=1.0, file=str(tmp_path / "storms.csv"), vol_largest_annual=3.0)
    price = np.exp(draw_paths(market, 20_000, 72, HOUR)[0][:, -1])
    assert abs(price.mean() - 1.0) < 4.0 * price.std() / math.sqrt(price.size)


@pytest.mark.parametrize("kind", ["bootstrap", "filtered", "replay"])
def test_a_finer_step_is_the_same_path(draw_paths, file, kind):
    market = Market.choose({"kind": kind, "price_usd": 1.0, "file": str(file)})
    by_minute, by_hour, by_two = (draw_paths(market, 10, round(8 * HOUR / s), s)[0] for s in (60.0, HOUR, 2 * HOUR))
    assert by_minute[:, 59::60] == pytest.approx(by_hour, abs=1e-12)
    assert by_hour[:, 1::2] == pytest.approx(by_two, abs=1e-12)


def test_a_changed_file_another_bar_and_a_missing_file_are_refused(file, tmp_path):
    stated = {"kind": "replay", "price_usd": 1.0, "file": str(file)}
    with pytest.raises(ValueError, match="the file has changed"):
        Market.choose(stated | {"sha256": "0" * 64})
    with pytest.raises(ValueError, match="last 3600 s, not 60"):
        Market.choose(stated | {"bar_seconds": 60.0})
    with pytest.raises(ValueError, match="no such file"):
        Market.choose(stated | {"file": str(tmp_path / "none.csv")})


def test_the_noise_of_a_bar_is_that_of_which_its_range_speaks(file):
    market, clock = Replay(price_usd=100.0, file=str(file)), Clock(120, 60.0)
    found = np.empty((1, 120))
    sample = deviation_sampler(type(market).deviations)
    sample(record(market.numbers(clock)), market.table(clock), stream_key(7), 0, found)
    candles = market.candles
    variance = np.log(candles.high[:2] / candles.low[:2]) ** 2 / (4.0 * math.log(2.0))  # Parkinson (1980)
    assert (found**2).reshape(2, 60).sum(axis=1) == pytest.approx(variance)
