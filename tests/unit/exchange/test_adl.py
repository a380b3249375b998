import pytest
from pydantic import ValidationError

from stress.exchange.settlement import balance_error
from stress.exchange.waterfall import Layer

MARK = 44_000.0  # the bankrupt longs have P_b = 45,000


@pytest.fixture
def bankrupt(make_account):
    return lambda *quantities: [make_account(q, 50_000, 5_000 * q) for q in quantities]


@pytest.fixture
def short(make_account):
    """A short in profit at the mark; the lower its collateral, the higher its leverage."""
    return lambda qty, entry=50_000.0, collateral=1e6: make_account(-qty, entry, collateral)


def test_the_queue_of_worked_example_27_is_c_b_a(present, make_account):
    # Mark 50,000; shorts bankrupt at 49,000 are closed against the longs A, B, C.
    sizes = {"A": (2, 40_000, 8_000), "B": (1, 42_000, 1_050), "C": (1, 30_000, 10_000)}
    order = []
    for asked in (0.5, 1.5, 2.5):
        queue = {name: make_account(*row) for name, row in sizes.items()}
        short = make_account(-asked, 48_000, 1_000 * asked)
        present(["adl", "fund"], [short], list(queue.values()), fill=50_000.0)
        order += [name for name, a in queue.items() if a.qty < sizes[name][0] and name not in order]
    assert order == ["C", "B", "A"]


# --- the transfer


def test_the_transfer_is_at_the_bankruptcy_price(present, bankrupt, short):
    run = present(["adl", "fund"], bankrupt(3), [short(5)], fill=MARK)
    assert run.case.transfer_price == 45_000.0


def test_a_winner_forgoes_its_profit_beyond_the_bankruptcy_price(present, bankrupt, short):
    # Worked example 30: 3 BTC at P_b = 45,000 and mark 44,000: the shorts forgo 3,000.
    winner = short(3)
    present(["adl", "fund"], bankrupt(3), [winner], fill=MARK)
    at_the_mark = 1e6 + 3 * (50_000 - MARK)
    assert at_the_mark - winner.collateral == pytest.approx(3_000)


def test_a_deleveraged_position_is_smaller_by_what_was_taken(present, bankrupt, short):
    winner = short(5)
    present(["adl", "fund"], bankrupt(3), [winner], fill=MARK)
    assert winner.qty == -2.0


def test_the_transfer_price_of_several_accounts_is_their_mean(present, make_account, short):
    longs = [make_account(1, 50_000, 5_000), make_account(3, 50_000, 3_000)]  # P_b 45,000 and 49,000
    run = present(["adl", "fund"], longs, [short(9)], fill=MARK)
    assert run.case.transfer_price == 48_000.0


def test_nobody_loses_what_adl_takes(present, bankrupt, short):
    run = present(["adl", "fund"], bankrupt(3), [short(5)], fill=MARK)
    assert (run.state.bad_debt, run.state.socialized_loss, run.state.unresolved_shortfall) == (0.0, 0.0, 0.0)


def test_deleveraged_notional_is_counted_at_the_mark(present, bankrupt, short):
    run = present(["adl", "fund"], bankrupt(3), [short(5)], fill=MARK)
    assert run.state.deleveraged_notional == 3 * MARK


def test_the_books_balance_after_a_transfer(present, bankrupt, short):
    run = present(["adl", "fund"], bankrupt(3, 4), [short(5), short(1.5)], fill=MARK, maker_collateral=1e6)
    assert balance_error(run.state) == pytest.approx(0.0, abs=1e-6)


def test_bankrupt_shorts_are_closed_against_longs(present, make_account):
    winner = make_account(5, 50_000, 1e6)
    present(["adl", "fund"], [make_account(-3, 50_000, 15_000)], [winner], fill=56_000.0)
    assert winner.qty == 2.0


# --- who takes part


def test_losers_are_not_deleveraged(present, bankrupt, short):
    loser = short(5, entry=43_000.0)
    present(["adl", "fund"], bankrupt(3), [loser], fill=MARK, start=MARK)
    assert loser.qty == -5.0


def test_the_own_side_is_not_deleveraged(present, bankrupt, make_account):
    long = make_account(5, 40_000, 1e6)
    present(["adl", "fund"], bankrupt(3), [long], fill=MARK)
    assert long.qty == 5.0


def test_a_winner_that_the_transfer_would_ruin_is_passed_over(present, bankrupt, short):
    thin = short(5, entry=44_100.0, collateral=4_400.0)  # worth -100 at 45,000
    run = present(["adl", "fund"], bankrupt(3), [thin], fill=MARK, start=MARK)
    assert (thin.qty, run.case.deleveraged) == (-5.0, 0.0)


