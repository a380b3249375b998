"""Draws of the parameters as the command line does them: into a folder, continued when they were interrupted."""

import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stress.drawdir import FOUND, DrawFolder
from stress.draws import DRAWS, MOST, PATHS, Uncertainty, uncertainty
from stress.launch import FAILED, INTERRUPTED, print_result, shown
from stress.manifest import SCHEMA, circumstances, now
from stress.notices import notices
from stress.scenario import Scenario
from stress.sweeps.workers import Gone, check_scheduler
from stress.toml import parse_setting

__all__ = ["DrawOptions", "launch_draws"]


@dataclass(frozen=True)
class DrawOptions:
    """What ``fundstress uncertainty`` was asked for."""

    config: Path
    settings: tuple[str, ...] = ()  # table.key=value
    draws: int | None = None
    paths: int | None = None
    threads: int | None = None
    executor: str = "threads"
    scheduler: str | None = None
    out: Path | None = None
    json: bool = False
    quiet: bool = False
    progress: bool = True

    def size(self) -> dict[str, int]:
        """Return how many draws, and from and up to how many paths of each; a number that was asked for is kept."""
        fewest = self.paths or PATHS
        return {"draws": self.draws or DRAWS, "n_paths": fewest, "most_paths": self.paths or MOST * PATHS}

    def asked(self) -> dict[str, Any]:
        """Return how much is run, and by whom."""
        return {**self.size(), "threads": self.threads, "executor": self.executor, "scheduler": self.scheduler}

    def words(self) -> list[str]:
        """Return the command line."""
        given: dict[str, Any] = {
            "--draws": self.draws,
            "--paths": self.paths,
            "--threads": self.threads,
            "--executor": None if self.executor == "threads" else self.executor,
            "--scheduler": self.scheduler,
            "--out": self.out,
        }
        words = ["fundstress", "uncertainty", str(self.config)]
        words += [word for flag, value in given.items() if value is not None for word in (flag, str(value))]
        words += [word for setting in self.settings for word in ("--set", setting)]
        switches = {"--json": self.json, "--quiet": self.quiet, "--no-progress": not (self.progress or self.quiet)}
        return words + [switch for switch, on in switches.items() if on]


def launch_draws(options: DrawOptions) -> int:
    """Draw the parameters of a scenario into a folder and print the interval; return the exit code."""
    check_scheduler(options.executor, options.scheduler)
    scenario = Scenario.load(options.config, overrides=dict(map(parse_setting, options.settings)))
    if not options.quiet:
        for line in notices(scenario):
            print(line, file=sys.stderr)
    with DrawFolder.open(scenario, options.out, options.size()) as folder:
        try:
            _draw_into(folder, scenario, options)
        except KeyboardInterrupt:
            return _say_kept(folder, options, "interrupted", INTERRUPTED)
        except Gone as error:
            return _say_kept(folder, options, str(error), FAILED)
    if not options.quiet:
        print(f"saved in {folder.path}", file=sys.stderr)
    return 0


def _draw_into(folder: DrawFolder, scenario: Scenario, options: DrawOptions) -> None:
    started, clock, n_kept = now(), time.perf_counter(), folder.n_kept
    with shown(options, "drawing parameters") as progress:
        found = uncertainty(scenario, **options.asked(), progress=progress, kept=folder)
    try:
        folder.write_text("config.toml", scenario.to_toml())
        folder.write_draws(found.draws.columns())
        folder.write_text(FOUND, found.to_json() + "\n")
    finally:  # a full disk does not cost the answer
        print_result(found, options)
    _draw_figure(folder, found)
    about = {"started": started, "finished": now(), "elapsed_s": {"command": time.perf_counter() - clock}}
    folder.finish(_manifest(scenario, options, n_kept) | about)


def _draw_figure(folder: DrawFolder, found: Uncertainty) -> None:
    from stress import plots

    if found.draws.usable:
        folder.write_figure("parameters", plots.parameter_interval(found, unit=found.scenario.exchange.unit))


def _manifest(scenario: Scenario, options: DrawOptions, n_kept: int) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "kind": "uncertainty",
        "name": scenario.run.name,
        "config_sha256": scenario.sha256,
        "seed": scenario.run.seed,
        **options.size(),
        "n_kept": n_kept,
        **circumstances(),
        "command": options.words(),
        "config": scenario.tables(),
    }


def _say_kept(folder: DrawFolder, options: DrawOptions, why: str, code: int) -> int:
    if folder.n_kept == 0:
        print(f"fundstress: {why} before any draw was finished; nothing is kept", file=sys.stderr)
        return code
    again = shlex.join(options.words())
    kept = f"{folder.n_kept:,} draws are kept in {folder.path}; continue with: {again}"
    print(f"fundstress: {why}; {kept}", file=sys.stderr)
    return code
