import random
from itertools import permutations
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stress.engines.rounds import Round
from stress.engines.rulebook import as_namespace
from stress.exchange.ranking import Ranking
from stress.exchange.settlement import balance_error, close, fund_value, trade_with_makers
from stress.exchange.socialize import LossBasis
from stress.exchange.state import ExchangeState
from stress.exchange.transfer import TransferPrice
from stress.exchange.waterfall import Case, Layer, close_case, compose_waterfall, layer_numbers, layer_order, open_case

MARK = 45_000.0
LOT = 2.0**-20
ORDERS = [order for n in (1, 2, 3) for order in permutations(("fund", "adl", "socialize"), n) if "fund" in order]
random.Random(7).shuffle(
    rest := [order for order in permutations(sorted(Layer.family)) if len(order) == len(set(order))]
)
ORDERS += rest[:60]

PROVIDERS = {"usd_per_minute": 2e5, "usd_per_hour": 2e5, "required_edge": -1.0}
POOLS = {"backstop": PROVIDERS, "fee_pool": {"usd": 700.0}, "operator": {"limit_usd": 900.0}}
LIMITS = [[], [{"kind": "floor", "usd": 400.0}], [{"kind": "per_step", "usd": 300.0}], [{"kind": "negative_equity"}]]
TIERS = SimpleNamespace(count=1, cap=[1e12], rate=[0.005], deduction=[0.0], at_mark=1.0, at_entry=0.0)

# Bankrupt longs: size and how far the fill is below the bankruptcy price.  Winning shorts: size, profit, margin.
LONGS = st.lists(st.tuples(st.floats(0.01, 50.0), st.floats(1.0, 2_000.0)), min_size=1, max_size=4)
SHORTS = st.lists(st.tuples(st.floats(0.01, 50.0), st.floats(-500.0, 3_000.0), st.floats(50.0, 5_000.0)), max_size=4)


def worth(a):
    return a.collateral + a.qty * (MARK - a.entry)


def settle(account, longs, shorts, fund, order, ranking, price, basis, limits, capacity, share):
    def lots(quantity):
        return max(1, round(quantity / LOT)) * LOT

    bankrupt = [account(lots(q), 50_000.0, lots(q) * (50_000.0 - MARK - gap)) for q, gap in longs]
    winners = [account(-lots(q), MARK + won, lots(q) * margin) for q, won, margin in shorts]
    everybody, before = [*bankrupt, *winners], [worth(a) for a in winners]
    qty = sum(a.qty for a in everybody)
    state = ExchangeState(
        initial_price=MARK,
        index=MARK,
        mark=MARK,
        previous_mark=MARK + 50.0,
        bottomless=0,
        alive_qty=qty,
        alive_cost=sum(a.qty * a.entry for a in everybody),
        alive_collateral=sum(a.collateral for a in everybody),
        maker_qty=-qty,
        maker_cost=-qty * MARK,
        deposits=sum(a.collateral + a.qty * (MARK - a.entry) for a in everybody),
    )
    chosen = {
        "adl": {"ranking": ranking, "price": price, "capacity": capacity},
        "socialize": {"basis": basis},
        "fund": {"limits": limits},
        **POOLS,
    }
    made = tuple(Layer.choose({"kind": kind, **chosen[kind]}) for kind in order)
    layers = as_namespace(layer_numbers(made))
    numbers = {"fund_initial": fund, "lot": LOT, "makers_deleverage": 1, "tiers": TIERS, "step_hours": 1 / 60}
    book = SimpleNamespace(layers=layers, layer_order=layer_order(made), n_layers=len(made), **numbers)
    case, n = Case(), len(bankrupt)
    round_ = Round(bankrupt, [0.0] * n, [share] * n, [1] * n, [0.0] * n)
    open_case(state, book, case, 1.0, round_, MARK, MARK)
    compose_waterfall()(state, book, case, round_, everybody, list(range(len(bankrupt), len(everybody))))
    for a in bankrupt:
        close(state, a)
    close_case(state, case, round_)
    trade_with_makers(state, -share * (sum(a.qty for a in bankrupt) - sum(round_.moved)), MARK)
    parties = {"bankrupt": bankrupt, "winners": winners, "before": before, "fund": fund}
    return SimpleNamespace(state=state, case=case, moved=round_.moved, **parties)


