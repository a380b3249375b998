import math
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from stress.agents.trader import HOURS_PER_YEAR, Trader
from stress.exchange.margin import is_breached

COHORT = {"name": "t", "count": 4_000, "long_share": 0.6, "short_share": 0.2, "leverage_median": 10.0}


def trader(**changed):
    return Trader(**{**COHORT, **changed})


def sized(sigma):
    """The default law of size with another body."""
    return {"kind": "lognormal_pareto", "sigma": sigma}


def leverage_of(accounts):
    return np.abs(accounts["qty"]) * accounts["entry"] / accounts["collateral"]


@pytest.fixture
def accounts(venue, rng):
    return trader().draw(rng, venue)


# --- size


@pytest.mark.parametrize(("side", "share"), [(1, 0.6), (-1, 0.2)])
def test_each_side_holds_its_share_of_what_the_whales_leave(venue, accounts, side, share):
    held = (side * accounts["qty"]).clip(min=0).sum() * venue.price
    left = venue.crowd_long if side == 1 else venue.crowd_short
    assert held == pytest.approx(share * left, rel=1e-3)


def test_a_larger_whale_scales_every_account_of_the_crowd_alike(venue):
    crowd, fine = trader(count=400, largest_share=0.05), 2.0**-20
    small, large = (
        crowd.draw(np.random.default_rng(1), replace(venue, crowd_long=left, crowd_short=left, lot=fine))
        for left in (0.99e9, 0.80e9)
    )
    assert large["qty"] == pytest.approx(small["qty"] * 0.80 / 0.99, rel=1e-9, abs=fine)


def test_a_larger_whale_leaves_most_of_the_crowd_where_it_entered(venue):
    # Leverage falls with size, and a few entries are redrawn; the rest share their random numbers.
    small, large = (
        trader(leverage_median=5.0).draw(np.random.default_rng(1), replace(venue, crowd_long=left, lot=2.0**-20))
        for left in (0.99e9, 0.80e9)
    )
    assert (large["entry"] == small["entry"]).mean() > 0.95


def test_accounts_are_counted_in_proportion_to_the_shares(venue, rng):
    accounts = trader(size=sized(0.0)).draw(rng, venue)
    assert ((accounts["qty"] > 0).sum(), (accounts["qty"] < 0).sum()) == (3_000, 1_000)


def test_a_cohort_may_be_on_one_side_only(venue, rng):
    assert (trader(short_share=0.0, size=sized(0.0)).draw(rng, venue)["qty"] > 0).sum() == 4_000


def test_no_account_is_larger_than_the_cap(venue, rng):
    accounts = trader(largest_share=0.002).draw(rng, venue)
    assert np.abs(accounts["qty"]).max() * venue.price <= 0.002 * venue.open_interest * 1.001


def test_the_cap_does_not_cost_the_cohort_its_share(venue, rng):
    accounts = trader(largest_share=0.0005, short_share=0.0).draw(rng, venue)
    assert accounts["qty"].sum() * venue.price == pytest.approx(0.6 * venue.crowd_long, rel=1e-3)


@pytest.mark.parametrize("kind", ["lognormal", "pareto"])
def test_a_cohort_may_follow_another_law_of_size(venue, rng, kind):
    accounts = trader(size=kind, largest_share=0.05).draw(rng, venue)
    assert accounts["qty"].clip(min=0).sum() * venue.price == pytest.approx(0.6 * venue.crowd_long, rel=1e-3)


def test_a_cap_that_the_accounts_cannot_hold_is_refused(venue):
    # Three long accounts of at most 1 % cannot hold 60 %: the cap would be ignored silently.
    assert "largest_share" in dict(trader(count=4, largest_share=0.01).problems(venue))


def test_a_cap_that_the_accounts_just_hold_is_allowed(venue):
    assert trader(count=100, long_share=1.0, short_share=0.0, largest_share=0.01).problems(venue) == []


# --- leverage


def test_leverage_is_log_normal_about_its_median(venue, rng):
    # Caps are lifted, so that nothing but the law is left.
    cohort = trader(leverage_sigma=0.3, cap_at_10k_usd=1e9, holding_hours=0.0, count=20_000, size=sized(0.5))
    logs = np.log(leverage_of(cohort.draw(rng, venue)))
    assert abs(np.median(logs) - math.log(10.0)) < 4 * 1.2533 * 0.3 / math.sqrt(20_000)
    assert abs(logs.std() - 0.3) < 4 * 0.3 / math.sqrt(2 * 20_000)


def test_leverage_stays_below_its_maximum(venue, rng):
    accounts = trader(leverage_max=15.0).draw(rng, venue)
    assert leverage_of(accounts).max() <= 15.0 * 1.01


def test_leverage_stays_below_the_tiers_maximum(venue, rng):
    accounts = trader(count=400, leverage_median=60.0, cap_at_10k_usd=1e9).draw(rng, venue)
    notional = np.abs(accounts["qty"]) * venue.price
    large = notional > 1.01e6
    assert large.any()
    assert leverage_of(accounts)[large].max() <= 20.0 * 1.01


def test_leverage_falls_with_size_as_calibrated(venue, rng):
    accounts = trader(leverage_median=100.0).draw(rng, venue)
    notional = np.abs(accounts["qty"]) * venue.price
    cap = 125.0 * (notional / 10_000.0) ** -0.25
    assert (leverage_of(accounts) <= np.maximum(cap, 1.0) * 1.05).all()


