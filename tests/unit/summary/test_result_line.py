"""The line that somebody signs: everything in it is of one level, and what is not known is left out."""

import re
from dataclasses import replace

import numpy as np
import pytest

from stress.outcomes import Attribution
from stress.summary import ModelRisk, Variant, summarize
from stress.summary.notation import Money
from stress.summary.result_line import answer_of, estimate, line, result_line


@pytest.fixture
def summary(make_outcomes):
    """20,000 losses of a year, at the quantiles of an exponential law; retail causes three quarters of each."""
    drawdown = -1e9 * np.log1p(-(np.arange(20_000) + 0.5) / 20_000)
    shares = Attribution(("retail", "whale"), np.arange(20_000), np.outer(drawdown, [0.75, 0.25]))
    found = make_outcomes(drawdown, attribution=shares, horizon_hours=8760.0)
    return summarize(found, levels=(0.99, 0.995))


def with_models(summary, level):
    rows = [Variant("model", name, 0.0, reserve, None, None, None) for name, reserve in (("a", 15e9), ("b", 33e9))]
    return summary.with_(model_risk=ModelRisk(level, 8760.0, 20_000, replace(rows[0], reserve=2e10), tuple(rows)))


def test_a_line_around_an_estimate_is_as_it_is_specified():
    said = estimate(41.2e6, (39.8e6, 42.9e6), "order statistic, n = 400,000", money=Money("USDT"), confidence=0.95)
    assert line(0.995, 8760.0, said) == (
        "Reserve (ruin <= 0.5 % in 365 d): USDT 41.2 m, 95 % CI [39.8 m, 42.9 m] (order statistic, n = 400,000), "
        "no regulation prescribes this figure."
    )


def test_the_line_has_every_part(summary):
    # The 19,900th of 20,000: ln(20,000 / 100.5) = 5.293; the law is exponential, so that its tail index is about zero.
    head, tail = result_line(with_models(summary, 0.995)).split(", EVT range ")
    row = summary.reserve(0.995)
    interval = f"[{row.low / 1e9:.2f} bn, {row.high / 1e9:.2f} bn]"
    assert head.startswith(f"Reserve (ruin <= 0.5 % in 365 d): USD 5.29 bn, 95 % CI {interval} (order statistic, n = ")
    assert re.fullmatch(r"\[5.\d+ bn, 5.\d+ bn\] over \d thresholds, xi = -?0.0\d \+- 0.0\d, .*", tail)
    models = "model range [15.0 bn, 33.0 bn], binding cohort: retail 75 %, no regulation prescribes this figure."
    assert tail.endswith(models)


def test_the_range_of_one_threshold_is_its_interval(summary):
    one = replace(next(row for row in summary.extremes.reserves if row.level == 0.995), n_thresholds=1)
    only = replace(summary.extremes, reserves=(one,))
    interval = f"[{one.low / 1e9:.2f} bn, {one.high / 1e9:.2f} bn]"
    said = result_line(replace(summary, extremes=only), 0.995)
    assert f"EVT USD {one.least / 1e9:.2f} bn {interval} above 1 threshold, xi = " in said


def test_the_line_is_of_the_level_of_its_model_range_or_of_the_rarest_answered(summary, make_outcomes):
    assert answer_of(with_models(summary, 0.99)) == 0.99
    assert answer_of(with_models(summary, 0.5)) == 0.995  # a level that the summary was not asked for
    few = summarize(make_outcomes(np.arange(500.0)), levels=(0.9, 0.99, 0.999))
    assert answer_of(few) == 0.99
    assert "model range" not in result_line(with_models(summary, 0.99), 0.995)


def test_a_refused_reserve_says_how_many_paths_it_needs(make_outcomes):
    few = summarize(make_outcomes(np.arange(100.0)), levels=(0.999,))
    assert "refused" in result_line(few)
    assert "about 3,688 are needed" in result_line(few)


def test_the_line_is_in_the_document_and_on_the_page(summary):
    said = result_line(summary)
    assert summary.to_dict()["result"] == said
    assert said in " ".join(str(summary).split())
