import pytest

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
