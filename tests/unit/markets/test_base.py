import numpy as np
import pytest

from stress.exchange.funding import Funding
from stress.markets.base import CHUNK, NO_TABLE, Clock, Market, accumulate, funding_normals
from stress.markets.gbm import Gbm
from stress.randomness import stream_key


def test_a_step_is_counted_in_years_of_365_days():
    assert Clock(1, 365 * 86400.0).step_years == 1.0


def accumulated(returns, overlay=None):
    path = np.array(returns, dtype=float)
    lows, highs = (np.empty(-(-path.size // CHUNK)) for _ in range(2))
    accumulate.py_func(path, np.zeros(path.size) if overlay is None else overlay, lows, highs)
    return path, lows, highs


def test_returns_add_up_to_a_log_path():
    assert accumulated([0.1, -0.3, 0.2])[0] == pytest.approx([0.1, -0.2, 0.0])


def test_a_scripted_overlay_is_added_to_the_returns():
    assert accumulated([0.1, 0.1, 0.1], np.array([0.0, -0.5, 0.0]))[0] == pytest.approx([0.1, -0.3, -0.2])


def test_the_last_chunk_may_be_short():
    _, lows, highs = accumulated([1.0] * (CHUNK + 2))
    assert lows.tolist() == [1.0, CHUNK + 1.0]
    assert highs.tolist() == [CHUNK, CHUNK + 2.0]


def test_most_processes_need_no_table():
    assert Gbm(price_usd=1.0, vol_annual=0.5).table(Clock(10, 60.0)) is NO_TABLE


def test_a_market_without_numbers_says_so():
    class Silent(Market):
        """Forgot its numbers."""

    with pytest.raises(TypeError, match="does not define its numbers"):
        Silent(price_usd=1.0).numbers(Clock(10, 60.0))


def test_funding_normals_of_a_path_can_be_drawn_alone():
    block, alone = np.empty((5, 9)), np.empty((1, 9))
    funding_normals(stream_key(7), 10, block)
    funding_normals(stream_key(7), 13, alone)
    assert (block[3] == alone[0]).all()


def test_funding_does_not_move_with_the_noise_of_the_price(draw_paths):
    normals = np.empty((2_000, 8))
    funding_normals(stream_key(7), 0, normals)
    prices, _, _ = draw_paths(Gbm(price_usd=1.0, vol_annual=0.5), 2_000, 8, 3600.0)
    rates = Funding().rates(normals)
    assert abs(np.corrcoef(rates[:, 0], prices[:, 0])[0, 1]) < 4 / np.sqrt(2_000)
