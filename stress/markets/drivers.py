"""What a path is made of, by a few independent standard normals: the coordinates in which a likeliest ruin is sought.

A driver is one way in which the price can go while everything else is as usual.  Its distance from the origin says how
unlikely a path is: the density of normals falls with nothing else (Hasofer and Lind 1974).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Driver", "along", "noise_driver", "with_jump"]

PIECES = 8  # of the horizon, whose noise is told apart


@dataclass(frozen=True)
class Driver:
    """One way in which the price can go.

    Parameters
    ----------
    name : str
    dimension : int
        Coordinates.
    expected : float
        How often the way is open within the horizon: once, by the hours of a storm, by the expected jumps.
    log_returns : callable
        Of points (n, dimension), the log-returns of every step, shape (n, n_steps).
    words : callable
        Of a point (dimension,), what it stands for.
    """

    name: str
    dimension: int
    expected: float
    log_returns: Callable[[np.ndarray], np.ndarray]
    words: Callable[[np.ndarray], str]


def along(normals: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the most likely normals of the steps whose sums over pieces are given, shape (n, edges[-1]).

    Parameters
    ----------
    normals : ndarray, shape (n, k)
        Sums over the pieces, each divided by the root of its length: standard normals.
    edges : ndarray of int, shape (k + 1,)
        Where the pieces begin, and the end.  Given its sum, the most likely noise is the same at every step.
    """
    length = np.diff(edges)
    return np.repeat(normals / np.sqrt(length), length, axis=1)


def noise_driver(drift: float, sd: float, n_steps: int, step_seconds: float) -> Driver:
    """Return that of independent normal log-returns, `drift` and `sd` a step."""
    pieces = min(PIECES, n_steps)
    edges = np.linspace(0, n_steps, pieces + 1).round().astype(int)
    hours = n_steps * step_seconds / 3600.0

    def log_returns(points: np.ndarray) -> np.ndarray:
        """Return the log-returns."""
        return drift + sd * along(points, edges)

    def words(point: np.ndarray) -> str:
        """Say how far the price goes."""
        path = np.exp(np.cumsum(log_returns(point[None, :])[0]))
        low, high = 100 * (path.min() - 1.0), 100 * (path.max() - 1.0)
        return f"noise of one sign: lowest {low:+.1f} %, highest {high:+.1f} % over {hours:g} h"

    return Driver("noise", pieces, 1.0, log_returns, words)


def with_jump(noise: Driver, name: str, expected: float, size: Callable[[np.ndarray], np.ndarray]) -> Driver:
    """Return a driver with one jump in the middle, of log `size` by a normal (n,), the last coordinate."""

    def log_returns(points: np.ndarray) -> np.ndarray:
        """Return those of the noise, and the jump."""
        found = noise.log_returns(points[:, :-1])
        found[:, found.shape[1] // 2] += size(points[:, -1])
        return found

    def words(point: np.ndarray) -> str:
        """Say how large the jump is."""
        return f"a jump of {100 * math.expm1(float(size(point[-1:])[0])):+.1f} %; {noise.words(point[:-1])}"

    return Driver(name, noise.dimension + 1, expected, log_returns, words)
