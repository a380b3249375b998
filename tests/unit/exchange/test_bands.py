"""Worked examples of price bands."""

from types import SimpleNamespace

import pytest

from stress.exchange.bands import NO_CEILING, Band
from stress.rules import kernel, one_of, record

BUY, SELL = 1.0, -1.0
INDEX = 50_000.0
worst_price = one_of(Band.rules("worst_price"))


def worst(premium, side, **band):
    numbers = SimpleNamespace(**Band.choose(band).as_numbers())
    return worst_price(numbers.code, numbers, INDEX, premium, side)


@pytest.mark.parametrize(
    ("premium", "buy", "sell"),
    [(100.0, 51_100.0, 49_100.0), (2_500.0, 52_500.0, 50_000.0), (-2_500.0, 50_000.0, 47_500.0)],
)
def test_the_two_sided_band_of_okx_in_worked_example_8(premium, buy, sell):
    assert worst(premium, BUY, kind="two_sided", inner=0.02, outer=0.05) == buy
    assert worst(premium, SELL, kind="two_sided", inner=0.02, outer=0.05) == sell


def test_a_fixed_band_is_about_the_index():
    assert (worst(700.0, BUY, kind="fixed"), worst(700.0, SELL, kind="fixed")) == (52_500.0, 47_500.0)


def test_the_bound_of_market_orders_is_about_the_own_price():
    assert worst(1_000.0, BUY, kind="market_take", outer=0.05) == 53_550.0
    assert worst(1_000.0, SELL, kind="market_take", outer=0.05) == 48_450.0


def test_without_a_band_every_fill_is_allowed():
    assert (worst(0.0, BUY, kind="none"), worst(0.0, SELL, kind="none")) == (NO_CEILING, 0.0)


@pytest.mark.parametrize("kind", Band.family)
def test_compiled_rules_read_a_record_as_they_read_attributes(kind):
    band = Band.choose(kind)
    rows = record(band.as_numbers())
    compiled = kernel(lambda code, rows: worst_price(code, rows[0], INDEX, 100.0, SELL))
    assert compiled(band.code, rows) == worst(100.0, SELL, kind=kind)
