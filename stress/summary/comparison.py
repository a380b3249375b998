"""One population and market under several rulebooks: who needs which reserve, and who pays.

What runs them lives above; here are the estimates and their paired differences.  All of it is in USD at
the first price, so that a contract that settles in a coin stands beside one that does not.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from stress.outcomes import Outcomes
from stress.summary import page_comparison
from stress.summary.clusters import Clusters
from stress.summary.intervals import Estimate, estimate_probability
from stress.summary.means import estimate_mean
from stress.summary.notation import Money
from stress.summary.quantile import order_statistic
from stress.summary.reserves import ReserveEstimate, estimate_reserves

__all__ = ["PAYERS", "Comparison", "Difference", "Rulebook", "compare_outcomes"]

_SCHEMA = "fundstress.compare/1"
_RESAMPLES, _SEED = 400, 20_261_122  # of populations, for intervals of differences between quantiles

#: Who pays, in the order of the figure, and the column that says how much.
PAYERS = {
    "fund": "fund_draw",
    "winners, deleveraged": "forgone_profit",
    "winners, charged": "socialized_loss",
    "backstop providers": "backstop_loss",
    "fee pool": "fee_pool_paid",
    "operator": "operator_paid",
    "nobody": "unresolved_shortfall",
}
_MEANS = ("surplus", "deleveraged_notional", "liquidated_notional", "socialized_loss", "unresolved_shortfall")


@dataclass(frozen=True)
class Rulebook:
    """What one rulebook makes of the population and the market; amounts in USD at the first price.

    Parameters
    ----------
    name, venue, as_of, engine : str
        Of the preset, and which engine ran it.
    unit, unit_usd : str, float
        Name of the money in which its contract settles, and what one unit of it was worth at the start, USD.
    waterfall, unverified : tuple of str
        Layers in order; keys whose values are unverified.
    curve_exact : bool
        Whether the reserves hold whatever the fund's size.
    posting_more, more_margin : float
        Share of the accounts that had to post more margin than on the scenario's venue, and by how much all margin
        rose, relative.
    ruin, deleveraging, any_haircut : Estimate
        Probabilities over the horizon: fund exhausted, ADL, any loss to customers.
    reserves : tuple of ReserveEstimate
        Net, by level.
    mean : dict of str to float
        Means of columns.
    payers : dict of str to float
        Mean loss borne, by whom; ``fund`` is without credit for income.
    in_unit : dict
        ``fund_initial``, ``reserves`` (level by level), ``mean`` and ``payers`` once more, in `unit`.
    """

    name: str
    venue: str
    as_of: str
    engine: str
    unit: str
    unit_usd: float
    waterfall: tuple[str, ...]
    unverified: tuple[str, ...]
    curve_exact: bool
    posting_more: float
    more_margin: float
    ruin: Estimate
    deleveraging: Estimate
    any_haircut: Estimate
    reserves: tuple[ReserveEstimate, ...]
    mean: dict[str, float]
    payers: dict[str, float]
    in_unit: dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """A rulebook less the first one, path by path on the same random numbers; amounts in USD at the first price.

    Parameters
    ----------
    name : str
    reserves : tuple of (float, Estimate or None)
        By level; None where either reserve is refused.
    ruin, deleveraging, any_haircut : Estimate
        Differences of probabilities over the horizon.
    """

    name: str
    reserves: tuple[tuple[float, Estimate | None], ...]
    ruin: Estimate
    deleveraging: Estimate
    any_haircut: Estimate


@dataclass(frozen=True)
class Comparison:
    """Several rulebooks on one population and market; the first one is what the others are measured against."""

    scenario: str
    config_sha256: str
    seed: int
    n_paths: int
    n_populations: int
    horizon_hours: float
    unit: str
    fund_initial: float
    open_interest: float
    confidence: float
    levels: tuple[float, ...]
    rulebooks: tuple[Rulebook, ...]
    differences: tuple[Difference, ...]

    @property
    def money(self) -> Money:
        """How amounts are written."""
        return Money(self.unit)

    def to_dict(self) -> dict[str, Any]:
        """Return the ``fundstress.compare/1`` document: plain values, JSON-ready."""
        document = {"schema": _SCHEMA, **asdict(self)}
        for row in document["differences"]:
            row["reserves"] = [{"level": level, **(found or {"value": None})} for level, found in row["reserves"]]
        return document

    def to_json(self, indent: int | None = 2) -> str:
        """Return `to_dict` as strict JSON text."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    def __str__(self) -> str:
        return page_comparison.text(self)


def hits_of(outcomes: Outcomes) -> dict[str, np.ndarray]:
    """Return on which paths the fund was exhausted, winners were deleveraged, customers bore any loss."""
    c = outcomes.columns
    deleveraged = c["deleveraged_notional"] > 0
    harmed = deleveraged | (c["socialized_loss"] > 0) | (c["unresolved_shortfall"] > 0)
    return {"ruin": c["ruin_step"] >= 0, "deleveraging": deleveraged, "any_haircut": harmed}


