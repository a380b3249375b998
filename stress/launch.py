"""One run as the command line does it: prepared, shown, saved, and resumable when it is interrupted."""

import os
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stress.engines.base import Interrupted, Progress, run
from stress.engines.choose import choose_engine
from stress.engines.population import Population, Share, draw_population, shares
from stress.engines.results import Results
from stress.manifest import describe_run, now
from stress.outcomes import Outcomes
from stress.rundir import RunFolder
from stress.scenario import Scenario, ScenarioError
from stress.summary import Summary, summarize
from stress.summary.page import percent
from stress.toml import parse_setting

__all__ = ["Options", "launch", "share_line"]

INTERRUPTED = 130


@dataclass(frozen=True)
class Options:
    """What ``fundstress run`` was asked for; `overrides` and `settings` change the scenario."""

    config: Path
    settings: tuple[str, ...] = ()  # table.key=value
    overrides: dict[str, Any] = field(default_factory=dict)
    threads: int | None = None
    out: Path | None = None
    resume: Path | None = None
    json: bool = False
    quiet: bool = False
    progress: bool = True
    figures: bool = True
    ledger: bool = False

    def log(self, text: str) -> None:
        """Tell the user something that is not a result."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def words(self, *, resume: Path | None = None) -> list[str]:
        """Return the command line of this run, or of its resumption in a folder."""
        flags = {"run.n_paths": "--paths", "run.seed": "--seed", "run.engine": "--engine"}
        given = {"--out": None if resume else self.out, "--resume": resume or self.resume, "--threads": self.threads}
        given |= {flags[key]: value for key, value in self.overrides.items()}
        switches = {"--json": self.json, "--quiet": self.quiet, "--ledger": self.ledger}
        switches |= {"--no-figures": not self.figures, "--no-progress": not (self.progress or self.quiet)}
        words = ["fundstress", "run", str(self.config)]
        words += [word for flag, value in given.items() if value is not None for word in (flag, str(value))]
        words += [word for setting in self.settings for word in ("--set", setting)]
        return words + [switch for switch, on in switches.items() if on]


def launch(options: Options) -> int:
    """Run a scenario into its folder and print the result; return the exit code."""
    if options.out and options.resume:
        raise ScenarioError("--out and --resume: a resumed run stays in its folder; give one of them")
    overrides = dict(map(parse_setting, options.settings)) | options.overrides
    scenario = Scenario.load(options.config, overrides=overrides)
    choice, population = choose_engine(scenario), draw_population(scenario, 0)
    with _folder(options, scenario) as folder:
        kept = options.resume and folder.kept(scenario, choice, ledger=options.ledger)
        results = kept or Results(scenario, choice)
        _log_choices(options, scenario, population)
        try:
            _run_into(folder, scenario, results, options)
        except (Interrupted, KeyboardInterrupt):
            return _keep(folder, results, options)
    options.log(f"saved in {folder.path}")
    return 0


def _folder(options: Options, scenario: Scenario) -> RunFolder:
    return RunFolder.reopen(options.resume) if options.resume else RunFolder.claim(scenario, options.out)


def _run_into(folder: RunFolder, scenario: Scenario, results: Results, options: Options) -> None:
    started, clock, n_resumed = now(), time.perf_counter(), results.n_done
    with _shown(options) as progress:
        outcomes = run(scenario, threads=options.threads, ledger=options.ledger, progress=progress, resume=results)
    summary = summarize(outcomes)
    try:
        folder.write_run(scenario, outcomes, summary)
        if options.ledger:
            folder.write_ledger(results.liquidations())
    finally:  # a full disk does not cost the answer
        _print_result(summary, options)
    simulated = time.perf_counter()
    if options.figures:
        _draw(folder, scenario, outcomes, summary, options)
    finished = time.perf_counter()
    elapsed = {**outcomes.facts.elapsed_s, "figures": finished - simulated, "command": finished - clock}
    about: dict[str, Any] = {"started": started, "finished": now(), "elapsed_s": elapsed, "command": options.words()}
    folder.finish(describe_run(scenario, outcomes, threads=options.threads, n_resumed=n_resumed, **about))


def _print_result(summary: Summary, options: Options) -> None:
    """Print the page or the JSON document; a reader who closes the pipe early does not end the run."""
    if options.quiet and not options.json:
        return
    try:
        print(summary.to_json() if options.json else summary, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _draw(folder: RunFolder, scenario: Scenario, outcomes: Outcomes, summary: Summary, options: Options) -> None:
    from stress.figures import draw_figures

    with _working("drawing figures", options):
        for name, axes in draw_figures(scenario, outcomes, summary, threads=options.threads):
            folder.write_figure(name, axes)


def _keep(folder: RunFolder, results: Results, options: Options) -> int:
    """Save the finished paths of an interrupted run and say how to go on."""
    if results.n_done == 0:
        print("fundstress: interrupted before any path was finished; nothing is kept", file=sys.stderr)
        return INTERRUPTED
    folder.keep(results, ledger=options.ledger)
    again = shlex.join(options.words(resume=folder.path))
    done = f"{results.n_done:,} of {results.n_paths:,} paths are kept in {folder.path}"
    print(f"fundstress: interrupted; {done}; continue with: {again}", file=sys.stderr)
    return INTERRUPTED


@contextmanager
def _shown(options: Options) -> Iterator[Progress]:
    if not _is_interactive(options):
        yield Progress()
        return
    from stress.screen import progress_bar

    with progress_bar() as progress:
        yield progress


@contextmanager
def _working(text: str, options: Options) -> Iterator[None]:
    if not _is_interactive(options):
        yield
        return
    from stress.screen import spinner

    with spinner(text):
        yield


def _is_interactive(options: Options) -> bool:
    return options.progress and sys.stderr.isatty()


def _log_choices(options: Options, scenario: Scenario, population: Population) -> None:
    """Say which engine runs and why, and which shares of open interest the population has against the request."""
    choice = choose_engine(scenario)
    options.log(f"engine: {choice.name}, {choice.why}")
    if line := share_line(scenario, population):
        options.log(line)
    off = [share for share in shares(scenario, population) if share.off]
    if off:
        names = ", ".join(f"{_name(share)} asked {percent(share.requested)}" for share in off)
        options.log(f"warning: open interest misses the request by more than 5 %: {names}")


def share_line(scenario: Scenario, population: Population) -> str:
    """Return one line with the achieved shares of open interest, cohort by cohort; empty if none was asked for."""
    found = [f"{_name(share)} {percent(share.achieved)}" for share in shares(scenario, population)]
    return f"open interest: {', '.join(found)}" if found else ""


def _name(share: Share) -> str:
    return f"{share.cohort} {share.side}"
