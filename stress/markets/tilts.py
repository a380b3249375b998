"""How a price process may be drawn otherwise, so that rare losses come often, and how likely each draw was.

A tilt redraws a path's numbers from their coordinates: what was drawn, `drawn`, follows from the process's numbers, and
its log-density under any other numbers, `log_density`, gives the likelihood ratio.  `fitted` returns the numbers of the
same family nearest to weighted paths in cross-entropy (Rubinstein & Kroese 2004).
"""

import math
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from stress.randomness import JUMPS, NOISE, fill_normals, uniforms_of_paths
from stress.rules import kernel

__all__ = ["Drift", "NormalJumpSizes", "ParetoJumpSizes", "Tilt", "Tilts", "poisson_counts"]

Numbers = Mapping[str, float]
FEWEST_JUMPS = 1e-3  # expected jumps of a path that a tilt keeps
NARROWEST = 0.6  # of the nominal spread of jumps, below which a tilt would miss some


class Tilt(Protocol):
    """One ingredient of a process that may be drawn otherwise."""

    def drawn(self, numbers: Numbers, key: np.ndarray, first: int, n: int) -> np.ndarray:
        """Return what paths `first`, `first` + 1, ... drew, shape (n, m)."""

    def log_density(self, numbers: Numbers, drawn: np.ndarray) -> np.ndarray:
        """Return the log-density of it under some numbers, shape (n,), up to what all numbers share."""

    def fitted(self, numbers: Numbers, drawn: np.ndarray, weight: np.ndarray) -> dict[str, float]:
        """Return the numbers, among those of the ingredient, nearest to weighted paths."""

    def explored(self, numbers: Numbers) -> dict[str, float]:
        """Return the numbers, among those of the ingredient, under which all its modes are common."""

    def modes(self, drawn: np.ndarray) -> np.ndarray:
        """Tell apart paths that no one law fits, by whole numbers from 0 on, shape (n,)."""


class Tilts:
    """Independent ingredients of one process."""

    def __init__(self, *parts: Any):
        self.parts: tuple[Tilt, ...] = parts

    def drawn(self, numbers: Numbers, key: np.ndarray, first: int, n: int) -> list[np.ndarray]:
        """Return what each ingredient drew."""
        return [part.drawn(numbers, key, first, n) for part in self.parts]

    def log_density(self, numbers: Numbers, drawn: list[np.ndarray]) -> np.ndarray:
        """Return the log-density of all of it, shape (n,)."""
        return sum((p.log_density(numbers, d) for p, d in zip(self.parts, drawn, strict=True)), np.zeros(len(drawn[0])))

    def explored(self, numbers: Numbers) -> dict[str, float]:
        """Return all numbers, such that the modes of every ingredient are common."""
        return {**numbers, **{name: value for part in self.parts for name, value in part.explored(numbers).items()}}

    def modes(self, drawn: list[np.ndarray]) -> np.ndarray:
        """Return which of the ingredients' modes each path is of, shape (n,)."""
        modes = [part.modes(d) for part, d in zip(self.parts, drawn, strict=True)]
        return np.unique(np.column_stack(modes), axis=0, return_inverse=True)[1]

    def fitted(self, numbers: Numbers, drawn: list[np.ndarray], weight: np.ndarray) -> dict[str, float]:
        """Return all numbers, those of the ingredients moved."""
        moved = [part.fitted(numbers, d, weight) for part, d in zip(self.parts, drawn, strict=True)]
        return {**numbers, **{name: value for found in moved for name, value in found.items()}}


@kernel
def noise_sums(key, first, n_steps, sums):
    """Fill `sums` (n,) with the sum of a path's standard normals."""
    normals = np.empty(n_steps)
    for p in range(sums.size):
        fill_normals(normals, first + p, NOISE, key[0], key[1])
        total = 0.0
        for t in range(n_steps):
            total += normals[t]
        sums[p] = total


