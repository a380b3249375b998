"""Do the intervals of the reserve cover the truth as often as they say?

    python benchmarks/interval_coverage.py [--write]

500 populations of 2,000 paths of the default are simulated once; the quantile of all of them is the truth.  A
replication is a small run as a user makes it: 100 populations drawn from the 500, and 200 or 1,000 paths drawn from
each, both with replacement, so that the law it samples is exactly the one whose quantile is known.
"""

from functools import cache

import numpy as np
from study import DEFAULT, by_population, markdown, millions, percent, publish, quantile, simulate

from stress.summary import Clusters, quantile_interval

N_POPULATIONS, N_EACH = 500, 2_000
N_DRAWN, SIZES = 100, (200, 1_000)
N_REPLICATIONS = 1_000
LEVELS = (0.99, 0.995, 0.999)
BAND = (0.91, 0.98)  # of 200 replications at a nominal 95 %


@cache
def drawdowns() -> np.ndarray:
    """Return the drawdowns of all paths, one row a population."""
    run = simulate(DEFAULT, **{"run.n_paths": N_POPULATIONS * N_EACH, "run.redraw_every": N_EACH})
    return by_population(run, run.drawdown)


def replication(rng: np.random.Generator, paths: np.ndarray, size: int) -> np.ndarray:
    """Draw a run: one row a population."""
    populations = rng.integers(len(paths), size=N_DRAWN)
    columns = rng.integers(paths.shape[1], size=(N_DRAWN, size))
    return paths[populations[:, None], columns]


def outcomes(paths: np.ndarray, size: int, level: float, *, clustered: bool) -> list[tuple[float, float] | None]:
    """Return the interval of every replication; None where it is refused."""
    rng = np.random.default_rng(7)
    clusters = Clusters.of(np.repeat(np.arange(N_DRAWN), size)) if clustered else None
    found = []
    for _ in range(N_REPLICATIONS):
        q = quantile_interval(replication(rng, paths, size).ravel(), level, clusters=clusters)
        found.append(None if q.low is None or q.high is None else (q.low, q.high))
    return found


def coverage(intervals: list[tuple[float, float] | None], truth: float) -> tuple[float, float, float, float]:
    """Return the shares of given intervals that cover, lie above and lie below, and the share refused."""
    given = np.array([pair for pair in intervals if pair is not None]).reshape(-1, 2)
    above, below = (given[:, 0] > truth).mean(), (given[:, 1] < truth).mean()
    return 1.0 - above - below, above, below, 1.0 - len(given) / len(intervals)


def row(paths: np.ndarray, size: int, level: float) -> list[str]:
    truth = quantile(paths.ravel(), level)
    share, above, below, refused = coverage(outcomes(paths, size, level, clustered=True), truth)
    naive = coverage(outcomes(paths, size, level, clustered=False), truth)[0]
    hit = "hit" if BAND[0] <= share <= BAND[1] else "**miss**"
    sides = f"{percent(above)}, {percent(below)}"
    return [
        f"{N_DRAWN} x {size:,}",
        f"{100 * level:g} %",
        millions(truth),
        percent(share),
        sides,
        percent(refused),
        hit,
        percent(naive),
    ]


HEAD = (
    "populations x paths",
    "level",
    "truth, USD m",
    "covered",
    "too high, too low",
    "refused",
    "91-98 %",
    "covered if populations are ignored",
)


def tables() -> dict[str, str]:
    paths = drawdowns()
    return {"coverage": markdown(HEAD, [row(paths, size, level) for size in SIZES for level in LEVELS])}


if __name__ == "__main__":
    publish(__doc__, tables)