any_case = given(
    longs=LONGS,
    shorts=SHORTS,
    fund=st.sampled_from([0.0, 1_000.0, 1e6]),
    order=st.sampled_from(ORDERS),
    ranking=st.sampled_from(sorted(Ranking.family)),
    price=st.sampled_from(sorted(TransferPrice.family)),
    basis=st.sampled_from(sorted(LossBasis.family)),
    limits=st.sampled_from(LIMITS),
    capacity=st.sampled_from([0.0, 0.3, 1.0]),
    share=st.sampled_from([0.0, 0.4, 1.0]),
)


def rounding(run):
    """Quote that whole lots may shift between layers."""
    return 1e-6 + LOT * 4 * 2_000.0


@any_case
def test_a_loss_goes_to_exactly_one_layer(account, **drawn):
    # Sold at the mark, the case is the loss at the bankruptcy price of what nobody took over.
    run = settle(account, **drawn)
    case = run.case
    loss_of = [gap * a.qty for a, (_, gap) in zip(run.bankrupt, drawn["longs"], strict=True)]
    handed_over = sum(moved / a.qty * loss for moved, a, loss in zip(run.moved, run.bankrupt, loss_of, strict=True))
    promised = case.fund_paid + min(0.0, case.owed)
    total = promised + case.contributed + case.remaining * case.loss + handed_over - case.owed
    assert total == pytest.approx(case.loss, abs=rounding(run))


@any_case
def test_who_pays_is_in_exactly_one_column(account, **drawn):
    run = settle(account, **drawn)
    state, case = run.state, run.case
    outside = state.fee_pool_paid + state.operator_paid + state.socialized_loss
    assert outside == pytest.approx(case.contributed, abs=1e-6)
    assert state.unresolved_shortfall == pytest.approx(case.remaining * case.loss, abs=1e-6)


@any_case
def test_a_fund_never_pays_more_than_it_has(account, **drawn):
    run = settle(account, **drawn)
    assert run.case.fund_paid <= run.fund + 1e-6


@any_case
def test_the_loss_at_the_moment_of_allocation_is_the_same_in_every_order(account, **drawn):
    turned = drawn | {"order": drawn["order"][::-1]}
    assert settle(account, **drawn).case.loss == settle(account, **turned).case.loss


@any_case
def test_the_books_balance_after_any_waterfall(account, **drawn):
    run = settle(account, **drawn)
    assert balance_error(run.state) <= 1e-9 * 1e7


@any_case
def test_no_fund_with_a_bottom_ends_below_it(account, **drawn):
    run = settle(account, **drawn)
    assert run.fund + fund_value(run.state, MARK) >= -rounding(run)


@any_case
def test_no_payer_is_left_insolvent(account, **drawn):
    run = settle(account, **drawn)
    assert all(worth(a) >= min(0.0, before) - 1e-6 for a, before in zip(run.winners, run.before, strict=True))


@any_case
def test_nothing_is_negative(account, **drawn):
    run = settle(account, **drawn)
    state = run.state
    customers = (state.socialized_loss, state.deleveraged_notional, state.forgone_profit, state.broken_hedges)
    outside = (state.fee_pool_paid, state.operator_paid, state.haircut, abs(state.backstop_qty))
    amounts = (state.bad_debt, state.unresolved_shortfall, *customers, *outside)
    assert min(*amounts, run.case.remaining, run.case.fund_share) >= -rounding(run)


@any_case
def test_every_account_is_relieved_of_the_same_fraction(account, **drawn):
    run = settle(account, **drawn)
    fractions = [moved / a.qty for moved, a in zip(run.moved, run.bankrupt, strict=True)]
    lots = [2 * LOT / a.qty for a in run.bankrupt]
    assert max(fractions) - min(fractions) <= max(lots) + 1e-12
