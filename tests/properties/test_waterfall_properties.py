from itertools import permutations
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stress.exchange.adl import Adl
from stress.exchange.settlement import balance_error, close, fund_value, trade_with_makers
from stress.exchange.state import ExchangeState
from stress.exchange.waterfall import Case, Fund, Socialize, close_case, compose_waterfall, open_case

MARK = 45_000.0
LOT = 2.0**-20
ORDERS = [order for n in (1, 2, 3) for order in permutations(("fund", "adl", "socialize"), n) if "fund" in order]

# Bankrupt longs: size and how far the fill is below the bankruptcy price.  Winning shorts: size, profit, margin.
LONGS = st.lists(st.tuples(st.floats(0.01, 50.0), st.floats(1.0, 2_000.0)), min_size=1, max_size=4)
SHORTS = st.lists(st.tuples(st.floats(0.01, 50.0), st.floats(-500.0, 3_000.0), st.floats(50.0, 5_000.0)), max_size=4)


def settle(account, longs, shorts, fund, order, ranking, capacity, share):
    def lots(quantity):
        return max(1, round(quantity / LOT)) * LOT

    bankrupt = [account(lots(q), 50_000.0, lots(q) * (50_000.0 - MARK - gap)) for q, gap in longs]
    winners = [account(-lots(q), MARK + won, lots(q) * margin) for q, won, margin in shorts]
    everybody = [*bankrupt, *winners]
    qty = sum(a.qty for a in everybody)
    state = ExchangeState(
        initial_price=MARK,
        index=MARK,
        mark=MARK,
        bottomless=0,
        alive_qty=qty,
        alive_cost=sum(a.qty * a.entry for a in everybody),
        alive_collateral=sum(a.collateral for a in everybody),
        maker_qty=-qty,
        maker_cost=-qty * MARK,
        deposits=sum(a.collateral + a.qty * (MARK - a.entry) for a in everybody),
    )
    made = {"fund": Fund(), "adl": Adl(ranking=ranking, capacity=capacity), "socialize": Socialize()}
    layers = SimpleNamespace(adl=SimpleNamespace(capacity=capacity))
    book = SimpleNamespace(fund_initial=fund, lot=LOT, makers_deleverage=1, layers=layers)
    case, short, moved = Case(), [1] * len(bankrupt), [0.0] * len(bankrupt)
    open_case(state, book, case, 1.0, bankrupt, short, MARK, share, MARK)
    absorb = compose_waterfall([made[kind] for kind in order])
    absorb(state, book, case, bankrupt, short, moved, everybody, list(range(len(bankrupt), len(everybody))))
    for a in bankrupt:
        close(state, a)
    close_case(state, case, bankrupt, short, moved, MARK, share)
    trade_with_makers(state, -share * (sum(a.qty for a in bankrupt) - sum(moved)), MARK)
    return SimpleNamespace(state=state, case=case, moved=moved, bankrupt=bankrupt, winners=winners, fund=fund)


any_case = given(
    longs=LONGS,
    shorts=SHORTS,
    fund=st.sampled_from([0.0, 1_000.0, 1e6]),
    order=st.sampled_from(ORDERS),
    ranking=st.sampled_from(["profit_leverage", "pro_rata"]),
    capacity=st.sampled_from([0.0, 0.3, 1.0]),
    share=st.sampled_from([0.0, 0.4, 1.0]),
)


def rounding(run):
    """Quote that whole lots may shift between layers."""
    return 1e-6 + LOT * 4 * 2_000.0


@any_case
def test_the_fractions_of_the_layers_add_up_to_one(account, **drawn):
    run = settle(account, **drawn)
    case = run.case
    loss_of = [gap * a.qty for a, (_, gap) in zip(run.bankrupt, drawn["longs"], strict=True)]
    deleveraged = sum(moved / a.qty * loss for moved, a, loss in zip(run.moved, run.bankrupt, loss_of, strict=True))
    total = case.fund_share * case.loss + case.socialized + case.remaining * case.loss + deleveraged
    assert total == pytest.approx(case.loss, abs=rounding(run))


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
    assert all(a.collateral + a.qty * (MARK - a.entry) >= -1e-6 for a in run.winners)


@any_case
def test_nothing_is_negative(account, **drawn):
    run = settle(account, **drawn)
    state = run.state
    amounts = (state.bad_debt, state.socialized_loss, state.unresolved_shortfall, state.deleveraged_notional)
    assert min(*amounts, run.case.remaining, run.case.fund_share) >= -rounding(run)


@any_case
def test_every_account_is_relieved_of_the_same_fraction(account, **drawn):
    run = settle(account, **drawn)
    fractions = [moved / a.qty for moved, a in zip(run.moved, run.bankrupt, strict=True)]
    lots = [2 * LOT / a.qty for a in run.bankrupt]
    assert max(fractions) - min(fractions) <= max(lots) + 1e-12
