"""What a terminal shows while a run goes on, on stderr; colors follow NO_COLOR."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from stress.engines.base import Progress

__all__ = ["points_bar", "progress_bar", "spinner"]


class PathsColumn(ProgressColumn):
    """Paths done and the rate, ``12,000 of 100,000 paths, 41,000/s``."""

    def render(self, task: Task) -> Text:
        """Return the column's text."""
        if task.total is None:
            return Text("")
        rate = task.finished_speed or task.speed
        speed = f", {rate:,.0f}/s" if rate else ""
        return Text(f"{task.completed:,.0f} of {task.total:,.0f} paths{speed}", no_wrap=True)


@contextmanager
def progress_bar(description: str = "simulating") -> Iterator[Progress]:
    """Show a bar of finished paths, their rate and the time left; before the first path: compiling."""
    said, bars = TextColumn("{task.description}"), BarColumn(bar_width=16)
    columns = (SpinnerColumn(), said, bars, PathsColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("compiling", total=None)

        def update(progress: Progress) -> None:
            """Show what is done."""
            if bar.tasks[0].total is None:  # the clock of the rate starts with the first path
                bar.reset(task, total=progress.total, completed=progress.done, description=description)
            bar.update(task, total=progress.total, completed=progress.done)

        yield Progress(update=update)


class PointsColumn(ProgressColumn):
    """Points done and the rate, ``120 of 1,000 points, 25/min``."""

    def render(self, task: Task) -> Text:
        """Return the column's text."""
        if task.total is None:
            return Text("")
        rate = task.finished_speed or task.speed
        speed = f", {60 * rate:,.0f}/min" if rate else ""
        return Text(f"{task.completed:,.0f} of {task.total:,.0f} points{speed}", no_wrap=True)


class PointsBar(Bar):
    """A bar, and lines below it."""

    def __init__(self, *columns: ProgressColumn, below: Callable[[], Iterable[str]], **settings: Any):
        self.below = below
        super().__init__(*columns, **settings)

    def get_renderables(self) -> Iterator[RenderableType]:
        """Yield the bar and the lines."""
        yield from super().get_renderables()
        yield from map(Text, self.below())


@contextmanager
def points_bar(below: Callable[[], Iterable[str]]) -> Iterator[Progress]:
    """Show a bar of finished points, their rate and the time left, and the lines of `below` under it."""
    said, bars = TextColumn("{task.description}"), BarColumn(bar_width=16)
    columns = (SpinnerColumn(), said, bars, PointsColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with PointsBar(*columns, below=below, console=console, transient=True, speed_estimate_period=300) as bar:
        task = bar.add_task("sweeping", total=None)
        yield Progress(update=lambda progress: bar.update(task, total=progress.total, completed=progress.done))


@contextmanager
def spinner(text: str) -> Iterator[None]:
    """Show that something goes on."""
    with Console(stderr=True).status(text):
        yield
