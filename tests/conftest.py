import numpy as np
import pytest
from hypothesis import settings

# Property tests are the same on every machine: a failure in CI is a failure here.
settings.register_profile("reproducible", derandomize=True, deadline=None, database=None)
settings.load_profile("reproducible")


@pytest.fixture(scope="session")
def draw_paths():
    """Draw log(price / initial price) of a market's paths, shape (n, n_steps), with the extremes of every chunk."""
    from stress.markets.base import CHUNK, Clock, sampler
    from stress.randomness import stream_key
    from stress.rules import record

    def draw(market, n, n_steps, step_seconds, *, first=0, seed=7, overlay=None):
        clock = Clock(n_steps, step_seconds)
        overlay = np.zeros(n_steps) if overlay is None else overlay
        paths = np.empty((n, n_steps))
        lows, highs = (np.empty((n, -(-n_steps // CHUNK))) for _ in range(2))
        numbers, sample = record(market.numbers(clock)), sampler(type(market).increments)
        sample(numbers, market.table(clock), overlay, stream_key(seed), first, paths, lows, highs)
        return paths, lows, highs

    return draw