def test_nobody_is_insolvent_after_the_transfer(present, bankrupt, short):
    winners = [short(1, entry=45_000.0 - k, collateral=900.0) for k in range(0, 1_000, 100)]
    present(["adl", "fund"], bankrupt(9), winners, fill=MARK)
    left = [w.collateral + w.qty * (45_000.0 - w.entry) for w in winners]
    assert min(left) >= 0.0


def test_a_loser_cannot_be_asked_even_if_it_would_win_at_the_transfer_price(present, make_account):
    # Shorts bankrupt at 55,000; the mark is 54,000 and a long from 54,500 loses.
    long = make_account(5, 54_500, 1e6)
    present(["adl", "fund"], [make_account(-3, 50_000, 15_000)], [long], fill=54_000.0, start=54_000.0)
    assert long.qty == 5.0


def test_makers_in_profit_are_deleveraged_if_they_take_part(present, bankrupt):
    run = present(["adl", "fund"], bankrupt(3), fill=MARK, maker_collateral=1e6)
    assert (run.case.deleveraged, run.state.maker_qty) == (3.0, 0.0)


def test_makers_may_be_exempt(present, bankrupt):
    run = present(["adl", "fund"], bankrupt(3), fill=MARK, maker_collateral=1e6, numbers={"makers_deleverage": 0})
    assert run.case.deleveraged == 0.0


def test_makers_that_lose_are_not_deleveraged(present, bankrupt):
    run = present(["adl", "fund"], bankrupt(3), fill=MARK, start=43_000.0, maker_collateral=1e6)
    assert run.case.deleveraged == 0.0


def test_the_highest_rank_goes_first(present, bankrupt, short):
    safe, levered = short(5, collateral=1e6), short(5, collateral=1e4)
    present(["adl", "fund"], bankrupt(3), [safe, levered], fill=MARK)
    assert (safe.qty, levered.qty) == (-5.0, -2.0)


def test_equal_ranks_go_by_account_id(present, bankrupt, short):
    first, second = short(5), short(5)
    present(["adl", "fund"], bankrupt(3), [first, second], fill=MARK)
    assert (first.qty, second.qty) == (-2.0, -5.0)


# --- how much


def test_the_queue_takes_at_most_its_capacity(present, bankrupt, short):
    run = present([{"kind": "adl", "capacity": 0.25}, "fund"], bankrupt(4, 8), [short(50)], fill=MARK, fund=1e6)
    assert run.moved == [1.0, 2.0]
    assert run.case.fund_share == pytest.approx(0.75)


def test_too_few_winners_take_what_they_hold(present, bankrupt, short):
    run = present(["adl", "fund"], bankrupt(4, 8), [short(3)], fill=MARK, start=MARK)
    assert run.case.deleveraged == pytest.approx(3, abs=1e-7)
    assert run.case.remaining == pytest.approx(0.75)


def test_every_bankrupt_account_is_relieved_of_the_same_fraction(present, bankrupt, short):
    run = present(["adl", "fund"], bankrupt(4, 8), [short(3)], fill=MARK, start=MARK)
    assert run.moved[1] == pytest.approx(2 * run.moved[0], abs=1e-7)


def test_transfers_are_whole_lots(present, bankrupt, short):
    lot = 0.25
    run = present(["fund", "adl"], bankrupt(4, 8), [short(50)], fill=MARK, fund=5_000.0, numbers={"lot": lot})
    assert [moved % lot for moved in run.moved] == [0.0, 0.0]


def test_a_fraction_is_rounded_up_to_lots(present, bankrupt, short):
    run = present(["fund", "adl"], bankrupt(4), [short(50)], fill=MARK, fund=3_900.0, numbers={"lot": 0.25})
    assert run.moved == [0.25]  # 2.5 % of 4 is 0.1


def test_no_account_moves_more_than_it_has(present, bankrupt, short):
    run = present(["fund", "adl"], bankrupt(0.1), [short(50)], fill=MARK, fund=1.0, numbers={"lot": 0.25})
    assert run.moved == [0.1]


def test_an_unknown_ranking_names_the_known_ones():
    with pytest.raises(ValidationError, match="unknown kind 'size', known: binance, cube, hyperliquid"):
        Layer.choose({"kind": "adl", "ranking": "size"})


def test_funding_received_makes_a_winner(present, bankrupt, short):
    # From 43,900 at a mark of 44,000 a short lost 100 a unit, and received 150.
    winner = short(5, entry=43_900.0)
    present(["adl", "fund"], bankrupt(3), [winner], fill=MARK, start=MARK, funding=150.0)
    assert winner.qty == -2.0


def test_a_winner_that_the_transfer_would_leave_with_nearly_nothing_is_passed_over(present, bankrupt, short):
    thin = short(5, entry=44_100.0, collateral=4_500.0 + 1e-3)  # worth a tenth of a cent at 45,000
    run = present(["adl", "fund"], bankrupt(3), [thin], fill=MARK, start=MARK)
    assert run.case.deleveraged == 0.0
