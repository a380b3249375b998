import pytest
from pydantic import ValidationError

from stress.exchange.impact import ImpactLaw
from stress.exchange.liquidation import CappedFee, Confiscate, FeeModel, KeepResidual
from stress.exchange.settlement import balance_error, compose, sell_inventory, trade_with_makers

SETTLE = compose(ImpactLaw.member("linear")).settle


@pytest.fixture
def liquidate(make_account, make_book, open_books):
    """Close one account under a fee model and return the state."""

    def run(model, account, fill, *, share=1.0, **terms):
        state = open_books([account], 50_000.0, bottomless=1)
        book = make_book({"exchange.fee": {"kind": model().kind, **terms}})
        SETTLE(state, book, account, fill, share)
        return state

    return run


# Long 1 with P_b = 45,000; (model, fill) -> what the fund and the trader receive.
@pytest.mark.parametrize(
    ("model", "fill", "fund", "trader"),
    [
        (Confiscate, 46_000, 1_000, 0),
        (CappedFee, 46_000, 575, 425),
        (KeepResidual, 46_000, 0, 1_000),
        (Confiscate, 45_225, 225, 0),
        (CappedFee, 45_225, 225, 0),
        (KeepResidual, 45_225, 0, 225),
        (Confiscate, 45_000, 0, 0),
        (CappedFee, 45_000, 0, 0),
        (Confiscate, 44_500, -500, 0),
        (CappedFee, 44_500, -500, 0),
        (KeepResidual, 44_500, -500, 0),
    ],
)
def test_fund_and_trader_receive_what_worked_example_19_says(liquidate, make_account, model, fill, fund, trader):
    state = liquidate(model, make_account(1, 50_000, 5_000), float(fill))
    assert state.surplus - state.bad_debt == pytest.approx(fund)
    assert state.released == pytest.approx(trader)


@pytest.mark.parametrize("model", FeeModel.family.values(), ids=FeeModel.family)
@pytest.mark.parametrize(("qty", "fill"), [(1, 46_000), (1, 44_000), (-1, 54_000), (-1, 56_000), (2, 47_500)])
def test_what_is_paid_out_is_the_equity_at_the_fill(liquidate, make_account, model, qty, fill):
    account = make_account(qty, 50_000, 5_000)
    equity = account.collateral + account.qty * (fill - account.entry)
    state = liquidate(model, account, float(fill))
    assert state.surplus - state.bad_debt + state.released == pytest.approx(equity, abs=1e-9)


@pytest.mark.parametrize("qty", [1, -1])
def test_surplus_and_bad_debt_are_never_both_booked_for_one_account(liquidate, make_account, qty):
    for fill in (44_000.0, 46_000.0, 54_000.0, 56_000.0):
        state = liquidate(CappedFee, make_account(qty, 50_000, 5_000), fill)
        assert min(state.surplus, state.bad_debt) == 0.0


def test_winners_and_losers_of_a_batch_are_not_netted(make_account, make_book, open_books):
    batch = [make_account(1, 50_000, 5_000), make_account(1, 50_000, 2_000)]  # P_b 45,000 and 48,000
    state = open_books(batch, 50_000.0)
    for account in batch:
        SETTLE(state, make_book(), account, 46_500.0, 1.0)
    assert (state.surplus, state.bad_debt) == (1_500.0, 1_500.0)


# Long 1 with P_b = 45,000 and 3 % maintenance, providers are left half of it: (fill, from the fund, to them).
@pytest.mark.parametrize(
    ("fill", "drawn", "provider"),
    [(46_000, -310.0, 690.0), (45_001, 674.015, 675.015), (45_000, 675.0, 675.0), (44_999, 675.985, 674.985)],
)
def test_the_fund_adds_what_half_of_the_margin_is_more_than_what_is_left(
    make_account, make_book, open_books, fill, drawn, provider
):
    tier = [{"cap_usd": 1e12, "max_leverage": 20, "maintenance_margin_rate": 0.03}]
    account = make_account(1, 50_000, 5_000)
    state, book = open_books([account], 50_000.0, bottomless=1), make_book({"exchange.fee": "blp_bonus", "tier": tier})
    SETTLE(state, book, account, float(fill), 1.0)
    assert (state.bad_debt - state.surplus, state.released) == (pytest.approx(drawn), pytest.approx(provider))


@pytest.mark.parametrize(("initial", "topped_up"), [(1_000.0, 0.0), (600.0, 400.0)])
def test_a_fund_with_a_bottom_adds_no_more_than_it_has(make_account, make_book, open_books, initial, topped_up):
    tier = [{"cap_usd": 1e12, "max_leverage": 20, "maintenance_margin_rate": 0.03}]
    batch = [make_account(1, 50_000, 5_000) for _ in range(100)]
    state = open_books(batch, 50_000.0, bottomless=0, topped_up=topped_up)
    book = make_book({"exchange.fee": "blp_bonus", "tier": tier}, fund_initial=initial)
    for account in batch:  # each asks for 674.015
        SETTLE(state, book, account, 45_001.0, 1.0)
        trade_with_makers(state, -1.0, 45_001.0)
    assert state.bad_debt - state.surplus == pytest.approx(1_000.0)
    assert state.released == pytest.approx(100.0 + 1_000.0)
    assert balance_error(state) == pytest.approx(0.0, abs=1e-6)


def test_a_rate_is_no_key_of_models_that_have_none():
    for kind in ("confiscate", "keep_residual"):
        with pytest.raises(ValidationError, match="rate"):
            FeeModel.choose({"kind": kind, "rate": 0.01})


def test_the_default_fee_rate_is_binances_published_sample():
    assert CappedFee().rate == 0.0125


# Worked example 21: 7 of 10 fill at 4 x 45,200 and 3 x 45,050, the fund takes over 3 at P_b = 45,000 and
# unwinds them at 44,700.  Only the books are tested here: no impact law has exactly this order book.
IOC_PRICE = (4 * 45_200 + 3 * 45_050) / 7


@pytest.fixture
def taken_over(liquidate, make_account):
    state = liquidate(Confiscate, make_account(10, 50_000, 50_000), IOC_PRICE, share=0.7)
    state.inventory = 3.0
    return state


def test_seven_filled_above_bankruptcy_leave_the_fund_950(taken_over):
    assert taken_over.surplus == pytest.approx(950)


def test_what_is_taken_over_costs_the_bankruptcy_price(taken_over):
    assert taken_over.inventory_cost == pytest.approx(3 * 45_000)


def test_unwinding_the_takeover_loses_900(taken_over):
    sell_inventory(taken_over, 1.0, 3.0, 44_700.0)
    assert taken_over.inventory_pnl == pytest.approx(-900)


def test_the_takeover_nets_50_for_the_fund(taken_over):
    sell_inventory(taken_over, 1.0, 3.0, 44_700.0)
    assert taken_over.surplus - taken_over.bad_debt + taken_over.inventory_pnl == pytest.approx(50)


def test_the_market_order_of_the_same_ten_earns_the_same_50(liquidate, make_account):
    state = liquidate(Confiscate, make_account(10, 50_000, 50_000), 45_005.0)
    assert state.surplus == pytest.approx(50)


def test_a_trader_gets_nothing_for_the_part_that_is_taken_over(liquidate, make_account):
    state = liquidate(KeepResidual, make_account(10, 50_000, 50_000), 46_000.0, share=0.7)
    assert state.released == pytest.approx(7_000)