class Drift:
    """The mean of independent normal log-returns: ``drift`` in steps of ``sd``."""

    def __init__(self, nominal: Numbers, n_steps: int):
        self.drift, self.sd, self.n_steps = nominal["drift"], nominal["sd"], n_steps

    def _shift(self, numbers: Numbers) -> float:
        return (numbers["drift"] - self.drift) / self.sd

    def drawn(self, numbers: Numbers, key: np.ndarray, first: int, n: int) -> np.ndarray:
        """Return the sum of the log-returns beyond the nominal drift, in standard deviations."""
        sums = np.empty(n)
        noise_sums(key, first, self.n_steps, sums)
        return (sums + self.n_steps * self._shift(numbers))[:, None]

    def log_density(self, numbers: Numbers, drawn: np.ndarray) -> np.ndarray:
        """Return m Y - n m^2 / 2, m the shift of every normal and Y their sum."""
        m = self._shift(numbers)
        return m * drawn[:, 0] - 0.5 * self.n_steps * m * m

    def fitted(self, numbers: Numbers, drawn: np.ndarray, weight: np.ndarray) -> dict[str, float]:
        """Return the weighted mean."""
        shift = float(np.average(drawn[:, 0], weights=weight)) / self.n_steps
        return {"drift": self.drift + shift * self.sd}

    def explored(self, numbers: Numbers) -> dict[str, float]:
        """Return nothing: there is one mode."""
        return {}

    def modes(self, drawn: np.ndarray) -> np.ndarray:
        """Return one mode."""
        return np.zeros(len(drawn), dtype=int)


