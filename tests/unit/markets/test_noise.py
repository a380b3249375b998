import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from stress.markets.base import Clock
from stress.markets.noise import fill_noise, noise_numbers
from stress.randomness import NOISE, fill_normals, stream_key

KEY = stream_key(7)


def noise(step_seconds, n_minutes=500, n_paths=200):
    """Standard normals of every step, shape (n_paths, n_steps)."""
    out = np.empty((n_paths, round(n_minutes * 60 / step_seconds)))
    numbers = SimpleNamespace(**noise_numbers(Clock(out.shape[1], step_seconds)))
    for path in range(n_paths):
        fill_noise(numbers, path, KEY[0], KEY[1], out[path])
    return out


@pytest.mark.parametrize(
    ("step", "split", "summed"),
    [(60.0, 1, 1), (30.0, 2, 1), (5.0, 12, 1), (0.1, 600, 1), (300.0, 1, 5), (86400.0, 1, 1440)],
)
def test_a_step_splits_minutes_or_adds_them_up(step, split, summed):
    assert noise_numbers(Clock(10, step)) == {"steps_per_minute": split, "minutes_per_step": summed}


@pytest.mark.parametrize("step", [7.0, 40.0, 90.0])
def test_a_step_without_minutes_in_common_has_a_grid_of_its_own(step):
    assert noise_numbers(Clock(10, step)) == {"steps_per_minute": 1.0, "minutes_per_step": 1.0}


@pytest.mark.parametrize("step", [60.0, 40.0])
def test_at_a_minute_noise_is_the_stream_itself(step):
    found, expected = noise(step, n_paths=1)[0], np.empty(round(30_000 / step))
    fill_normals(expected, 0, NOISE, KEY[0], KEY[1])
    assert (found == expected).all()


@pytest.mark.parametrize("k", [2, 4, 12, 60])
def test_what_a_minute_is_split_into_adds_up_to_it(k):
    minutes, split = noise(60.0), noise(60.0 / k)
    assert split.reshape(200, -1, k).sum(axis=2) == pytest.approx(math.sqrt(k) * minutes, abs=1e-12)


@pytest.mark.parametrize("k", [2, 5, 50])
def test_a_longer_step_adds_its_minutes_up(k):
    minutes, summed = noise(60.0), noise(60.0 * k)
    assert math.sqrt(k) * summed == pytest.approx(minutes.reshape(200, -1, k).sum(axis=2), abs=1e-12)


@pytest.mark.parametrize("step", [30.0, 15.0, 5.0, 300.0])
def test_noise_is_standard_normal_at_every_step(step):
    assert stats.kstest(noise(step).ravel(), "norm").pvalue > 1e-3


@pytest.mark.parametrize("step", [30.0, 15.0, 5.0])
def test_every_part_of_a_minute_has_unit_variance(step):
    parts = noise(step).reshape(-1, round(60 / step))
    assert np.abs((parts**2).mean(axis=0) - 1.0).max() < 4.5 * math.sqrt(2 / len(parts))


@pytest.mark.parametrize("step", [30.0, 15.0, 5.0])
def test_parts_of_a_minute_are_uncorrelated(step):
    parts = noise(step).reshape(-1, round(60 / step))
    found = np.corrcoef(parts, rowvar=False) - np.eye(parts.shape[1])
    assert np.abs(found).max() < 4.5 / math.sqrt(len(parts))


@pytest.mark.parametrize("lag", [1, 4])
def test_steps_of_different_minutes_are_uncorrelated(lag):
    found = noise(15.0)
    last, later = found[:, 3:-lag:4].ravel(), found[:, 3 + lag :: 4].ravel()
    assert abs(np.corrcoef(last[: later.size], later)[0, 1]) < 4 / math.sqrt(later.size)


def test_a_last_minute_that_is_cut_short_is_split_into_what_there_is_of_it():
    found = noise(15.0, n_minutes=0.5, n_paths=40_000)  # two of four quarters
    assert np.abs((found**2).mean(axis=0) - 1.0).max() < 4 * math.sqrt(2 / 40_000)
    assert abs(np.corrcoef(found, rowvar=False)[0, 1]) < 4 / math.sqrt(40_000)
