"""How little a short history says: the same laws fitted to histories that the fitted ones might have given.

A parametric bootstrap (Efron and Tibshirani 1993, section 6.5): it holds the noise of the numbers, not the choice of
laws.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from stress.claims.base import Arrivals
from stress.claims.fitting import Fit
from stress.claims.model import HOURS, ClaimsModel
from stress.claims.simulate import claim_times, simulate
from stress.registry import NUMBERS
from stress.summary import ParameterInterval, quantile_interval
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
    return interval, n_draws - len(kept)


def _refitted(fit: Fit, model: ClaimsModel, n_draws: int) -> Iterator[ClaimsModel | None]:
    """Yield the model with laws fitted to one drawn history after the other; None where there are none with a mean."""
    short = {"horizon_hours": fit.history.years * HOURS, "seed": model.run.seed + OTHER_SEED}
    past = model.model_copy(update={"run": model.run.model_copy(update=short)})
    few = model.run.model_copy(update={"n_paths": PATHS})
    for draw in range(n_draws):
        _, times, marks = claim_times(past, draw, 1)
        sizes = np.minimum(past.severity.frozen().isf(marks), past.limit_usd or np.inf)
        if times.size < FEWEST:
            yield None
            continue
        try:
            frequency, _ = type(model.frequency).fitted(Arrivals(times, fit.history.years))
            severity, _ = type(model.severity).fitted(sizes)
            tables = {**model.tables(), "frequency": frequency.model_dump(), "severity": severity.model_dump()}
            yield ClaimsModel.from_tables({**tables, "run": few.model_dump()})
        except (ValueError, RuntimeError):
            yield None


def _numbers(model: ClaimsModel) -> dict[str, float]:
    """Return the numbers of both laws by dotted name."""
    parts = {"frequency": model.frequency, "severity": model.severity}
    return {
        f"{place}.{name}": float(getattr(part, name))
        for place, part in parts.items()
        for name, field in type(part).model_fields.items()
        if field.annotation in NUMBERS
    }
