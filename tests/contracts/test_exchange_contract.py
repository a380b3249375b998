import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import quad

import stress.scenario  # noqa: F401  (registers everything)
from stress.exchange.bands import Band
from stress.exchange.disposal import Disposal
from stress.exchange.impact import ImpactLaw
from stress.exchange.liquidation import FeeModel
from stress.exchange.mark import MarkRule
from stress.exchange.ranking import Ranking, Standing
from stress.exchange.settlement import NO_LIMIT

VOLUME, DEPTH = 40_000.0, 150.0  # base units
FLOWS = np.geomspace(1e-3, 1e4, 40)


def members(family):
    return pytest.mark.parametrize("member", family.family.values(), ids=family.family)


# --- impact laws


@pytest.fixture
def law(example):
    """A law's rules beside its numbers."""

    def make(member):
        part = example(member)
        scale, size, exponent = part.numbers(VOLUME, DEPTH)
        numbers = SimpleNamespace(scale=scale, size=size, per_size=1.0 / size, exponent=exponent)
        return part, numbers

    return make


@members(ImpactLaw)
def test_no_flow_has_no_impact_and_no_cost(law, member):
    part, numbers = law(member)
    assert part.impact(0.0, numbers) == part.cost(0.0, numbers) == part.flow_at(0.0, numbers) == 0.0


@members(ImpactLaw)
def test_impact_rises_with_the_flow(law, member):
    part, numbers = law(member)
    assert (np.diff([part.impact(flow, numbers) for flow in FLOWS]) > 0.0).all()


@members(ImpactLaw)
def test_cost_is_the_integral_of_impact(law, member):
    part, numbers = law(member)
    for flow in (0.5, 20.0, 3_000.0):
        integral, _ = quad(lambda q: part.impact(q, numbers), 0.0, flow, epsabs=0.0, epsrel=1e-10, limit=200)
        assert part.cost(flow, numbers) == pytest.approx(integral, rel=1e-8)


@members(ImpactLaw)
def test_flow_at_inverts_impact(law, member):
    part, numbers = law(member)
    for flow in FLOWS:
        assert part.flow_at(part.impact(flow, numbers), numbers) == pytest.approx(flow, rel=1e-9)


@members(ImpactLaw)
def test_impact_is_scale_times_a_power_of_relative_flow(law, member):
    part, numbers = law(member)
    for flow in FLOWS:
        expected = numbers.scale * (flow / numbers.size) ** numbers.exponent
        assert part.impact(flow, numbers) == pytest.approx(expected, rel=1e-12)


@members(ImpactLaw)
def test_numbers_of_a_law_are_positive(law, member):
    _, numbers = law(member)
    assert min(numbers.scale, numbers.size, numbers.exponent) > 0.0


# --- fee models


def venue(rate, other_rate=0.0005, unit=1.0):
    """The numbers of a venue with one tier, in quote units of `unit`."""
    tiers = SimpleNamespace(count=1, cap=(1e9 / unit,), rate=(0.005,), deduction=(0.0,), at_mark=1.0, at_entry=0.0)
    return SimpleNamespace(fee=SimpleNamespace(rate=rate, other_rate=other_rate), tiers=tiers)


@members(FeeModel)
@pytest.mark.parametrize("rate", [0.0, 0.0125, 1.0])
def test_fund_and_trader_never_receive_more_than_the_gain(member, rate):
    for gain in (0.0, 1.0, 500.0, 1e6):
        to_fund, others = member.split(gain, 45_000.0, venue(rate))
        assert to_fund <= gain
        assert others >= 0.0
        assert to_fund + others <= gain * (1.0 + 1e-12)


@members(FeeModel)
def test_a_larger_gain_never_pays_the_fund_less(member):
    paid = [member.split(gain, 45_000.0, venue(0.0125))[0] for gain in np.linspace(0.0, 2_000.0, 50)]
    assert (np.diff(paid) >= 0.0).all()


@members(FeeModel)
def test_gain_and_notional_in_another_unit_pay_in_that_unit(member):
    dollars, cents = member.split(700.0, 45_000.0, venue(0.01)), member.split(70_000.0, 4_500_000.0, venue(0.01))
    assert np.multiply(dollars, 100.0) == pytest.approx(cents)


@members(FeeModel)
def test_a_common_share_is_what_the_fund_receives_of_every_gain(member):
    book = venue(0.0125)
    for gain in (0.0, 1.0, 400.0, 600.0):
        common = member.common_share(gain / 45_000.0, book.fee)
        assert common == -1.0 or common * gain == pytest.approx(member.split(gain, 45_000.0, book)[0])


# --- disposal rules


@members(Disposal)
@pytest.mark.parametrize("volume_room", [0.0, 3.0, NO_LIMIT])
@pytest.mark.parametrize("limit_room", [0.0, 4.0, NO_LIMIT])
def test_what_executes_is_part_of_the_batch(member, volume_room, limit_room):
    assert 0.0 <= member.executable(10.0, volume_room, limit_room) <= 10.0


