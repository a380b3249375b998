"""Storms, by which noise on a daily clock is drawn otherwise: one wild hour that goes one way, on a wild day.

What ruins a fund without a jump is a large scale of one noise interval, normals within it of one sign, and a volatile
day around it.  A storm moves all three at an interval that may equally be any:

- the uniform behind its scale has density ``a u^(a - 1)`` (``wild``);
- the sum of its normals, of unit variance, has mean m (``run``);
- the log volatility of its day has mean c (``heat``), and by Gaussian conditioning that of a day k before or after it
  ``c persistence^k``.

So the likelihood ratio is the mean over the intervals of ``a u^(a - 1) exp(m S - m^2 / 2) exp(c Z - c^2 / 2)``
(exponential tilting of a Gaussian; Glasserman 2003, Monte Carlo Methods in Financial Engineering, section 4.6).
"""

import math
from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr

from stress.markets.daily import daily_states
from stress.markets.drivers import Driver, along
from stress.markets.noise import fill_noise
from stress.markets.tails import look_up
from stress.randomness import MIXING, fill_uniforms, uniform_pair
from stress.rules import kernel, record, rule

__all__ = ["CALM", "Storm", "draw_noise", "storm_driver"]

CALM = {"wild": 1.0, "run": 0.0, "heat": 0.0}  # the process itself
PLACE = 0x7FFFFFFF  # index of the pair that picks the interval, far beyond those of the intervals
ROUNDS = 50  # of expectation and maximization
CALM_PIECES = 8  # intervals of the likeliest storm where tails are not fat


@rule
def heat_days(numbers, day, states):
    """Raise the state of a day, and those before and after it by what persists."""
    before, after = numbers.heat * numbers.persistence, numbers.heat
    for d in range(day, states.size):
        states[d] += after
        after *= numbers.persistence
    for d in range(day - 1, -1, -1):
        states[d] += before
        before *= numbers.persistence


@rule
def brew_storm(numbers, path, k0, k1, noise, states, scales):
    """Make one interval of a path stormy, if the numbers ask for it."""
    if numbers.wild == 1.0 and numbers.run == 0.0 and numbers.heat == 0.0:
        return
    u, _ = uniform_pair(PLACE, path, MIXING, k0, k1)
    i = int(u * scales.size)
    scales[i] = math.exp(math.log(scales[i]) / numbers.wild)
    first = i // int(numbers.intervals_per_step) * int(numbers.steps_per_interval)
    last = min(first + int(numbers.steps_per_interval), noise.size)
    for t in range(first, last):
        noise[t] += numbers.run / math.sqrt(last - first)
    heat_days(numbers, int(first / numbers.steps_per_day), states)


@rule
def draw_noise(numbers, table, path, k0, k1, noise, states, scales):
    """Draw the normals of the steps, the states of the days and the uniforms of the intervals' scales."""
    fill_noise(numbers, path, k0, k1, noise)
    daily_states(numbers, table, path, k0, k1, states)
    fill_uniforms(scales, path, MIXING, k0, k1)
    brew_storm(numbers, path, k0, k1, noise, states, scales)


@kernel
def draw_storms(numbers, table, key, first, n_steps, logs, sums, states):
    """Fill `logs`, `sums` (n, n_intervals) and `states` (n, n_days) as `Storm.drawn` says."""
    noise, pooled, width = np.empty(n_steps), int(numbers[0].intervals_per_step), int(numbers[0].steps_per_interval)
    for p in range(logs.shape[0]):
        draw_noise(numbers[0], table, first + p, key[0], key[1], noise, states[p], logs[p])
        for i in range(logs.shape[1]):
            start = i // pooled * width
            stop, total = min(start + width, n_steps), 0.0
            for t in range(start, stop):
                total += noise[t]
            sums[p, i] = total / math.sqrt(stop - start)
            logs[p, i] = math.log(logs[p, i])


