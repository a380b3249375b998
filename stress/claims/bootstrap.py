"""How little a short history says: laws chosen and fitted again for histories that the fitted ones might have given.

A parametric bootstrap (Efron and Tibshirani 1993, section 6.5) of all that was done with the history, the choice of
laws included (Buckland, Burnham and Augustin 1997).
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import stdtrit

from stress.claims.base import Arrivals, Fitted, Frequency, Severity, fitted
from stress.claims.fitting import Fit
from stress.claims.model import HOURS, ClaimsModel
from stress.claims.simulate import claim_times, simulate
from stress.summary import ParameterInterval, Spread, quantile_interval
from stress.summary.parameters import Draws, log_error, parameter_interval
from stress.toml import ScenarioError

__all__ = ["DRAWS", "bootstrap"]

DRAWS, PATHS = 200, 5_000
FEWEST = 5  # claims of a history, from which laws are fitted
OTHER_SEED = 1 << 32  # far from the seeds of runs


def bootstrap(fit: Fit, model: ClaimsModel, *, n_draws: int = DRAWS) -> tuple[ParameterInterval, int]:
    """Return the interval of the reserve over refitted laws, and how many refits had no mean and are left out.

    Parameters
    ----------
    fit : Fit
        Of the history; its window is that of every drawn history.
    model : ClaimsModel
        What is simulated, with its laws.
    n_draws : int
        Histories, and laws fitted to them.

    Returns
    -------
    interval : ParameterInterval
        Of 5,000 paths each, with the same random numbers.
    n_without_mean : int
        Above 0 the upper end of the interval is too low.

    Raises
    ------
    ScenarioError
        When half of the histories have fewer than five claims.
    """
    models = list(_refitted(fit, model, n_draws))
    kept = [row for row in models if row is not None]
    if len(kept) < n_draws / 2:
        raise ScenarioError(f"--draws: only {len(kept)} of {n_draws} histories like this one can be fitted")
    found, levels, confidence = [simulate(row) for row in kept], model.reserve.levels, model.reserve.confidence
    rows = [[quantile_interval(run.drawdown, level, confidence=confidence) for level in levels] for run in found]
    values = [[np.nan if row.reason else row.value for row in line] for line in rows]
    errors = [[log_error(row, confidence) for row in line] for line in rows]
    numbers = {name: np.array([_numbers(row)[name] for row in kept]) for name in _numbers(model)}
    ranges = {name: (float(x.min()), float(x.max())) for name, x in numbers.items()}
    ruin = np.array([float(np.mean(run.ruin_step >= 0)) for run in found])
    draws = Draws(numbers, ranges, ruin, levels, np.array(values), np.array(errors))
    how: dict[str, Any] = {"horizon_hours": model.run.horizon_hours, "n_paths": PATHS}
    interval = parameter_interval(draws, config_sha256=model.sha256, confidence=confidence, **how)
    return replace(interval, reserves=_about_estimate(interval, draws, model)), n_draws - len(kept)


def _about_estimate(interval: ParameterInterval, draws: Draws, model: ClaimsModel) -> tuple[tuple[float, Spread], ...]:
    """Return intervals about the estimate, from the spread of the logarithms; those of the draws where one is 0."""
    drawdown = simulate(model.model_copy(update={"run": _few(model)})).drawdown
    t = float(stdtrit(interval.n_draws - 1, (1.0 + interval.confidence) / 2.0))
    found = []
    for level, spread in interval.reserves:
        column = draws.reserves[:, draws.levels.index(level)]
        value = quantile_interval(drawdown, level, confidence=interval.confidence).value
        if value > 0.0 and column.min() > 0.0:
            factor = math.exp(t * float(np.std(np.log(column), ddof=1)))
            spread = Spread(spread.median, value / factor, value * factor)
        found.append((level, spread))
    return tuple(found)


def _few(model: ClaimsModel) -> Any:
    return model.run.model_copy(update={"n_paths": PATHS})


def _refitted(fit: Fit, model: ClaimsModel, n_draws: int) -> Iterator[ClaimsModel | None]:
    """Yield the model with the laws of one drawn history after the other; None where there are none with a mean."""
    short = {"horizon_hours": fit.history.years * HOURS, "seed": model.run.seed + OTHER_SEED}
    past = model.model_copy(update={"run": model.run.model_copy(update=short)})
    for draw in range(n_draws):
        _, times, marks = claim_times(past, draw, 1)
        sizes = past.amounts(marks)
        if times.size < FEWEST:
            yield None
            continue
        try:
            frequency = _again(Frequency, model.frequency, fit.frequencies[0], Arrivals(times, fit.history.years))
            severity = _again(Severity, model.severity, fit.severities[0], sizes)
            parts = {"frequency": frequency.model_dump(), "severity": severity.model_dump()}
            yield ClaimsModel.from_tables({**model.tables(), **parts, "run": _few(model).model_dump()})
        except (ValueError, RuntimeError, IndexError):  # no law has a fit, or none that has one has a mean
            yield None


def _again(family: type[Any], law: Any, best: Fitted, data: Any) -> Any:
    """Return the law of a drawn history: the best, if that was how `law` was chosen; of its kind, if it was stated."""
    return fitted(family, data)[0].part if type(law) is type(best.part) else type(law).fitted(data)[0]


def _numbers(model: ClaimsModel) -> dict[str, float]:
    """Return what any two laws have in common, by dotted name."""
    return {"frequency.mean_rate": model.frequency.mean_rate, "severity.mean": model.mean_claim}
