"""Paths of a fund with claims: looked at right after every claim, and in between by the bridge of its noise.

Random numbers are a function of (seed, path, claim): the same claims meet any premium and any fund.
"""

import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from stress.claims.model import HOURS, ClaimsModel
from stress.outcomes import COLUMNS, Facts, Outcomes
from stress.randomness import JUMPS, MIXING, NOISE, REFINEMENT, stream_key, uniform_pair
from stress.rules import kernel, record, rule
from stress.toml import ScenarioError

__all__ = ["between", "blocks", "check_number", "claim_times", "simulate"]

BLOCK = 4_096
MOST_CLAIMS = 1e6  # of a path, before and within the horizon
DEEPEST, WHEN, RUIN, END = range(4)


@cache
def arrivals_of(waiting: Any, excited: Any) -> Any:
    """Compile the drawing of claims of one law.

    Returns
    -------
    kernel ``(numbers, key, first, lead, years, starts, times, marks)``
        With empty `times` it counts: the claims of path p end at ``starts[p + 1]``.  Otherwise it fills `times` (years)
        and `marks` (uniform) of all paths, one after the other.
    """

    @kernel
    def arrive(numbers, key, first, lead, years, starts, times, marks):
        """Draw the claims of paths `first`, `first` + 1, ..."""
        for p in range(starts.size - 1):
            path, now, excess, i, n = first + p, -lead, 0.0, 0, starts[p]
            while now < years:
                u, v = uniform_pair(i, path, JUMPS, key[0], key[1])
                wait = waiting(numbers[0], excess, u, v)
                excess = excited(numbers[0], excess, wait)
                now += wait
                if 0.0 < now < years:
                    if times.size > 0:
                        times[n] = now
                        marks[n] = uniform_pair(i, path, MIXING, key[0], key[1])[0]
                    n += 1
                i += 1
            if times.size == 0:
                starts[p + 1] = n

    return arrive


@rule
def between(premium, noise, wait, path, j, k0, k1):
    """Return what the loss changes by between two claims, and its highest value on the way, both from its start.

    The loss is Brownian with drift: its maximum, given both ends, is drawn exactly (Glasserman 2004, section 6.4).
    """
    step, peak = -premium * wait, 0.0
    if noise > 0.0:
        u, v = uniform_pair(j, path, NOISE, k0, k1)
        step += noise * np.sqrt(-2.0 * wait * np.log(u)) * np.cos(2.0 * np.pi * v)
        w = uniform_pair(j, path, REFINEMENT, k0, k1)[0]
        peak = 0.5 * (step + np.sqrt(step * step - 2.0 * noise * noise * wait * np.log(w)))
    return step, peak


@kernel
def follow(premium, noise, years, fund, key, first, starts, times, sizes, out):
    """Fill `out` (n, 4): each path's deepest fall, when it was, when the fund was ruined (-1: never), and its loss."""
    for p in range(out.shape[0]):
        path, loss, deepest, when, ruin, before = first + p, 0.0, 0.0, -1.0, -1.0, 0.0
        n = starts[p + 1] - starts[p]
        for j in range(n + 1):
            now = times[starts[p] + j] if j < n else years
            step, peak = between(premium, noise, now - before, path, j, key[0], key[1])
            highest = loss + peak
            loss += step
            if j < n:
                loss += sizes[starts[p] + j]
            highest = max(highest, loss)
            if highest > deepest:
                deepest, when = highest, now
                if ruin < 0.0 and deepest > fund:
                    ruin = now
            before = now
        out[p, 0], out[p, 1], out[p, 2], out[p, 3] = deepest, when, ruin, loss


