"""Share arithmetic of staked funds, worked by hand."""

import pytest

from stress.exchange.staking import claim, revenue_payment, shares_for, split_revenue, unstaked, value_of


def test_ten_thousand_in_a_vault_of_five_thousand_hold_two_thirds_as_in_worked_example_40():
    shares = shares_for(10_000.0, 5_000.0, 5_000.0)
    assert shares / (5_000.0 + shares) == pytest.approx(0.6667, abs=5e-5)


def test_they_get_ten_of_an_hourly_thirty_of_which_half_is_the_protocols_as_in_worked_example_40():
    users, protocol = split_revenue(30.0, 1.0, 2.0)
    assert (users, protocol) == (15.0, 15.0)
    assert value_of(10_000.0, users, 15_000.0) == pytest.approx(10.0)


def test_the_first_stake_makes_one_share_of_each_unit():
    assert shares_for(700.0, 0.0, 0.0) == 700.0


def test_a_stake_after_a_gain_buys_fewer_shares_of_the_same_worth():
    shares = shares_for(300.0, 3_000.0, 1_000.0)
    assert shares == 100.0
    assert value_of(shares, 3_300.0, 1_100.0) == pytest.approx(300.0)


def test_shares_of_an_empty_vault_cannot_be_bought():
    with pytest.raises(ValueError, match="worth nothing"):
        shares_for(1.0, 0.0, 10.0)


def test_a_vault_without_shares_owes_nothing():
    assert value_of(0.0, 50.0, 0.0) == 0.0


@pytest.mark.parametrize(("at_request", "at_exit", "paid"), [(100.0, 130.0, 100.0), (100.0, 60.0, 60.0)])
def test_a_cooldown_forfeits_gains_and_bears_losses(at_request, at_exit, paid):
    assert unstaked(at_request, at_exit) == paid


def test_a_claim_after_a_loss_of_the_vault_is_cut():
    assert claim(1_000.0, 10.0, 4_000.0, 50.0) == 800.0
    assert claim(1_000.0, 10.0, 6_000.0, 50.0) == 1_000.0


def test_revenue_pays_a_tenth_of_the_pool_within_the_yearly_return():
    assert revenue_payment(300.0, 1e6, apr_limit=10.0, periods_per_year=8_760.0) == pytest.approx(30.0)
    assert revenue_payment(300.0, 8_760.0, apr_limit=10.0, periods_per_year=8_760.0) == pytest.approx(10.0)
    assert revenue_payment(300.0, 0.0, apr_limit=10.0, periods_per_year=8_760.0, staked=False) == pytest.approx(30.0)