def compare_outcomes(
    outcomes: Sequence[Outcomes], about: Sequence[dict[str, Any]], *, scenario: str, config_sha256: str
) -> Comparison:
    """Summarize the same paths under several rulebooks.

    Parameters
    ----------
    outcomes : sequence of Outcomes
        Path i of all of them met the same market and the same accounts; each in the money of its contract.
    about : sequence of dict
        ``name, venue, as_of, waterfall, unverified, posting_more, more_margin`` of each rulebook.
    scenario, config_sha256 : str
        Of the scenario that they all stand in for.

    Returns
    -------
    Comparison
    """
    in_usd = [row.in_usd() for row in outcomes]
    first, facts = in_usd[0], in_usd[0].facts
    clusters = Clusters.of(first.population)
    said = [
        {**words, "unit": row.facts.unit, "unit_usd": row.facts.unit_usd}
        for row, words in zip(outcomes, about, strict=True)
    ]
    rulebooks = tuple(_rulebook(row, words, clusters) for row, words in zip(in_usd, said, strict=True))
    later = list(zip(in_usd, rulebooks, strict=True))[1:]
    return Comparison(
        scenario=scenario,
        config_sha256=config_sha256,
        seed=facts.seed,
        n_paths=first.n_paths,
        n_populations=clusters.n_clusters,
        horizon_hours=facts.horizon_hours,
        unit=facts.unit,
        fund_initial=facts.fund_initial,
        open_interest=facts.open_interest,
        confidence=facts.confidence,
        levels=facts.levels,
        rulebooks=rulebooks,
        differences=tuple(_difference(row, first, book, rulebooks[0], clusters) for row, book in later),
    )


def _rulebook(outcomes: Outcomes, about: dict[str, Any], clusters: Clusters) -> Rulebook:
    facts, columns = outcomes.facts, outcomes.columns
    shared: dict[str, Any] = {"confidence": facts.confidence, "horizon_hours": facts.horizon_hours}
    reserves = estimate_reserves(outcomes, facts.levels, clusters, facts.confidence)
    events: dict[str, Any] = {
        name: estimate_probability(hits, clusters, **shared) for name, hits in hits_of(outcomes).items()
    }
    net = tuple(row for row in reserves if row.kind == "net")
    amounts: dict[str, Any] = {
        "mean": {name: float(np.mean(columns[name])) for name in _MEANS},
        "payers": {who: float(np.mean(columns[name])) for who, name in PAYERS.items()},
    }
    every = {"fund_initial": facts.fund_initial, "reserves": [_ends(row) for row in net], **amounts}
    return Rulebook(
        **about,
        engine=facts.engine,
        curve_exact=facts.one_run_curve_exact,
        **events,
        reserves=net,
        **amounts,
        in_unit=_divided(every, about["unit_usd"]),
    )


def _ends(row: ReserveEstimate) -> dict[str, float | None]:
    return {"value": row.value, "low": row.low, "high": row.high}


def _divided(amounts: Any, rate: float) -> Any:
    """Return nested amounts in a money of which one unit is worth `rate`; what is refused stays None."""
    if isinstance(amounts, dict):
        return {name: _divided(amount, rate) for name, amount in amounts.items()}
    if isinstance(amounts, list):
        return [_divided(amount, rate) for amount in amounts]
    return None if amounts is None else amounts / rate


def _difference(one: Outcomes, other: Outcomes, book: Rulebook, base: Rulebook, clusters: Clusters) -> Difference:
    confidence = one.facts.confidence
    ours, theirs = hits_of(one), hits_of(other)
    refused = [bool(a.reason or b.reason) for a, b in zip(book.reserves, base.reserves, strict=True)]
    levels = one.facts.levels
    found = quantile_differences(one.drawdown, other.drawdown, levels, clusters, confidence)
    return Difference(
        book.name,
        tuple((level, None if no else row) for level, no, row in zip(levels, refused, found, strict=True)),
        **{name: _event_difference(ours[name], theirs[name], clusters, confidence) for name in ours},
    )


def _event_difference(ours: np.ndarray, theirs: np.ndarray, clusters: Clusters, confidence: float) -> Estimate:
    """Return how far two probabilities lie apart; where neither event ever happened nothing is known of it."""
    found = estimate_mean(ours * 1.0 - theirs, clusters, confidence)
    return found if ours.any() or theirs.any() else replace(found, low=None, high=None)


def quantile_differences(
    one: np.ndarray, other: np.ndarray, levels: Sequence[float], clusters: Clusters, confidence: float
) -> list[Estimate]:
    """Return how far the quantiles of paired samples lie apart, with percentile intervals of a cluster bootstrap.

    Parameters
    ----------
    one, other : ndarray, shape (n_paths,)
        Path i of both on the same random numbers.
    levels : sequence of float
    clusters : Clusters
        What is drawn with replacement, whole and for both samples alike; batches for one population.
    confidence : float

    Returns
    -------
    list of Estimate
        One a level (Efron and Tibshirani 1993, section 8; Davison and Hinkley 1997, section 3.8).
    """
    groups = clusters.replicates()
    members = np.split(np.argsort(groups.labels, kind="stable"), np.cumsum(groups.sizes)[:-1])
    rng = np.random.default_rng(_SEED)
    draws = np.empty((_RESAMPLES, len(levels)))
    for row in draws:
        again = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        row[:] = _quantiles(one[again], levels) - _quantiles(other[again], levels)
    ends = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    values = _quantiles(one, levels) - _quantiles(other, levels)
    return [
        Estimate(float(value), float(low), float(high), confidence, "paired-cluster-bootstrap")
        for value, low, high in zip(values, *ends, strict=True)
    ]


def _quantiles(values: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    ascending = np.sort(values)
    return np.array([order_statistic(ascending, level) for level in levels])