def claim_times(model: ClaimsModel, first: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw when the claims of some paths come.

    Returns
    -------
    starts : ndarray of int64, shape (n + 1,)
        Where each path's claims begin among all, and the end.
    times, marks : ndarray, shape (n_claims,)
        Years since the start, and a uniform number of each claim.
    """
    law = model.frequency
    arrive = arrivals_of(type(law).waiting, type(law).excited)
    starts, nothing = np.zeros(n + 1, dtype=np.int64), np.empty(0)
    given = record(law.numbers()), stream_key(model.run.seed), first, law.lead_years, model.years, starts
    arrive(*given, nothing, nothing)
    times, marks = np.empty(starts[-1]), np.empty(starts[-1])
    if starts[-1]:
        arrive(*given, times, marks)
    return starts, times, marks


def simulate(model: ClaimsModel) -> Outcomes:
    """Simulate a fund with claims.

    Parameters
    ----------
    model : ClaimsModel
        Its ``run`` says how many paths, how long, and which seed.

    Returns
    -------
    Outcomes
        ``bad_debt`` are the claims, ``fee_income`` the premium, ``inventory_pnl`` the noise; steps are hours.  Without
        credit for income the need is the sum of the claims.

    Raises
    ------
    ScenarioError
        When a path has more than a million claims on average.
    """
    check_number(model)
    started = time.perf_counter()
    columns = {name: np.zeros(model.run.n_paths, dtype) for name, dtype in COLUMNS.items()}
    columns["weight"][:] = 1.0
    for first, n in blocks(model.run.n_paths):
        for name, values in _block(model, first, n).items():
            columns[name][first : first + n] = values
    return Outcomes(columns, _facts(model, time.perf_counter() - started))


def check_number(model: ClaimsModel) -> None:
    """Raise a ScenarioError when a path has more than a million claims on average."""
    expected = model.frequency.mean_rate * (model.years + model.frequency.lead_years)
    if expected > MOST_CLAIMS:
        raise ScenarioError(f"frequency: {expected:,.0f} claims a path; at most {MOST_CLAIMS:,.0f}")


def blocks(n_paths: int) -> Iterator[tuple[int, int]]:
    """Yield (first path, number of paths)."""
    for first in range(0, n_paths, BLOCK):
        yield first, min(BLOCK, n_paths - first)


def _block(model: ClaimsModel, first: int, n: int) -> dict[str, np.ndarray]:
    starts, times, marks = claim_times(model, first, n)
    sizes = model.amounts(marks)
    income, fund, out = model.income, model.fund.initial_usd, np.empty((n, 4))
    key, premium = stream_key(model.run.seed), income.premium_usd_per_year
    follow(premium, income.noise_usd, model.years, fund, key, first, starts, times, sizes, out)
    cost = np.diff(np.concatenate([[0.0], np.cumsum(sizes)])[starts])
    return {
        "drawdown": out[:, DEEPEST],
        "drawdown_gross": np.maximum(cost, out[:, DEEPEST]),
        "drawdown_step": _hour(out[:, WHEN], model),
        "ruin_step": _hour(out[:, RUIN], model),
        "fund_end": fund - out[:, END],
        "fund_cash_end": fund - out[:, END],
        "bad_debt": cost,
        "fee_income": np.full(n, premium * model.years),
        "inventory_pnl": cost - premium * model.years - out[:, END],
    }


def _hour(years: np.ndarray, model: ClaimsModel) -> np.ndarray:
    """Return the hour of a time, -1 for never."""
    return np.where(years < 0.0, -1, np.minimum(years * HOURS, _n_hours(model) - 1)).astype(np.int32)


def _n_hours(model: ClaimsModel) -> int:
    return int(np.ceil(model.run.horizon_hours))


def _facts(model: ClaimsModel, seconds: float) -> Facts:
    return Facts(
        scenario=model.run.name,
        config_sha256=model.sha256,
        seed=model.run.seed,
        engine="claims",
        n_steps=_n_hours(model),
        step_seconds=3600.0,
        n_accounts=0,
        horizon_hours=model.run.horizon_hours,
        fund_initial=model.fund.initial_usd,
        open_interest=0.0,
        conditional_on_book=False,
        one_run_curve_exact=True,
        curve_note="claims and income are the same whatever the fund holds",
        levels=model.reserve.levels,
        confidence=model.reserve.confidence,
        elapsed_s={"simulate": seconds, "total": seconds},
        renewal=True,
    )
