import pytest

from stress.exchange.settlement import balance_error
from stress.exchange.socialize import LossBasis
from stress.exchange.waterfall import Layer

PRICE = 44_900.0  # the longs are bankrupt at 45,000


@pytest.fixture
def longs(make_account):
    return lambda *quantities: [make_account(q, 50_000, 5_000 * q) for q in quantities]


@pytest.fixture
def shared(present, longs, make_account):
    """Socialise a loss of 100 for every bankrupt coin among holders whose profits start at zero.

    No coins: a loss of 100 on next to nothing, so that the makers, who balance it, hold nothing to speak of.
    """

    def run(basis, coins, holders, *, fund=0.0, **opening):
        layers = ["fund", {"kind": "socialize", **basis}]
        before = [a.collateral for a in holders]
        bankrupt = longs(coins) if coins else [make_account(1e-6, PRICE + 1e8, 0)]
        result = present(layers, bankrupt, holders, fill=PRICE, fund=fund, start=PRICE, **opening)
        result.charges = [b - a.collateral for b, a in zip(before, holders, strict=True)]
        return result

    return run


def test_winners_pay_nine_percent_as_in_worked_example_32(shared, make_account):
    winners = [make_account(-10, PRICE + profit / 10, 1e5) for profit in (4_000, 5_000, 1_000)]
    run = shared({"basis": "profit"}, 14, winners, fund=500.0)
    assert run.charges == pytest.approx([360, 450, 90])


def test_each_unit_of_open_interest_pays_ten_as_in_worked_example_33(shared, make_account):
    # Loss 100, open interest 5 + 5.
    holders = [make_account(5, PRICE, 1e5), make_account(-5, PRICE, 1e5)]
    assert shared({"basis": "open_interest"}, 0, holders).charges == pytest.approx([50, 50], rel=1e-6)


def test_notional_is_the_same_basis_for_one_contract(shared, make_account):
    holders = [make_account(5, PRICE, 1e5), make_account(5, PRICE, 1e5), make_account(-10, PRICE, 1e5)]
    assert shared({"basis": "notional"}, 0, holders).charges == pytest.approx([25, 25, 50], rel=1e-6)


def test_equity_is_cut_by_a_seventh_as_in_worked_example_34(shared, make_account):
    # Deficits 1,500, fund 1,000, positive equity 3,500: 500, a factor of 14.2857 %.
    holders = [make_account(1, PRICE, 2_500), make_account(-1, PRICE, 1_000)]
    run = shared({"basis": "positive_equity"}, 15, holders, fund=1_000.0)
    assert run.charges == pytest.approx([357.142857, 142.857143])
    assert 100 * run.state.haircut == pytest.approx(14.2857, abs=5e-5)


def test_deposits_pay_whatever_they_have_become(shared, make_account):
    holders = [make_account(1, PRICE - 500, 1_000), make_account(-1, PRICE - 500, 1_500)]  # worth 1,500 and 1,000
    assert shared({"basis": "collateral"}, 5, holders).charges == pytest.approx([200, 300])


def test_a_pool_of_makers_bears_the_loss_alone(shared, make_account):
    run = shared({"basis": "liquidity_pool"}, 5, [make_account(-1, PRICE + 900, 1e5)], maker_collateral=1e5)
    assert run.charges == [0.0]
    assert run.state.maker_collateral == pytest.approx(1e5 - 500)


def test_profits_are_cut_to_what_exceeds_a_share_of_the_pool(shared, make_account):
    # Profits 1,000 and 3,000, the pool 2,000: 90 % of it leave 2,200 to be charged, of a loss of 2,500.
    winners = [make_account(-10, PRICE + profit / 10, 1e5) for profit in (1_000, 3_000)]
    run = shared({"basis": "profit_cap"}, 25, winners, maker_collateral=2_000.0)
    assert run.charges == pytest.approx([550, 1_650])
    assert run.state.unresolved_shortfall == pytest.approx(300)


def test_a_charge_ends_where_an_account_has_nothing_left(shared, make_account):
    holders = [make_account(5, PRICE, 20), make_account(-5, PRICE, 1e5)]
    run = shared({"basis": "open_interest"}, 0, holders)
    assert run.charges == pytest.approx([20, 50], rel=1e-6)
    assert run.state.unresolved_shortfall == pytest.approx(30, rel=1e-5)


@pytest.mark.parametrize("basis", LossBasis.family)
def test_the_books_balance_on_any_basis(shared, make_account, basis):
    holders = [make_account(5, PRICE - 3, 20), make_account(-5, PRICE + 40, 300)]
    run = shared({"basis": basis}, 9, holders, maker_collateral=150.0)
    assert balance_error(run.state) == pytest.approx(0.0, abs=1e-6)
    assert all(a.collateral + a.qty * (PRICE - a.entry) >= -1e-9 for a in holders)


def test_an_unknown_basis_names_the_known_ones():
    with pytest.raises(ValueError, match="unknown kind 'equity', known: collateral"):
        Layer.choose({"kind": "socialize", "basis": "equity"})
