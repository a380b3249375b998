"""How large must the fund be?  Read off one run where that is exact, found by bisection on the fund where it is not.

With the same random numbers every fund meets the same paths, so that its ruin probability is a step function of the
fund alone and a bisection finds the step (docs/method.md, section 10).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from stress.engines.base import Progress, run
from stress.engines.results import one_run_curve
from stress.outcomes import Outcomes
from stress.scenario import Scenario, ScenarioError
from stress.summary import Clusters, Estimate, Summary, estimate_probability, summarize, two_sided_sample_size
from stress.variants import AMPLE

__all__ = ["Sizing", "Tried", "bisect_fund", "check_budget", "solve"]

TOLERANCE = 0.01  # of the fund, at which a bisection ends
WIDEST = 2.0**20  # how far from its start a bisection looks


@dataclass(frozen=True)
class Tried:
    """A fund that was tried, and its ruin probability over the horizon."""

    fund: float
    ruin: Estimate


@dataclass(frozen=True)
class Sizing:
    """The reserve of a level.

    Parameters
    ----------
    level : float
        ``P(no ruin)`` over the horizon.
    horizon_hours : float
        The horizon.
    method : str
        ``one run`` or ``bisection``.
    value : float
        Reserve, in quote currency; of a bisection, the smallest fund tried whose ruin probability is low enough.
    low, high : float or None
        Its interval; of a bisection, the smallest funds at which the lower and the upper bound of the ruin
        probability are low enough, None where the search found none.
    monotone : bool
        Whether among the funds tried a larger one was never ruined more often.
    tried : tuple of Tried
        Funds of the bisection, ascending.
    summary : Summary
        Of the run at the answer.
    note : str
        Why this method.
    """

    level: float
    horizon_hours: float
    method: str
    value: float
    low: float | None
    high: float | None
    monotone: bool
    tried: tuple[Tried, ...]
    summary: Summary
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Return the ``fundstress.size/1`` document: plain, JSON-ready values."""
        tried = [{"fund": row.fund, "ruin": row.ruin.to_dict()} for row in self.tried]
        plain = {name: getattr(self, name) for name in ("level", "horizon_hours", "method", "value", "low", "high")}
        rest = {"monotone": self.monotone, "note": self.note, "tried": tried, "summary": self.summary.to_dict()}
        return {"schema": "fundstress.size/1", **plain, **rest}


def check_inside(level: float) -> None:
    """Raise a ScenarioError for a level outside (0, 1)."""
    if not 0.0 < level < 1.0:
        raise ScenarioError(f"level {level:g} is outside (0, 1)")


def check_budget(level: float, n_paths: int, confidence: float) -> None:
    """Raise a ScenarioError when even independent paths could not give an interval at the level."""
    check_inside(level)
    needed = two_sided_sample_size(level, confidence)
    if n_paths < needed:
        said = f"run.n_paths = {n_paths:,}: too few for an interval at level {level:.10g}"
        raise ScenarioError(f"{said}; needs {needed:,} independent paths")


def solve(scenario: Scenario, level: float, *, threads: int | None = None, progress: Progress | None = None) -> Sizing:
    """Find the smallest fund that is ruined with probability at most ``1 - level``.

    Parameters
    ----------
    scenario : Scenario
        Its horizon, paths and seed are those of every run.
    level : float
        Level over the horizon.
    threads : int, optional
        Worker threads; all cores by default.
    progress : Progress, optional
        Told about finished paths, run by run.

    Returns
    -------
    Sizing
        From one run on an ample fund where nothing before ruin depends on the fund's level; by bisection on the
        initial fund with common random numbers otherwise.

    Raises
    ------
    ScenarioError
        When the level is outside (0, 1) or the paths are too few for it.
    """
    check_budget(level, scenario.run.n_paths, scenario.reserve.confidence)
    exact, note = one_run_curve(scenario)

    def simulate(fund: float) -> Outcomes:
        """Run the scenario with another fund and the same random numbers."""
        changed = scenario.with_(**scenario.with_fund(fund))
        return run(changed, threads=threads, progress=progress)

    if exact:
        return _read_off(scenario, simulate(AMPLE), level, note)
    return _bisected(scenario, simulate, level, note)


def _read_off(scenario: Scenario, outcomes: Outcomes, level: float, note: str) -> Sizing:
    summary = summarize(outcomes, levels=(level,))
    found = summary.reserve(level)
    if found.value is None:
        raise ScenarioError(f"level {level:g}: {found.reason}; about {found.n_paths_needed:,} are needed (--paths)")
    edges = found.value, found.low, found.high
    return Sizing(level, scenario.run.horizon_hours, "one run", *edges, True, (), summary, note)


@dataclass
class _Search:
    """Funds that were tried, each once."""

    simulate: Callable[[float], Outcomes]
    confidence: float
    found: dict[float, Estimate] = field(default_factory=dict)

    def ruin(self, fund: float) -> Estimate:
        """Return the ruin probability of a fund."""
        if fund not in self.found:
            outcomes = self.simulate(fund)
            clusters, hours = Clusters.of(outcomes.population), outcomes.facts.horizon_hours
            hits = outcomes.ruin_step >= 0
            self.found[fund] = estimate_probability(hits, clusters, confidence=self.confidence, horizon_hours=hours)
        return self.found[fund]


def bisect_fund(enough: Callable[[float], bool], start: float) -> float | None:
    """Return the smallest fund, to 1 %, that is enough; None when none up to a million times the start is.

    Parameters
    ----------
    enough : callable
        Whether a fund is; must not turn false again as the fund grows.
    start : float
        Where to look first, above 0.
    """
    low, high = start, start
    while not enough(high):
        low, high = high, 2.0 * high
        if high > WIDEST * start:
            return None
    while low == high or enough(low):
        low, high = 0.5 * low, low
        if low < start / WIDEST:
            return high
    while high > low * (1.0 + TOLERANCE):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _bisected(scenario: Scenario, simulate: Callable[[float], Outcomes], level: float, note: str) -> Sizing:
    search, most = _Search(simulate, scenario.reserve.confidence), (1.0 - level) * (1.0 + 1e-12)
    start = scenario.fund_initial or 0.01 * scenario.venue.open_interest * scenario.price

    def below(fund: float, edge: str) -> bool:
        """Say whether the estimate, or a bound, of a fund's ruin probability is low enough."""
        found = getattr(search.ruin(fund), edge)
        return found is not None and found <= most

    value = bisect_fund(lambda fund: below(fund, "value"), start)
    if value is None:
        raise ScenarioError(f"level {level:g}: no fund up to {WIDEST:,.0f} times {start:,.4g} is enough")
    low = bisect_fund(lambda fund: below(fund, "low"), value)
    high = bisect_fund(lambda fund: below(fund, "high"), value)
    tried = tuple(Tried(fund, search.found[fund]) for fund in sorted(search.found))
    ruins = [row.ruin.value for row in tried]
    summary = summarize(simulate(value), levels=(level,))
    monotone = all(later <= earlier for earlier, later in pairwise(ruins))
    return Sizing(level, scenario.run.horizon_hours, "bisection", value, low, high, monotone, tried, summary, note)
