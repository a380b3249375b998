import pytest

from stress.engines.rounds import Round
from stress.exchange.settlement import balance_error, fund_value
from stress.exchange.waterfall import Case, close_inventory_case, open_case, open_inventory_case

TO_A_LOT = 1e-3  # quote: a lot of 1e-8 at 50,000, rounded up


@pytest.fixture
def gap(make_account):
    """Longs that are bankrupt at 45,000."""

    def make(*quantities):
        return [make_account(q, 50_000, 5_000 * q, cohort=i) for i, q in enumerate(quantities)]

    return make


@pytest.fixture
def winner(make_account):
    """A short whose profit at `fill` is given."""

    def make(profit, fill, *, qty=-10.0):
        return make_account(qty, fill - profit / qty, 100_000.0)

    return make


# --- the fund


def test_a_rich_fund_pays_the_whole_shortfall(present, gap):
    run = present(["fund", "adl"], gap(3), fill=44_700.0, fund=1e6)
    assert (run.state.bad_debt, run.case.remaining) == (pytest.approx(900), 0.0)


def test_a_fund_pays_the_fraction_that_it_can_afford_and_the_rest_goes_on(present, gap, winner):
    # Worked example 31: 3 BTC, price 300 below P_b, fund 500: 1.6667 BTC by the fund, 1.3333 BTC by ADL.
    run = present(["fund", "adl"], gap(3), [winner(1e5, 44_700.0)], fill=44_700.0, fund=500.0)
    assert run.state.bad_debt == pytest.approx(500, abs=TO_A_LOT)
    assert run.case.deleveraged == pytest.approx(4 / 3, abs=1e-7)


def test_the_part_that_adl_takes_is_not_sold(present, gap, winner):
    run = present(["fund", "adl"], gap(3), [winner(1e5, 44_700.0)], fill=44_700.0, fund=500.0)
    sold_to_makers = run.state.maker_qty - (-3 + 10)  # they opened against 3 long and 10 short
    assert sold_to_makers == pytest.approx(5 / 3, abs=1e-7)


def test_an_empty_fund_pays_nothing(present, gap):
    run = present(["fund"], gap(3), fill=44_700.0, fund=0.0)
    assert (run.case.fund_share, run.state.unresolved_shortfall) == (0.0, pytest.approx(900))


def test_the_shadow_fund_has_no_bottom(present, gap):
    run = present(["fund", "adl"], gap(3), fill=44_700.0, fund=0.0, bottomless=1)
    assert (run.state.bad_debt, run.case.fund_share) == (pytest.approx(900), 1.0)


def test_the_fund_covers_the_same_fraction_of_each_shortfall(present, gap, winner):
    bankrupt = gap(3, 1, 2)
    run = present(["fund", "adl"], bankrupt, [winner(1e5, 44_700.0)], fill=44_700.0, fund=600.0)
    shares = [moved / account.qty for moved, account in zip(run.moved, bankrupt, strict=True)]
    assert shares == pytest.approx([2 / 3] * 3, abs=1e-7)


def test_the_surplus_of_the_round_is_there_for_its_shortfall(present, gap, open_books, make_book):
    state = open_books(gap(3), 50_000.0, surplus=250.0)
    case = Case()
    round_ = Round(gap(3), [0.0], [1.0], [1], [0.0], [0])
    open_case(state, make_book(fund_initial=500.0), case, 1.0, round_, 44_700.0, 44_700.0)
    assert case.fund_capacity == 750.0


def test_only_flagged_accounts_of_the_side_are_in_the_case(open_books, make_book, gap, make_account):
    batch = [*gap(3, 1), make_account(-1, 40_000, 1_000)]
    state, case = open_books(batch, 50_000.0), Case()
    round_ = Round(batch, [0.0] * 3, [1.0] * 3, [1, 0, 1], [0.0] * 3, [0] * 3)
    open_case(state, make_book(), case, 1.0, round_, 44_700.0, 44_700.0)
    assert case.loss == pytest.approx(900)


# --- socialised loss


def test_winners_pay_in_proportion_to_their_profit(present, gap, winner):
    # Worked example 32: loss 1,400, fund 500, winners 4,000 / 5,000 / 1,000: rate 9 %.
    winners = [winner(profit, 44_900.0) for profit in (4_000, 5_000, 1_000)]
    run = present(["fund", "socialize"], gap(14), winners, fill=44_900.0, fund=500.0, start=44_900.0)
    assert [100_000.0 - w.collateral for w in winners] == pytest.approx([360, 450, 90])
    assert run.state.socialized_loss == pytest.approx(900)


