"""Histories of losses: what they say of when and of how large, by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from stress.claims import Arrivals, ClaimsModel, LossHistory, bootstrap, fit_history, simulate
from stress.claims.hawkes import Hawkes
from stress.claims.hawkes import log_likelihood as hawkes_likelihood
from stress.claims.poisson import Poisson
from stress.claims.renewal import log_likelihood as renewal_likelihood
from stress.claims.simulate import claim_times
from stress.toml import ScenarioError

DAY = 86_400


def history(losses, days=1.0):
    time = (DAY * days * np.arange(1, len(losses) + 1)).astype(np.int64)
    return LossHistory(time, np.asarray(losses, float), 0.0, float(time[-1]))


def test_poisson_claims_are_counted_over_the_window():
    # 4 claims in 2 years: 4 ln 2 - 4.
    part, likelihood = Poisson.fitted(Arrivals(np.array([0.5, 0.6, 1.0, 1.9]), 2.0))
    assert part.rate_per_year == 2.0
    assert likelihood == pytest.approx(4 * math.log(2) - 4)


def test_a_window_that_begins_with_a_claim_does_not_count_it():
    rows = LossHistory(np.array([0, DAY, 3 * DAY]), np.ones(3), 0.0, 3.0 * DAY)
    found = rows.arrivals
    assert found.after_claim
    assert (found.times * 365).tolist() == pytest.approx([1.0, 3.0])


def test_a_renewal_process_of_exponential_waits_is_poisson():
    arrivals = Arrivals(np.array([0.5, 0.6, 1.0, 1.9]), 2.0)
    assert renewal_likelihood(arrivals, 2.0, 1.0) == pytest.approx(4 * math.log(2) - 4)


def test_the_likelihood_of_two_claims_that_excite_each_other():
    # Rate 1 + 0.5 x 4 exp(-4 age); claims at 1 and 1.5 of 2 years.
    rate = 1 + 2 * math.exp(-2)
    integral = 2 + 0.5 * (1 - math.exp(-4)) + 0.5 * (1 - math.exp(-2))
    found = hawkes_likelihood(Arrivals(np.array([1.0, 1.5]), 2.0), 1.0, 0.5, 4.0)
    assert found == pytest.approx(math.log(rate) - integral)


def test_losses_without_a_mean_are_refused_and_a_limit_lets_them_pass():
    losses = stats.lomax(0.7, scale=1e4).rvs(400, random_state=np.random.default_rng(1))
    with pytest.raises(ScenarioError, match=r"tail index 1\.\d+, and no mean.*--limit"):
        fit_history(history(losses))
    found = fit_history(history(losses), limit_usd=1e9)
    assert math.isfinite(found.model().mean_claim)


def test_a_limit_below_a_loss_that_happened_is_refused():
    with pytest.raises(ScenarioError, match=r"--limit 5: a loss of 20 is larger"):
        fit_history(history([1.0, 20.0] * 10), limit_usd=5.0)


def test_a_law_without_a_mean_cannot_be_stated_either():
    tables = {"frequency": "poisson", "severity": {"kind": "pareto", "tail_index": 0.9}}
    with pytest.raises(ScenarioError, match="severity: pareto with these numbers has no mean; set limit_usd"):
        ClaimsModel.from_tables(tables)
    # min(X, 3) of P(X > x) = 1 / (1 + x): integral ln 4.
    tables["severity"]["tail_index"] = 1.0
    assert ClaimsModel.from_tables({**tables, "limit_usd": 3.0}).mean_claim == pytest.approx(math.log(4), rel=1e-6)


def test_no_premium_asks_for_the_sum_of_the_claims():
    tables = {"frequency": "poisson", "severity": "exponential", "run": {"n_paths": 20_000}}
    found = simulate(ClaimsModel.from_tables(tables))
    assert found.drawdown == pytest.approx(found.bad_debt, rel=1e-9)
    assert found.bad_debt.mean() == pytest.approx(10.0, abs=4 * math.sqrt(20 / 20_000))


def test_a_limit_cuts_every_claim():
    tables = {"frequency": "poisson", "severity": "exponential", "run": {"n_paths": 5_000}, "limit_usd": 0.5}
    model = ClaimsModel.from_tables(tables)
    found = simulate(model)
    assert model.mean_claim == pytest.approx(1 - math.exp(-0.5), rel=1e-6)
    error = found.bad_debt.std() / math.sqrt(5_000)
    assert found.bad_debt.mean() == pytest.approx(10 * model.mean_claim, abs=4 * error)


def test_the_same_claims_meet_any_premium_and_any_fund():
    tables = {"frequency": "hawkes", "severity": "gamma", "run": {"n_paths": 2_000}}
    poor = simulate(ClaimsModel.from_tables(tables))
    richer = {"income": {"premium_usd_per_year": 5.0}, "fund": {"initial_usd": 9}}
    rich = simulate(ClaimsModel.from_tables({**tables, **richer}))
    assert (poor.bad_debt == rich.bad_debt).all()
    assert (rich.drawdown <= poor.drawdown).all()
    assert ((rich.ruin_step >= 0) == (rich.drawdown > 9.0)).all()


def history_of_exponential_claims():
    """A year of Poisson claims, about 50 of mean 1."""
    poisson = {"kind": "poisson", "rate_per_year": 50.0}
    model = ClaimsModel.from_tables({"frequency": poisson, "severity": "exponential"})
    _, times, marks = claim_times(model, 0, 1)
    seconds = np.round(times * 365 * DAY).astype(np.int64)
    return LossHistory(seconds, model.severity.frozen().isf(marks), 0.0, 365.0 * DAY)


def five_thousand(model):
    return model.model_copy(update={"run": model.run.model_copy(update={"n_paths": 5_000})})


def test_a_short_history_leaves_the_mean_of_the_losses_open():
    # With 50 claims both numbers are known to about 14 %.
    fit = fit_history(history_of_exponential_claims())
    stated = replace(fit, severities=tuple(row for row in fit.severities if row.part.kind == "exponential"))
    interval, missing = bootstrap(stated, stated.model(), n_draws=40)
    assert (missing, interval.n_draws) == (0, 40)
    rate, mean = (next(d for d in interval.drivers if d.name.endswith(end)) for end in ("mean_rate", ".mean"))
    for row, center in ((rate, stated.frequencies[0].part.mean_rate), (mean, stated.severities[0].part.mean)):
        assert row.low < center < row.high
        assert row.rank_correlation > 0.3
    # The range of 40 normal draws is 4.3 standard deviations; rates may be larger, of claims that seem to cause claims.
    assert 0.35 < (mean.high - mean.low) / stated.severities[0].part.mean < 1.3


def test_the_parameter_interval_lies_about_the_estimate_in_logarithms():
    fit = fit_history(history_of_exponential_claims())
    interval, _ = bootstrap(fit, fit.model(), n_draws=20)
    estimate = float(np.quantile(simulate(five_thousand(fit.model())).drawdown, 0.995, method="inverted_cdf"))
    spread = interval.reserve(0.995)
    assert math.sqrt(spread.low * spread.high) == pytest.approx(estimate, rel=1e-9)
    assert 1.5 < spread.high / spread.low < 6.0  # rate and mean alone, 14 % each, give 2.2


def test_a_memory_is_at_most_a_tenth_of_the_history():
    times = np.concatenate([np.linspace(0.1, 2.0, 10), np.linspace(2.05, 4.9, 90)])  # the rate changes once
    law, _ = Hawkes.fitted(Arrivals(times, 5.0))
    assert law.memory_hours <= 0.1 * 5.0 * 8760.0 * (1 + 1e-9)
