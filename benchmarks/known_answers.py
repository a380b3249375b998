"""Do the intervals of the summary cover known answers as often as they say?

    python benchmarks/known_answers.py [--write]

2,000 replications of 10,000 paths of losses whose probabilities are known: independent exponential ones, Student's t
with 3 degrees of freedom, and exponential ones whose mean differs between 100 populations (log-normal, sd 0.4), once
with the populations told and once ignored.  ``--write`` puts the table into docs/reserve.md.
"""

import argparse
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy import integrate, optimize, stats
from study import between_marks, markdown

from stress.outcomes import Outcomes
from stress.summary import (
    Clusters,
    QuantileInterval,
    check_tail,
    estimate_extremes,
    estimate_probability,
    expected_shortfall,
    quantile_interval,
    smooth_quantile,
    summarize_weighted,
)
from stress.summary.increments import outcomes_from_increments
from stress.summary.peaks import Peaks

PAGE = Path(__file__).parents[1] / "docs" / "reserve.md"
N_REPLICATIONS, N_POPULATIONS, EACH = 2_000, 100, 100
FIRST, MOST, HALF_WIDTH = 2_000, 32_000, 0.1  # of a sequential run: paths, most paths, of the reserve
N = N_POPULATIONS * EACH
LABELS = np.arange(N) // EACH
ALONE, TOLD = Clusters(np.zeros(N, dtype=int)), Clusters(LABELS)
FRAILTY = 0.4
RUIN, LEVEL, SHORTFALL, EXTREME = 0.01, 0.99, 0.975, 0.9995

Interval = tuple[float | None, float | None]


