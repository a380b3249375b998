"""Back-tests of forecasts: worked numbers of the literature, sizes and powers."""

import numpy as np
import pytest
from scipy.special import chdtrc
from scipy.stats import binom, norm, t

from stress.summary import (
    acerbi_szekely,
    christoffersen,
    fissler_ziegel_loss,
    kupiec,
    kupiec_ratio,
    pinball_loss,
    traffic_light,
)


@pytest.mark.parametrize(
    ("x", "ratio", "p_value"), [(7, 5.496990448, 0.019049230891), (0, 5.025167927, 0.024981503053)]
)
def test_d24_kupiecs_ratio(x, ratio, p_value):
    found = kupiec_ratio(x, 250, 0.01)
    assert found == pytest.approx(ratio, rel=1e-8)
    assert chdtrc(1, found) == pytest.approx(p_value, rel=1e-8)


def test_d24_at_365_days_up_to_five_exceptions_of_half_a_percent_are_accepted():
    # At 365 days and 0.5 % the limit law accepts 0 to 5.
    accepted = [x for x in range(12) if chdtrc(1, kupiec_ratio(x, 365, 0.005)) > 0.05]
    assert accepted == [0, 1, 2, 3, 4, 5]


def test_d24_the_traffic_light():
    assert traffic_light(4).chance == pytest.approx(0.8921876269, rel=1e-9)
    assert traffic_light(9).chance == pytest.approx(0.9997498099, rel=1e-9)
    zones = [traffic_light(x).zone for x in range(12)]
    assert zones == ["green"] * 5 + ["yellow"] * 5 + ["red"] * 2
    assert [traffic_light(x).multiplier for x in (0, 4, 5, 7, 9, 10, 25)] == [1.5, 1.5, 1.7, 1.83, 1.92, 2.0, 2.0]
    assert traffic_light(4, n=500).multiplier is None


def test_a_banks_exceptions_of_1998():
    # Jorion (2007), chapter 6: 20 exceptions of 5 % in 252 days, 6 of them after one: 3.91 and 9.53.
    n00, n01, n10, n11 = 218, 14, 14, 6
    assert kupiec_ratio(20, 252, 0.05) == pytest.approx(3.91, abs=0.005)
    hits = series(n00, n01, n10, n11)
    independence, both = christoffersen(hits, 0.05)
    assert independence.statistic == pytest.approx(9.53, abs=0.005)
    assert both.statistic == pytest.approx(3.91 + 9.53, abs=0.01)
    assert independence.rejected
    assert both.rejected


def series(n00, n01, n10, n11):
    """Return days with these transitions, from a quiet day to a quiet one."""
    assert n01 == n10
    bunch = [True] * (1 + n11), [True]
    bunches = [bunch[0] if i == 0 else bunch[1] for i in range(n01)]
    quiet = [False] * (n00 - (n01 - 1) + (n01 - 1)) + [False]
    days = []
    for each in bunches:
        days += [False, *each]
    return np.array(days + quiet[: n00 + 1], dtype=bool)


def test_exact_chances_of_kupiecs_test_are_binomial():
    found = kupiec(7, 250, 0.01)
    counts = np.arange(251)
    as_bad = kupiec_ratio(counts, 250, 0.01) >= kupiec_ratio(7, 250, 0.01) - 1e-12
    assert found.method == "exact"
    assert found.p_value == pytest.approx(binom.pmf(counts, 250, 0.01)[as_bad].sum())


def test_the_power_of_a_year_at_half_a_percent_is_little():
    found = kupiec(2, 365, 0.005)
    refused = [x for x in range(366) if kupiec(x, 365, 0.005).rejected]
    assert not found.rejected
    assert found.power == pytest.approx(binom.pmf(refused, 365, 0.01).sum())
    assert found.power < 0.31


def test_from_a_thousand_days_on_the_limit_law_is_used():
    assert kupiec(16, 1_000, 0.01).p_value == pytest.approx(chdtrc(1, kupiec_ratio(16, 1_000, 0.01)))


def test_right_forecasts_are_refused_as_often_as_promised():
    rng, n = np.random.default_rng(4), 200
    refused = np.mean(
        [[row.rejected for row in christoffersen(rng.random(500) < 0.05, 0.05)] for _ in range(n)], axis=0
    )
    assert (refused < 0.05 + 3 * np.sqrt(0.05 * 0.95 / n)).all()


@pytest.mark.parametrize(("law", "critical"), [(norm, -0.70), (t(5), -0.74), (t(3), -0.81)])
def test_the_critical_value_of_z2_by_tail(law, critical):
    # T = 250, 2.5 %: rejected at 5 % below these (methodology, section 5, computed independently).
    q = law.isf(0.025)
    worst = law.expect(lambda x: x, lb=q, conditional=True)
    losses = np.full(250, q / 2)
    losses[:11] = worst  # Z2 = 1 - 11 / 6.25 = -0.76
    z1, z2 = acerbi_szekely(losses, np.full(250, q), np.full(250, worst), 0.025)
    assert z1.statistic == pytest.approx(0.0, abs=1e-9)
    assert z2.statistic == pytest.approx(-0.76)
    for offset, rejected in ((-0.04, True), (0.04, False)):
        sizes = losses.copy()
        sizes[:11] *= (1 - critical - offset) / (1 + 0.76)
        found = acerbi_szekely(sizes, np.full(250, q), np.full(250, worst), 0.025)[1]
        assert found.rejected == rejected, found


def test_no_exception_says_nothing_of_the_first_statistic():
    z1, z2 = acerbi_szekely(np.zeros(250), np.full(250, 2.0), np.full(250, 2.4), 0.025)
    assert (z1.statistic, z1.rejected) == (None, None)
    assert z2.statistic == 1.0
    assert not z2.rejected


def test_d23_pinball_loss_of_the_perfect_forecast():
    z, x = norm.isf(0.005), norm.isf((np.arange(2_000_000) + 0.5) / 2_000_000)
    assert pinball_loss(x, z, 0.995).mean() == pytest.approx(0.0144597430269, rel=1e-4)
    assert pinball_loss(x, 2.0, 0.995).mean() == pytest.approx(0.0184907026168, rel=1e-4)


def test_the_joint_score_is_least_for_the_right_pair():
    x, p = norm.isf((np.arange(200_000) + 0.5) / 200_000), 0.025
    q = norm.isf(p)
    worst = norm.pdf(q) / p
    best = fissler_ziegel_loss(x, q, worst, 1 - p).mean()
    for a, b in ((1.05, 1.0), (0.95, 1.0), (1.0, 1.05), (1.0, 0.95)):
        assert fissler_ziegel_loss(x, a * q, b * worst, 1 - p).mean() > best
