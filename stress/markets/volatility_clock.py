"""Volatility on the daily clock, fat-tailed noise on its own clock, jumps that take minutes (method.md 7).

A GARCH-t fitted to days and run at one-minute marks gives too few liquidations and absurd tails.  Here each
component has a clock of its own that does not depend on the simulation step: log-volatility changes once a
day, the variance of the noise once per noise interval, and a jump is spread over its duration.  A finer step
refines the same path; a step of several noise intervals has the mean of their variances.
"""

import math
from typing import Any, Literal

import numpy as np
from pydantic import Field
from scipy.special import ndtr

from stress.markets.bars import note_spread, spread_bar
from stress.markets.base import Clock, Market
from stress.markets.daily import exponentiate
from stress.markets.drivers import Driver
from stress.markets.jumps import MOST_EXPECTED, poisson_count
from stress.markets.noise import noise_numbers
from stress.markets.starts import Starts
from stress.markets.storms import CALM, Storm, draw_noise, storm_driver
from stress.markets.tails import COLUMNS, NORMAL, look_up, scale_table
from stress.markets.tilts import ParetoJumpSizes, Tilts
from stress.randomness import JUMPS, uniform_pair
from stress.rules import rule


@rule
def spread_jump(out, start, length, size):
    """Add a jump of log `size` that begins at step `start` and lasts `length` steps (both fractional)."""
    stop = start + length
    for t in range(int(start), min(math.ceil(stop), out.size)):
        out[t] += size * (min(t + 1.0, stop) - max(float(t), start)) / length


@rule
def add_jumps(numbers, path, k0, k1, out):
    """Add Poisson jumps with Pareto sizes, truncated, in times of their own."""
    u, _ = uniform_pair(0, path, JUMPS, k0, k1)
    for j in range(poisson_count(u, numbers.expected_jumps)):
        when, lasting = uniform_pair(2 * j + 1, path, JUMPS, k0, k1)
        tail, side = uniform_pair(2 * j + 2, path, JUMPS, k0, k1)
        length = numbers.shortest + lasting * (numbers.longest - numbers.shortest)
        beyond = 1.0 - tail * (1.0 - numbers.beyond_largest)
        size = numbers.smallest * math.exp(-math.log(beyond) / numbers.tail_index)
        sign = -1.0 if side < numbers.down_share else 1.0
        spread_jump(out, when * out.size, max(length, 1e-9), sign * size)


@rule
def pooled_scale(table, scales, first, n):
    """Return the root mean square scale of the `n` noise intervals that one step covers."""
    square = 0.0
    for i in range(first, first + n):
        scale = look_up(table, scales[i])
        square += scale * scale
    return math.sqrt(square / n)


def clocked(spread):
    """Return the walk without jumps: normal noise x volatility of the day x fat-tailed scale of the noise interval."""

    @rule
    def walk(numbers, table, path, k0, k1, out):
        """Fill `out` with what `spread` makes of the noise."""
        width, pooled = int(numbers.steps_per_interval), int(numbers.intervals_per_step)
        n = (out.size + width - 1) // width
        scales, levels = np.empty(n * pooled), np.empty(math.ceil(out.size / numbers.steps_per_day))
        draw_noise(numbers, table, path, k0, k1, out, levels, scales)
        exponentiate(numbers, levels)
        for i in range(n):
            first = i * width
            sd = numbers.sd * levels[int(first / numbers.steps_per_day)]
            drift = -0.5 * sd * sd
            if numbers.fat_tails == 1.0:
                sd *= pooled_scale(table, scales, i * pooled, pooled)
            spread(out, first, min(first + width, out.size), sd, drift)

    return walk


clocked_noise, clocked_deviations = clocked(spread_bar), clocked(note_spread)


@rule
def clocked_increments(numbers, table, path, k0, k1, out):
    """Fill `out` with noise, then add jumps."""
    clocked_noise(numbers, table, path, k0, k1, out)
    add_jumps(numbers, path, k0, k1, out)