class Storm:
    """One stormy interval of a path.

    Parameters
    ----------
    nominal : mapping
        The process's own numbers.
    n_steps : int
    table : ndarray
        Its table, of which only listed starts are used.
    """

    def __init__(self, nominal: Mapping[str, float], n_steps: int, table: np.ndarray):
        self.n_steps, self.table = n_steps, table
        width, pooled = int(nominal["steps_per_interval"]), int(nominal["intervals_per_step"])
        self.n_intervals = math.ceil(n_steps / width) * pooled
        first = np.arange(self.n_intervals) // pooled * width
        self.day = (first / nominal["steps_per_day"]).astype(int)
        self.n_days = math.ceil(n_steps / nominal["steps_per_day"])
        self.is_fat = nominal["fat_tails"] == 1.0
        # A start that is given is no stationary one, and days after it are not shifted as above.
        self.is_stationary = nominal["start_sd"] == 1.0 and nominal["start_listed"] == 0.0

    def drawn(self, numbers: Mapping[str, float], key: np.ndarray, first: int, n: int) -> np.ndarray:
        """Return the logarithms of the uniforms and the sums, by interval, and the days' states, side by side."""
        logs, sums = np.empty((2, n, self.n_intervals))
        states = np.empty((n, self.n_days))
        draw_storms(record(numbers), self.table, key, first, self.n_steps, logs, sums, states)
        return np.hstack([logs, sums, states])

    def _parts(self, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        logs, sums, states = np.split(drawn, [self.n_intervals, 2 * self.n_intervals], axis=1)
        return logs, sums, states[:, self.day]

    def _log_ratios(self, numbers: Mapping[str, float], drawn: np.ndarray) -> np.ndarray:
        """Return that of a storm at every interval, shape (n, n_intervals)."""
        a, m, c = numbers["wild"], numbers["run"], numbers["heat"]
        logs, sums, states = self._parts(drawn)
        return math.log(a) + (a - 1.0) * logs + m * sums + c * states - 0.5 * (m * m + c * c)

    def log_density(self, numbers: Mapping[str, float], drawn: np.ndarray) -> np.ndarray:
        """Return the log of the mean ratio over the intervals, to the process itself."""
        ratios = self._log_ratios(numbers, drawn)
        top = ratios.max(axis=1)
        return top + np.log(np.mean(np.exp(ratios - top[:, None]), axis=1))

    def explored(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """Return nothing: there is one mode."""
        return {}

    def modes(self, drawn: np.ndarray) -> np.ndarray:
        """Return one mode."""
        return np.zeros(len(drawn), dtype=int)

    def fitted(self, numbers: Mapping[str, float], drawn: np.ndarray, weight: np.ndarray) -> dict[str, float]:
        """Return the storm by expectation and maximization over where it was (Dempster, Laird and Rubin 1977)."""
        logs, sums, states = self._parts(drawn)
        found = {"wild": 0.5 if self.is_fat else 1.0, "run": 0.0, "heat": 0.0}
        for _ in range(ROUNDS):
            ratios = self._log_ratios(found, drawn)
            odds = np.exp(ratios - ratios.max(axis=1, keepdims=True))
            odds *= (weight / weight.sum() / odds.sum(axis=1))[:, None]
            log, run, heat = (float((odds * part).sum()) for part in (logs, sums, states))
            found["run"] = run
            if self.is_fat:
                found["wild"] = min(1.0, -1.0 / log)
            if self.is_stationary:
                found["heat"] = heat
        return found


def storm_driver(numbers: Mapping[str, float], table: np.ndarray, n_steps: int, step_seconds: float) -> Driver:
    """Return that of one stormy interval: the day's state, and the interval's scale and run.

    Where tails are fat one interval is likelier than several (the principle of one big jump); where they are not, a
    storm has up to eight.  The scale at a normal g is the one that is exceeded with the probability of g.
    """
    width, fat = int(numbers["steps_per_interval"]), numbers["fat_tails"] == 1.0
    edges = np.minimum(np.arange(2 if fat else CALM_PIECES + 1) * width, n_steps)
    edges = edges[: int(np.searchsorted(edges, n_steps)) + 1]
    k = edges.size - 1

    def parts(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the day's factor (n, 1), and the intervals' scales (n, k)."""
        states = numbers["start_mean"] + numbers["start_sd"] * points[:, 0]
        if numbers["start_listed"] == 1.0:
            states = table[2][np.minimum((ndtr(points[:, 0]) * table.shape[1]).astype(int), table.shape[1] - 1)]
        level = np.exp(numbers["log_sd"] * states - numbers["log_sd"] ** 2)
        if not fat:
            return level[:, None], np.ones((len(points), k))
        return level[:, None], np.vectorize(look_up, excluded=[0])(table, ndtr(-points[:, 1 : 1 + k]))

    def log_returns(points: np.ndarray) -> np.ndarray:
        """Return the storm's, then nothing."""
        level, scale = parts(points)
        found = np.zeros((len(points), n_steps))
        noise = numbers["sd"] * np.repeat(level * scale, np.diff(edges), axis=1) * along(points[:, 1 + k :], edges)
        found[:, : edges[-1]] = noise - 0.5 * (numbers["sd"] * level) ** 2
        return found

    def words(point: np.ndarray) -> str:
        """Say how wild and how far."""
        level, scale = parts(point[None, :])
        moved = 100 * np.expm1(log_returns(point[None, :])[0].cumsum()[edges[1:] - 1])
        went = ", ".join(f"{x:+.1f} %" for x in moved)
        wild = ", ".join(f"{x:.1f}" for x in scale[0])
        hours = width * step_seconds / 3600.0
        day = f"a day of {level[0, 0]:.1f} times the usual volatility"
        return f"{day}, {wild} times that in intervals of {hours:g} h: price {went}"

    return Driver("storm", 1 + 2 * k, max(1.0, n_steps / edges[-1]), log_returns, words)
