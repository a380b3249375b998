import numpy as np
import pytest

import stress.scenario  # noqa: F401  (registers everything)
from stress.markets.base import CHUNK, Clock, Market, deviation_sampler
from stress.randomness import stream_key
from stress.rules import record

HOUR = 3600.0
every_market = pytest.mark.parametrize("kind", sorted(Market.family))
NOISY = {k for k, m in Market.family.items() if m.deviations and not (m.is_given or m.touches_extremes)}
every_noisy_market = pytest.mark.parametrize("kind", sorted(NOISY))
every_random_market = pytest.mark.parametrize("kind", sorted(k for k, m in Market.family.items() if not m.is_given))


@pytest.fixture(scope="module")
def market(example):
    """A member with its default numbers; jumps often enough to be seen in few paths."""

    def make(kind):
        frequent = {"jumps_per_year": 2_000.0} if "jumps_per_year" in Market.family[kind].model_fields else {}
        return example(Market.family[kind], **frequent)

    return make


@pytest.fixture
def paths_of(market, draw_paths):
    def draw(kind, n, **changed):
        return draw_paths(market(kind), n, 200, 60.0, **changed)

    return draw


@every_market
def test_every_number_is_finite(paths_of, kind):
    assert all(np.isfinite(array).all() for array in paths_of(kind, 50))


@every_market
def test_the_same_seed_gives_the_same_paths(paths_of, kind):
    assert (paths_of(kind, 5)[0] == paths_of(kind, 5)[0]).all()


@every_market
def test_a_path_alone_is_the_path_of_a_block(paths_of, kind):
    block, alone = paths_of(kind, 20, first=100)[0], paths_of(kind, 1, first=113)[0]
    assert (block[13] == alone[0]).all()


@every_random_market
def test_paths_differ(paths_of, kind):
    paths, _, _ = paths_of(kind, 2)
    assert (paths[0] != paths[1]).any()


@every_random_market
def test_another_seed_gives_other_paths(paths_of, kind):
    assert (paths_of(kind, 1)[0] != paths_of(kind, 1, seed=8)[0]).any()


@every_market
def test_lows_and_highs_are_the_extremes_of_every_chunk(paths_of, kind):
    paths, lows, highs = paths_of(kind, 10)
    for c in range(lows.shape[1]):
        chunk = paths[:, c * CHUNK : (c + 1) * CHUNK]
        assert (lows[:, c] == chunk.min(axis=1)).all()
        assert (highs[:, c] == chunk.max(axis=1)).all()


@every_market
def test_a_scripted_shock_is_added_to_every_path(paths_of, kind):
    overlay = np.zeros(200)
    overlay[50] = -0.3
    plain, shocked = paths_of(kind, 5)[0], paths_of(kind, 5, overlay=overlay)[0]
    assert shocked - plain == pytest.approx(np.broadcast_to(np.where(np.arange(200) < 50, 0.0, -0.3), (5, 200)))


@every_random_market
def test_refining_the_step_keeps_the_variance(market, draw_paths, kind):
    n = 20_000
    ends = [
        draw_paths(market(kind), n, round(8 * HOUR / step), step, seed=seed)[0][:, -1]
        for seed, step in enumerate((600.0, 300.0))
    ]
    squares = [(end - end.mean()) ** 2 for end in ends]
    error = np.sqrt(sum(square.var() for square in squares) / n)
    assert abs(squares[0].mean() - squares[1].mean()) <= 4 * error


@every_random_market
def test_the_price_is_a_martingale_but_for_jumps(example, draw_paths, kind):
    quiet = {"jumps_per_year": 0.0} if "jumps_per_year" in Market.family[kind].model_fields else {}
    relative = np.exp(draw_paths(example(Market.family[kind], **quiet), 40_000, 60, 60.0)[0][:, -1])
    assert abs(relative.mean() - 1.0) <= 4 * relative.std() / np.sqrt(relative.size)


@every_noisy_market
@pytest.mark.parametrize("step", [600.0, 2 * HOUR])
def test_deviations_are_those_of_the_returns(example, draw_paths, kind, step):
    quiet = {"jumps_per_year": 0.0} if "jumps_per_year" in Market.family[kind].model_fields else {}
    market, clock = example(Market.family[kind], **quiet), Clock(24, step)
    deviations = np.empty((10_000, 24))
    sample, numbers = deviation_sampler(type(market).deviations), record(market.numbers(clock))
    sample(numbers, market.table(clock), stream_key(7), 0, deviations)
    returns = np.diff(draw_paths(market, 10_000, 24, step)[0], axis=1, prepend=0.0)
    unit = (returns + 0.5 * deviations * deviations) / deviations
    assert abs(unit.mean()) <= 4 / np.sqrt(unit.size) + 0.01
    assert unit.var() == pytest.approx(1.0, abs=0.02)


@every_market
def test_one_step_is_a_path(market, draw_paths, kind):
    assert np.isfinite(draw_paths(market(kind), 3, 1, 60.0)[0]).all()


@every_market
def test_the_example_fits_a_clock_of_minutes(market, kind):
    assert market(kind).problems(Clock(60, 60.0)) == []


@every_market
def test_numbers_are_floats_by_name(market, kind):
    numbers = market(kind).numbers(Clock(60, 60.0))
    assert numbers
    assert all(isinstance(value, float) and np.isfinite(value) for value in numbers.values())


@every_market
def test_a_price_is_required_and_positive(kind):
    with pytest.raises(ValueError, match="price_usd"):
        Market.choose({"kind": kind, "price_usd": 0.0})
