import pytest

from stress.exchange.contract import Inverse, Linear, Quanto
from stress.exchange.fund import FundSettings


def test_a_share_of_fees_is_a_share_of_what_the_venue_earns():
    fund = FundSettings(initial_usd=1e6, share_of_fees=0.01, fee_rate=7e-4)
    assert fund.income_per_day(4e9) == pytest.approx(28_000)


def test_a_share_of_notional_is_a_share_of_what_is_traded():
    fund = FundSettings(initial_usd=1e6, share_of_notional=1e-4)
    assert fund.income_per_day(4e9) == pytest.approx(400_000)


def test_both_incomes_add_up():
    fund = FundSettings(initial_usd=1e6, share_of_fees=0.01, share_of_notional=1e-4)
    assert fund.income_per_day(4e9) == pytest.approx(428_000)


def test_by_default_trading_fees_do_not_feed_the_fund():
    assert FundSettings(initial_usd=1e6).income_per_day(4e9) == 0.0


LINEAR, COIN = Linear(), Inverse()


def worth(fund, contract, move):
    """Return what a fund is worth after a relative move of the coin's USD price, in the contract's money."""
    moving, still = fund.basket(contract, "BTC")
    return fund.usable("BTC") - moving - still + moving * (1.0 + contract.move(move)) + still


def held(*assets, **initial):
    return FundSettings(**(initial or {"initial_usd": 1_000.0}), assets=assets)


@pytest.mark.parametrize(
    ("share", "move", "left"),
    [(0, -0.3, 1_000), (0.3, -0.3, 910), (1, -0.3, 700), (0, -0.5, 1_000), (0.3, -0.5, 850), (1, -0.5, 500)],
)
def test_a_fund_in_coin_falls_with_it_as_in_worked_example_22(share, move, left):
    assert worth(held({"name": "BTC", "share": share}), LINEAR, move) == pytest.approx(left)
    assert worth(FundSettings(initial_usd=1_000.0, in_coin=share), LINEAR, move) == pytest.approx(left)


def test_a_fund_of_coins_reaches_its_refill_line_at_minus_a_fifth_as_in_worked_example_23():
    assert worth(held({"name": "BTC", "share": 1.0}), LINEAR, -0.2) == pytest.approx(800)


@pytest.mark.parametrize("move", [-0.5, 0.4])
def test_a_quantos_fund_in_its_own_money_stands_still(move):
    ether = Quanto(multiplier=1e-6, settlement_price_usd=25_000.0)  # of ETH, settled in BTC
    fund = held({"name": "BTC", "share": 1.0}, initial_coin=100.0)
    assert worth(fund, ether, move) == 100.0
    assert list(fund.problems(ether, "BTC")) == []


def test_other_coins_of_a_quantos_fund_are_refused_by_name_unless_they_follow_something():
    ether = Quanto(multiplier=1e-6, settlement_price_usd=25_000.0)
    [(key, said)] = held({"name": "SOL", "share": 0.5}, initial_coin=100.0).problems(ether, "BTC")
    assert (key, said.split(":")[0]) == ("assets.0", "'SOL' has no price")
    [(key, said)] = held({"name": "BTC", "share": 0.5, "follows": "index"}, initial_coin=100.0).problems(ether, "BTC")
    assert (key, said) == ("assets.0.follows", "'index' is another coin's price: BTC is the contract's money")
    ethers = held({"name": "ETH", "share": 0.5, "follows": "index"}, initial_coin=100.0)
    assert worth(ethers, ether, -0.2) == pytest.approx(90.0)


def test_the_fund_is_the_sum_of_its_assets_after_their_haircuts():
    """V = sum F_a p_a (1 - h_a): half in dollars, 30 % in the coin, 20 % in a coin that moves 1.2 times as far."""
    assets = (
        {"name": "USDT", "share": 0.5},
        {"name": "BTC", "share": 0.3, "sale_haircut": 0.1},
        {"name": "BNB", "share": 0.2, "follows": "index", "beta": 1.2, "sale_haircut": 0.25},
    )
    fund = held(*assets)
    assert fund.usable("BTC") == pytest.approx(500 + 270 + 150)
    assert worth(fund, LINEAR, -0.5) == pytest.approx(500 + 300 * 0.5 * 0.9 + 200 * 0.4 * 0.75)


def test_dollars_in_a_coin_fund_rise_when_the_coin_falls():
    fund = held({"name": "USDC", "share": 0.4}, initial_coin=1_000.0)
    assert worth(fund, COIN, -0.5) == pytest.approx(600 + 400 / 0.5)
    assert worth(held({"name": "BTC", "share": 1.0}, initial_coin=1_000.0), COIN, -0.5) == pytest.approx(1_000)


def test_a_coin_that_moves_half_as_far_gains_against_the_coin_that_falls():
    fund = held({"name": "ETH", "share": 1.0, "follows": "index", "beta": 0.5}, initial_coin=1_000.0)
    assert worth(fund, COIN, -0.5) == pytest.approx(1_000 * 0.75 / 0.5)


def problems(fund, contract=LINEAR):
    return dict(fund.problems(contract, "BTC"))


def test_an_asset_without_a_price_is_named():
    found = problems(held({"name": "BNB", "share": 0.1}))
    assert found["assets.0"].startswith("'BNB' has no price")


def test_shares_above_one_and_two_ways_to_say_the_same_are_refused():
    coin = {"name": "BTC", "share": 0.6}
    assert "add up to 1.2" in problems(held(coin, coin))["assets"]
    assert "in_coin" in problems(FundSettings(initial_usd=1.0, in_coin=0.1, assets=[coin]))
    assert "in_coin" in problems(FundSettings(initial_coin=1.0, in_coin=0.1), COIN)


def test_an_asset_wilder_than_the_money_is_refused_where_the_money_is_the_coin():
    wild = {"name": "BNB", "share": 0.1, "follows": "index", "beta": 1.2}
    assert "assets.0.beta" in problems(held(wild, initial_coin=1.0), COIN)
    assert not problems(held(wild))
