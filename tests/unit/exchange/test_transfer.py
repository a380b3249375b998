import pytest

from stress.exchange.settlement import balance_error
from stress.exchange.transfer import TransferPrice
from stress.exchange.waterfall import Layer

BANKRUPTCY, MARK = 45_000.0, 44_000.0


@pytest.fixture
def longs(make_account):
    """Bankrupt at 45,000."""
    return lambda *quantities: [make_account(q, 50_000, 5_000 * q) for q in quantities]


@pytest.fixture
def shorts(make_account):
    return lambda *quantities: [make_account(-q, 50_000, 1e6) for q in quantities]


def price_of(kind):
    return TransferPrice.member(kind).price(BANKRUPTCY, MARK, 44_400.0, 44_100.0)


def test_the_prices_of_worked_example_30():
    found = {kind: price_of(kind) for kind in TransferPrice.family}
    assert found.pop("blend") == pytest.approx(44_666.67, abs=0.005)
    assert found.pop("bankruptcy_near_mark") == 45_000.0  # 2.3 % from the mark
    assert found == {"bankruptcy": 45_000.0, "mark": 44_000.0, "previous_mark": 44_400.0, "oracle": 44_100.0}


@pytest.mark.parametrize(
    ("bankruptcy", "price"), [(46_200, 46_200), (46_201, MARK), (41_800, 41_800), (41_799, MARK), (45_000, 45_000)]
)
def test_beyond_five_percent_of_the_mark_the_mark_replaces_the_bankruptcy_price(bankruptcy, price):
    found = TransferPrice.member("bankruptcy_near_mark").price(bankruptcy, MARK, 44_400.0, 44_100.0)
    assert found == price


@pytest.mark.parametrize(
    ("price", "forgone", "fund"),
    [("bankruptcy", 3_000, 0), ("mark", 0, 3_000), ("blend", 2_000, 1_000), ("previous_mark", 1_200, 1_800)],
)
def test_what_winners_do_not_forgo_the_fund_pays(present, longs, shorts, price, forgone, fund):
    # Worked example 30: 3 BTC at P_b = 45,000 and mark 44,000.
    layers = [{"kind": "adl", "price": price}, "fund"]
    run = present(layers, longs(3), shorts(5), fill=MARK, fund=1e6, previous_mark=44_400.0)
    assert run.state.forgone_profit == pytest.approx(forgone)
    assert run.state.bad_debt == pytest.approx(fund)


def test_at_the_bankruptcy_price_the_fund_pays_exactly_nothing(present, longs, shorts):
    run = present(["adl", "fund"], longs(0.3, 0.7), shorts(5), fill=MARK, fund=1e6)
    assert (run.state.bad_debt, run.case.owed) == (0.0, 0.0)


def test_what_the_fund_cannot_bear_of_the_price_goes_to_the_next_layer(present, longs, shorts):
    layers = [{"kind": "adl", "price": "mark"}, "fund", "socialize"]
    run = present(layers, longs(3), shorts(5), fill=MARK, fund=1_000.0)
    assert (run.state.bad_debt, run.state.socialized_loss) == (pytest.approx(1_000), pytest.approx(2_000))
    assert run.case.deleveraged == 3.0


def test_what_nobody_bears_of_the_price_is_unresolved(present, longs, shorts):
    run = present([{"kind": "adl", "price": "mark"}, "fund"], longs(3), shorts(5), fill=MARK, fund=1_000.0)
    assert run.state.unresolved_shortfall == pytest.approx(2_000)


def test_a_price_better_than_bankruptcy_is_income_of_the_fund(present, longs, shorts):
    run = present(
        [{"kind": "adl", "price": "previous_mark"}, "fund"], longs(3), shorts(5), fill=MARK, previous_mark=45_100.0
    )
    assert (run.state.surplus, run.state.bad_debt) == (pytest.approx(300), 0.0)
    assert run.state.forgone_profit == pytest.approx(3 * 1_100)


@pytest.mark.parametrize("price", TransferPrice.family)
@pytest.mark.parametrize("fund", [0.0, 1_500.0, 1e6])
@pytest.mark.parametrize("share", [1.0, 0.4])
def test_the_books_balance_at_any_price(present, longs, shorts, price, fund, share):
    layers = [{"kind": "adl", "price": price}, "fund", "socialize"]
    run = present(layers, longs(3, 2), shorts(4), fill=MARK, fund=fund, share=share, previous_mark=44_700.0)
    assert balance_error(run.state) == pytest.approx(0.0, abs=1e-6)


def test_what_is_closed_against_makers_breaks_their_hedges(present, longs, shorts):
    run = present(["adl", "fund"], longs(3), shorts(1), fill=MARK, maker_collateral=1e6)
    assert run.state.broken_hedges == pytest.approx(2 * MARK)
    assert run.state.deleveraged_notional == pytest.approx(3 * MARK)


def test_losers_take_part_where_the_venue_says_so(present, longs, make_account):
    loser = make_account(-5, 43_000, 1e6)
    run = present([{"kind": "adl", "losers": True}, "fund"], longs(3), [loser], fill=MARK, start=MARK)
    assert (run.case.deleveraged, loser.qty) == (3.0, -2.0)


def test_no_more_accounts_are_closed_than_the_venue_walks(present, longs, shorts):
    run = present([{"kind": "adl", "max_accounts": 2}, "fund"], longs(9), shorts(1, 1, 1, 1), fill=MARK, start=MARK)
    assert run.case.deleveraged == pytest.approx(2.0, abs=1e-7)


def test_ten_accounts_share_at_a_size_weighted_venue(present, longs, shorts):
    winners = shorts(*[1.0] * 12)
    present([{"kind": "adl", "ranking": "size_weighted"}, "fund"], longs(5), winners, fill=MARK, start=MARK)
    assert [a.qty for a in winners] == pytest.approx([-0.5] * 10 + [-1.0] * 2, abs=1e-7)


def test_an_unknown_price_names_the_known_ones():
    with pytest.raises(ValueError, match="unknown kind 'marks', known: bankruptcy, bankruptcy_near_mark, blend, mark"):
        Layer.choose({"kind": "adl", "price": "marks"})
