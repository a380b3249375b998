"""Run a plan into a store: what is missing of it, then what a refinement adds."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from stress.engines.base import Progress, seed_of
from stress.scenario import Scenario
from stress.sweeps.drive import drive
from stress.sweeps.plan import Plan
from stress.sweeps.point import Task, answer_columns, solve, task_of, warm
from stress.sweeps.refine import refined
from stress.sweeps.result import Sweep
from stress.sweeps.store import Store
from stress.sweeps.workers import Workers, opened

__all__ = ["about", "run_plan", "schema_of", "sweep"]

SCHEMA = "fundstress.sweep/1"


def schema_of(plan: Plan) -> pa.Schema:
    """Return the columns of a part."""
    fields = [("point", pa.int64()), ("status", pa.string()), ("error", pa.string())]
    fields += [(axis.column, pa.float64() if axis.numeric else pa.string()) for axis in plan.axes]
    answers = answer_columns(plan.scenario.reserve.levels, plan.settings.means)
    return pa.schema([*fields, ("n_paths", pa.int64()), *((name, pa.float64()) for name in answers)])


def about(plan: Plan) -> dict[str, Any]:
    """Return what a folder says of its sweep, JSON-ready."""
    scenario = plan.scenario
    return {
        "schema": SCHEMA,
        "name": plan.settings.name,
        **plan.identity,
        "scenario": scenario.run.name,
        "seed": plan.seed,
        "horizon_hours": scenario.run.horizon_hours,
        "unit": scenario.exchange.unit,
        "levels": list(scenario.reserve.levels),
        "axes": list(plan.columns),
        "ranges": [axis.model_dump(mode="json") for axis in plan.axes],
        "design": _design_of(plan),
        "n_points": len(plan.rows),
    }


def _design_of(plan: Plan) -> dict[str, Any]:
    """Return the settings of the design; points that were written out are in the rows."""
    design = plan.settings.design.model_dump(mode="json")
    return {"kind": "list"} if design["kind"] == "list" else design


def run_plan(plan: Plan, store: Store, workers: Workers, progress: Progress) -> Plan:
    """Run what is missing of a plan, and return the plan with the points that a refinement added.

    Raises
    ------
    Gone
        If the executor broke for good.
    """
    try:
        for rounds_left in range(plan.settings.refine.rounds if plan.settings.refine else 0, -1, -1):
            _run_points(plan, store, workers, progress)
            further = refined(plan, _ruin(store, len(plan.rows))) if rounds_left else ()
            if not further:
                break
            plan = plan.with_rows(further)
            plan.check()
    finally:
        store.flush()
    return plan


def _ruin(store: Store, n: int) -> np.ndarray:
    store.flush()
    table, ruin = store.table(), np.full(n, np.nan)
    points = table["point"].to_numpy()
    here = points < n
    ruin[points[here]] = table["ruin"].to_numpy()[here]
    return ruin


def _run_points(plan: Plan, store: Store, workers: Workers, progress: Progress) -> None:
    missing = [point for point in range(len(plan.rows)) if not store.finished(point)]
    progress.total, progress.done = len(plan.rows), len(plan.rows) - len(missing)
    progress.update(progress)

    def keep(row: dict[str, Any]) -> None:
        """Keep a row with the values of its axes."""
        store.put({**plan.cells(row["point"]), **row})
        progress.add(1)

    if missing:
        _warm_kinds(plan, missing)
        drive(solve, _tasks(plan, missing), workers, keep)


def _tasks(plan: Plan, points: list[int]) -> Iterator[Task]:
    return (task_of(plan, point) for point in points)


def _warm_kinds(plan: Plan, points: list[int]) -> None:
    """Compile once what the workers will share: for each combination of values that are no numbers."""
    others = [i for i, axis in enumerate(plan.axes) if not axis.numeric]
    seen = {repr([plan.rows[point][i] for i in others]): point for point in reversed(points)}
    for point in seen.values():
        with suppress(Exception):  # the point itself says so, in its row
            warm(task_of(plan, point))


def sweep(
    scenario: Scenario | str | Path,
    axes: Mapping[str, Any],
    *,
    design: str | Mapping[str, Any] = "grid",
    points: Any = None,
    n_paths: int = 5_000,
    executor: str | Executor = "threads",
    workers: int | None = None,
    rng: Any = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Sweep:
    """Run a scenario at many points.

    Parameters
    ----------
    scenario : Scenario or path-like
        A preset can vary only over a file.
    axes : mapping
        Dotted name to a list of values or to ``(low, high)`` as a tuple, or a problem of SALib (``names``,
        ``bounds``).
    design : str or mapping
        ``grid``, ``zip``, ``latin_hypercube``, ``sobol``, ``saltelli``, ``morris``, or a table with its settings.
    points : array_like, shape (n, d), optional
        Points of a sampler of your own, in the units of the axes; `design` is then not used.
    n_paths : int
        Of every point.
    executor : {"threads", "processes", "dask"} or concurrent.futures.Executor
        Results do not depend on it.
    workers : int, optional
        All cores by default.
    rng : int, SeedSequence or Generator, optional
        Root of all randomness; the scenario's seed by default.
    out : path-like, optional
        New folder, or one of the same sweep to go on with; without it the rows stay in memory.
    progress : Progress, optional
        Told about finished points.
    **settings
        Further keys of ``[sweep]``, e.g. ``means`` and ``precision``.

    Returns
    -------
    Sweep

    Raises
    ------
    ScenarioError
        If an axis is unknown or empty, or a point is no valid scenario.
    """
    given = {"name": "sweep", "n_paths": n_paths, "design": design, **settings}
    if rng is not None:
        given["seed"] = seed_of(rng, 0)
    if points is not None:
        given["design"] = {"kind": "list", "points": np.asarray(points).tolist()}
    tables = {"sweep": given, "axis": axis_tables(axes)}
    plan = Plan.of(scenario, tables) if isinstance(scenario, Scenario) else Plan.over(scenario, tables)
    with TemporaryDirectory() as folder, opened(executor, workers) as found:
        store = _store(plan, Path(folder) if out is None else Path(out))
        run_plan(plan, store, found, progress or Progress())
        return Sweep(store.table(), plan.columns, about(plan))


def _store(plan: Plan, path: Path) -> Store:
    path.mkdir(parents=True, exist_ok=True)
    if any(path.iterdir()):
        return Store.reopen(path, schema_of(plan), plan.identity)
    return Store.create(path, schema_of(plan), about(plan))


def axis_tables(axes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the ``[[axis]]`` tables of a mapping of names to values, or of a problem of SALib."""
    if "bounds" in axes and "names" in axes:
        axes = {name: tuple(map(float, ends)) for name, ends in zip(axes["names"], axes["bounds"], strict=True)}
    return [_axis_table(name, values) for name, values in axes.items()]


def _axis_table(name: str, values: Any) -> dict[str, Any]:
    if isinstance(values, Mapping):
        return {"name": name, **values}
    if isinstance(values, tuple) and len(values) == 2:
        return {"name": name, "low": values[0], "high": values[1]}
    return {"name": name, "values": np.asarray(values).tolist() if isinstance(values, np.ndarray) else list(values)}