def test_what_winners_pay_the_fund_does_not(present, gap, winner):
    winners = [winner(profit, 44_900.0) for profit in (4_000, 5_000, 1_000)]
    run = present(["fund", "socialize"], gap(14), winners, fill=44_900.0, fund=500.0, start=44_900.0)
    assert run.state.bad_debt == pytest.approx(500)


def test_losers_pay_nothing(present, gap, winner):
    loser = winner(-4_000, 44_900.0)
    present(["socialize", "fund"], gap(14), [loser, winner(5_000, 44_900.0)], fill=44_900.0, start=44_900.0)
    assert loser.collateral == 100_000.0


def test_makers_in_profit_pay_like_everybody(present, gap):
    # The makers are short 14 from 50,000: at 44,900 they won 71,400 and are the only winners.
    run = present(["socialize", "fund"], gap(14), fill=44_900.0, maker_collateral=1e6)
    assert run.state.maker_collateral == pytest.approx(1e6 - 1_400)


def test_funding_received_is_profit_too(present, gap, winner):
    # At equal prices a short that received 100 a unit has won 1,000, another one nothing.
    winners = [winner(0, 44_900.0), winner(-1_000, 44_900.0)]
    present(["socialize", "fund"], gap(5), winners, fill=44_900.0, start=44_900.0, funding=100.0)
    assert winners[0].collateral == pytest.approx(100_000 - 1_000)  # the loss is 5 x (100 + 100)
    assert winners[1].collateral == 100_000.0


def test_exhausted_winners_leave_an_unresolved_shortfall(present, gap, winner):
    run = present(["socialize", "fund"], gap(14), [winner(600, 44_900.0)], fill=44_900.0, start=44_900.0)
    assert run.state.socialized_loss == pytest.approx(600)
    assert run.state.unresolved_shortfall == pytest.approx(800)


def test_nobody_in_profit_leaves_everything_unresolved(present, gap, winner):
    run = present(["socialize", "fund"], gap(14), [winner(-600, 44_900.0)], fill=44_900.0, start=44_900.0)
    assert (run.case.contributed, run.state.unresolved_shortfall) == (0.0, pytest.approx(1_400))


# --- the order


PRICE, LOSS, FUND = 44_900.0, 1_400.0, 500.0


@pytest.mark.parametrize(
    ("layers", "fund", "socialized", "deleveraged"),
    [
        (["fund", "socialize", "adl"], 500, 900, 0.0),
        (["fund", "adl", "socialize"], 500, 0, 9.0),
        (["adl", "fund", "socialize"], 0, 0, 14.0),
        (["socialize", "fund", "adl"], 0, 1_400, 0.0),
    ],
)
def test_the_layers_pay_in_the_configured_order(present, gap, winner, layers, fund, socialized, deleveraged):
    run = present(layers, gap(14), [winner(50_000, PRICE, qty=-20.0)], fill=PRICE, fund=FUND)
    assert run.state.bad_debt == pytest.approx(fund, abs=TO_A_LOT)
    assert run.state.socialized_loss == pytest.approx(socialized)
    assert run.case.deleveraged == pytest.approx(deleveraged, abs=1e-7)


def test_a_layer_that_takes_a_part_leaves_the_rest_to_the_next(present, gap, winner):
    layers = [{"kind": "adl", "capacity": 0.25}, "fund", "socialize"]
    run = present(layers, gap(16), [winner(50_000, PRICE, qty=-20.0)], fill=PRICE, fund=300.0)
    assert run.case.deleveraged == pytest.approx(4)  # a quarter of 16
    assert run.state.bad_debt == pytest.approx(300)  # what the fund has, of 1,200
    assert run.state.socialized_loss == pytest.approx(900)


@pytest.mark.parametrize("fund", [0.0, 500.0, 1e5])
@pytest.mark.parametrize("share", [1.0, 0.4, 0.0])
@pytest.mark.parametrize(
    "layers", [["fund", "adl", "socialize"], ["adl", "fund", "socialize"], ["socialize", "fund", "adl"], ["fund"]]
)
def test_the_books_balance_whoever_pays(present, gap, winner, layers, share, fund):
    winners = [winner(700, PRICE, qty=-6.0), winner(300, PRICE, qty=-3.0)]
    run = present(layers, gap(9, 5), winners, fill=PRICE, later=44_800.0, share=share, fund=fund)
    assert balance_error(run.state) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("fund", [0.0, 500.0])
