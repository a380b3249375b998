"""What the run says: every number of the first screen and of ``summary.json``, from the outcomes."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from stress.outcomes import Facts, Outcomes
from stress.summary import caveats, page
from stress.summary.attribution import CohortShares, cohort_shares
from stress.summary.clusters import Clusters
from stress.summary.concentration import Concentration
from stress.summary.cover import CoverRow, cover_rows
from stress.summary.extremes import Extremes, estimate_extremes
from stress.summary.growth import Growth, estimate_growth, fund_change
from stress.summary.intervals import Estimate, estimate_probability
from stress.summary.means import estimate_mean
from stress.summary.model_risk import ModelRisk, ParameterInterval
from stress.summary.notation import Money
from stress.summary.pools import PoolEstimate, any_pool_ruined, estimate_pools
from stress.summary.quantile import check_probability
from stress.summary.regimes import Headline, headline
from stress.summary.reserves import ReserveEstimate, estimate_reserves
from stress.summary.result_line import result_line
from stress.summary.standards import Standards, estimate_standards
from stress.summary.tail import TailCheck, TailEstimate, check_tail, expected_shortfall
from stress.summary.year import Year, estimate_year

__all__ = ["Summary", "inventory_beyond_fund", "summarize"]

_SCHEMA = "fundstress.summary/1"

_MEANS = (
    "surplus",
    "bad_debt",
    "inventory_pnl",
    "fee_income",
    "liquidated_notional",
    "deleveraged_notional",
    "forgone_profit",
    "broken_hedges",
    "fund_draw",
    "backstop_loss",
    "fee_pool_paid",
    "operator_paid",
    "topped_up",
    "socialized_loss",
    "unresolved_shortfall",
    "drawdown",
    "fund_end",
)

_EVENTS: dict[str, Callable[[Outcomes], np.ndarray]] = {
    "any_liquidation": lambda o: o.liquidated_accounts > 0,
    "any_bad_debt": lambda o: o.bad_debt > 0,
    "deleveraging": lambda o: o.deleveraged_notional > 0,
    "any_haircut": lambda o: o.deleveraged_notional + o.socialized_loss + o.unresolved_shortfall > 0,
    "unresolved": lambda o: o.unresolved_shortfall > 0,
}

#: Events of `_EVENTS` that hit customers, and so come with an interval.
_CUSTOMER_EVENTS = ("deleveraging", "any_haircut")


@dataclass(frozen=True)
class Summary:
    """The meaning of a run.  ``print(summary)`` is the first screen, `to_dict` the machine-readable form.

    Parameters
    ----------
    facts : Facts
        What the run was.
    confidence : float
        Confidence of every interval.
    n_paths, n_populations : int
        Paths and different draws of the accounts.
    ruin_probability : Estimate
        ``P(drawdown > fund_initial)`` over the horizon.
    reserves : tuple of ReserveEstimate
        By level, net and gross.
    expected_shortfall : tuple of TailEstimate
        By level, of the net drawdown.
    tail : TailCheck
        Tail index of the net drawdown.
    extremes : Extremes
        Net reserves by extrapolation, at the levels and at that of the year.
    mean, probability : dict of str to float
        Means of columns in their own units; probabilities of events over the horizon.
    probability_interval : dict of str to Estimate
        Intervals of the events that hit customers.
    inventory_beyond_fund : Estimate or None
        Probability that the positions which the fund carries exceed its start; None if the run did not record it.
    pools : tuple of PoolEstimate
        Pool by pool, where the fund stands behind several symbols.
    any_pool_ruined : Estimate or None
        Probability that any pool is exhausted; None for a fund in one.
    year : Year
        What a year of independent horizons asks for.
    fund_change : Estimate
        Mean change of the fund over the horizon, in quote currency.
    growth : Growth
        How the fund grows, in the quantities that history gives.
    cover : tuple of CoverRow
        The fund against the default of the largest accounts.
    standards : Standards or None
        What the presets of internal standards ask for, where the scenario chose any.
    shares : CohortShares or None
        Who causes the worst moments, where the run recorded it.
    conservation_error : float
        Worst imbalance of the books over all paths, as a share of open interest.
    model_risk : ModelRisk, optional
        Reserves of variants of the scenario, attached by `with_`.
    parameters : ParameterInterval, optional
        Ruin and reserves over draws of the parameters, attached by `with_`.
    concentration : Concentration, optional
        In how few hands the first population is, attached by `with_`.
    """

    facts: Facts
    confidence: float
    n_paths: int
    n_populations: int
    ruin_probability: Estimate
    reserves: tuple[ReserveEstimate, ...]
    expected_shortfall: tuple[TailEstimate, ...]
    tail: TailCheck
    extremes: Extremes
    mean: dict[str, float]
    probability: dict[str, float]
    probability_interval: dict[str, Estimate]
    inventory_beyond_fund: Estimate | None
    pools: tuple[PoolEstimate, ...]
    any_pool_ruined: Estimate | None
    year: Year
    fund_change: Estimate
    growth: Growth
    cover: tuple[CoverRow, ...]
    standards: Standards | None
    shares: CohortShares | None
    conservation_error: float
    model_risk: ModelRisk | None = None
    parameters: ParameterInterval | None = None
    concentration: Concentration | None = None

    def __str__(self) -> str:
        return page.text(self)

    @property
    def money(self) -> Money:
        """How amounts are written: in the money of the contract."""
        return Money(self.facts.unit)

    @property
    def caveats(self) -> tuple[caveats.Caveat, ...]:
        """What a reader must know before using the numbers, one sentence each."""
        return tuple(caveats.caveats(self))

    @property
    def headline(self) -> Headline | None:
        """The worse of the base reserve and its mix with a stressed regime, when that regime was run."""
        own = {row.level: row.value for row in self.reserves if row.kind == "net"}
        return headline(self.model_risk, own.get)

    def with_(
        self,
        *,
        model_risk: ModelRisk | None = None,
        parameters: ParameterInterval | None = None,
        concentration: Concentration | None = None,
    ) -> "Summary":
        """Return a copy that carries what is given; what is None stays as it is."""
        given: dict[str, Any] = {"model_risk": model_risk, "parameters": parameters, "concentration": concentration}
        return replace(self, **{name: value for name, value in given.items() if value is not None})

    def reserve(self, level: float, kind: str = "net") -> ReserveEstimate:
        """Return the reserve of a level and kind; a KeyError when it was not asked for."""
        for row in self.reserves:
            if (row.level, row.kind) == (level, kind):
                return row
        raise KeyError(f"no {kind} reserve at level {level}")

    def to_dict(self) -> dict[str, Any]:
        """Return the ``fundstress.summary/1`` document: plain values, JSON-ready, no NaN or infinity."""
        return {
            "schema": _SCHEMA,
            **_run_facts(self.facts),
            "result": result_line(self),
            "confidence": self.confidence,
            "n_paths": self.n_paths,
            "n_populations": self.n_populations,
            "ruin_probability": self.ruin_probability.to_dict(),
            "pools": [row.to_dict() for row in self.pools],
            "any_pool_ruined": self.any_pool_ruined and self.any_pool_ruined.to_dict(),
            "reserve": [row.to_dict() for row in self.reserves],
            "expected_shortfall": [row.to_dict() for row in self.expected_shortfall],
            "tail": self.tail.to_dict(),
            "extremes": self.extremes.to_dict(),
            "mean": dict(self.mean),
            "probability": dict(self.probability),
            "probability_interval": {k: v.to_dict() for k, v in self.probability_interval.items()},
            "inventory_beyond_fund": self.inventory_beyond_fund and self.inventory_beyond_fund.to_dict(),
            "year": self.year.to_dict(),
            "fund_change": self.fund_change.to_dict(),
            "growth": self.growth.to_dict(),
            "cover": [row.to_dict() for row in self.cover],
            "standards": self.standards and self.standards.to_dict(),
            "attribution": self.shares.to_dict() if self.shares else None,
            "conservation_error": self.conservation_error,
            "headline": self.headline and self.headline.to_dict(),
            "model_risk": self.model_risk and self.model_risk.to_dict(),
            "parameters": self.parameters and self.parameters.to_dict(),
            "concentration": self.concentration and self.concentration.to_dict(),
            "caveats": list(self.caveats),
        }

    def to_json(self, indent: int | None = 2) -> str:
        """Return `to_dict` as strict JSON text."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)


