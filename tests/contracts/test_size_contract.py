import numpy as np
import pytest

import stress.scenario  # noqa: F401  (registers everything)
from stress.agents.sizes import SizeLaw
from stress.agents.trader import Trader

every_law = pytest.mark.parametrize("kind", sorted(SizeLaw.family))
N = 5_000


@pytest.fixture
def law(example):
    return lambda kind: example(SizeLaw.family[kind])


@every_law
def test_there_is_one_size_an_account(law, rng, kind):
    assert law(kind).draw(rng, N).shape == (N,)


@every_law
def test_sizes_are_positive_and_finite(law, rng, kind):
    size = law(kind).draw(rng, N)
    assert np.isfinite(size).all()
    assert (size > 0.0).all()


@every_law
def test_the_same_generator_gives_the_same_sizes(law, kind):
    first, second = (law(kind).draw(np.random.default_rng(3), N) for _ in range(2))
    assert (first == second).all()


@every_law
def test_another_seed_gives_other_sizes(law, kind):
    first, second = (law(kind).draw(np.random.default_rng(seed), N) for seed in (3, 4))
    assert (first != second).any()


@every_law
def test_sizes_are_unequal(law, rng, kind):
    size = law(kind).draw(rng, N)
    assert np.sort(size)[-N // 100 :].sum() > 0.1 * size.sum()


@every_law
def test_a_larger_book_scales_every_account_alike(example, law, kind):
    trader = example(Trader, size=law(kind))
    small, large = (trader._notional(np.random.default_rng(3), N, total, 0.01 * total) for total in (1e6, 3e9))
    assert large == pytest.approx(3_000.0 * small, rel=1e-9)


@every_law
def test_a_scenario_names_the_law_by_its_kind(example, kind):
    assert example(Trader, size=kind).size.kind == kind
