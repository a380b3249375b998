"""``fundstress sweep`` and ``fundstress sensitivity``: into a folder that resumes, and out of it."""

import json as json_module
import math
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stress.engines.base import Progress
from stress.launch import FAILED, INTERRUPTED, print_result
from stress.manifest import now
from stress.rundir import RunFolder
from stress.sweepdir import manifest_of, new_folder, old_folder
from stress.sweeps import Plan, Sweep, load_sweep, sensitivity
from stress.sweeps.estimate import Estimate, estimate
from stress.sweeps.store import Store
from stress.sweeps.study import run_plan
from stress.sweeps.workers import Gone, Workers, check_scheduler, opened
from stress.toml import parse_setting

__all__ = ["SweepOptions", "launch_sensitivity", "launch_sweep"]

PARTLY = 4
LINE_SECONDS = 60.0  # between lines where there is no terminal
SHOWN = 20  # rows and failures that are printed


@dataclass(frozen=True)
class SweepOptions:
    """What ``fundstress sweep`` was asked for."""

    plan: Path
    workers: int | None = None
    executor: str = "threads"
    scheduler: str | None = None
    resume: bool = False
    dry_run: bool = False
    out: Path | None = None
    settings: tuple[str, ...] = ()  # key=value of the sweep file
    json: bool = False
    quiet: bool = False
    progress: bool = True
    figures: bool = True

    def log(self, text: str) -> None:
        """Tell the user something that is not a result."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def words(self) -> list[str]:
        """Return the command line."""
        executor = None if self.executor == "threads" else self.executor
        given = {"--workers": self.workers, "--executor": executor, "--scheduler": self.scheduler, "--out": self.out}
        words = ["fundstress", "sweep", str(self.plan)]
        words += [word for flag, value in given.items() if value is not None for word in (flag, str(value))]
        words += [word for setting in self.settings for word in ("--set", setting)]
        switches = {"--json": self.json, "--quiet": self.quiet, "--no-figures": not self.figures}
        switches |= {"--no-progress": not (self.progress or self.quiet), "--resume": self.resume}
        return words + [switch for switch, on in switches.items() if on]

    def again(self, path: Path) -> str:
        """Return the command that goes on in a folder."""
        return shlex.join(replace(self, resume=True, out=path).words())


def launch_sweep(options: SweepOptions) -> int:
    """Run a sweep into its folder and print its table; return the exit code."""
    check_scheduler(options.executor, options.scheduler)
    plan = Plan.load(options.plan, overrides=dict(map(parse_setting, options.settings)))
    if options.dry_run:
        print_result(estimate(plan, options.workers), options)
        return 0
    with opened(options.executor, options.workers, options.scheduler) as workers:
        folder, store = (old_folder if options.resume else new_folder)(plan, options.out)
        return _sweep_into(folder, store, plan, workers, options)


def _sweep_into(folder: RunFolder, store: Store, plan: Plan, workers: Workers, options: SweepOptions) -> int:
    started, clock, n_kept = now(), time.perf_counter(), store.counts()["done"]
    try:
        with _shown(options, workers) as progress:
            done = run_plan(plan, store, workers, progress)
        folder.write_text("config.toml", plan.scenario.to_toml())
    except (KeyboardInterrupt, Gone, OSError) as error:
        return _say_kept(store, options, error)
    found = load_sweep(folder.path)
    print_result(Table(found), options)
    if options.figures:
        _draw(folder, found)
    about = {"started": started, "finished": now(), "elapsed_s": {"command": time.perf_counter() - clock}}
    how = {"executor": options.executor, "workers": workers.count, "n_kept": n_kept, "command": options.words()}
    folder.finish({**manifest_of(plan, store, **how, **about), "n_points": len(done.rows)})
    options.log(f"saved in {folder.path}")
    return _say_failed(found, options, folder.path)


def _say_kept(store: Store, options: SweepOptions, error: BaseException) -> int:
    """Say what is kept after an interruption, and how to go on."""
    said = {KeyboardInterrupt: "interrupted", Gone: str(error)}.get(type(error))
    counts, again = store.counts(), options.again(store.path)
    kept = f"{counts['done']:,} points are kept in {store.path}; go on with: {again}"
    print(f"fundstress: {said or ' '.join(f'{store.path}: {error}'.split())}; {kept}", file=sys.stderr)
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else FAILED


def _say_failed(found: Sweep, options: SweepOptions, path: Path) -> int:
    failed = found.failed
    if not failed:
        return 0
    for point, error in failed[:SHOWN]:
        print(f"fundstress: point {point} failed: {error}", file=sys.stderr)
    more = f" ({len(failed) - SHOWN} more not shown)" if len(failed) > SHOWN else ""
    tried = f"try them again with: {options.again(path)}"
    print(f"fundstress: {len(failed):,} of {len(found):,} points failed{more}; {tried}", file=sys.stderr)
    return PARTLY


def _draw(folder: RunFolder, found: Sweep) -> None:
    from stress import plots

    if found.done.sum() < 2:
        return
    for name, axes in plots.sweep_figures(found):
        folder.write_figure(name, axes)


@dataclass(frozen=True)
class Table:
    """The rows of a sweep as they are printed."""

    sweep: Sweep

    def __str__(self) -> str:
        shown = ["point", *self.sweep.axes, "ruin", *(f"reserve_{level:g}" for level in self.sweep.levels)]
        frame = self.sweep.to_pandas()[shown]
        more = f"\n... {len(frame) - SHOWN:,} more rows in the folder" if len(frame) > SHOWN else ""
        text = frame.head(SHOWN).to_string(index=False, float_format=lambda x: f"{x:.4g}", na_rep="refused")
        return f"{text}{more}"

    def to_json(self) -> str:
        """Return all rows as strict JSON text."""
        rows = [{k: _known(v) for k, v in row.items()} for row in self.sweep.table.to_pylist()]
        known = {key: self.sweep.about[key] for key in ("schema", "name", "unit", "horizon_hours", "axes", "levels")}
        return json_module.dumps({**known, "digest": self.sweep.digest(), "rows": rows}, indent=2, allow_nan=False)


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


@contextmanager
def _shown(options: SweepOptions, workers: Workers) -> Iterator[Progress]:
    """Show a bar on a terminal, a line a minute elsewhere, nothing when asked to be quiet."""
    if options.quiet or not options.progress:
        yield Progress()
    elif not sys.stderr.isatty():
        yield Progress(update=Lines(options))
    else:
        from stress.screen import points_bar

        with points_bar(workers.lines) as progress:
            yield progress


class Lines:
    """A line a minute with what is done and the time left."""

    def __init__(self, options: SweepOptions):
        self.options, self.started, self.said = options, time.monotonic(), time.monotonic()
        self.first: int | None = None

    def __call__(self, progress: Progress) -> None:
        """Say it, if a minute has passed."""
        self.first = progress.done if self.first is None else self.first
        if time.monotonic() - self.said < LINE_SECONDS:
            return
        self.said = time.monotonic()
        rate = (progress.done - self.first) / (self.said - self.started)
        left = f", about {Estimate.words((progress.total - progress.done) / rate)} left" if rate > 0.0 else ""
        self.options.log(f"{progress.done:,} of {progress.total:,} points, {60 * rate:.1f}/min{left}")


def launch_sensitivity(
    sweep_dir: Path, method: str | None, level: float | None, figure: Path | None, *, json: bool
) -> int:
    """Print which inputs move the reserve of a sweep; return the exit code."""
    found = sensitivity(load_sweep(sweep_dir), method, level=level)
    print(found.to_json() if json else found)
    if figure is not None:
        from stress import plots

        plots.save(plots.tornado(found), figure)
    return 0