@members(Disposal)
def test_more_room_never_executes_less(member):
    rooms = [0.0, 1.0, 5.0, 20.0, NO_LIMIT]
    assert (np.diff([member.executable(10.0, room, NO_LIMIT) for room in rooms]) >= 0.0).all()
    assert (np.diff([member.executable(10.0, NO_LIMIT, room) for room in rooms]) >= 0.0).all()


@members(Disposal)
def test_with_all_the_room_everything_executes(member):
    assert member.executable(10.0, NO_LIMIT, NO_LIMIT) == 10.0


@members(Disposal)
def test_participation_is_a_share_or_absent(example, member):
    participation = example(member).participation
    assert participation is None or 0.0 < participation <= 1.0


# --- rankings


def allocate(member, sizes, amount, lot=0.25):
    sizes = np.array(sizes)
    taken = np.zeros(sizes.size)
    member.allocate(np.arange(sizes.size)[::-1], sizes, amount, lot, taken)
    return taken


SIZES = [3.0, 0.0, 7.25, 1.0, 0.25]


@members(Ranking)
@pytest.mark.parametrize("amount", [0.25, 1.0, 5.5, 11.25, 11.5])
def test_allocations_add_up_to_what_is_asked(member, amount):
    assert allocate(member, SIZES, amount).sum() == amount


@members(Ranking)
@pytest.mark.parametrize("amount", [0.25, 1.0, 5.5, 11.25, 11.5])
def test_nobody_gives_more_than_it_has(member, amount):
    taken = allocate(member, SIZES, amount)
    assert ((taken >= 0.0) & (taken <= SIZES)).all()


@members(Ranking)
def test_allocations_are_whole_lots(member):
    lots = allocate(member, SIZES, 5.5) / 0.25
    assert (lots == np.round(lots)).all()


def standing(profit, notional, equity, *, side=1.0, turn=3.0):
    entry = 50_000.0 * (1.0 - side * profit / notional)
    at_entry = notional - side * profit
    return Standing(side, entry, 50_000.0, profit, at_entry, notional, equity, 0.004 * notional, 1.0, turn)


@members(Ranking)
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_rank_is_a_finite_number(member, side):
    # from barely in profit to nearly bankrupt, and a loser
    for numbers in ((1e-9, 1e5, 1e5), (4e4, 6e4, 1e6), (10.0, 1e5, 0.06), (-3e3, 1e5, 2e3)):
        assert math.isfinite(member.score(standing(*numbers, side=side)))


@members(Ranking)
def test_a_more_profitable_long_never_ranks_lower(member):
    ranks = [member.score(standing(profit, 1e5, 2e4)) for profit in (-1e3, 1.0, 100.0, 1e4)]
    assert ranks == sorted(ranks)


# --- mark rules


@members(MarkRule)
def test_a_mark_lies_between_the_prices_that_it_reads(member):
    for index, premium, average, last, elsewhere in (
        (100.0, 0.01, -3.0, 95.0, 99.0),
        (100.0, -0.02, 4.0, 107.0, 101.0),
    ):
        read = (index, index * (1.0 + premium), index + average, last, elsewhere)
        assert min(read) <= member.price(index, premium, average, last, elsewhere) <= max(read)


@members(MarkRule)
def test_a_mark_of_equal_prices_is_that_price(member):
    assert member.price(100.0, 0.0, 0.0, 100.0, 100.0) == 100.0


@members(MarkRule)
def test_a_mark_is_homogeneous_in_prices(member):
    once = member.price(100.0, 0.01, -3.0, 95.0, 99.0)
    assert member.price(200.0, 0.01, -6.0, 190.0, 198.0) == pytest.approx(2.0 * once)


@members(MarkRule)
@pytest.mark.parametrize("step", [1.0, 60.0, 3600.0])
def test_numbers_of_a_mark_rule_are_shares_and_steps(example, member, step):
    numbers = SimpleNamespace(**example(member).numbers(step, 0.3))
    assert (0.0 <= numbers.keep < 1.0, 0.0 <= numbers.late < 1.0, numbers.own in (0.0, 0.3)) == (True, True, True)
    assert numbers.looks_back in (0, numbers.lag + 1)


# --- price bands


@members(Band)
@pytest.mark.parametrize("premium", [-3_000.0, 0.0, 40.0, 3_000.0])
def test_a_band_lets_the_engine_buy_at_the_index_or_above_and_sell_at_it_or_below(example, member, premium):
    band = example(member)
    numbers, index = SimpleNamespace(**band.as_numbers()), 50_000.0
    level = index + premium if band.kind == "market_take" else index  # the venue's own price
    assert member.worst_price(numbers, index, premium, 1.0) >= level
    assert member.worst_price(numbers, index, premium, -1.0) <= level


@members(Band)
def test_a_larger_premium_never_lowers_a_limit(example, member):
    numbers = SimpleNamespace(**example(member).as_numbers())
    for side in (1.0, -1.0):
        limits = [member.worst_price(numbers, 50_000.0, premium, side) for premium in (-2_000.0, 0.0, 100.0, 4_000.0)]
        assert limits == sorted(limits)
