"""The folder of a run: claimed before the first path, filled file by file, finished by its manifest.

A folder without ``manifest.json`` is an unfinished run.  Every file is written whole or not at all.
"""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Self

import numpy as np

from stress.engines.choose import Choice
from stress.engines.results import Results
from stress.manifest import code_hash, file_hash
from stress.outcomes import Outcomes
from stress.scenario import Scenario, ScenarioError
from stress.summary import Summary

__all__ = ["MANIFEST", "RunFolder", "default_folders"]

MANIFEST, PARTIAL, PARTIAL_DATA = "manifest.json", "partial.json", "partial.npz"
FULL = (errno.ENOSPC, errno.EDQUOT)


def default_folders(scenario: Scenario, kind: str) -> Iterator[Path]:
    """Yield ``runs/<name>-<hash8><kind>``, then the same with -2, -3, ..., without end."""
    stem = Path("runs") / f"{scenario.run.name}-{scenario.sha256[:8]}{kind}"
    yield stem
    yield from (stem.with_name(f"{stem.name}-{n}") for n in count(2))


class RunFolder:
    """A folder that belongs to this run; as a context it vanishes if an error leaves it empty."""

    def __init__(self, path: Path, created: tuple[Path, ...] = ()):
        self.path = path
        self._created = created  # deepest first
        self._written: list[str] = []

    @classmethod
    def claim(cls, scenario: Scenario, out: Path | None = None, *, kind: str = "") -> Self:
        """Create a new folder: `out`, or ``runs/<name>-<hash8><kind>`` with a suffix if that is taken.

        Raises
        ------
        ScenarioError
            If `out` exists, or no folder can be made there.
        """
        if out is not None:
            return cls._create(out)
        return cls._create(next(path for path in default_folders(scenario, kind) if not path.exists()))

    @classmethod
    def _create(cls, path: Path) -> Self:
        missing = tuple(p for p in (path, *path.parents) if not p.exists())
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            hint = f"; continue its run with --resume {path}" if (path / PARTIAL).exists() else ""
            raise ScenarioError(f"{path}: exists already, and a run is never overwritten{hint}") from None
        except OSError as error:
            cls(path, missing)._release()
            if error.errno in FULL:
                raise
            raise ScenarioError(f"{path}: cannot be written: {error.strerror}") from None
        folder = cls(path, missing)
        folder._check_writable()
        return folder

    @classmethod
    def reopen(cls, path: Path) -> Self:
        """Return the folder of an interrupted run.

        Raises
        ------
        ScenarioError
            If it holds none, or cannot be written.
        """
        if not path.is_dir():
            raise ScenarioError(f"{path}: no such run folder")
        if (path / MANIFEST).exists():
            raise ScenarioError(f"{path}: the run is finished; there is nothing to resume")
        if not (path / PARTIAL).exists():
            raise ScenarioError(f"{path}: holds no interrupted run (there is no {PARTIAL})")
        folder = cls(path)
        folder._check_writable()
        return folder

    def _check_writable(self) -> None:
        if not os.access(self.path, os.W_OK | os.X_OK):
            self._release()
            raise ScenarioError(f"{self.path}: cannot be written: the folder is read-only")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._release()

    def _release(self) -> None:
        """Remove what was created here, as far as it is empty."""
        for path in self._created:
            try:
                path.rmdir()
            except OSError:
                return

    def write_run(self, scenario: Scenario, outcomes: Outcomes, summary: Summary) -> None:
        """Write the configuration, the outcomes and the summary."""
        self.write_text("config.toml", scenario.to_toml())
        self.write_outcomes(outcomes)
        self.write_summary(summary)

    def write_outcomes(self, outcomes: Outcomes, name: str = "outcomes.parquet") -> None:
        """Write outcomes, one row a path."""
        with self._replacing(name) as path:
            outcomes.save(path)

    def write_summary(self, summary: Summary) -> None:
        """Write the summary; a later one replaces it."""
        self.write_text("summary.json", summary.to_json() + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Write a text file."""
        with self._replacing(name) as path:
            path.write_text(text, encoding="utf-8")

    def write_ledger(self, rows: np.ndarray) -> None:
        """Write liquidations, a structured array with columns path, step, round, account, qty."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        names = rows.dtype.names or ()
        table = pa.table({name: np.ascontiguousarray(rows[name]) for name in names})
        with self._replacing("ledger.parquet") as path:
            pq.write_table(table, path, compression="zstd")

    def write_figure(self, name: str, axes: Any, ending: str = "png") -> None:
        """Write one figure into ``figures/``."""
        from stress.plots import save

        (self.path / "figures").mkdir(exist_ok=True)
        with self._replacing(f"figures/{name}.{ending}") as path:
            save(axes, path)

    def finish(self, manifest: dict[str, Any]) -> None:
        """Write the manifest, which makes the run a finished one, and remove what was kept for a resumption."""
        manifest = {**manifest, "files": {name: file_hash(self.path / name) for name in self._written}}
        self.write_text(MANIFEST, json.dumps(manifest, indent=2, allow_nan=False) + "\n")
        for name in (PARTIAL, PARTIAL_DATA):
            (self.path / name).unlink(missing_ok=True)

    def keep(self, results: Results, *, ledger: bool) -> None:
        """Save the finished paths of an interrupted run."""
        with self._replacing(PARTIAL_DATA) as path:
            results.save(path)
        known = {**_identity(results.scenario), "ledger": ledger, "n_done": results.n_done, "n_paths": results.n_paths}
        self.write_text(PARTIAL, json.dumps(known, indent=2) + "\n")

    def kept(self, scenario: Scenario, choice: Choice, *, ledger: bool) -> Results:
        """Return the finished paths of an interrupted run.

        Raises
        ------
        ScenarioError
            If they are of another configuration or of other code, or cannot be read.
        """
        try:
            known = json.loads((self.path / PARTIAL).read_text(encoding="utf-8"))
            _check_same(self.path, known, scenario, ledger=ledger)
            return Results.load(self.path / PARTIAL_DATA, scenario, choice)
        except ScenarioError:
            raise
        except (OSError, ValueError, KeyError, AttributeError, EOFError) as error:
            raise ScenarioError(f"{self.path}: what was kept cannot be read: {error}") from None

    @contextmanager
    def _replacing(self, name: str) -> Iterator[Path]:
        """Yield a temporary path that becomes `name` only when the block succeeds."""
        path = self.path / name
        temporary = path.with_name(f".{os.getpid()}.{path.name}")
        try:
            yield temporary
            os.replace(temporary, path)
        except OSError as error:
            error.filename = str(path)  # the user knows nothing of the temporary file
            raise
        finally:
            temporary.unlink(missing_ok=True)
        self._written.append(name)


def _identity(scenario: Scenario) -> dict[str, str]:
    return {"schema": "fundstress.partial/1", "config_sha256": scenario.sha256, "code": code_hash()}


def _check_same(path: Path, known: dict[str, Any], scenario: Scenario, *, ledger: bool) -> None:
    """Refuse to mix paths of different configurations or rules."""
    expected = _identity(scenario)
    if known["config_sha256"] != expected["config_sha256"]:
        raise ScenarioError(
            f"{path}: was started with another configuration ({known['config_sha256'][:8]}, "
            f"not {scenario.sha256[:8]}); resume with the same file, --set, --paths, --seed and --engine"
        )
    if known["code"] != expected["code"]:
        raise ScenarioError(f"{path}: was started with another version of the package; its paths cannot be mixed")
    if ledger and not known["ledger"]:
        raise ScenarioError(f"{path}: was started without --ledger; the finished paths have none")