def test_nobody_has_less_than_leverage_one(venue, accounts):
    assert leverage_of(accounts).min() >= 0.99


def test_a_median_above_the_first_tiers_maximum_is_refused(venue):
    assert dict(trader(leverage_median=150.0).problems(venue)) == {
        "leverage_median": "150 is above the first tier's maximum 100"
    }


def test_a_cohort_without_any_share_is_refused(venue):
    assert "long_share" in dict(trader(long_share=0.0, short_share=0.0).problems(venue))


def test_the_short_form_is_the_log_normal_law(venue):
    short = trader(leverage_sigma=0.4).draw(np.random.default_rng(4), venue)
    law = {"kind": "lognormal", "median": 10.0, "sigma": 0.4}
    long = trader(leverage_median=None, leverage=law).draw(np.random.default_rng(4), venue)
    assert (short == long).all()


def test_the_short_form_and_a_law_are_not_given_together():
    with pytest.raises(ValidationError, match="leverage: is a law, and leverage_median is the short form of one"):
        trader(leverage="popular")
    with pytest.raises(ValidationError, match="leverage: is a law, and leverage_sigma is the short form of one"):
        trader(leverage="popular", leverage_median=None, leverage_sigma=0.5)


def test_a_cohort_needs_a_law_of_leverage():
    with pytest.raises(ValidationError, match="leverage_median: is required, or a law"):
        trader(leverage_median=None)


@pytest.mark.parametrize("factor", [0.05, 2.0, 100.0])
def test_the_short_form_is_swept_by_its_median(factor):
    assert trader().relevered(factor, 100.0) == {"leverage_median": min(max(10.0 * factor, 1.0), 100.0)}


# --- listed amounts


def test_accounts_that_are_listed_in_usd_have_these_sizes(venue, rng):
    amounts = (200e6, 5e6, 1e6)
    share = sum(amounts) / venue.crowd_long
    cohort = trader(count=3, long_share=share, short_share=0.0, size={"kind": "list_usd", "sizes_usd": amounts})
    assert cohort.problems(venue) == []
    held = cohort.draw(rng, venue)["qty"] * venue.price
    assert held == pytest.approx(amounts, abs=0.5 * venue.lot * venue.price)


def test_a_share_that_is_not_what_the_amounts_add_up_to_is_refused(venue):
    size = {"kind": "list_usd", "sizes_usd": (90e6,)}
    cohort = trader(count=1, long_share=0.2, short_share=0.0, size=size)
    [(key, said)] = cohort.problems(venue)
    assert (key, said) == ("long_share", "0.2, but the sizes listed are 0.1 of what the whales leave")


# --- survivors


def test_positions_opened_just_now_are_at_todays_price(venue, rng):
    assert trader(holding_hours=0.0).draw(rng, venue)["entry"] == pytest.approx(venue.price, rel=1e-4)


def test_older_positions_are_further_from_their_entry(venue, rng):
    def spread(hours):
        return np.log(trader(leverage_median=2.0, holding_hours=hours).draw(rng, venue)["entry"]).std()

    assert spread(100.0) > 2 * spread(10.0)


def test_higher_leverage_means_a_nearer_entry_of_those_who_lose(venue, rng):
    # Those who win are as far from their entry as anybody.
    def distance(leverage):
        cohort = trader(leverage_median=leverage, leverage_sigma=0.0, size=sized(0.5), holding_hours=48.0)
        accounts = cohort.draw(rng, venue)
        won = np.sign(accounts["qty"]) * np.log(venue.price / accounts["entry"])
        return -won[won < 0.0].mean()

    assert distance(2.0) > 1.5 * distance(20.0) > 1.5 * 1.5 * distance(60.0)


@pytest.mark.parametrize("margin", ["isolated", "cross"])
def test_no_survivor_is_liquidatable_today(venue, rng, margin):
    accounts = trader(leverage_median=40.0, size=sized(0.5), count=2_000, margin=margin, largest_share=1.0)
    for row in accounts.draw(rng, venue):
        assert not is_breached(row["qty"], row["entry"], row["collateral"], venue.price, 0.0, venue.tiers)


@pytest.mark.parametrize("side", ["long", "short"])
def test_entries_are_those_of_simulated_positions_that_were_never_liquidated(venue, rng, side):
    # Random walks of random age, killed at the liquidation price; the drawn entries need no walk.
    sign, leverage, n, steps = (1.0 if side == "long" else -1.0), 20.0, 20_000, 400
    shares = {"long_share": float(side == "long"), "short_share": float(side == "short")}
    cohort = trader(
        count=n, **shares, leverage_median=leverage, leverage_sigma=0.0, size=sized(0.0), holding_hours=48.0
    )
    drawn = np.log(venue.price / cohort.draw(rng, venue)["entry"])

    age = 48.0 * rng.standard_exponential(n)
    sd = 0.55 * np.sqrt(age / HOURS_PER_YEAR / steps)
    walk = np.cumsum(rng.standard_normal((n, steps)), axis=1) * sd[:, None]
    barrier = sign * math.log(1.0 - sign * (1.0 / leverage - 0.004))
    alive = (sign * walk > barrier + 0.5826 * sd[:, None]).all(axis=1)
    survivors = walk[alive, -1]
    for level in (0.01, 0.1, 0.5, 0.9, 0.99):
        below = (drawn < np.quantile(survivors, level)).mean()
        assert abs(below - level) < 4 * math.sqrt(level * (1 - level) * 2 / n)