class _Jumps:
    """Poisson jumps, ``expected_jumps`` of them on a path; a subclass knows the law of their sizes.

    Drawn are their number and two sums over the sizes.
    """

    def sizes(self, numbers: Numbers, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what is added up of every jump, twice."""
        raise TypeError(f"{type(self).__name__} does not define the sizes of its jumps")

    def drawn(self, numbers: Numbers, key: np.ndarray, first: int, n: int) -> np.ndarray:
        """Return number and sums."""
        chance = _pairs(key, JUMPS, first, n, 1)[0][:, 0]
        counts = poisson_counts(chance, numbers["expected_jumps"])
        u, v = (pair[:, 2::2] for pair in _pairs(key, JUMPS, first, n, 2 * max(1, counts.max()) + 1))
        there = np.arange(u.shape[1]) < counts[:, None]
        sums = [np.where(there, each, 0.0).sum(axis=1) for each in self.sizes(numbers, u, v)]
        return np.column_stack([counts, *sums])

    def explored(self, numbers: Numbers) -> dict[str, float]:
        """Return a rate at which most paths jump."""
        return {"expected_jumps": max(1.0, numbers["expected_jumps"])}

    def modes(self, drawn: np.ndarray) -> np.ndarray:
        """Return whether a path jumped: most of those that ruin do so by a jump or without one."""
        return (drawn[:, 0] > 0).astype(int)

    def log_rate(self, numbers: Numbers, counts: np.ndarray) -> np.ndarray:
        """Return the part of the log-density that is the number's."""
        return counts * math.log(numbers["expected_jumps"]) - numbers["expected_jumps"]

    def fitted_rate(self, drawn: np.ndarray, weight: np.ndarray) -> dict[str, float]:
        """Return the weighted mean number."""
        return {"expected_jumps": max(FEWEST_JUMPS, float(np.average(drawn[:, 0], weights=weight)))}


class NormalJumpSizes(_Jumps):
    """Jumps of normal log size (Merton 1976): drawn are the sum of the sizes and of their squares."""

    def __init__(self, nominal: Numbers):
        self.least_sd = NARROWEST * nominal["jump_sd"]

    def sizes(self, numbers: Numbers, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return sizes and squares."""
        normal = np.sqrt(-2.0 * np.log(u)) * np.sin(2.0 * math.pi * v)
        size = numbers["jump_mean"] + numbers["jump_sd"] * normal
        return size, np.square(size)

    def log_density(self, numbers: Numbers, drawn: np.ndarray) -> np.ndarray:
        """Return that of number and sizes."""
        counts, total, squares = drawn.T
        mean, sd = numbers["jump_mean"], numbers["jump_sd"]
        spread = squares - 2.0 * mean * total + counts * mean * mean
        return self.log_rate(numbers, counts) - counts * math.log(sd) - 0.5 * spread / (sd * sd)

    def fitted(self, numbers: Numbers, drawn: np.ndarray, weight: np.ndarray) -> dict[str, float]:
        """Return weighted number, mean and spread; no narrower than 0.6 of the nominal spread."""
        n, total, squares = weight @ drawn
        if n <= 0:
            return self.fitted_rate(drawn, weight)
        mean = total / n
        sd = max(self.least_sd, math.sqrt(max(0.0, squares / n - mean * mean)))
        return self.fitted_rate(drawn, weight) | {"jump_mean": float(mean), "jump_sd": float(sd)}


class ParetoJumpSizes(_Jumps):
    """Jumps of truncated Pareto size to either side: drawn are the sum of ln(size / least) and how many fell."""

    def __init__(self, nominal: Numbers):
        self.width = -math.log(nominal["beyond_largest"]) / nominal["tail_index"]  # ln(largest / smallest)

    def sizes(self, numbers: Numbers, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return log sizes over the least, and 1 for a fall."""
        beyond = 1.0 - u * (1.0 - numbers["beyond_largest"])
        return -np.log(beyond) / numbers["tail_index"], (v < numbers["down_share"]).astype(float)

    def log_density(self, numbers: Numbers, drawn: np.ndarray) -> np.ndarray:
        """Return that of number, sizes and sides."""
        counts, total, fell = drawn.T
        index, down = numbers["tail_index"], numbers["down_share"]
        per_jump = math.log(index / -math.expm1(-index * self.width))
        sides = _times_log(fell, down) + _times_log(counts - fell, 1.0 - down)
        return self.log_rate(numbers, counts) + counts * per_jump - index * total + sides

    def fitted(self, numbers: Numbers, drawn: np.ndarray, weight: np.ndarray) -> dict[str, float]:
        """Return weighted number, tail index and side; each side keeps a twentieth."""
        n, total, fell = weight @ drawn
        if n <= 0:
            return self.fitted_rate(drawn, weight)
        index = self._index(total / n)
        down = numbers["down_share"]
        down = min(max(float(fell / n), 0.05 * down), 1.0 - 0.05 * (1.0 - down))
        found = {"tail_index": index, "beyond_largest": math.exp(-index * self.width), "down_share": down}
        return self.fitted_rate(drawn, weight) | found

    def _index(self, mean: float) -> float:
        """Return the tail index, of any sign, at which log sizes have this mean: 1/k - w / (e^(kw) - 1) = mean."""
        from scipy.optimize import brentq

        w = self.width
        edge = 30.0 / w
        inside = min(max(mean, w / 29.0), w * 28.0 / 29.0)
        index = brentq(lambda k: 1.0 / k - w / math.expm1(k * w) - inside, -edge + 1e-9, edge) if w > 0 else edge
        return float(index) if abs(index) > 1e-6 else 1e-6


def poisson_counts(u: np.ndarray, mean: float) -> np.ndarray:
    """Return the number of events at probabilities `u`, by the inversion that the rules use."""
    weight = math.exp(-mean)
    total, counts, n = weight, np.zeros(len(u), dtype=np.int64), 0
    while np.any(u > total) and n < 1_000:
        n += 1
        counts[u > total] = n
        weight *= mean / n
        total += weight
    return counts


def _pairs(key: np.ndarray, stream: int, first: int, n: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the uniform pairs 0 .. k - 1 of a stream, each of shape (n, k)."""
    found = np.empty((n, 2 * k))
    uniforms_of_paths(key, stream, first, found)
    return found[:, :k], found[:, k:]


def _times_log(counts: np.ndarray, chance: float) -> np.ndarray:
    """Return counts x ln(chance), 0 of nothing."""
    return counts * math.log(chance) if chance > 0.0 else np.where(counts > 0, -np.inf, 0.0)
