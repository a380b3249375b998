"""Is this installation in order: versions, threads, the cache of compiled kernels; and fill that cache."""

import os
import time
from pathlib import Path

from stress.engines.base import Job
from stress.manifest import cpu_model, git_revision, versions
from stress.rules import PACKAGE, cache_folder
from stress.scenario import Scenario, ScenarioError

__all__ = ["facts", "warm"]

ENGINES = ("auto", "loop")  # the loop takes whatever a ladder cannot


def facts() -> dict[str, str]:
    """Return what to know about this installation, name to text."""
    found = versions()
    if revision := git_revision():
        found["commit"] = revision
    return found | {
        "package": str(PACKAGE),
        "processor": f"{cpu_model()}, {os.cpu_count()} cores",
        "threads": f"{os.cpu_count()} by default: a thread pool of kernels that release the GIL",
        "numba": f"{found['numba']}, kernels on a thread pool without the GIL (no threading layer is used)",
        "cache": _cache_state(),
    }


def _cache_state() -> str:
    folder = cache_folder()
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(nearest, os.W_OK):
        return f"{folder} (cannot be written: every process compiles anew)"
    kernels = list(folder.rglob("*.nbc"))
    size = sum(path.stat().st_size for path in kernels) / 1e6
    return f"{folder} ({len(kernels)} compiled kernels, {size:.1f} MB)"


def warm(configs: list[Path]) -> None:
    """Compile the kernels of scenarios, by default of all in ``configs/``, and print the time that each took.

    Raises
    ------
    ScenarioError
        If there is no scenario.
    """
    configs = configs or sorted(Path("configs").glob("*.toml"))
    if not configs:
        raise ScenarioError("doctor --warm: no CONFIG given and no configs/*.toml here")
    for path in configs:
        scenario, started = Scenario.load(path), time.perf_counter()
        for engine in ENGINES:
            job = Job(scenario.with_(**{"run.n_paths": 1, "run.engine": engine}))
            job.engine.warm(job.population(0))
        print(f"warmed {path} in {time.perf_counter() - started:.1f} s", flush=True)