def summarize(outcomes: Outcomes, *, levels: Sequence[float] | None = None, confidence: float | None = None) -> Summary:
    """Turn outcomes into the ruin probability and the reserves, each with its error.

    Parameters
    ----------
    outcomes : Outcomes
        Result of a crude run: all weights 1.
    levels : sequence of float, optional
        Levels of the reserve; those of the run otherwise.
    confidence : float, optional
        Confidence of the intervals; that of the run otherwise.

    Returns
    -------
    Summary
        Intervals are by population wherever there are several.

    Raises
    ------
    ValueError
        For levels or a confidence outside (0, 1), no level, or weighted paths.
    """
    facts = outcomes.facts
    levels = tuple(sorted({float(x) for x in (facts.levels if levels is None else levels)}))
    confidence = facts.confidence if confidence is None else confidence
    _check(outcomes, levels, confidence)
    clusters, tail = Clusters.of(outcomes.population), check_tail(outcomes.drawdown)
    shared: dict[str, Any] = {"confidence": confidence, "clusters": clusters}
    probability = partial(
        estimate_probability, clusters=clusters, confidence=confidence, horizon_hours=facts.horizon_hours
    )
    beyond, any_pool = inventory_beyond_fund(outcomes), any_pool_ruined(outcomes)
    reserves = estimate_reserves(outcomes, levels, clusters, confidence)
    year = estimate_year(outcomes, clusters, confidence)
    net = {row.level: (row.low, row.high) for row in (*reserves, year.net) if row.kind == "net"}
    return Summary(
        facts=facts,
        confidence=confidence,
        n_paths=outcomes.n_paths,
        n_populations=clusters.n_clusters,
        ruin_probability=probability(outcomes.ruin_step >= 0),
        reserves=reserves,
        expected_shortfall=tuple(expected_shortfall(outcomes.drawdown, level, **shared, tail=tail) for level in levels),
        tail=tail,
        extremes=estimate_extremes(outcomes.drawdown, net, **shared, empirical=net),
        mean={name: float(np.mean(values)) for name, values in _amounts(outcomes).items()},
        probability={name: float(np.mean(event(outcomes))) for name, event in _EVENTS.items()},
        probability_interval={name: probability(_EVENTS[name](outcomes)) for name in _CUSTOMER_EVENTS},
        inventory_beyond_fund=None if beyond is None else probability(beyond),
        pools=estimate_pools(outcomes, levels, clusters, confidence),
        any_pool_ruined=None if any_pool is None else probability(any_pool),
        year=year,
        fund_change=estimate_mean(fund_change(outcomes), clusters, confidence),
        growth=estimate_growth(outcomes, clusters, confidence),
        cover=cover_rows(facts),
        standards=estimate_standards(outcomes, clusters, confidence),
        shares=next(filter(None, (cohort_shares(outcomes, level) for level in levels)), None),
        conservation_error=float(np.max(outcomes.conservation_error)),
    )


def _amounts(outcomes: Outcomes) -> dict[str, np.ndarray]:
    """Return the columns whose means are told."""
    return {name: outcomes.columns[name] for name in _MEANS}


def _check(outcomes: Outcomes, levels: Sequence[float], confidence: float) -> None:
    if not levels:
        raise ValueError("levels: at least one level is needed")
    for level in levels:
        check_probability(level=level)
    check_probability(confidence=confidence)
    if not np.all(outcomes.weight == 1.0):
        raise ValueError("summarize: paths have weights other than 1; only crude runs can be summarized")


def inventory_beyond_fund(outcomes: Outcomes) -> np.ndarray | None:
    """Return on which paths the fund carried more than it held at the start; None without that column."""
    peak = outcomes.columns.get("inventory_peak")
    return None if peak is None else peak > outcomes.facts.fund_initial


def _run_facts(facts: Facts) -> dict[str, Any]:
    """Return the facts that the document shows as they are; the rest is in it as results."""
    results = {"levels", "confidence", "cover", "cohorts", "pools", "presets", "own_funds"}
    return {name: value for name, value in facts.to_dict().items() if name not in results}
