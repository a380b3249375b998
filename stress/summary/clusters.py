"""Which paths share a draw of the accounts, and what that does to the error of a mean.

Paths of one population are alike: they hold less information than as many independent paths.  The unit that
is independent is the population, so that errors are taken from the spread between populations.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import stdtrit

__all__ = ["Clusters"]

_N_BATCHES = 100


@dataclass(frozen=True, eq=False)
class Clusters:
    """A partition of the paths into groups that are independent of one another.

    Parameters
    ----------
    labels : ndarray of int, shape (n_paths,)
        Group of each path, 0 to ``n_clusters - 1``, each present.
    """

    labels: np.ndarray

    @classmethod
    def of(cls, population: np.ndarray) -> "Clusters":
        """Group the paths by population, shape (n_paths,)."""
        return cls(np.unique(population, return_inverse=True)[1])

    @classmethod
    def batches(cls, n_paths: int) -> "Clusters":
        """Cut independent paths into 100 consecutive batches (fewer when there are fewer paths)."""
        n_batches = min(_N_BATCHES, n_paths)
        return cls(np.arange(n_paths) * n_batches // n_paths)

    @cached_property
    def sizes(self) -> np.ndarray:
        """Paths of each cluster, shape (n_clusters,)."""
        return np.bincount(self.labels)

    @property
    def n_paths(self) -> int:
        """Number of paths."""
        return len(self.labels)

    @property
    def n_clusters(self) -> int:
        """Number of groups."""
        return len(self.sizes)

    def replicates(self) -> "Clusters":
        """Return the groups that a standard error may be taken from: batches, when all paths share one."""
        return self if self.n_clusters > 1 else Clusters.batches(self.n_paths)

    def variance_of_mean(self, values: np.ndarray) -> float:
        """Return the variance of the mean of `values`, shape (n_paths,), from the spread between clusters.

        It is the delete-one-cluster jackknife of a mean: ``m/(m-1) sum_j (T_j - n_j mean)^2 / n^2`` with
        ``T_j`` the total of cluster j, ``n_j`` its size and m the number of clusters (Cochran 1977, ch. 9A).
        NaN with fewer than two clusters.
        """
        m, n = self.n_clusters, self.n_paths
        if m < 2:
            return float("nan")
        totals = np.bincount(self.labels, weights=values)
        return float(m / (m - 1) * np.square(totals - self.sizes * np.mean(values)).sum() / n**2)

    def half_width(self, values: np.ndarray, confidence: float) -> float:
        """Return Student's half-width of the interval of the mean of `values`, shape (n_paths,)."""
        return self.student(confidence) * float(np.sqrt(self.variance_of_mean(values)))

    def half_widths(self, values: np.ndarray, confidence: float) -> tuple[float, float]:
        """Return how far the interval of the mean of `values`, shape (n_paths,), reaches down and up.

        Up it reaches further than Student's half-width where the clusters are skewed to the right: populations differ
        by factors, and what a sample misses is one that loses much.
        """
        t, error = self.student(confidence), float(np.sqrt(self.variance_of_mean(values)))
        return error * t, error * (t + self.stretch(values, confidence))

    def student(self, confidence: float) -> float:
        """Return Student's quantile for the number of clusters."""
        return float(stdtrit(max(1, self.n_clusters - 1), (1 + confidence) / 2))

    def stretch(self, values: np.ndarray, confidence: float) -> float:
        """Return by how many standard errors an interval reaches further up for skewness g of the clusters' totals.

        ``max(g, 0) (2 t^2 + 1) / (6 sqrt(m))`` (Johnson 1978; Hall 1992).  The lower bound keeps its place: a sample
        with one extreme cluster has a high mean and a high skewness at once, and would be moved away from the truth.
        """
        t = self.student(confidence)
        return max(self.skewness(values), 0.0) * (2.0 * t * t + 1.0) / (6.0 * float(np.sqrt(self.n_clusters)))

    def skewness(self, values: np.ndarray) -> float:
        """Return the skewness of the clusters' totals about their part of the mean; 0 when all are alike."""
        totals = np.bincount(self.labels, weights=values) - self.sizes * np.mean(values)
        spread = float(np.sqrt(np.mean(np.square(totals))))
        return float(np.mean(totals**3)) / spread**3 if spread > 0 else 0.0
