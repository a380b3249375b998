"""How do funds end?  The ruined paths of a run, grouped into a few stories, each with a path that tells it."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stress.outcomes import Outcomes
from stress.summary.clusters import Clusters
from stress.summary.intervals import Estimate
from stress.summary.means import estimate_ratio

__all__ = ["Story", "medoids", "silhouette", "tell_stories"]

FEWEST, MOST = 30, 1_000  # ruined paths; of more, as many are compared with one another
COUNTS = (3, 4, 5)  # stories
ROUNDS = 50


@dataclass(frozen=True)
class Story:
    """One group of ruined paths.

    Parameters
    ----------
    path : int
        The path in the middle of the group.
    n_paths : int
        How many there are.
    share : Estimate
        Their share of all ruined paths, by cluster.
    fall, rise : float
        Medians of the lowest and the highest mark price over the first, minus one.
    hour : float
        Median hour of ruin.
    liquidated : float or None
        Median liquidated notional over open interest; None without open interest.
    bad_debt_share : float
        Median part of the fund's loss at the horizon that is bad debt, the rest being of positions taken over.
    cohort, cohort_share : str or None, float or None
        Who lost most of the fund's money on the listed paths of the group, and which share of it.
    """

    path: int
    n_paths: int
    share: Estimate
    fall: float
    rise: float
    hour: float
    liquidated: float | None
    bad_debt_share: float
    cohort: str | None = None
    cohort_share: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain, JSON-ready values."""
        return asdict(self)


def medoids(distance: np.ndarray, k: int) -> np.ndarray:
    """Return k rows such that the others are near one of them.

    Parameters
    ----------
    distance : ndarray, shape (n, n)
        Symmetric, zero on the diagonal.
    k : int
        At most n.

    Returns
    -------
    ndarray of int, shape (k,)
        Chosen one after the other where they help most, then moved within their groups until nothing changes (Kaufman
        and Rousseeuw 1990, chapter 2; Park and Jun 2009).
    """
    chosen = [int(distance.sum(axis=1).argmin())]
    while len(chosen) < k:
        nearest = distance[:, chosen].min(axis=1)
        chosen.append(int(np.minimum(distance, nearest[:, None]).sum(axis=0).argmin()))
    found = np.array(chosen)
    for _ in range(ROUNDS):
        group = distance[:, found].argmin(axis=1)
        members = [np.flatnonzero(group == j) for j in range(k)]
        moved = np.array([m[distance[np.ix_(m, m)].sum(axis=1).argmin()] for m in members])
        if (moved == found).all():
            break
        found = moved
    return found


def silhouette(distance: np.ndarray, group: np.ndarray) -> float:
    """Return how much nearer rows are to their own group than to the next one, from -1 to 1 (Rousseeuw 1987)."""
    k, n = int(group.max()) + 1, len(group)
    size = np.bincount(group, minlength=k)
    to = np.stack([distance[:, group == j].sum(axis=1) for j in range(k)], axis=1)
    own = to[np.arange(n), group] / np.maximum(size[group] - 1, 1)
    others = to / np.maximum(size, 1)
    others[np.arange(n), group] = np.inf
    nearest = others.min(axis=1)
    score = (nearest - own) / np.maximum(np.maximum(nearest, own), 1e-300)
    return float(np.where(size[group] > 1, score, 0.0).mean())


def tell_stories(outcomes: Outcomes, price: float, *, n_stories: int | None = None) -> tuple[Story, ...]:
    """Group the ruined paths of a run.

    Parameters
    ----------
    outcomes : Outcomes
        Of a crude run.
    price : float
        First mark price, in USD.
    n_stories : int, optional
        3, 4 or 5; by default where the groups are clearest (`silhouette`).

    Returns
    -------
    tuple of Story
        The most frequent first.  Paths are compared by lowest and highest price, hour of ruin, liquidated notional and
        bad debt, each in its own standard deviations.

    Raises
    ------
    ValueError
        For fewer than 30 ruined paths.
    """
    ruined = np.flatnonzero(outcomes.ruin_step >= 0)
    if ruined.size < FEWEST:
        raise ValueError(f"{ruined.size} ruined paths are too few for stories; needs {FEWEST}")
    seen = _features(outcomes, price)[ruined]
    spread = seen.std(axis=0)
    seen = (seen - seen.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    some = np.linspace(0, ruined.size - 1, min(MOST, ruined.size)).astype(int)
    distance = _apart(seen[some], seen[some])
    tried = [medoids(distance, k) for k in (COUNTS if n_stories is None else (n_stories,))]
    best = max(tried, key=lambda rows: silhouette(distance, distance[:, rows].argmin(axis=1)))
    group = _apart(seen, seen[some[best]]).argmin(axis=1)
    found = [_story(outcomes, price, ruined, group == j, int(ruined[some[row]])) for j, row in enumerate(best)]
    return tuple(sorted(found, key=lambda story: -story.n_paths))


def _features(outcomes: Outcomes, price: float) -> np.ndarray:
    """Return what paths are compared by, shape (n_paths, 5)."""
    scale = max(outcomes.facts.open_interest, outcomes.facts.fund_initial, 1e-300)
    return np.stack(
        [
            np.log(outcomes.price_min / price),
            np.log(outcomes.price_max / price),
            outcomes.ruin_step / outcomes.facts.n_steps,
            np.log1p(outcomes.liquidated_notional / scale),
            _bad_debt_share(outcomes),
        ],
        axis=1,
    )


def _bad_debt_share(outcomes: Outcomes) -> np.ndarray:
    held = np.maximum(-outcomes.inventory_pnl, 0.0)
    return outcomes.bad_debt / np.maximum(outcomes.bad_debt + held, 1e-300)


def _apart(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sqrt(np.square(x[:, None, :] - y[None, :, :]).sum(axis=2))


def _story(outcomes: Outcomes, price: float, ruined: np.ndarray, mine: np.ndarray, path: int) -> Story:
    facts, rows = outcomes.facts, ruined[mine]
    hits, all_hits = np.zeros(outcomes.n_paths), np.zeros(outcomes.n_paths)
    hits[rows], all_hits[ruined] = 1.0, 1.0
    share = estimate_ratio(hits, all_hits, Clusters.of(outcomes.population), facts.confidence)
    assert share is not None  # there are ruined paths
    closed = float(np.median(outcomes.liquidated_notional[rows]))
    return Story(
        path,
        int(rows.size),
        share,
        float(np.median(outcomes.price_min[rows])) / price - 1.0,
        float(np.median(outcomes.price_max[rows])) / price - 1.0,
        float(np.median(outcomes.ruin_step[rows])) * facts.step_seconds / 3600.0,
        closed / facts.open_interest if facts.open_interest else None,
        float(np.median(_bad_debt_share(outcomes)[rows])),
        *_who(outcomes, rows),
    )


def _who(outcomes: Outcomes, rows: np.ndarray) -> tuple[str | None, float | None]:
    table = outcomes.attribution
    listed = None if table is None else np.isin(table.path, rows)
    if table is None or listed is None or not listed.any():
        return None, None
    loss = table.loss[listed].sum(axis=0)
    worst = int(loss.argmax())
    return table.cohorts[worst], float(loss[worst] / loss.sum())
