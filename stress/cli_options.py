"""Arguments and options that several commands share, and the words that options know."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Method(StrEnum):
    """Ways to draw paths that ``--method`` knows."""

    crude = "crude"
    importance = "importance"
    auto = "auto"


class Engine(StrEnum):
    """Engines that ``--engine`` knows."""

    auto = "auto"
    reference = "reference"
    loop = "loop"
    ladder = "ladder"


class FigureFormat(StrEnum):
    """Formats that ``--figure-format`` knows."""

    png = "png"
    svg = "svg"
    pdf = "pdf"


class Workforce(StrEnum):
    """Executors that ``--executor`` knows."""

    threads = "threads"
    processes = "processes"
    dask = "dask"


class QtyUnit(StrEnum):
    """Units that ``--qty-unit`` knows."""

    base = "base"
    usd = "usd"


class Decimal(StrEnum):
    """Marks that ``--decimal`` knows."""

    point = "point"
    comma = "comma"


class Mode(StrEnum):
    """Margin modes that ``--mode`` knows."""

    isolated = "isolated"
    cross = "cross"


class CrossWallet(StrEnum):
    """How the cross rows of one account state its wallet."""

    added = "split"
    repeated = "repeated"


Config = Annotated[Path, typer.Argument(metavar="CONFIG", help="Scenario file (TOML).", show_default=False)]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="TABLE.KEY=VALUE", help="Repeatable.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
RunDir = Annotated[Path, typer.Argument(metavar="RUN_DIR", help="Folder of a finished run.", show_default=False)]
Threads = Annotated[int | None, typer.Option(min=1, help="Worker threads; all cores by default.")]
Executor = Annotated[Workforce, typer.Option(help="Who computes; the numbers are the same.")]
Scheduler = Annotated[
    str | None, typer.Option(metavar="tcp://HOST:PORT", help="Running Dask scheduler, for --executor dask.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only (and the JSON).")]
NoProgress = Annotated[bool, typer.Option("--no-progress", help="No progress bar.")]
