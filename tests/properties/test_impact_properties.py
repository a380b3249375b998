from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stress.exchange.impact import Book, ImpactLaw, Linear, SquareRoot
from stress.exchange.settlement import compose
from stress.exchange.state import ExchangeState

LAWS = [SquareRoot(), Linear(), Book()]
laws = pytest.mark.parametrize("law", LAWS, ids=[law.kind for law in LAWS])
FLOWS = st.floats(1e-3, 1e3)
SIGNED = FLOWS.flatmap(lambda q: st.sampled_from([q, -q]))


def desk(law, *, depth=1.0, permanent_share=0.0):
    scale, size, exponent = law.numbers(40_000.0, 150.0)
    liquidity = SimpleNamespace(
        scale=scale,
        size=size,
        per_size=1.0 / size,
        exponent=exponent,
        pass_through=1.0,
        permanent_share=permanent_share,
        others=0.0,
    )
    state = ExchangeState(initial_price=50_000.0, index=50_000.0, mark=50_000.0, depth=depth, per_depth=1.0 / depth)
    return compose(type(law)), state, SimpleNamespace(liquidity=liquidity, mark=SimpleNamespace(plain=1, own=1.0))


def trade(rules, state, book, quantity):
    price = rules.fill_price(state, book.liquidity, quantity, 0.0)
    rules.trade(state, book, 0, quantity, quantity, price)
    return quantity * price


def test_every_law_is_here():
    assert {type(law) for law in LAWS} == set(ImpactLaw.family.values())


@laws
@given(flow=FLOWS, more=st.floats(1.0, 100.0))
def test_impact_and_cost_rise_with_the_flow(law, flow, more):
    numbers = desk(law)[2].liquidity
    assert law.impact(flow * more, numbers) >= law.impact(flow, numbers) * (1 - 1e-12)
    assert law.cost(flow * more, numbers) >= law.cost(flow, numbers) * (1 - 1e-12)


@laws
@given(quantity=FLOWS, parts=st.lists(st.floats(0.05, 1.0), min_size=1, max_size=8), share=st.floats(0.0, 1.0))
def test_an_order_cut_anyhow_costs_the_same_and_leaves_the_same_price(law, quantity, parts, share):
    whole, cut = desk(law, depth=0.57, permanent_share=share), desk(law, depth=0.57, permanent_share=share)
    paid = trade(*whole, quantity)
    in_parts = sum(trade(*cut, quantity * part / sum(parts)) for part in parts)
    assert in_parts == pytest.approx(paid, rel=1e-9)
    assert cut[1].mark == pytest.approx(whole[1].mark, rel=1e-9)


@laws
@given(quantities=st.lists(SIGNED, min_size=1, max_size=8))
def test_a_round_trip_neither_earns_nor_costs(law, quantities):
    # Impact is a function of the parent flow: back at the same flow, the money is back.
    rules, state, book = desk(law)
    money = sum(trade(rules, state, book, quantity) for quantity in quantities)
    money += trade(rules, state, book, -sum(quantities)) if sum(quantities) else 0.0
    assert money == pytest.approx(0.0, abs=1e-7 * 50_000.0 * sum(map(abs, quantities)))


@laws
@given(before=SIGNED, quantity=SIGNED)
def test_buyers_never_fill_below_sellers(law, before, quantity):
    rules, state, book = desk(law)
    trade(rules, state, book, before)
    bought, sold = (rules.fill_price(state, book.liquidity, side * abs(quantity), 0.0) for side in (1.0, -1.0))
    assert bought >= sold


@laws
@given(quantity=FLOWS, thinner=st.floats(0.05, 1.0))
def test_a_thinner_book_never_fills_better(law, quantity, thinner):
    normal, thin = desk(law), desk(law, depth=thinner)
    assert trade(*thin, quantity) >= trade(*normal, quantity) * (1 - 1e-12)
