"""The folder of draws of the parameters: continued while it is unfinished, found by the runs beside it.

Until ``manifest.json`` finishes it, ``draws.json`` says which study it belongs to and ``kept/`` has one file
of drawdowns per draw.
"""

import json
import shutil
from pathlib import Path
from typing import Any, Self

import numpy as np

from stress.manifest import code_hash
from stress.rundir import MANIFEST, RunFolder, default_folders
from stress.scenario import Scenario, ScenarioError
from stress.summary import ParameterInterval, parameters_from_dict

__all__ = ["DrawFolder", "find_parameters", "made_with"]

KIND, STUDY, KEPT, FOUND = "-uncertainty", "draws.json", "kept", "uncertainty.json"
FIELDS = tuple(ParameterInterval.__dataclass_fields__)


class DrawFolder(RunFolder):
    """A folder of draws; a mapping from a draw's number to its drawdowns, as `stress.uncertainty` keeps them."""

    study: dict[str, Any]

    @classmethod
    def open(cls, scenario: Scenario, out: Path | None, settings: dict[str, Any]) -> Self:
        """Return the unfinished folder of the same study, or a new one.

        Parameters
        ----------
        scenario : Scenario
        out : Path or None
            ``runs/<name>-<hash8>-uncertainty`` with a suffix by default.
        settings : dict
            Numbers of draws and paths: what else must be equal.

        Raises
        ------
        ScenarioError
            If `out` exists and is not the unfinished folder of this study.
        """
        study = {"config_sha256": scenario.sha256, "code": code_hash(), **settings}
        for path in default_folders(scenario, KIND) if out is None else (out,):
            if not path.exists():
                break
            if (path / STUDY).is_file() and not (path / MANIFEST).exists():
                if json.loads((path / STUDY).read_text(encoding="utf-8")) == study:
                    return cls(path)._of(study)
                if out is not None:
                    raise ScenarioError(f"{path}: holds unfinished draws of another configuration, code or size")
        return cls.claim(scenario, out, kind=KIND)._of(study)

    def _of(self, study: dict[str, Any]) -> Self:
        self._check_writable()
        self.study = study
        return self

    def _file(self, draw: int) -> Path:
        return self.path / KEPT / f"{draw:05d}.npy"

    def get(self, draw: int) -> np.ndarray | None:
        """Return the drawdowns that are kept of a draw, shape (n,), quote; None if there are none."""
        path = self._file(draw)
        return np.load(path) if path.exists() else None

    def __setitem__(self, draw: int, drawdown: np.ndarray) -> None:
        if not (self.path / STUDY).exists():
            self.write_text(STUDY, json.dumps(self.study, indent=2) + "\n")
        path = self._file(draw)
        path.parent.mkdir(exist_ok=True)
        with self._replacing(str(path.relative_to(self.path))) as temporary, temporary.open("wb") as file:
            np.save(file, drawdown)

    @property
    def n_kept(self) -> int:
        """How many draws are kept."""
        return len(list((self.path / KEPT).glob("[0-9]*.npy")))

    def write_draws(self, columns: dict[str, np.ndarray]) -> None:
        """Write one row a draw to ``draws.parquet``."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        with self._replacing("draws.parquet") as path:
            pq.write_table(pa.table({"draw": np.arange(len(columns["ruin"])), **columns}), path, compression="zstd")

    def finish(self, manifest: dict[str, Any]) -> None:
        """Write the manifest and remove what was kept for a continuation."""
        self._written = [name for name in self._written if name != STUDY and not name.startswith(KEPT)]
        super().finish(manifest)
        (self.path / STUDY).unlink(missing_ok=True)
        shutil.rmtree(self.path / KEPT, ignore_errors=True)


def find_parameters(parent: Path, config_sha256: str) -> tuple[Path, ParameterInterval] | None:
    """Return the finished draws of exactly this configuration among the folders of `parent`, most draws first."""
    found = []
    for file in sorted(parent.glob(f"*/{FOUND}")):
        if (file.parent / MANIFEST).is_file() and (interval := _read(file)) and interval.config_sha256 == config_sha256:
            found.append((file.parent, interval))
    return max(found, key=lambda pair: (pair[1].n_draws, pair[1].n_paths), default=None)


def _read(file: Path) -> ParameterInterval | None:
    try:
        fields = json.loads(file.read_text(encoding="utf-8"))
        return parameters_from_dict({name: fields[name] for name in FIELDS})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def made_with(folder: Path) -> str:
    """Return the hash of the code that a finished folder was made with; empty where it cannot be read."""
    try:
        return str(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["code"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
