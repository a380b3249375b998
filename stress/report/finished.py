"""A finished run as its folder tells it, checked before anything is said about it."""

import base64
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from stress.check import finished_run, finished_summary, is_weighted
from stress.figures import outcome_figures
from stress.manifest import SCHEMA, file_hash
from stress.outcomes import Outcomes
from stress.plots import description, save
from stress.summary import Summary
from stress.toml import ScenarioError

__all__ = ["Figure", "FinishedRun", "drawn_figure", "load_run"]

_MEDIA = {".png": "image/png", ".svg": "image/svg+xml"}
_NEEDED = ("name", "config", "versions", "files")


@dataclass(frozen=True)
class Figure:
    """A picture of a run folder.

    Parameters
    ----------
    name : str
        Without its ending.
    uri : str
        The picture itself, as a ``data:`` address.
    alt : str
        What it shows, in words.
    """

    name: str
    uri: str
    alt: str


@dataclass(frozen=True)
class FinishedRun:
    """What a report says of one run.

    Parameters
    ----------
    folder : Path
    manifest : dict
        How the numbers were made.
    summary : Summary
        What they mean.
    """

    folder: Path
    manifest: dict[str, Any]
    outcomes: Outcomes
    summary: Summary

    @property
    def name(self) -> str:
        """Name of the folder, by which a reader tells runs of one scenario apart."""
        return self.folder.resolve().name

    @property
    def config(self) -> dict[str, Any]:
        """The scenario as it was resolved."""
        return self.manifest["config"]

    @cached_property
    def config_text(self) -> str:
        """The scenario as a file."""
        return (self.folder / "config.toml").read_text(encoding="utf-8")

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """The pictures of the run that a page can show; those that need no simulation are drawn where it has none."""
        names = [Path(name) for name in self.manifest["files"] if name.startswith("figures/")]
        kept = {name.stem: self.folder / name for name in names if name.suffix in _MEDIA}
        drawn = (drawn_figure(*made) for made in outcome_figures(self.outcomes, self.summary) if made[0] not in kept)
        return (*map(_figure, kept.values()), *drawn)


def drawn_figure(name: str, axes: Any) -> Figure:
    """Return a figure that lies in no folder."""
    with TemporaryDirectory() as folder:
        return _figure(save(axes, Path(folder) / f"{name}.png"))


def _figure(path: Path) -> Figure:
    text = base64.b64encode(path.read_bytes()).decode("ascii")
    return Figure(path.stem, f"data:{_MEDIA[path.suffix]};base64,{text}", description(path))


def load_run(folder: Path) -> FinishedRun:
    """Read a run folder.

    Parameters
    ----------
    folder : Path
        Of a finished run.

    Raises
    ------
    ScenarioError
        One line, when it is unfinished, of another version, damaged or edited, or of one path or weighted paths.
    """
    outcomes = finished_run(folder)
    manifest = _manifest(folder / "manifest.json")
    _check_files(folder, manifest["files"])
    if is_weighted(outcomes):
        raise ScenarioError(f"{folder}: paths have weights; a report needs a crude run (its page: fundstress show)")
    if outcomes.n_paths == 1:
        raise ScenarioError(f"{folder}: one path has no probability and no reserve to report")
    return FinishedRun(folder, manifest, outcomes, finished_summary(folder))


def _manifest(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ScenarioError(f"{path}: damaged: {error}") from None
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema != SCHEMA:
        raise ScenarioError(f"{path}: schema {schema!r} is of another version; this one reads {SCHEMA!r}")
    missing = [key for key in _NEEDED if key not in found]
    if missing:
        raise ScenarioError(f"{path}: damaged: {', '.join(missing)} is missing")
    return found


def _check_files(folder: Path, hashes: dict[str, str]) -> None:
    """Refuse files that are not those of the run: a figure or a number may have been exchanged."""
    for name, expected in hashes.items():
        path = folder / name
        if not path.is_file():
            raise ScenarioError(f"{folder}: incomplete: {name} is missing")
        if file_hash(path) != expected:
            raise ScenarioError(f"{path}: was changed after the run: it does not match manifest.json")
