"""A map of the reserve over the axes, fitted to a sweep and labeled as what it is: a guess between points."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from stress.scenario import ScenarioError
from stress.sweeps.axes import Axis
from stress.sweeps.designs import extra
from stress.sweeps.effects import log_reserve
from stress.sweeps.result import Sweep
from stress.toml import hint

__all__ = ["Surrogate", "surrogate"]

KINDS = ("gaussian_process", "boosted_trees")
FOLDS = 5
FEWEST = 4 * FOLDS


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A fitted map; call it with values of the axes.

    Parameters
    ----------
    model : object
        Of scikit-learn.
    kind : str
    axes : tuple of Axis
    level : float
        Of the reserve.
    error : float
        Root mean square error of log(reserve) at points that the fit had not seen.
    explained : float
        Share of the variance of log(reserve) that these predictions explain.
    """

    model: Any
    kind: str
    axes: tuple[Axis, ...]
    level: float
    error: float
    explained: float

    def __str__(self) -> str:
        return (
            f"surrogate ({self.kind}) of the {100 * self.level:g} % reserve over {len(self.axes)} axes: "
            f"error {100 * np.expm1(self.error):.1f} %, explains {100 * self.explained:.1f} % of log(reserve) "
            f"({FOLDS}-fold cross-validation); an interpolation, not a simulation"
        )

    def __call__(self, **values: Any) -> np.ndarray:
        """Return the reserve where every axis has a value, by column name; shape of the values.

        Raises
        ------
        ScenarioError
            If an axis is missing or unknown.
        """
        names = [axis.column for axis in self.axes]
        for name in values:
            if name not in names:
                raise ScenarioError(f"surrogate: unknown axis {name!r}{hint(name, names)}")
        for name in names:
            if name not in values:
                raise ScenarioError(f"surrogate: axis {name!r} is missing")
        columns = np.broadcast_arrays(*(np.asarray(values[name], float) for name in names))
        flat = np.column_stack([axis.places(x.ravel()) for axis, x in zip(self.axes, columns, strict=True)])
        return np.exp(self.model.predict(flat)).reshape(columns[0].shape)


def surrogate(sweep: Sweep, kind: str = "gaussian_process", *, level: float | None = None, rng: int = 7) -> Surrogate:
    """Fit a map of log(reserve) to the points of a sweep.

    Parameters
    ----------
    sweep : Sweep
        All of its axes are numbers.
    kind : {"gaussian_process", "boosted_trees"}
        The first for smooth answers and up to some thousand points, the second for more.
    level : float, optional
        The highest that no point refused by default.
    rng : int
        Of folds and fit.

    Raises
    ------
    ScenarioError
        If there are too few points, an axis is no number, or scikit-learn is not installed.
    """
    if kind not in KINDS:
        raise ScenarioError(f"surrogate: unknown kind {kind!r}, known: {', '.join(KINDS)}")
    axes = tuple(Axis.model_validate(table) for table in sweep.about["ranges"])
    for axis in axes:
        if not axis.numeric:
            raise ScenarioError(f"surrogate: axis {axis.column!r} has values that are no numbers")
    if len(sweep) < FEWEST:
        raise ScenarioError(f"surrogate: {len(sweep)} points are too few, it needs {FEWEST}")
    chosen = sweep.best_level if level is None else level
    x = np.column_stack([axis.places(sweep.outcome(axis.column)) for axis in axes])
    y, model = log_reserve(sweep, chosen), _model(kind, len(axes), rng)
    with warnings.catch_warnings():  # what the search of the kernel misses shows in the error at unseen points
        warnings.simplefilter("ignore", extra("sklearn.exceptions", "surrogate").ConvergenceWarning)
        return Surrogate(model.fit(x, y), kind, axes, chosen, *_cross_validated(model, x, y, rng))


def _model(kind: str, n_axes: int, rng: int) -> Any:
    try:
        if kind == "boosted_trees":
            return extra("sklearn.ensemble", "surrogate").GradientBoostingRegressor(random_state=rng)
        process = extra("sklearn.gaussian_process", "surrogate")
        kernels = extra("sklearn.gaussian_process.kernels", "surrogate")
    except ValueError as error:
        raise ScenarioError(f"surrogate: {error}") from None
    lengths = kernels.Matern(np.ones(n_axes), (0.05, 50.0), nu=2.5)
    kernel = kernels.ConstantKernel(1.0, (1e-3, 1e3)) * lengths + kernels.WhiteKernel(1e-2, (1e-8, 1.0))
    return process.GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=2, random_state=rng)


def _cross_validated(model: Any, x: np.ndarray, y: np.ndarray, rng: int) -> tuple[float, float]:
    """Return the error at unseen points, and the share of the variance that the predictions explain."""
    selection = extra("sklearn.model_selection", "surrogate")
    folds = selection.KFold(FOLDS, shuffle=True, random_state=rng)
    guessed = selection.cross_val_predict(model, x, y, cv=folds)
    square = float(np.mean(np.square(y - guessed)))
    return square**0.5, 1.0 - square / float(np.var(y)) if np.var(y) > 0.0 else 0.0
