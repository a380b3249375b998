"""What lies above one threshold: a generalized Pareto law by maximum likelihood, and the reserve that it implies.

Letters: n paths, t threshold, k of them above it, zeta = k/n, alpha = 1 - level, u the reserve above t; the excess
follows a generalized Pareto law (Pickands 1975), so that ``u = beta ((alpha/zeta)^(-xi) - 1) / xi``.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy.special import ndtri

from stress.summary.clusters import Clusters
from stress.summary.intervals import effective_size
from stress.summary.pareto import Likelihood, fit_generalized_pareto, growth, influence

__all__ = ["Peaks"]

_REGULAR = -0.5  # tail index above which likelihood theory holds (Smith 1985)

_SCAN = np.concatenate([np.sinh(np.linspace(-2.6, 4.6, 40)), [0.0]])  # where the profile is looked at, standard errors
_SCAN.sort()
_ZOOMS, _SHRINK = 14, 0.55
_ACROSS = np.repeat(np.linspace(-1.0, 1.0, 7), 7)
_ALONG = np.tile(np.linspace(-1.0, 1.0, 7), 7)


class Peaks:
    """The sample above one threshold, with its fit."""

    def __init__(self, x: np.ndarray, threshold: float, clusters: Clusters):
        self.threshold, self.n, self.clusters = threshold, len(x), clusters
        self.above = x > threshold
        self.excess = x[self.above] - threshold
        self.k = len(self.excess)
        self.share = self.k / self.n
        self.likelihood = Likelihood(self.excess)
        self.xi, self.beta = self._fit()
        moved = np.zeros((self.n, 2))
        if self.regular:
            moved[self.above] = influence(self.excess, self.xi, self.beta) / self.share
        self._moved = moved

    @property
    def regular(self) -> bool:
        """Whether the theory of likelihood holds, so that there are errors and intervals."""
        return self.xi > _REGULAR

    def _fit(self) -> tuple[float, float]:
        xi, beta = fit_generalized_pareto(self.excess)
        width = np.array([5.0 * (1.0 + abs(xi)) / math.sqrt(self.k)])
        _, shape, log_scale = _maximize(
            lambda x, y: self.likelihood(x, np.exp(y)), np.array([xi]), np.array([math.log(beta)]), width, 2.0 * width
        )
        return float(shape[0]), float(np.exp(log_scale[0]))

    def quantile(self, alpha: float) -> float:
        """Return the estimate of the reserve, above the threshold."""
        return self.beta * float(growth(self.xi, math.log(self.share / alpha)))

    def moved(self, alpha: float) -> np.ndarray:
        """Return what each path moves that estimate by, times n, shape (n,): the influence function."""
        log_ratio, step = math.log(self.share / alpha), 1e-5
        ratio = math.exp(self.xi * log_ratio)
        by_xi = (growth(self.xi + step, log_ratio) - growth(self.xi - step, log_ratio)) * self.beta / (2.0 * step)
        by_beta = float(growth(self.xi, log_ratio))
        by_share = self.beta * ratio / self.share
        return self._moved @ np.array([float(by_xi), by_beta]) + by_share * (self.above - self.share)

    def variance(self, values: np.ndarray) -> tuple[float, float]:
        """Return the variance of a mean by cluster and, as if the paths were independent, the plain one."""
        plain = float(np.var(values)) / self.n
        between = self.clusters.variance_of_mean(values) if self.clusters.n_clusters > 1 else plain
        return max(plain, between), plain

    def interval(self, alpha: float, confidence: float) -> tuple[float, float | None]:
        """Return the profile-likelihood interval of the reserve; no upper bound where the likelihood has none.

        With clusters the likelihood ratio is divided by the ratio of the two variances of the estimate, and compared
        with the square of Student's quantile (Chandler & Bate 2007), corrected for the skewness between clusters.
        """
        best = self.quantile(alpha)
        between, plain = self.variance(self.moved(alpha))
        u = best + math.sqrt(plain) * _SCAN
        u = u[u > 0]
        profile = self._profile(u, alpha)
        center = int(np.argmin(np.abs(u - best)))
        fall = 2.0 * (profile[center] - profile) * plain / between
        root = np.sign(u - best) * np.sqrt(np.maximum(fall, 0.0))
        down, up = self._limits(alpha, confidence)
        low = np.interp(-down, root[: center + 1], u[: center + 1])
        high = np.interp(up, root[center:], u[center:]) if root[-1] > up else None
        return self.threshold + float(low), None if high is None else self.threshold + float(high)

    def _limits(self, alpha: float, confidence: float) -> tuple[float, float]:
        """Return how far the signed root of the likelihood ratio may reach; clusters are few, and skewed."""
        if self.clusters.n_clusters < 2:
            normal = float(ndtri((1.0 + confidence) / 2.0))
            return normal, normal
        t = self.clusters.student(confidence)
        return t, t + self.clusters.stretch(self.moved(alpha), confidence)

    def _profile(self, u: np.ndarray, alpha: float) -> np.ndarray:
        """Return the largest likelihood of laws whose reserve is `u`, over the tail index and the share above."""

        def total(xi: np.ndarray, log_share: np.ndarray) -> np.ndarray:
            """Return the log-likelihood of exceedances and of their number."""
            ratio = np.maximum(log_share - math.log(alpha), 1e-9)
            binomial = self.k * log_share + (self.n - self.k) * np.log1p(-np.exp(np.minimum(log_share, -1e-9)))
            return self.likelihood(xi, u[:, None] / growth(xi, ratio)) + binomial

        start = np.full(u.shape, self.xi), np.full(u.shape, math.log(self.share))
        error = 1.0 / math.sqrt(self.k)
        half = np.full(u.shape, max(0.5, 6.0 * (1.0 + abs(self.xi)) * error)), np.full(u.shape, 6.0 * error)
        return _maximize(total, *start, *half)[0]

    def worth(self) -> float:
        """Return the number of independent paths that would say as much about the share above the threshold."""
        between = self.clusters.variance_of_mean(self.above)
        return float(effective_size(self.share, between, self.n, self.clusters.n_clusters))

    def xi_error(self) -> float | None:
        """Return the standard error of the tail index, by cluster; None where there is none."""
        return math.sqrt(self.variance(self._moved[:, 0])[0]) if self.regular else None


def _maximize(
    surface: Callable[[np.ndarray, np.ndarray], np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    half_x: np.ndarray,
    half_y: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Climb many concave surfaces at once by a grid that narrows around its best point; all of shape (m,)."""
    rows = np.arange(len(x))
    for _ in range(_ZOOMS):
        across = x[:, None] + half_x[:, None] * _ACROSS
        along = y[:, None] + half_y[:, None] * _ALONG
        height = surface(across, along)
        best = np.argmax(height, axis=1)
        x, y = across[rows, best], along[rows, best]
        half_x, half_y = _SHRINK * half_x, _SHRINK * half_y
    return height[rows, best], x, y
