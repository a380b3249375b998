"""Ruin by claims, with the largest claim taken out: its law gives the probability that the other claims leave open.

Of every path each claim in turn is imagined to be the largest, the others and all times given.  Then ruin is certain if
it came before that claim, and otherwise asks of the claim to exceed what is left of the fund: a probability, not a yes
or no (Asmussen and Kroese 2006, Advances in Applied Probability 38, for sums; here for the maximum of the loss within a
horizon, income and noise included).  For heavy tails the relative error stays bounded however rare ruin is.  For light
ones it does not: many claims together ruin, few paths carry the estimate, and it is refused.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from stress.claims.model import ClaimsModel
from stress.claims.simulate import between, blocks, check_number, claim_times
from stress.randomness import stream_key
from stress.rules import kernel
from stress.summary.weighted import FEWEST_EFFECTIVE
from stress.toml import ScenarioError

__all__ = ["ConditionalReserve", "ConditionalRuin"]

MOST_CLAIMS = 20_000_000  # of all paths: they are kept, so that any fund may be asked for
TOLERANCE = 1e-6  # of a reserve


@dataclass(frozen=True)
class ConditionalReserve:
    """The reserve of a level by conditional Monte Carlo.

    Parameters
    ----------
    level : float
        ``P(deepest loss within the horizon <= value)``.
    value, low, high : float or None
        Reserve and interval, quote currency; None when refused.
    n_paths : int
    effective : float
        ``(sum p)^2 / sum p^2`` of the paths' probabilities at the reserve (Kong 1992); below 100 it is refused.
    """

    level: float
    value: float | None
    low: float | None
    high: float | None
    n_paths: int
    effective: float

    @property
    def reason(self) -> str | None:
        """Why it is refused."""
        if self.value is not None:
            return None
        few = f"{self.effective:,.0f} effective paths carry it, fewer than {FEWEST_EFFECTIVE:g}"
        return f"{few}: the tail is too light, or paths are too few"

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        return {"method": "conditional-monte-carlo", **self.__dict__}


@kernel
def others_of(premium, noise, years, key, first, starts, times, sizes, marks, before, without, rest, quiet):
    """Fill, for every claim, what is known without it; for every path without claims, its highest loss in `quiet`.

    `before`: highest loss until right before the claim; `without`: highest loss from the claim on, less the claim;
    `rest`: least mark of the path's other claims, 1 where there are none.  A smaller mark is a larger claim.
    """
    for p in range(quiet.size):
        start, n = starts[p], starts[p + 1] - starts[p]
        loss, highest, last, least, second = 0.0, 0.0, 0.0, 1.0, 1.0
        tops = np.empty(n + 1)  # highest loss between two claims, the one before it included
        for j in range(n + 1):
            now = times[start + j] if j < n else years
            step, peak = between(premium, noise, now - last, first + p, j, key[0], key[1])
            tops[j] = loss + max(peak, 0.0)
            highest = max(highest, tops[j])
            loss += step
            if j < n:
                before[start + j] = highest
                loss += sizes[start + j]
                highest = max(highest, loss)
                second = min(second, max(least, marks[start + j]))
                least = min(least, marks[start + j])
            last = now
        quiet[p] = highest if n == 0 else -np.inf
        after = -np.inf
        for j in range(n - 1, -1, -1):
            after = max(after, tops[j + 1])
            without[start + j] = after - sizes[start + j]
            rest[start + j] = second if marks[start + j] == least else least


class ConditionalRuin:
    """Paths of a model, kept without their largest claims, of which any fund may be asked.

    Parameters
    ----------
    model : ClaimsModel
        Its ``run`` says how many paths, how long, and which seed.

    Raises
    ------
    ScenarioError
        When a path has more than a million claims on average, or all have more than 20 million.
    """

    def __init__(self, model: ClaimsModel):
        check_number(model)
        self.model, self.n_paths = model, model.run.n_paths
        expected = model.frequency.mean_rate * model.years * self.n_paths
        if expected > MOST_CLAIMS:
            raise ScenarioError(f"run.n_paths: {expected:,.0f} claims in all; at most {MOST_CLAIMS:,} are kept")
        parts = [self._block(first, n) for first, n in blocks(self.n_paths)]
        self.path, self.before, self.without, self.rest, self.quiet = map(np.concatenate, zip(*parts, strict=True))

    def _block(self, first: int, n: int) -> tuple[np.ndarray, ...]:
        model, income = self.model, self.model.income
        starts, times, marks = claim_times(model, first, n)
        before, without, rest = np.empty((3, times.size))
        quiet, sizes = np.empty(n), model.amounts(marks)
        given = income.premium_usd_per_year, income.noise_usd, model.years, stream_key(model.run.seed), first
        others_of(*given, starts, times, sizes, marks, before, without, rest, quiet)
        return first + np.repeat(np.arange(n), np.diff(starts)), before, without, rest, quiet

    def probabilities(self, fund: float) -> np.ndarray:
        """Return every path's conditional probability that a fund is ruined, shape (n_paths,); at most one."""
        asked = np.where(self.before > fund, 0.0, fund - self.without)
        beyond = np.where(asked <= 0.0, 1.0, self.model.survival(np.maximum(asked, 0.0)))
        found = np.bincount(self.path, np.minimum(self.rest, beyond), minlength=self.n_paths)
        return found + (self.quiet > fund)

    def ruin(self, fund: float) -> tuple[float, float]:
        """Return the ruin probability of a fund, and its standard error."""
        found = self.probabilities(fund)
        return float(found.mean()), _error(found)

    def reserve(self, level: float, confidence: float = 0.95) -> ConditionalReserve:
        """Return the smallest fund that is ruined with probability ``1 - level`` at most.

        Its interval holds the funds whose ruin probability is within `confidence` of that, by normal errors.
        """
        chance, z = 1.0 - level, float(norm.isf((1.0 - confidence) / 2.0))
        value = self._root(chance)
        found = self.probabilities(value)
        effective = float(found.sum() ** 2 / max(np.square(found).sum(), math.ulp(0.0)))
        if value > 0.0 and effective < FEWEST_EFFECTIVE:
            return ConditionalReserve(level, None, None, None, self.n_paths, effective)
        margin = z * _error(found)
        low, high = self._root(chance + margin), self._root(chance - margin)
        return ConditionalReserve(level, value, low, high, self.n_paths, effective)

    def _root(self, chance: float) -> float:
        """Return the fund that is ruined with this probability; 0 where one of nothing is ruined no more often."""

        def excess(fund: float) -> float:
            """Return how much likelier ruin is."""
            return float(self.probabilities(fund).mean()) - chance

        if excess(0.0) <= 0.0:
            return 0.0
        high = self.model.mean_claim
        while excess(high) > 0.0:
            high *= 2.0
        return float(brentq(excess, 0.0, high, xtol=TOLERANCE * high, rtol=TOLERANCE))


def _error(found: np.ndarray) -> float:
    """Return the standard error of the mean of independent paths."""
    return float(found.std(ddof=1) / math.sqrt(found.size))
