"""Which inputs move the answer: Sobol indices and elementary effects of the logarithm of the reserve."""

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stress.scenario import ScenarioError
from stress.sweeps.axes import Axis
from stress.sweeps.designs import Design, extra, unit_problem
from stress.sweeps.result import Sweep

__all__ = ["Effect", "Sensitivity", "sensitivity"]

METHODS = ("sobol", "morris")
SCHEMA = "fundstress.sensitivity/1"


@dataclass(frozen=True)
class Effect:
    """What one input does.

    Parameters
    ----------
    name : str
    first, first_error : float or None
        First-order Sobol index, and the half-width of its interval.
    total, total_error : float
        Total Sobol index, or Morris's mu* in log(reserve) over the range, and the half-width of its interval.
    spread : float or None
        Morris's sigma: how much the effect differs from place to place.
    """

    name: str
    first: float | None
    first_error: float | None
    total: float
    total_error: float
    spread: float | None = None


@dataclass(frozen=True)
class Sensitivity:
    """Effects of all inputs, the strongest first.

    Parameters
    ----------
    method : {"sobol", "morris"}
    target : str
        What the effects are of.
    n_points : int
    confidence : float
        Of the intervals.
    noise_share : float or None
        Share of the variance of the target that is the simulation's own error; None where it is not known.
    effects : tuple of Effect
    """

    method: str
    target: str
    n_points: int
    confidence: float
    noise_share: float | None
    effects: tuple[Effect, ...]

    def __str__(self) -> str:
        names = {"sobol": "Sobol indices", "morris": "Elementary effects (Morris)"}
        lines = [f"{names[self.method]} of {self.target}, {self.n_points:,} points"]
        if self.noise_share is not None:
            lines.append(f"simulation error: {100 * self.noise_share:.1f} % of the variance between points")
        head = ("first order", "total") if self.method == "sobol" else ("mu*", "sigma")
        width = max(len(effect.name) for effect in self.effects)
        lines += ["", f"{'input':<{width}}  {head[0]:>16}  {head[1]:>16}"]
        lines += [f"{effect.name:<{width}}  {_pair(effect)}" for effect in self.effects]
        return "\n".join([*lines, "", f"intervals: {100 * self.confidence:g} %, bootstrap over the design"])

    def to_dict(self) -> dict[str, Any]:
        """Return the ``fundstress.sensitivity/1`` document."""
        return {"schema": SCHEMA, **asdict(self)}

    def to_json(self) -> str:
        """Return `to_dict` as strict JSON text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)


def _pair(effect: Effect) -> str:
    total = f"{effect.total:.3f} ±{effect.total_error:.3f}"
    if effect.first is None:
        return f"{total:>16}  {effect.spread or 0.0:>16.3f}"
    return f"{f'{effect.first:.3f} ±{effect.first_error:.3f}':>16}  {total:>16}"


def sensitivity(
    sweep: Sweep, method: str | None = None, *, level: float | None = None, confidence: float = 0.95, rng: Any = 7
) -> Sensitivity:
    """Return the effects of a sweep's inputs on the logarithm of its reserve.

    Parameters
    ----------
    sweep : Sweep
        With the design ``saltelli`` or ``morris``.
    method : {"sobol", "morris"}, optional
        What the design was made for by default.
    level : float, optional
        Of the reserve; the highest that no point refused by default.
    confidence : float
        Of the intervals, by SALib's bootstrap over the design.
    rng : int
        Of the bootstrap.

    Returns
    -------
    Sensitivity
        Sobol indices by the estimators of Saltelli et al. (2010) and Jansen (1999), elementary effects by
        Morris (1991) with mu* of Campolongo et al. (2007); both as SALib computes them.

    Raises
    ------
    ScenarioError
        If the design does not fit the method, a point has no answer, or a reserve is zero.
    """
    design = _design(sweep, method)
    chosen = sweep.best_level if level is None else level
    y = log_reserve(sweep, chosen)
    analyse = _sobol if design.method == "sobol" else _morris
    effects = analyse(sweep, design, y, {"conf_level": confidence, "seed": rng})
    ordered = tuple(sorted(effects, key=lambda effect: -effect.total))
    target = f"log(reserve at {100 * chosen:g} %)"
    return Sensitivity(design.method, target, len(y), confidence, _noise_share(sweep, chosen, y), ordered)


def _design(sweep: Sweep, method: str | None) -> Any:
    if method not in (None, *METHODS):
        raise ScenarioError(f"--method {method}: unknown, known: {', '.join(METHODS)}")
    kind = sweep.about["design"]["kind"]
    made_for = Design.member(kind).method  # type: ignore[attr-defined]
    if not made_for or method not in (None, made_for):
        needed = {"sobol": "saltelli", "morris": "morris"}
        wanted = repr(needed[method]) if method else "'saltelli' or 'morris'"
        raise ScenarioError(f"--method {method or '(none)'}: the design of this sweep is {kind!r}; it needs {wanted}")
    return Design.choose(sweep.about["design"])


def log_reserve(sweep: Sweep, level: float) -> np.ndarray:
    """Return the logarithm of every point's reserve, shape (n,), in the order of the design.

    Raises
    ------
    ScenarioError
        If a point is missing, failed, refused the level, or needs no reserve: its logarithm is not known.
    """
    if level not in sweep.levels:
        raise ScenarioError(
            f"--level {level:g}: not of this sweep, known: {', '.join(map('{:g}'.format, sweep.levels))}"
        )
    n, y = sweep.about["n_points"], sweep.outcome(f"reserve_{level:g}")
    if len(y) < n:
        raise ScenarioError(f"sweep: {n - len(y)} of {n} points are not finished; finish it with --resume")
    reasons = {"failed": ~sweep.done, "refused this level": sweep.done & np.isnan(y), "need no reserve": y <= 0.0}
    for reason, bad in reasons.items():
        if bad.any():
            raise ScenarioError(
                f"sweep: {bad.sum()} of {n} points {reason} (the first is point {np.argmax(bad)}); "
                "choose a lower --level, more paths or narrower ranges"
            )
    return np.log(y)


def _noise_share(sweep: Sweep, level: float, y: np.ndarray) -> float | None:
    error = sweep.outcome(f"log_error_{level:g}")
    spread = float(np.var(y))
    if spread == 0.0 or not np.isfinite(error).any():
        return None
    return min(1.0, float(np.nanmean(np.square(error))) / spread)


def _sobol(sweep: Sweep, design: Any, y: np.ndarray, how: dict[str, Any]) -> list[Effect]:
    analyze = extra("SALib.analyze.sobol", "sensitivity").analyze
    problem = unit_problem(len(sweep.axes), sweep.axes)
    found = analyze(problem, y, calc_second_order=design.pairs, **how)
    columns = zip(sweep.axes, *(map(float, found[key]) for key in ("S1", "S1_conf", "ST", "ST_conf")), strict=True)
    return [Effect(*row) for row in columns]


def _morris(sweep: Sweep, design: Any, y: np.ndarray, how: dict[str, Any]) -> list[Effect]:
    analyze = extra("SALib.analyze.morris", "sensitivity").analyze
    axes = [Axis.model_validate(table) for table in sweep.about["ranges"]]
    places = np.column_stack([axis.places(sweep.outcome(axis.column)) for axis in axes])
    found = analyze(unit_problem(len(axes), sweep.axes), places, y, num_levels=design.levels, **how)
    columns = zip(sweep.axes, *(map(float, found[key]) for key in ("mu_star", "mu_star_conf", "sigma")), strict=True)
    return [Effect(name, None, None, mu, error, sigma) for name, mu, error, sigma in columns]