def exponential(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_exponential(N)


def student(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_t(3, N)


def frail(rng: np.random.Generator) -> np.ndarray:
    return np.exp(FRAILTY * rng.standard_normal(N_POPULATIONS))[LABELS] * rng.standard_exponential(N)


def mingled(rng: np.random.Generator) -> np.ndarray:
    """Return the frail law with its populations spread over the sample, so that no batch is one of them."""
    return frail(rng).reshape(N_POPULATIONS, EACH).T.ravel()


def frail_beyond(u: float) -> float:
    """Return P(X > u) of the frail law."""
    return integrate.quad(lambda z: math.exp(-u * math.exp(-FRAILTY * z)) * stats.norm.pdf(z), -9, 9)[0]


def frail_quantile(level: float) -> float:
    return float(optimize.brentq(lambda u: frail_beyond(u) - (1 - level), 0.01, 200.0))


QUANTILE: dict[Callable, Callable[[float], float]] = {
    exponential: lambda level: -math.log(1 - level),
    student: lambda level: float(stats.t(3).ppf(level)),
    frail: frail_quantile,
    mingled: frail_quantile,
}


def shortfall(law: Callable, level: float) -> float:
    """Return the expected shortfall of a law, the mean of its quantiles beyond the level."""
    if law is exponential:
        return 1.0 - math.log(1 - level)
    if law is student:
        q = stats.t(3).ppf(level)
        return float(stats.t(3).pdf(q) / (1 - level) * (3 + q * q) / 2)
    q = frail_quantile(level)
    return q + integrate.quad(frail_beyond, q, 400.0)[0] / (1 - level)


def intervals(x: np.ndarray, clusters: Clusters, fund: float) -> Iterator[tuple[str, Interval]]:
    """Yield every interval of one replication, by name."""
    ruin = estimate_probability(x > fund, clusters, horizon_hours=24.0)
    yield "ruin", (ruin.low, ruin.high)
    reserve = quantile_interval(x, LEVEL, clusters=clusters)
    yield "reserve", (reserve.low, reserve.high)
    smooth = smooth_quantile(x, LEVEL, clusters=clusters)
    yield "smooth", (smooth.low, smooth.high)
    tail = expected_shortfall(x, SHORTFALL, clusters=clusters, tail=check_tail(np.maximum(x, 0.0)))
    yield "shortfall", (tail.low, tail.high)
    yield "extreme", Peaks(x, float(np.quantile(x, 0.95)), clusters).interval(1 - EXTREME, 0.95)


NAMES = {
    "ruin": f"ruin of {100 * RUIN:g} %, Clopper-Pearson",
    "reserve": f"reserve at {100 * LEVEL:g} %, order statistics",
    "smooth": f"reserve at {100 * LEVEL:g} %, Harrell-Davis",
    "shortfall": f"expected shortfall, worst {100 * (1 - SHORTFALL):.3g} %, jackknife",
    "extreme": f"reserve at {100 * EXTREME:g} %, profile likelihood above the 95 % quantile",
}


def truths(law: Callable) -> dict[str, float]:
    q = QUANTILE[law]
    at = q(LEVEL)
    return {"ruin": RUIN, "reserve": at, "smooth": at, "shortfall": shortfall(law, SHORTFALL), "extreme": q(EXTREME)}


def covered(law: Callable, clusters: Clusters, n: int = N_REPLICATIONS) -> dict[str, tuple[float, float]]:
    """Return by name the share of given intervals that cover, and the share refused."""
    truth, fund = truths(law), QUANTILE[law](1 - RUIN)
    rng, found = np.random.default_rng(7), {name: list[bool | None]() for name in NAMES}
    for _ in range(n):
        for name, (low, high) in intervals(law(rng), clusters, fund):
            given = low is not None
            found[name].append(low <= truth[name] <= (math.inf if high is None else high) if given else None)
    return {name: share_of(hits) for name, hits in found.items()}


def share_of(hits: list[bool | None]) -> tuple[float, float]:
    given = [hit for hit in hits if hit is not None]
    return (sum(given) / len(given) if given else math.nan), 1.0 - len(given) / len(hits)


def weighted(n: int = N_REPLICATIONS) -> Iterator[tuple[str, float, float]]:
    """Yield (what, covered, refused) of importance sampling of the exponential law at three probabilities."""
    share = 0.2
    for p in (1e-3, 1e-5, 1e-7):
        fund, rate, rng, hits = -math.log(p), 1.0 / -math.log(p), np.random.default_rng(7), list[bool | None]()
        for _ in range(n):
            x = rng.standard_exponential(N) / np.where(np.arange(N) % 5 == 0, 1.0, rate)
            weight = 1.0 / (share + (1 - share) * rate * np.exp((1 - rate) * x))
            plain = outcomes_from_increments(x[:, None], fund_initial=fund, populations=LABELS)
            ruin = summarize_weighted(Outcomes({**plain.columns, "weight": weight}, plain.facts)).ruin
            hits.append(None if ruin.low is None else ruin.low <= p <= (ruin.high or math.inf))
        yield f"ruin of {p:g}, weighted", *share_of(hits)


def envelopes(n: int = N_REPLICATIONS) -> Iterator[tuple[str, float, float]]:
    """Yield (law, covered, refused) of the interval over all accepted thresholds, which takes seven fits each."""
    for title, law, clusters in (("exponential", exponential, ALONE), ("Student t, 3", student, ALONE)):
        rng, hits, truth = np.random.default_rng(11), list[bool | None](), QUANTILE[law](EXTREME)
        for _ in range(n):
            found = estimate_extremes(law(rng), (EXTREME,), clusters=clusters).reserves[0]
            hits.append(None if found.low is None else found.low <= truth <= (found.high or math.inf))
        yield title, *share_of(hits)


def sequential(n: int = N_REPLICATIONS) -> tuple[float, float]:
    """Return (covered, refused) of the reserve of runs whose paths are doubled until the interval is narrow."""
    rng, truth, hits = np.random.default_rng(13), QUANTILE[exponential](LEVEL), list[bool | None]()
    for _ in range(n):
        x, size = rng.standard_exponential(MOST), FIRST
        found = quantile_interval(x[:size], LEVEL)
        while 2 * size <= MOST and not is_narrow(found):
            size *= 2
            found = quantile_interval(x[:size], LEVEL)
        known = found.low is not None and found.high is not None
        hits.append(found.low <= truth <= found.high if known else None)
    return share_of(hits)


def is_narrow(found: QuantileInterval) -> bool:
    if found.low is None or found.high is None:
        return False
    return (found.high - found.low) / 2.0 <= HALF_WIDTH * found.value


def rows() -> Iterator[list[str]]:
    cases = [
        ("exponential", exponential, ALONE),
        ("Student t, 3", student, ALONE),
        ("exponential in populations", frail, TOLD),
        ("the same, populations ignored", mingled, ALONE),
    ]
    for title, law, clusters in cases:
        for name, (share, refused) in covered(law, clusters).items():
            yield [title, NAMES[name], f"{100 * share:.1f} %", f"{100 * refused:.0f} %"]
    for title, share, refused in envelopes():
        name = f"reserve at {100 * EXTREME:g} %, range over all thresholds"
        yield [title, name, f"{100 * share:.1f} %", f"{100 * refused:.0f} %"]
    share, refused = sequential()
    name = f"reserve at {100 * LEVEL:g} %, paths doubled until it is known to {100 * HALF_WIDTH:g} %"
    yield ["exponential", name, f"{100 * share:.1f} %", f"{100 * refused:.0f} %"]
    for name, share, refused in weighted():
        yield ["exponential, importance sampling", name, f"{100 * share:.1f} %", f"{100 * refused:.0f} %"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the table of docs/reserve.md")
    asked = parser.parse_args()
    table = markdown(("losses", "interval, nominal 95 %", "covered", "refused"), rows())
    print(table)
    if asked.write:
        PAGE.write_text(between_marks(PAGE.read_text(encoding="utf-8"), "coverage", table), encoding="utf-8")