@pytest.mark.parametrize("share", [1.0, 0.4, 0.0])
@pytest.mark.parametrize("layers", [["fund", "adl", "socialize"], ["adl", "fund", "socialize"], ["fund"]])
def test_the_marked_fund_does_not_end_below_zero(present, gap, winner, layers, share, fund):
    winners = [winner(700, PRICE, qty=-6.0)]
    run = present(layers, gap(9, 5), winners, fill=PRICE, later=44_800.0, share=share, fund=fund)
    assert fund + fund_value(run.state, 44_800.0) >= -TO_A_LOT


def test_loss_on_quantity_that_is_taken_over_counts_in_the_shortfall(present, gap):
    run = present(["fund"], gap(10), fill=44_900.0, later=44_800.0, share=0.5, fund=1e6)
    assert run.case.loss == pytest.approx(5 * 100 + 5 * 200)


def test_what_is_not_sold_is_held_at_the_bankruptcy_price(present, gap):
    run = present(["fund"], gap(10), fill=44_900.0, share=0.5, fund=1e6)
    assert (run.state.inventory, run.state.inventory_cost) == (5.0, 5 * 45_000.0)


def test_loss_and_takeover_are_attributed_to_the_cohorts(present, gap):
    run = present(["fund"], gap(10, 4), fill=44_900.0, share=0.25, fund=1e6)
    assert run.state.cohort_loss[:2] == pytest.approx([0.25 * 1_000, 0.25 * 400])
    assert run.state.cohort_taken[:2] == pytest.approx([7.5 * 44_900, 3.0 * 44_900])


def test_shorts_are_paid_for_like_longs(present, make_account):
    shorts = [make_account(-3, 50_000, 15_000)]  # P_b 55,000
    run = present(["fund"], shorts, fill=55_300.0, fund=1e6)
    assert run.state.bad_debt == pytest.approx(900)


# --- inventory that the fund cannot carry


@pytest.fixture
def stuck(open_books, make_book, make_account):
    """A fund of 1,000 that holds 10 BTC taken over at 45,000; open its case at a price."""

    def run(price, *, cash=0.0):
        state = open_books([], 50_000.0, inventory=10.0, inventory_cost=450_000.0, maker_qty=-10.0, bottomless=0)
        state.bad_debt = -cash
        round_, case = Round([make_account(0, 1, 0)], [0.0], [0.0], [0], [0.0]), Case()
        rest = open_inventory_case(state, make_book(fund_initial=1_000.0), case, round_, price)
        return state, case, round_, rest

    return run


def test_the_deficit_of_the_fund_is_a_fraction_of_the_inventorys_loss(stuck):
    _, case, _, rest = stuck(44_600.0)  # loss 4,000, fund 1,000
    assert (case.loss, case.remaining, rest) == (4_000.0, 0.75, 0.0)


def test_the_inventory_is_presented_as_one_account_at_its_cost(stuck):
    _, case, round_, _ = stuck(44_600.0)
    assert (round_.batch[0].qty, round_.batch[0].entry, case.side) == (10.0, 45_000.0, 1.0)


def test_a_deficit_that_no_inventory_stands_against_is_left_over(stuck):
    _, case, _, rest = stuck(44_600.0, cash=-2_000.0)  # deficit 5,000, of which 4,000 are inventory
    assert (case.remaining, rest) == (1.0, 1_000.0)


def test_what_nobody_takes_is_unresolved_and_leaves_the_fund_at_zero(stuck):
    state, case, round_, rest = stuck(44_600.0)
    close_inventory_case(state, case, round_, rest)
    assert state.unresolved_shortfall == pytest.approx(3_000)
    assert 1_000.0 + fund_value(state, 44_600.0) == pytest.approx(0.0)


def test_what_is_deleveraged_leaves_the_inventory_at_its_cost(stuck):
    state, case, round_, rest = stuck(44_600.0)
    round_.moved[0], case.remaining = 7.5, 0.0
    close_inventory_case(state, case, round_, rest)
    assert (state.inventory, state.inventory_cost) == (2.5, 112_500.0)
    assert 1_000.0 + fund_value(state, 44_600.0) == pytest.approx(0.0)
