import numpy as np
import pytest

from stress.markets.base import Clock
from stress.markets.scripted import Scripted


def test_a_scripted_price_has_no_noise(draw_paths):
    assert not draw_paths(Scripted(price_usd=1.0), 3, 70, 60.0)[0].any()


def test_a_scripted_price_follows_its_shocks_on_every_path(draw_paths):
    overlay = np.zeros(10)
    overlay[4] = -0.3
    paths, _, _ = draw_paths(Scripted(price_usd=1.0), 3, 10, 60.0, overlay=overlay)
    assert (paths == np.where(np.arange(10) < 4, 0.0, -0.3)).all()


def test_a_scripted_price_fits_any_clock():
    assert Scripted(price_usd=1.0).problems(Clock(10, 7.0)) == []


def test_given_returns_are_the_first_steps_of_every_path(draw_paths):
    paths, _, _ = draw_paths(Scripted(price_usd=1.0, log_returns=(0.1, -0.3)), 2, 4, 60.0)
    assert paths == pytest.approx(np.array([[0.1, -0.2, -0.2, -0.2]] * 2))


def test_shocks_come_on_top_of_given_returns(draw_paths):
    market = Scripted(price_usd=1.0, log_returns=(0.1, -0.3))
    paths, _, _ = draw_paths(market, 1, 3, 60.0, overlay=np.array([0.0, 0.5, 0.0]))
    assert paths[0] == pytest.approx([0.1, 0.3, 0.3])


def test_more_returns_than_steps_are_refused():
    assert "log_returns" in dict(Scripted(price_usd=1.0, log_returns=(0.1,) * 11).problems(Clock(10, 60.0)))
