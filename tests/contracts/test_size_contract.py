import math

import numpy as np
import pytest

import stress.scenario  # noqa: F401  (registers everything)
from stress.agents.sizes import SizeLaw
from stress.agents.trader import Trader

every_law = pytest.mark.parametrize("kind", sorted(SizeLaw.family))
every_drawn_law = pytest.mark.parametrize(
    "kind", sorted(kind for kind, law in SizeLaw.family.items() if not hasattr(law, "listed"))
)
every_law_with_a_tail = pytest.mark.parametrize(
    "kind", sorted(kind for kind, law in SizeLaw.family.items() if "tail_index" in law.model_fields)
)
N, MANY = 5_000, 200_000


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


@every_drawn_law
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
def test_a_scenario_names_the_law_by_its_kind(example, law, kind):
    assert example(Trader, size=law(kind).model_dump(exclude_none=True)).size == law(kind)


@every_law
def test_sizes_are_those_of_the_stated_law(law, rng, kind):
    # Dvoretzky, Kiefer and Wolfowitz: no distribution strays further from its sample with chance 1e-6.
    size = np.sort(law(kind).draw(rng, MANY))
    expected, larger = law(kind).survival(size), 1.0 - np.searchsorted(size, size, side="right") / MANY
    assert np.abs(larger - expected).max() < math.sqrt(math.log(2e6) / (2 * MANY))


@every_law
def test_the_stated_law_falls_from_one_to_nothing(law, kind):
    share = law(kind).survival(np.geomspace(1e-12, 1e30, 400))
    assert (np.diff(share) <= 0.0).all()
    assert (share[0], share[-1]) == pytest.approx((1.0, 0.0), abs=1e-9)


@every_law_with_a_tail
@pytest.mark.parametrize("index", [0.8, 1.05, 2.5])
def test_the_tail_index_is_that_of_the_law(example, rng, kind, index):
    # Hill's estimator on the largest thousand: its standard error is index / sqrt(k).
    law = example(SizeLaw.family[kind], tail_index=index)
    top = np.sort(law.draw(rng, MANY))[-1_001:]
    hill = 1.0 / np.log(top[1:] / top[0]).mean()
    assert abs(hill - index) < 4 * index / math.sqrt(1_000)


@every_law_with_a_tail
def test_the_stated_law_has_the_tail_index(example, kind):
    law = example(SizeLaw.family[kind])
    far = law.survival(np.array([1e8, 1e9]))
    assert -math.log10(far[1] / far[0]) == pytest.approx(law.tail_index, rel=1e-9)


@every_law
def test_each_side_holds_its_share_exactly_up_to_lots(example, law, venue, rng, kind):
    shares = {"long_share": 0.5, "short_share": 0.3}
    if (listed := law(kind).amounts_usd(2_000)) is not None:  # amounts say what the shares are
        shares = {"long_share": listed[:1_250].sum() / venue.crowd_long, "short_share": 0.0, "count": 1_250}
    trader = example(Trader, size=law(kind), largest_share=0.02, **shares)
    assert trader.problems(venue) == []
    qty = trader.draw(rng, venue)["qty"]
    for sign, share, crowd in ((1, trader.long_share, venue.crowd_long), (-1, trader.short_share, venue.crowd_short)):
        held = np.abs(qty[sign * qty > 0.0]).sum() * venue.price
        assert abs(held - share * crowd) <= 0.5 * venue.lot * venue.price * trader.count
