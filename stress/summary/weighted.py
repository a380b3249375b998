"""What weighted paths say: ruin, the whole curve of reserves, and whether the weights can be trusted.

A path drawn from another law than the model's counts with its likelihood ratio, so that ``mean(weight x event)`` is an
unbiased estimate of the event's probability and the mean weight is one.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from stress.outcomes import Facts, Outcomes
from stress.summary.clusters import Clusters
from stress.summary.intervals import annual_rate
from stress.summary.means import estimate_mean
from stress.summary.notation import Money, brackets, percent, row, wrapped
from stress.summary.quantile import check_probability
from stress.summary.result_line import estimate, line
from stress.summary.year import beyond_the_data

__all__ = ["FEWEST_EFFECTIVE", "WeightedReserve", "WeightedRuin", "WeightedSummary", "summarize_weighted"]

#: Effective number of paths beyond a reserve, below which nothing is said of it.
FEWEST_EFFECTIVE = 100.0


@dataclass(frozen=True)
class WeightedRuin:
    """The probability of a loss beyond a reserve, from weighted paths.

    Parameters
    ----------
    reserve : float
        In quote currency.
    value, low, high : float or None
        Estimate and interval over the horizon; None when refused.
    annual : float or None
        Its rate a year.
    relative_error : float or None
        Standard error over the estimate.
    effective : float
        ``(sum w)^2 / sum w^2`` of the paths beyond the reserve (Kong 1992).
    largest_share : float
        Largest weight among them, as a share of their sum.
    reason : str or None
        Why it is refused.
    """

    reserve: float
    value: float | None
    low: float | None
    high: float | None
    annual: float | None
    relative_error: float | None
    effective: float
    largest_share: float
    reason: str | None = None


@dataclass(frozen=True)
class WeightedReserve:
    """The reserve of a level, from weighted paths.

    Parameters
    ----------
    level : float
        ``P(drawdown <= value)`` over the horizon.
    value, low, high : float or None
        Reserve and interval, in quote currency; None when refused.
    effective : float
        Effective number of paths beyond it.
    reason : str or None
        Why it is refused.
    """

    level: float
    value: float | None
    low: float | None
    high: float | None
    effective: float
    reason: str | None = None


@dataclass(frozen=True)
class WeightedSummary:
    """The meaning of a weighted run.

    Parameters
    ----------
    facts : Facts
        What the run was.
    confidence : float
        Of the intervals.
    n_paths, n_populations : int
        Paths, and different draws of the accounts.
    mean_weight, mean_weight_error : float
        One, within its standard error, if the weights are right.
    effective : float
        Effective number of all paths.
    ruin : WeightedRuin
        At the initial fund.
    reserves : tuple of WeightedReserve
        By level.
    """

    facts: Facts
    confidence: float
    n_paths: int
    n_populations: int
    mean_weight: float
    mean_weight_error: float
    effective: float
    ruin: WeightedRuin
    reserves: tuple[WeightedReserve, ...]

    @property
    def weights_agree(self) -> bool:
        """Whether the mean weight lies within four standard errors of one."""
        return abs(self.mean_weight - 1.0) <= 4.0 * self.mean_weight_error

    def to_dict(self) -> dict[str, Any]:
        """Return the ``fundstress.weighted/1`` document: plain, JSON-ready values."""
        return {"schema": "fundstress.weighted/1", **asdict(self), "weights_agree": self.weights_agree}

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def summarize_weighted(
    outcomes: Outcomes, *, levels: Sequence[float] | None = None, confidence: float | None = None
) -> WeightedSummary:
    """Turn weighted outcomes into the ruin probability and the reserves; crude ones, too, all of weight one.

    Parameters
    ----------
    outcomes : Outcomes
        Weights with mean one; every population has the same design of paths.
    levels : sequence of float, optional
        Levels of the reserve; those of the run otherwise.
    confidence : float, optional
        Confidence of the intervals; that of the run otherwise.

    Returns
    -------
    WeightedSummary
        Errors are from the spread between populations, batches for a single one.  The interval of a probability is
        Student's on the scale of its logarithm; that of a reserve are the reserves at the bounds of the probability
        beyond it (Woodruff 1952; Glynn 1996).  With fewer than 100 effective paths beyond, refused.

    Raises
    ------
    ValueError
        For levels or a confidence outside (0, 1).
    """
    facts = outcomes.facts
    levels = sorted(facts.levels if levels is None else levels)
    confidence = facts.confidence if confidence is None else confidence
    check_probability(confidence=confidence, **{f"level {x:g}": x for x in levels})
    clusters, weight = Clusters.of(outcomes.population), outcomes.weight
    curve = _Curve(outcomes.drawdown, weight, clusters, confidence)
    mean = estimate_mean(weight, clusters, confidence)
    return WeightedSummary(
        facts=facts,
        confidence=confidence,
        n_paths=outcomes.n_paths,
        n_populations=clusters.n_clusters,
        mean_weight=mean.value,
        mean_weight_error=math.sqrt(clusters.replicates().variance_of_mean(weight)),
        effective=_effective(weight),
        ruin=curve.ruin(facts.fund_initial, facts.horizon_hours),
        reserves=tuple(curve.reserve(level) for level in levels),
    )


class _Curve:
    """``P(drawdown > u)`` for every u, from weighted paths."""

    def __init__(self, drawdown: np.ndarray, weight: np.ndarray, clusters: Clusters, confidence: float):
        order = np.argsort(-drawdown, kind="stable")
        self.drawdown, self.weight, self.clusters = drawdown, weight, clusters.replicates()
        self.ordered, self.beyond = drawdown[order], np.cumsum(weight[order]) / len(weight)
        self.t = float(stdtrit(max(1, self.clusters.n_clusters - 1), (1.0 + confidence) / 2.0))

    def chance(self, u: float) -> tuple[float, float, np.ndarray]:
        """Return the probability beyond u, its standard error, and the weights there."""
        hits = np.where(self.drawdown > u, self.weight, 0.0)
        return float(np.mean(hits)), math.sqrt(self.clusters.variance_of_mean(hits)), hits[hits > 0]

    def ruin(self, u: float, hours: float) -> WeightedRuin:
        """Return the estimate at a fund."""
        p, error, weights = self.chance(u)
        effective, largest = _effective(weights), float(weights.max(initial=0.0) / max(weights.sum(), 1e-300))
        if effective < FEWEST_EFFECTIVE:
            return WeightedRuin(u, None, None, None, None, None, effective, largest, _too_few(effective))
        factor = math.exp(self.t * error / p)
        return WeightedRuin(u, p, p / factor, p * factor, annual_rate(p, hours), error / p, effective, largest)

    def reserve(self, level: float) -> WeightedReserve:
        """Return the least reserve beyond which lies at most ``1 - level``."""
        alpha = (1.0 - level) * (1.0 + 1e-12)
        value = self._quantile(alpha)
        _, _, weights = self.chance(np.nextafter(value, -np.inf))
        effective = _effective(weights)
        if effective < FEWEST_EFFECTIVE:
            return WeightedReserve(level, None, None, None, effective, _too_few(effective))
        p, error, _ = self.chance(value)
        factor = math.exp(self.t * error / max(p, alpha))
        return WeightedReserve(level, value, self._quantile(alpha * factor), self._quantile(alpha / factor), effective)

    def _quantile(self, alpha: float) -> float:
        """Return the least observed u with ``P(drawdown > u) <= alpha``."""
        return float(self.ordered[min(int(np.searchsorted(self.beyond, alpha, side="right")), len(self.ordered) - 1)])


def _effective(weights: np.ndarray) -> float:
    return float(weights.sum() ** 2 / np.square(weights).sum()) if weights.size else 0.0


def _too_few(effective: float) -> str:
    return f"{effective:.0f} effective paths beyond it, fewer than {FEWEST_EFFECTIVE:.0f}: more paths, or another tilt"


def _lines(summary: WeightedSummary) -> Iterator[str]:
    """Yield the page."""
    facts, money = summary.facts, Money(summary.facts.unit)
    yield f"{facts.scenario}: fund {money(facts.fund_initial)}, importance sampling"
    yield (
        f"{summary.n_paths:,} weighted paths of {facts.horizon_hours:g} h, {summary.n_populations:,} populations, "
        f"engine {facts.engine}, seed {facts.seed}; {100 * summary.confidence:g} % intervals in brackets"
    )
    yield (
        f"Mean weight {summary.mean_weight:.4f} +- {summary.mean_weight_error:.4f} (1 if right), "
        f"worth {summary.effective:,.0f} paths in the middle"
    )
    yield ""
    yield from _answer(summary, money)
    yield _ruin_row(summary.ruin, facts.horizon_hours)
    if summary.ruin.value is not None:
        share = f"largest weight {percent(summary.ruin.largest_share)} of them"
        rate = f"{summary.ruin.annual or 0.0:.3g} a year"
        yield f"    {summary.ruin.effective:,.0f} effective ruined paths, {share}; {rate}"
    yield ""
    yield row(f"Reserve needed over {facts.horizon_hours:g} h", "net of income", "effective paths beyond")
    for each in summary.reserves:
        mark = " *" if beyond_the_data(1.0 - each.level, facts.horizon_hours) else ""
        amount = "refused" if each.value is None else f"{money(each.value)} {brackets(each.low, each.high, money.bare)}"
        yield row(f"  {100 * each.level:.8g} %{mark}", amount, each.reason or f"{each.effective:,.0f}")
    yield ""
    yield from _reading(summary)


def _answer(summary: WeightedSummary, money: Money) -> Iterator[str]:
    """Yield the line of the rarest level that the run answers."""
    answered = [row for row in summary.reserves if row.value is not None]
    if not answered or not summary.weights_agree:
        return
    found, how = answered[-1], f"importance sampling, n = {summary.n_paths:,}"
    bounds = found.low, found.high
    said = estimate(found.value or 0.0, bounds, how, money=money, confidence=summary.confidence)
    yield from wrapped(line(found.level, summary.facts.horizon_hours, said), first="", then="  ")
    yield ""


def _ruin_row(ruin: WeightedRuin, hours: float) -> str:
    if ruin.value is None:
        return row("Fund exhausted", "refused", ruin.reason or "")
    mark = " *" if beyond_the_data(ruin.value, hours) else ""
    return row(f"Fund exhausted{mark}", f"{ruin.value:.3g} {brackets(ruin.low, ruin.high, lambda x: f'{x:.3g}')}")


def _reading(summary: WeightedSummary) -> Iterator[str]:
    yield "Read with care"
    if not summary.weights_agree:
        yield "  - THE MEAN WEIGHT IS NOT ONE: the weights are wrong or too wild; do not use these numbers."
    yield "  - Intervals are by population cluster, and of the simulation only."
    yield "  - What is marked * is conditional on the model: rarer than 100 times the data can tell."
    yield "No rule prescribes this figure."
