from dataclasses import replace

import numpy as np
import pytest

from stress.accounts import equity, grid
from stress.agents.base import Cohort, build_accounts, hold_coins
from stress.exchange.margin import liquidation_prices

FIELDS = ("qty", "entry", "collateral")


@pytest.mark.parametrize(("notional", "leverage"), [(1.0, 100), (1e6, 100), (1e6 + 1, 20), (1e12, 20)])
def test_the_leverage_limit_is_that_of_the_tier(venue, notional, leverage):
    assert venue.max_leverage(np.array([notional]))[0] == leverage


def test_the_maintenance_rate_is_the_effective_one(venue):
    # 2 m x 2 % less the deduction of 1 m x (2 % - 0.4 %)
    assert venue.maintenance_rate(np.array([5e5, 2e6])) == pytest.approx([0.004, (40_000 - 16_000) / 2e6])


def test_isolated_margin_was_posted_at_entry(venue):
    account = build_accounts(venue, [2.0], [40_000.0], 10.0, "isolated")[0]
    assert account["collateral"] == pytest.approx(8_000, abs=0.01)


@pytest.mark.parametrize("qty", [2.0, -2.0])
def test_a_cross_account_has_its_leverage_now(venue, qty):
    account = build_accounts(venue, [qty], [48_000.0], 10.0, "cross")[0]
    worth = equity(*(account[name] for name in ("qty", "entry", "collateral")), venue.price, 0.0)
    assert abs(account["qty"]) * venue.price / worth == pytest.approx(10, rel=1e-6)


@pytest.mark.parametrize(("margin", "flag"), [("isolated", 0), ("cross", 1)])
def test_the_margin_mode_is_noted(venue, margin, flag):
    assert build_accounts(venue, [1.0], [48_000.0], 10.0, margin)["cross"].tolist() == [flag]


def test_accounts_are_on_the_venues_grids(venue, rng):
    n = 1_000
    accounts = build_accounts(venue, rng.normal(0, 5, n), rng.uniform(4e4, 6e4, n), 7.3, "cross")
    for name, step in (("qty", venue.lot), ("entry", venue.tick), ("collateral", venue.cent)):
        units = accounts[name] / grid(step)
        assert (units == np.round(units)).all()


def test_a_position_below_half_a_lot_does_not_exist(venue):
    assert build_accounts(venue, [1e-5, 1.0], [5e4, 5e4], 10.0, "isolated")["qty"].tolist() == [1.0]


# --- collateral in coin


def in_coin(venue, share, lot=2.0**-20):
    return replace(venue, collateral_in_coin=share, lot=lot)


def test_a_long_with_half_its_margin_in_coin_by_hand(venue):
    # 2 coins at 40,000 with 8,000 of margin; 4,000 of it are 0.08 coins at 50,000: (80,000 + 4,000) / 2.08.
    [account] = build_accounts(in_coin(venue, 0.5), [2.0], [40_000.0], 10.0, "isolated")
    assert account["qty"] == pytest.approx(2.08, rel=1e-6)
    assert account["entry"] == pytest.approx(40_384.6, abs=0.1)
    assert account["collateral"] == pytest.approx(8_000, abs=0.2)  # what rounding the entry moved is here


def test_a_short_with_half_its_margin_in_coin_by_hand(venue):
    # -2 coins at 50,000 with 10,000 of margin; 5,000 of it are 0.1 coins at 50,000.
    [account] = build_accounts(in_coin(venue, 0.5), [-2.0], [50_000.0], 10.0, "isolated")
    assert account["qty"] == pytest.approx(-1.9, rel=1e-6)
    assert account["entry"] == 50_000.0
    assert account["collateral"] == pytest.approx(10_000, abs=0.2)


def a_book(venue, rng, margin, n=2_000):
    qty, entry = rng.normal(0.0, 5.0, n), rng.uniform(4e4, 6e4, n)
    return build_accounts(venue, qty, entry, rng.uniform(1.0, 30.0, n), margin)


