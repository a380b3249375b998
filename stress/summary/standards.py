"""Which reserve do internal standards ask for that borrow from rules for clearing houses, insurers and banks?

No rule prescribes an exchange's insurance fund: these are measures to compare with, not compliance.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from stress.outcomes import Facts, Outcomes
from stress.summary.clusters import Clusters
from stress.summary.cover import cover_rows
from stress.summary.reserves import estimate_reserve
from stress.summary.tail import expected_shortfall

__all__ = [
    "PRESETS",
    "StandardReserve",
    "Standards",
    "ccp_own_resources",
    "cover_requirement",
    "default_fund",
    "estimate_standards",
    "mica_own_funds",
]

_DAY = 24.0
_SAME = 0.01  # horizons that differ by less are one

#: Floors of own funds by class of service, EUR (Regulation (EU) 2023/1114, Annex IV).
MICA_FLOORS = {1: 50_000.0, 2: 125_000.0, 3: 150_000.0}


@dataclass(frozen=True)
class StandardReserve:
    """The reserve that one measure of a preset asks for.

    Parameters
    ----------
    preset, measure : str
        Name of the preset, and what is measured.
    value, low, high : float or None
        Reserve and interval, in quote currency; None when refused.
    basis : str
        What the horizon rests on.
    reason : str or None
        Why it is refused.
    """

    preset: str
    measure: str
    value: float | None
    low: float | None = None
    high: float | None = None
    basis: str = "simulated"
    reason: str | None = None


@dataclass(frozen=True)
class Standards:
    """What the chosen presets ask for.

    Parameters
    ----------
    rows : tuple of StandardReserve
        Measure by measure, in the order of the presets.
    own_funds_eur : float or None
        Own funds by MiCA Art. 67, EUR: a requirement of the firm, neither added to the fund nor netted against it.
    """

    rows: tuple[StandardReserve, ...]
    own_funds_eur: float | None = None

    @property
    def binding(self) -> StandardReserve | None:
        """The measure that asks for most; None when the run can answer none."""
        return max(self.answered, key=lambda row: row.value or 0.0, default=None)

    @property
    def answered(self) -> tuple[StandardReserve, ...]:
        """Measures that the run can answer."""
        return tuple(row for row in self.rows if row.value is not None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        binding = self.binding
        note = "no rule prescribes the fund; the calibration borrows from EMIR, Solvency II and Basel"
        return asdict(self) | {"binding": binding and asdict(binding), "note": note}


def mica_own_funds(service_class: int, fixed_overheads_eur: float) -> float:
    """Return the own funds of a crypto-asset service provider, EUR.

    The larger of Annex IV's floor and a quarter of the preceding year's fixed overheads (MiCA Art. 67(1)).
    """
    return max(MICA_FLOORS[service_class], 0.25 * fixed_overheads_eur)


def default_fund(losses: Sequence[float]) -> float:
    """Return what a clearing house's default fund withstands: the largest loss, or the next two (EMIR Art. 42(3))."""
    first, second, third = (*sorted(losses, reverse=True), 0.0, 0.0, 0.0)[:3]
    return max(first, second + third)


def cover_requirement(losses: Sequence[float], n: int = 2) -> float:
    """Return the sum of the n largest losses; two of them for all of a clearing house's resources (EMIR Art. 43(2))."""
    return math.fsum(sorted(losses, reverse=True)[:n])


def ccp_own_resources(capital: float) -> float:
    """Return a clearing house's dedicated own resources, 25 % of its capital (Regulation (EU) 153/2013, Art. 35)."""
    return 0.25 * capital


def estimate_standards(outcomes: Outcomes, clusters: Clusters, confidence: float) -> Standards | None:
    """Estimate what the presets of a run ask for; None when it has neither presets nor own funds.

    Parameters
    ----------
    outcomes : Outcomes
        Its facts name the presets.
    clusters : Clusters
        Which paths share a population.
    confidence : float
        Of the intervals.
    """
    facts = outcomes.facts
    if not facts.presets and facts.own_funds is None:
        return None
    run = _Run(outcomes, clusters, confidence)
    rows = tuple(replace(row, preset=name) for name in facts.presets for row in PRESETS[name](run))
    return Standards(rows, mica_own_funds(**facts.own_funds) if facts.own_funds else None)


