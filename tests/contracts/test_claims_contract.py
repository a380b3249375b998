"""What every law of when claims come, and of how large they are, must do."""

import math

import numpy as np
import pytest

from stress.claims import Arrivals, ClaimsModel, Frequency, Severity
from stress.claims.base import fitted
from stress.claims.simulate import claim_times

YEARS, N = 20.0, 500

every_frequency = pytest.mark.parametrize("kind", sorted(Frequency.family))
every_severity = pytest.mark.parametrize("kind", sorted(Severity.family))
every_fitted_severity = pytest.mark.parametrize("kind", sorted(set(Severity.family) - {"scipy"}))


def model(frequency, **tables):
    run = {"n_paths": N, "horizon_hours": 8760 * YEARS}
    return ClaimsModel.from_tables({"frequency": frequency, "severity": "exponential", "run": run, **tables})


@every_frequency
def test_claims_come_at_their_mean_rate_from_the_start(kind):
    claims = model(kind)
    starts, times, _ = claim_times(claims, 0, N)
    path = np.repeat(np.arange(N), np.diff(starts))
    expected = claims.frequency.mean_rate
    for low, high in ((0.0, 1.0), (YEARS - 1.0, YEARS)):
        count = np.bincount(path[(times > low) & (times < high)], minlength=N)
        assert abs(count.mean() - expected) < 4 * count.std() / math.sqrt(N)


@every_frequency
def test_claims_of_a_path_are_in_order_and_do_not_depend_on_the_block(kind):
    claims = model(kind)
    starts, times, marks = claim_times(claims, 0, 50)
    assert all((np.diff(part) > 0).all() for part in np.split(times, starts[1:-1]))
    _, later, same = claim_times(claims, 20, 1)
    assert later.tolist() == times[starts[20] : starts[21]].tolist()
    assert same.tolist() == marks[starts[20] : starts[21]].tolist()


@every_frequency
def test_the_fit_of_a_frequency_finds_what_drew_it(kind):
    claims = model(kind)
    _, times, _ = claim_times(claims.model_copy(update={"run": claims.run.model_copy(update={"seed": 3})}), 0, 1)
    part, best = Frequency.family[kind].fitted(Arrivals(times, YEARS))
    assert part.mean_rate == pytest.approx(claims.frequency.mean_rate, rel=0.35)
    poisson = Frequency.family["poisson"].fitted(Arrivals(times, YEARS))[1]
    assert best > poisson - 1e-6 - 2.0 * (kind == "renewal")  # of which it knows where the first waiting time began


@every_severity
def test_a_severity_is_positive_and_scales(example, kind):
    law, double = example(Severity.family[kind]), example(Severity.family[kind], scale_usd=2.0)
    sizes = law.frozen().isf(np.linspace(0.001, 0.999, 99))
    assert (sizes > 0.0).all()
    assert double.frozen().isf(np.linspace(0.001, 0.999, 99)) == pytest.approx(2.0 * sizes, rel=1e-9)


@every_fitted_severity
def test_the_fit_of_a_severity_finds_what_drew_it(example, kind):
    law = example(Severity.family[kind], scale_usd=1e5)
    sizes = law.frozen().rvs(4_000, random_state=np.random.default_rng(5))
    found, likelihood = Severity.family[kind].fitted(sizes)
    assert likelihood >= law.frozen().logpdf(sizes).sum() - 1.0
    assert found.frozen().median() == pytest.approx(law.frozen().median(), rel=0.1)


@every_fitted_severity
def test_the_choice_is_the_law_that_drew_the_losses_or_one_that_holds_it(example, kind):
    law = example(Severity.family[kind], scale_usd=1e5)
    sizes = law.frozen().rvs(2_000, random_state=np.random.default_rng(6))
    rows = {row.part.kind: row for row in fitted(Severity, sizes)}
    assert rows[kind].aic <= min(row.aic for row in rows.values()) + 9.0  # chance 1e-3 for one number more
