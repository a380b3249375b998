"""The folder of a sweep: new, or that of an unfinished sweep of the same plan."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from stress.manifest import SCHEMA, circumstances
from stress.rundir import MANIFEST, RunFolder
from stress.scenario import ScenarioError
from stress.sweeps.plan import Plan
from stress.sweeps.store import IDENTITY, Store
from stress.sweeps.study import about, schema_of

__all__ = ["is_sweep", "manifest_of", "new_folder", "old_folder"]


def is_sweep(path: Path) -> bool:
    """Say whether a folder is that of a sweep, finished or not."""
    return (path / IDENTITY).is_file()


def _folders(plan: Plan) -> Iterator[Path]:
    """Yield ``runs/<name>-<hash8>-sweep``, then the same with -2, -3, ..., without end."""
    stem = Path("runs") / f"{plan.settings.name}-{plan.identity['plan_sha256'][:8]}-sweep"
    yield stem
    yield from (stem.with_name(f"{stem.name}-{n}") for n in count(2))


def new_folder(plan: Plan, out: Path | None) -> tuple[RunFolder, Store]:
    """Return a new folder and its empty store.

    Raises
    ------
    ScenarioError
        If `out` exists: a sweep is never overwritten.
    """
    path = out or next(path for path in _folders(plan) if not path.exists())
    if (path / IDENTITY).exists():
        raise ScenarioError(f"{path}: holds a sweep already; go on with it by --resume, or give another --out")
    folder = RunFolder.claim(plan.scenario, path)
    return folder, Store.create(path, schema_of(plan), about(plan))


def old_folder(plan: Plan, out: Path | None) -> tuple[RunFolder, Store]:
    """Return the folder and the store of a sweep that is not finished, or of which points failed.

    Raises
    ------
    ScenarioError
        If there is none, or nothing is left to do.
    """
    path = out or _last(plan)
    store = Store.reopen(path, schema_of(plan), plan.identity)
    if (path / MANIFEST).exists() and not store.counts()["failed"]:
        raise ScenarioError(f"{path}: the sweep is finished; there is nothing to resume")
    return RunFolder(path), store


def _last(plan: Plan) -> Path:
    found = []
    for path in _folders(plan):
        if not path.exists():
            break
        found.append(path)
    if not found:
        raise ScenarioError(f"--resume: there is no {next(_folders(plan))} of this file; start it without --resume")
    return found[-1]


def manifest_of(plan: Plan, store: Store, **more: Any) -> dict[str, Any]:
    """Return the manifest of a sweep, JSON-ready."""
    return {
        "schema": SCHEMA,
        "kind": "sweep",
        **about(plan),
        **store.counts(),
        "rows_digest": store.digest(),
        **circumstances(),
        **more,
        "config": plan.scenario.tables(),
    }