@pytest.mark.parametrize("margin", ["isolated", "cross"])
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_coins_give_the_same_equity_at_every_price(venue, margin, share):
    cash, coin = (a_book(v, np.random.default_rng(1), margin) for v in (venue, in_coin(venue, share, venue.lot)))
    coins = coin["qty"] - cash["qty"]
    for price in (25_000.0, 49_000.0, 50_000.0, 90_000.0):
        gained = coins * (price - venue.price)
        with_cash, with_coin = (equity(*(a[name] for name in FIELDS), price, 0.0) for a in (cash, coin))
        assert np.abs(with_coin - with_cash - gained).max() <= 0.5 * venue.cent


@pytest.mark.parametrize("margin", ["isolated", "cross"])
def test_the_coins_are_the_share_of_the_collateral(venue, margin):
    cash, coin = (a_book(v, np.random.default_rng(1), margin) for v in (venue, in_coin(venue, 0.3, venue.lot)))
    wanted = 0.3 * cash["collateral"].clip(min=0.0) / venue.price
    few = wanted < 0.8 * np.abs(cash["qty"]) * np.minimum(cash["entry"] / venue.price, 1.0)
    assert few.mean() > 0.95
    assert np.abs(coin["qty"] - cash["qty"] - wanted)[few].max() <= 0.5 * venue.lot


def test_without_coins_accounts_are_those_of_a_venue_that_takes_none(venue, rng):
    accounts = a_book(venue, rng, "cross")
    assert (hold_coins(in_coin(venue, 0.0, venue.lot), accounts) == accounts).all()


@pytest.mark.parametrize("share", [0.9, 1.0])
@pytest.mark.parametrize(("entry", "margin"), [(70_000.0, "isolated"), (50_000.0, "isolated"), (34_000.0, "cross")])
def test_a_short_stays_a_short_whatever_it_holds(venue, share, entry, margin):
    # In profit at leverage one, or in loss with a full wallet, its coins would be worth more than its position.
    [account] = build_accounts(in_coin(venue, share), [-2.0], [entry], 1.0, margin)
    assert account["qty"] < 0.0
    assert account["entry"] > 0.0


def test_a_short_of_one_lot_stays_a_short(venue):
    assert build_accounts(in_coin(venue, 1.0, venue.lot), [-0.001], [5e4], 1.0, "isolated")["qty"].max() < 0.0


def liquidation_price(venue, qty, share):
    account = build_accounts(in_coin(venue, share), [qty], [50_000.0], 10.0, "isolated")
    prices = liquidation_prices(account, venue.tiers)[0]
    return prices.max() if qty > 0 else prices.min()


def test_a_fall_liquidates_a_long_with_coins_earlier(venue):
    # With 0.1 coin of margin 1.1 coins stand against 50,000 owed: nothing is left at 50,000 / 1.1.
    cash, coin = (liquidation_price(venue, 1.0, share) for share in (0.0, 1.0))
    assert cash == pytest.approx(45_000 / (1 - 0.004), rel=1e-6)
    assert coin == pytest.approx(50_000 / 1.1 / (1 - 0.004), rel=1e-6)
    assert coin > cash


def test_a_rise_liquidates_a_short_with_coins_later(venue):
    cash, coin = (liquidation_price(venue, -1.0, share) for share in (0.0, 1.0))
    assert coin == pytest.approx(50_000 / 0.9 / (1 + 0.004), rel=1e-6)
    assert coin > cash


def test_a_debt_holds_no_coins(venue):
    # A cross long far in profit has borrowed against it: its wallet is negative, its equity is not.
    [account] = build_accounts(in_coin(venue, 1.0), [2.0], [30_000.0], 10.0, "cross")
    assert (account["qty"], account["entry"]) == (2.0, 30_000.0)


def test_a_cohort_without_laws_draws_nothing(venue, rng):
    class Nobody(Cohort):
        """Draws nothing."""

    nobody = Nobody(name="nobody")
    assert nobody.draw(rng, venue).size == 0
    assert nobody.shares() == (0.0, 0.0)
    assert nobody.problems(venue) == []
