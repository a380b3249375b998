"""What ``fundstress report`` and ``fundstress model-risk`` do: from finished runs to one document."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from stress.report import FORMATS, Document, Words, document, load_run
from stress.sweeps import load_sweep
from stress.toml import ScenarioError

__all__ = ["ReportOptions", "launch_report"]


@dataclass(frozen=True)
class ReportOptions:
    """What the user asked for.

    Parameters
    ----------
    folders : sequence of Path
        Finished runs; several are compared with the first.
    formats : str
        One of `stress.report.FORMATS`, or several with commas.
    lang : str
    out : Path, optional
        A new file; ``<stem>.<format>`` in the first folder otherwise.
    make : callable
        What writes the document of the runs.
    stem : str
        Of the file's name.
    sweep : Path, optional
        Folder of a sweep, whose inputs the report tells of.
    """

    folders: Sequence[Path]
    formats: str = "html"
    lang: str = "en"
    out: Path | None = None
    quiet: bool = False
    make: Callable[..., Document] = document
    stem: str = "report"
    sweep: Path | None = None


def launch_report(options: ReportOptions) -> int:
    """Write the report, in every format, to files that did not exist; return the exit code.

    Raises
    ------
    ScenarioError
        One line: an unknown format or language, a run that cannot be reported on, a file that exists.
    """
    formats = _formats(options)
    say = Words(options.lang)
    targets = [_target(options, name) for name in formats]
    study = {} if options.sweep is None else {"study": load_sweep(options.sweep)}
    made = options.make([load_run(folder) for folder in options.folders], say, **study)
    contents = [FORMATS[name](made) for name in formats]  # all of them before the first file
    for path, content in zip(targets, contents, strict=True):
        _write(path, content)
        if not options.quiet:
            print(path)
    return 0


def _formats(options: ReportOptions) -> list[str]:
    names = [name.strip() for name in options.formats.split(",") if name.strip()]
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        raise ScenarioError(f"--format {options.formats}: one of {', '.join(FORMATS)}, or several with commas")
    if len(names) > 1 and options.out is not None:
        raise ScenarioError("--out names one file; give one --format")
    return list(dict.fromkeys(names))


def _target(options: ReportOptions, name: str) -> Path:
    """Return the file to write: what was asked for, or a new one beside the run's own."""
    if options.out is not None:
        if options.out.exists():
            raise ScenarioError(f"{options.out}: exists already, and nothing is overwritten")
        return options.out
    stem = options.stem if options.lang == "en" else f"{options.stem}-{options.lang}"
    names = (f"{stem}.{name}" if n == 1 else f"{stem}-{n}.{name}" for n in count(1))
    return next(path for path in map(options.folders[0].joinpath, names) if not path.exists())


def _write(path: Path, content: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be written: {error.strerror}") from None
