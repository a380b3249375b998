"""How leverage goes with size and with the side of a position (docs/method.md, section 8).

All work on standard normal scores, one an account, which a law of leverage turns into leverage; without dependence
the scores are those that were drawn, to the bit.
"""

import math

import numpy as np
from pydantic import Field
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from stress.registry import Part

SURE = 8.0  # standard deviations: a probability that rounds to one would give an infinite score


class Copula(Part):
    """Family of copulas: ``joined(score, size, correlation)`` makes independent scores depend on the sizes."""

    def joined(self, score: np.ndarray, size: np.ndarray, correlation: float) -> np.ndarray:
        """Return scores whose rank correlation (Spearman's) with the size is `correlation`, shape (n,)."""
        raise TypeError(f"copula {self.kind!r} does not define its dependence")


class Gaussian(Copula, kind="gaussian"):
    """The normal copula: none of the extremes come together more than the rest."""

    def joined(self, score: np.ndarray, size: np.ndarray, correlation: float) -> np.ndarray:
        """Return r z_size + sqrt(1 - r^2) z with r = 2 sin(pi correlation / 6) (Pearson 1907)."""
        if correlation == 0.0:
            return score
        r = normal_correlation(correlation)
        return r * ndtri(ranks(size)) + math.sqrt(1.0 - r * r) * score


class StudentT(Copula, kind="t"):
    """Student's copula: the largest accounts are among the most and the least levered, whatever the correlation."""

    degrees: float = Field(default=4.0, gt=1, le=1_000)  # of freedom, illustrative

    def joined(self, score: np.ndarray, size: np.ndarray, correlation: float) -> np.ndarray:
        """Return normal scores of x_2 given x_1, bivariate t: r x_1 + sqrt((v + x_1^2)(1 - r^2)/(v + 1)) t_(v+1).

        Its rank correlation is that of the normal copula to about 0.02 (Demarta and McNeil 2005, section 2).
        """
        r, v = normal_correlation(correlation), self.degrees
        first = stdtrit(v, ranks(size))
        spread = np.sqrt((v + first * first) * (1.0 - r * r) / (v + 1.0))
        second = r * first + spread * stdtrit(v + 1.0, ndtr(score))
        return np.clip(ndtri(stdtr(v, second)), -SURE, SURE)


def normal_correlation(rank_correlation: float) -> float:
    """Return the correlation of two normals whose Spearman rank correlation is given."""
    return 2.0 * math.sin(math.pi * rank_correlation / 6.0)


def ranks(values: np.ndarray) -> np.ndarray:
    """Return each value's place among all in (0, 1), equal ones their mean place, shape (n,)."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - 0.5 * count)[place] / values.size


def by_side(score: np.ndarray, is_long: np.ndarray, skew: float, rng: np.random.Generator) -> np.ndarray:
    """Deal the scores out to longs and shorts: the log odds of being long rise by `skew` with a score.

    A latent side, skew z + logistic noise, is cut where as many are long as there are longs (the logit model), so
    that neither the law of leverage nor the number or the size of anybody's position changes.

    Parameters
    ----------
    score : ndarray, shape (n,)
        Independent standard normal scores.
    is_long : ndarray of bool, shape (n,)
    skew : float
        Log odds a standard deviation of the score.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n,)
        The same scores in another order.
    """
    order = np.argsort(-(skew * score + rng.logistic(size=score.size)), kind="stable")
    longs, n_long = np.zeros(score.size, dtype=bool), np.count_nonzero(is_long)
    longs[order[:n_long]] = True
    dealt = np.empty_like(score)
    dealt[is_long], dealt[~is_long] = score[longs], score[~longs]
    return dealt
