"""What a run folder says about how its numbers were made: versions, machine, configuration, hashes."""

import hashlib
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from stress import __version__
from stress.outcomes import Outcomes
from stress.rules import PACKAGE, cache_folder
from stress.scenario import Scenario

__all__ = [
    "SCHEMA",
    "circumstances",
    "code_hash",
    "cpu_model",
    "describe_run",
    "file_hash",
    "git_revision",
    "now",
    "versions",
]

SCHEMA = "fundstress.manifest/1"
PACKAGES = ("numba", "numpy", "mesa")


def versions() -> dict[str, str]:
    """Return the versions that the numbers may depend on, without importing the packages."""
    return {"stress": __version__, "python": platform.python_version(), **{p: _version(p) for p in PACKAGES}}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


def code_hash() -> str:
    """Return the hash of all sources of the package and of numba's version."""
    return cache_folder().name


def cpu_model() -> str:
    """Return the processor's name; no host and no user."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def git_revision() -> str | None:
    """Return the commit that the package was checked out at, with ``-dirty`` if it was edited; None elsewhere."""
    if not (PACKAGE.parent / ".git").exists():
        return None
    command = ["git", "-C", str(PACKAGE.parent), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip() or None
    except (OSError, subprocess.SubprocessError):
        return None


def now() -> str:
    """Return the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def file_hash(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def circumstances() -> dict[str, Any]:
    """Return versions, code and machine: what numbers may depend on besides the configuration."""
    return {
        "versions": versions(),
        "code": code_hash(),
        "git": git_revision(),
        "machine": {"cpu": cpu_model(), "cores": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}"},
    }


def describe_run(scenario: Scenario, outcomes: Outcomes, *, threads: int | None, **more: Any) -> dict[str, Any]:
    """Return the manifest of a run, JSON-ready.

    Parameters
    ----------
    scenario : Scenario
        Resolved, as it was run.
    outcomes : Outcomes
    threads : int or None
        Worker threads asked for; None is all cores.
    **more
        Further entries, e.g. ``started`` and ``files``.
    """
    facts = outcomes.facts
    return {
        "schema": SCHEMA,
        "name": facts.scenario,
        "config_sha256": scenario.sha256,
        "seed": facts.seed,
        "engine": facts.engine,
        "engine_why": facts.engine_note,
        "n_paths": outcomes.n_paths,
        "n_populations": outcomes.n_populations,
        "n_steps": facts.n_steps,
        "n_accounts": facts.n_accounts,
        "outcomes_digest": outcomes.digest(),
        "threads": threads or os.cpu_count() or 1,
        **circumstances(),
        **more,
        "config": scenario.tables(),
    }