class VolatilityClock(Starts, Market, kind="volatility_clock"):
    """Log-normal daily volatility x Student-t noise x jumps with duration.

    `vol_annual` is the root mean square of the volatility without jumps.
    """

    vol_annual: float = Field(default=0.55, ge=0, le=5)  # docs/method.md, section 11
    log_vol_sd: float = Field(default=0.55, ge=0, le=1.5)  # stationary sd of log volatility, illustrative
    persistence_daily: float = Field(default=0.93, ge=0, lt=1)  # near alpha + beta of the daily fits (4.4)
    start: Literal["stationary", "today"] = "stationary"
    vol_today_annual: float = Field(default=0.55, gt=0, le=5)  # used when start = "today"
    tail_index: float = Field(default=3.2, gt=2, le=200)  # Student-t degrees of freedom (docs/method.md, section 11)
    noise_clock_seconds: float = Field(default=3600.0, gt=0)  # the hourly fits have the same degrees of freedom
    noise_largest: float = Field(default=12.0, gt=1)  # cap of an interval's volatility over the day's, illustrative
    jumps_per_year: float = Field(default=2.0, ge=0, le=100_000)  # docs/method.md, section 11
    jump_smallest: float = Field(default=0.05, gt=0, lt=1)  # log size (docs/method.md, section 11)
    jump_largest: float = Field(default=0.6, gt=0, le=2)  # truncation: keeps a day within -65 % (10.2)
    jump_tail_index: float = Field(default=3.0, gt=0, le=20)  # docs/method.md, section 11
    jump_down_share: float = Field(default=0.65, ge=0, le=1)  # docs/method.md, section 11
    jump_minutes_shortest: float = Field(default=5.0, gt=0)  # docs/method.md, section 7
    jump_minutes_longest: float = Field(default=60.0, gt=0)  # docs/method.md, section 7
    increments = staticmethod(clocked_increments)
    deviations = staticmethod(clocked_deviations)

    def problems(self, clock: Clock) -> list[tuple[str, str]]:
        """Refuse clocks that the step does not divide, and what the process would have to ignore."""
        found = []
        ratio = self.noise_clock_seconds / clock.step_seconds
        if abs(max(ratio, 1.0 / ratio) - round(max(ratio, 1.0 / ratio))) > 1e-9:
            found.append(("noise_clock_seconds", f"must divide, or be divided by, {clock.step_seconds:g} s"))
        if self.start == "today" or self.start_vols_annual:
            found += [
                (key, "must be above 0 where the start is given")
                for key in ("vol_annual", "log_vol_sd")
                if getattr(self, key) == 0.0
            ]
        expected = self.jumps_per_year * clock.step_years * clock.n_steps
        if expected > MOST_EXPECTED:
            found.append(("jumps_per_year", f"makes {expected:,.0f} jumps a path, above {MOST_EXPECTED:g}"))
        if self.jump_largest <= self.jump_smallest:
            found.append(("jump_largest", f"must be above jump_smallest = {self.jump_smallest:g}"))
        if self.jump_minutes_longest < self.jump_minutes_shortest:
            found.append(("jump_minutes_longest", "must not be below jump_minutes_shortest"))
        return found

    def numbers(self, clock: Clock) -> dict[str, float]:
        """Return the parameters per step."""
        today = self.start == "today"
        level = math.log(self.vol_today_annual / self.vol_annual) if today and self.vol_annual else 0.0
        per_minute = 60.0 / clock.step_seconds
        return noise_numbers(clock) | {
            "sd": self.vol_annual * math.sqrt(clock.step_years),
            "log_sd": self.log_vol_sd,
            "start_mean": level / self.log_vol_sd + self.log_vol_sd if today and self.log_vol_sd else 0.0,
            "start_sd": 0.0 if today else 1.0,
            "start_listed": 1.0 if self.start_vols_annual else 0.0,
            "persistence": self.persistence_daily,
            "innovation": math.sqrt(1.0 - self.persistence_daily**2),
            "steps_per_day": 86400.0 / clock.step_seconds,
            "steps_per_interval": float(max(1, round(self.noise_clock_seconds / clock.step_seconds))),
            "intervals_per_step": float(max(1, round(clock.step_seconds / self.noise_clock_seconds))),
            **CALM,
            "fat_tails": 1.0 if self.tail_index < NORMAL else 0.0,
            "expected_jumps": self.jumps_per_year * clock.step_years * clock.n_steps,
            "smallest": self.jump_smallest,
            "beyond_largest": (self.jump_largest / self.jump_smallest) ** -self.jump_tail_index,
            "tail_index": self.jump_tail_index,
            "down_share": self.jump_down_share,
            "shortest": self.jump_minutes_shortest * per_minute,
            "longest": self.jump_minutes_longest * per_minute,
        }

    def tilts(self, clock: Clock) -> Tilts:
        """Return what may be drawn otherwise: one interval's noise with the volatility around it, and the jumps."""
        nominal = self.numbers(clock)
        found: list[Any] = [Storm(nominal, clock.n_steps, self.table(clock))]
        if nominal["expected_jumps"] > 0.0:
            found.append(ParetoJumpSizes(nominal))
        return Tilts(*found)

    def drivers(self, clock: Clock) -> tuple[Driver, ...]:
        """Return a storm, and a jump down and up."""
        nominal = self.numbers(clock)
        storm = storm_driver(nominal, self.table(clock), clock.n_steps, clock.step_seconds)
        if nominal["expected_jumps"] == 0.0:
            return (storm,)
        sides = ("fall", -1.0, self.jump_down_share), ("rise", 1.0, 1.0 - self.jump_down_share)
        return (storm, *(self._jump_driver(clock, *side) for side in sides if side[2] > 0.0))

    def _jump_driver(self, clock: Clock, name: str, sign: float, share: float) -> Driver:
        """Return that of a jump: its size, and how short it is."""
        nominal, n_steps = self.numbers(clock), clock.n_steps

        def drawn(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            """Return log size and length in steps."""
            beyond = 1.0 - ndtr(points[:, 0]) * (1.0 - nominal["beyond_largest"])
            size = sign * nominal["smallest"] * beyond ** (-1.0 / nominal["tail_index"])
            longer = ndtr(-points[:, 1]) * (nominal["longest"] - nominal["shortest"])
            return size, np.maximum(nominal["shortest"] + longer, 1e-9)

        def log_returns(points: np.ndarray) -> np.ndarray:
            """Return a straight line, then nothing."""
            size, length = drawn(points)
            passed = np.minimum(np.arange(n_steps + 1) / length[:, None], 1.0)
            return size[:, None] * np.diff(passed, axis=1)

        def words(point: np.ndarray) -> str:
            """Say how far and how fast."""
            size, length = (float(x[0]) for x in drawn(point[None, :]))
            minutes = length * clock.step_seconds / 60.0
            return f"a jump of {100 * math.expm1(size):+.1f} % within {minutes:.0f} minutes"

        return Driver(f"jump, {name}", 2, share * nominal["expected_jumps"], log_returns, words)

    def table(self, clock: Clock) -> np.ndarray:
        """Return the scales of the noise by probability, and the log volatilities to start from if they are listed."""
        scales = scale_table(self.tail_index, self.noise_largest)
        if not self.start_vols_annual:
            return scales
        levels = 0.5 * np.log(self.start_row(COLUMNS, 1.0)) - math.log(self.vol_annual)
        return np.vstack([scales, levels / self.log_vol_sd + self.log_vol_sd])
