"""Ruin with the largest claim taken out: by hand, against exact laws, and against counting."""

import math

import numpy as np
import pytest

from stress.claims import ClaimsModel, ConditionalRuin, simulate
from stress.claims.conditional import others_of
from stress.randomness import stream_key
from stress.summary import exponential_ruin, ruin_bracket
from stress.toml import ScenarioError


def model(*, severity=None, rate=2.0, premium=0.0, noise=0.0, years=1.0, n=20_000, **tables):
    tables = {"frequency": {"kind": "poisson", "rate_per_year": rate}, **tables}
    income = {"premium_usd_per_year": premium, "noise_usd": noise}
    run = {"n_paths": n, "seed": 3, "horizon_hours": 8760.0 * years}
    return ClaimsModel.from_tables({**tables, "severity": severity or PARETO, "income": income, "run": run})


PARETO = {"kind": "pareto", "tail_index": 1.5, "scale_usd": 1.0}
EXPONENTIAL = {"kind": "exponential"}


def test_what_is_known_without_each_of_three_claims():
    # Premium 1; claims of 2, 1, 4 at 1, 2, 3; horizon 4.  The loss: -1, +1 | 0, +1 | 0, +4 | 3.
    times, sizes, marks = np.array([1.0, 2.0, 3.0]), np.array([2.0, 1.0, 4.0]), np.array([0.3, 0.6, 0.1])
    before, without, rest = np.empty((3, 3))
    quiet, starts = np.empty(2), np.array([0, 3, 3])
    others_of(1.0, 0.0, 4.0, stream_key(1), 0, starts, times, sizes, marks, before, without, rest, quiet)
    assert before.tolist() == [0.0, 1.0, 1.0]
    assert without.tolist() == [4.0 - 2.0, 4.0 - 1.0, 4.0 - 4.0]
    assert rest.tolist() == [0.1, 0.1, 0.3]
    assert quiet.tolist() == [-math.inf, 0.0]


def test_one_claim_leaves_its_own_law():
    # A claim at t ruins a fund u with P(claim > u + premium t), whatever its size.
    single = ConditionalRuin(model(rate=1e-3, premium=0.5, n=200_000))
    alone = np.bincount(single.path, minlength=single.n_paths)[single.path] == 1
    law, at = single.model.severity.frozen(), -single.without[alone] / 0.5
    assert ((at > 0) & (at < 1)).all()
    assert single.probabilities(3.0)[single.path[alone]] == pytest.approx(law.sf(3.0 + 0.5 * at))


@pytest.mark.parametrize(("u", "years"), [(5.0, 26.0), (10.0, 5.0), (20.0, 26.0)])
def test_d10_exponential_claims_and_a_premium(u, years):
    p, error = ConditionalRuin(model(severity=EXPONENTIAL, rate=1 / 1.3, premium=1.0, years=years)).ruin(u)
    exact = exponential_ruin(u, rate=1 / 1.3, mean_claim=1.0, premium=1.0, years=years)
    assert abs(p - exact) < 4 * error
    assert error < 0.15 * exact


@pytest.mark.parametrize("fund", [1e2, 1e4, 1e6])
def test_heavy_tails_within_their_bounds_and_with_a_bounded_relative_error(fund):
    asked = model(rate=3.0, premium=4.0)
    p, error = ConditionalRuin(asked).ruin(fund)
    low, high = ruin_bracket(fund, asked.survival, rate=3.0, premium=4.0, years=1.0, cells=20_000)
    assert low - 4 * error <= p <= high + 4 * error
    assert error < 0.01 * p  # counting these 20,000 paths: above 0.1 from 1e2 on, and nothing at all at 1e6


@pytest.mark.parametrize(
    "changes",
    [
        {"noise": 2.0, "premium": 3.0},
        {"limit_usd": 5.0},
        {"frequency": {"kind": "hawkes", "rate_per_year": 3.0, "branching": 0.6, "memory_hours": 100.0}},
        {"frequency": {"kind": "renewal", "rate_per_year": 3.0, "shape": 0.6}, "premium": 1.0},
    ],
    ids=["noise", "limit", "hawkes", "renewal"],
)
def test_it_agrees_with_counting(changes):
    counted = model(**changes, n=100_000)
    worst = simulate(counted).drawdown
    found = ConditionalRuin(model(**changes))
    for fund in (1.0, 4.0, 9.0):
        p, error = found.ruin(fund)
        share = float((worst > fund).mean())
        assert abs(p - share) < 4 * math.hypot(error, math.sqrt(share * (1 - share) / 100_000)), fund


def test_the_reserve_is_where_ruin_is_as_rare_as_asked_for():
    found = ConditionalRuin(model(rate=3.0, premium=4.0))
    row = found.reserve(0.99999)
    assert found.ruin(row.value)[0] == pytest.approx(1e-5, rel=1e-3)
    assert row.low < row.value < row.high < 1.05 * row.value
    low, high = ruin_bracket(row.value, found.model.survival, rate=3.0, premium=4.0, years=1.0, cells=20_000)
    assert low * 0.97 < 1e-5 < high * 1.03


def test_light_tails_are_refused_where_few_paths_carry_the_estimate():
    # At 1e-7 ruin needs many claims; what 20,000 paths say of it is wrong by orders of magnitude.
    row = ConditionalRuin(model(severity=EXPONENTIAL, rate=20.0, premium=26.0)).reserve(1 - 1e-7)
    assert (row.value, row.low, row.high) == (None, None, None)
    assert row.effective < 100
    assert "effective paths carry it, fewer than 100" in row.reason


def test_a_level_that_a_fund_of_nothing_meets():
    assert ConditionalRuin(model(rate=1e-3)).reserve(0.99).value == 0.0


def test_more_claims_than_are_kept():
    with pytest.raises(ScenarioError, match="claims in all; at most 20,000,000 are kept"):
        ConditionalRuin(model(rate=5_000.0))