@dataclass(frozen=True)
class _Run:
    """What a preset may measure."""

    outcomes: Outcomes
    clusters: Clusters
    confidence: float

    @property
    def facts(self) -> Facts:
        """What the run was."""
        return self.outcomes.facts

    def reserve(self, column: str, level: float, days: float, measure: str) -> StandardReserve:
        """Return the quantile of a column over a horizon, from the run's own by independence where it is shorter."""
        parts, basis = self._parts(days)
        drawdown = self.outcomes.columns[column]
        found = estimate_reserve(drawdown, level ** (1.0 / parts), column, self.clusters, self.confidence)
        text = f"{measure}, {100 * level:g} % over {days:g} d"
        return StandardReserve("", text, found.value, found.low, found.high, basis, found.reason)

    def _parts(self, days: float) -> tuple[float, str]:
        parts = days * _DAY / self.facts.horizon_hours
        if abs(parts - 1.0) < _SAME:
            return 1.0, "simulated"
        if parts < 1.0:
            return 1.0, f"upper bound: paths of {self.facts.horizon_hours:g} h"
        return parts, "such horizons" if self.facts.renewal else "no renewal: indicative"


def _ruin(run: _Run) -> Iterator[StandardReserve]:
    for days, level in ((30, 0.99), (90, 0.995), (365, 0.999)):
        yield run.reserve("drawdown", level, days, "no ruin")


def _ccp_margin(run: _Run) -> Iterator[StandardReserve]:
    """Yield what RTS 153/2013 asks of margin, of the loss beyond margin: Art. 24 and 26."""
    for days, level in ((2, 0.99), (5, 0.995)):
        yield run.reserve("drawdown_gross", level, days, "loss beyond margin")


def _emir_cover2(run: _Run) -> Iterator[StandardReserve]:
    """Yield the worst scenario in which the two largest holders default with the shock (EMIR Art. 43(2))."""
    rows = [row for row in cover_rows(run.facts) if row.n == 2]
    if not rows:
        reason = "the run recorded no default of the largest accounts"
        yield StandardReserve("", "the two largest default", None, reason=reason)
        return
    worst = max(rows, key=lambda row: row.loss)
    measure = f"the two largest default at {100 * worst.move:+.0f} %"
    yield StandardReserve("", measure, worst.loss, worst.low, worst.high, "mean, 5-95 % of populations")


def _solvency2(run: _Run) -> Iterator[StandardReserve]:
    """Yield the level of the capital requirement of insurers (Directive 2009/138/EC, Art. 101(3))."""
    yield run.reserve("drawdown", 0.995, 365, "no ruin")


def _basel_es(run: _Run) -> Iterator[StandardReserve]:
    """Yield the expected shortfall that banks hold against trading books (Basel MAR33)."""
    measure, parts = "expected shortfall, 97.5 % over 10 d", 10 * _DAY / run.facts.horizon_hours
    if parts > 1.0 + _SAME:
        yield StandardReserve("", measure, None, reason="needs paths of at least 240 h")
        return
    outcomes = run.outcomes
    found = expected_shortfall(outcomes.drawdown, 0.975, confidence=run.confidence, clusters=run.clusters)
    basis = run._parts(10)[1]
    yield StandardReserve("", measure, found.value, found.low, found.high, basis, found.reason)


#: Name of a preset -> what it measures.
PRESETS: dict[str, Callable[[_Run], Iterator[StandardReserve]]] = {
    "ruin": _ruin,
    "ccp_margin": _ccp_margin,
    "emir_cover2": _emir_cover2,
    "solvency2": _solvency2,
    "basel_es": _basel_es,
}
