"""One run as the command line does it: prepared, shown, saved, and resumable when it is interrupted."""

import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stress.ahead import compiling_ahead
from stress.census import concentration_of, holdings
from stress.drawdir import find_parameters, made_with
from stress.engines.base import Interrupted, Progress, run
from stress.engines.choose import choose_engine
from stress.engines.population import Population, Share, draw_population, shares
from stress.engines.pushes import costs
from stress.engines.results import Results
from stress.manifest import code_hash, describe_run, now
from stress.notices import notices
from stress.outcomes import Outcomes
from stress.rundir import RunFolder
from stress.scenario import Scenario, ScenarioError
from stress.summary import Concentration, Summary, summarize
from stress.summary.notation import Money, percent
from stress.toml import parse_setting
from stress.variants import PATHS, model_risk, runners_of

__all__ = ["INTERRUPTED", "Answer", "Options", "launch", "print_result", "share_line", "shown"]

FAILED, INTERRUPTED = 1, 130


@dataclass(frozen=True)
class Options:
    """What ``fundstress run`` was asked for; `overlay`, `settings` and `overrides` change the scenario in turn."""

    config: Path
    overlay: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()  # table.key=value
    overrides: dict[str, Any] = field(default_factory=dict)
    threads: int | None = None
    out: Path | None = None
    resume: Path | None = None
    json: bool = False
    quiet: bool = False
    progress: bool = True
    figures: bool = True
    figure_format: str = "png"
    model_risk: bool = True
    ledger: bool = False

    def log(self, text: str) -> None:
        """Tell the user something that is not a result."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def words(self, *, resume: Path | None = None) -> list[str]:
        """Return the command line of this run, or of its resumption in a folder."""
        flags = {"run.n_paths": "--paths", "run.seed": "--seed", "run.engine": "--engine"}
        given: dict[str, Any] = {
            "--out": None if resume else self.out,
            "--resume": resume or self.resume,
            "--threads": self.threads,
            "--figure-format": None if self.figure_format == "png" else self.figure_format,
        }
        given |= {flags[key]: value for key, value in self.overrides.items()}
        switches = {"--json": self.json, "--quiet": self.quiet, "--ledger": self.ledger}
        switches |= {"--no-figures": not self.figures, "--no-model-risk": not self.model_risk}
        switches |= {"--no-progress": not (self.progress or self.quiet)}
        words = ["fundstress", "run", str(self.config)]
        words += [word for flag, value in given.items() if value is not None for word in (flag, str(value))]
        words += [word for name in self.overlay for word in ("--overlay", name)]
        words += [word for setting in self.settings for word in ("--set", setting)]
        return words + [switch for switch, on in switches.items() if on]


def launch(options: Options) -> int:
    """Run a scenario into its folder and print the result; return the exit code."""
    if options.out and options.resume:
        raise ScenarioError("--out and --resume: a resumed run stays in its folder; give one of them")
    overrides = dict(map(parse_setting, options.settings)) | options.overrides
    scenario = Scenario.load(options.config, overlay=options.overlay, overrides=overrides)
    choice, population = choose_engine(scenario), draw_population(scenario, 0)
    if _wants_model_risk(options, scenario):
        runners_of(scenario, 1)  # an overlay that cannot be run is found before the first path
    with _folder(options, scenario) as folder:
        kept = options.resume and folder.kept(scenario, choice, ledger=options.ledger)
        results = kept or Results(scenario, choice)
        _log_choices(options, scenario, population)
        try:
            code = _run_into(folder, scenario, results, concentration_of(holdings(scenario, population)), options)
        except (Interrupted, KeyboardInterrupt):
            return _keep(folder, results, options)
    options.log(f"saved in {folder.path}")
    return code


def _folder(options: Options, scenario: Scenario) -> RunFolder:
    return RunFolder.reopen(options.resume) if options.resume else RunFolder.claim(scenario, options.out)


def _run_into(folder: RunFolder, scenario: Scenario, results: Results, book: Concentration, options: Options) -> int:
    started, clock, n_resumed = now(), time.perf_counter(), results.n_done
    with compiling_ahead(scenario) as ready, shown(options) as progress:
        how: dict[str, Any] = {"threads": options.threads, "ledger": options.ledger, "ready": ready}
        outcomes = run(scenario, **how, progress=progress, resume=results)
    summary = summarize(outcomes).with_(concentration=book)
    summary, code = _with_parameters(summary, folder, scenario, options), 0
    try:
        folder.write_run(scenario, outcomes, summary)  # complete before anything that only adds to it
        if options.ledger:
            folder.write_ledger(results.liquidations())
        simulated = time.perf_counter()
        if _wants_model_risk(options, scenario):
            summary, code = _with_model_risk(summary, scenario, options)
            folder.write_summary(summary)
    finally:  # a full disk does not cost the answer
        print_result(summary, options)
    answered = time.perf_counter()
    if options.figures and code == 0:
        _draw(folder, scenario, outcomes, summary, options)
    finished = time.perf_counter()
    parts = {"model_risk": answered - simulated, "figures": finished - answered, "command": finished - clock}
    elapsed = {**outcomes.facts.elapsed_s, **parts}
    about: dict[str, Any] = {"started": started, "finished": now(), "elapsed_s": elapsed, "command": options.words()}
    folder.finish(describe_run(scenario, outcomes, threads=options.threads, n_resumed=n_resumed, **about))
    return code


def _wants_model_risk(options: Options, scenario: Scenario) -> bool:
    if not options.model_risk or not scenario.overlay:
        return False
    if scenario.run.n_paths < PATHS:
        options.log(f"model risk: left out below {PATHS:,} paths")
    return scenario.run.n_paths >= PATHS


def _with_model_risk(summary: Summary, scenario: Scenario, options: Options) -> tuple[Summary, int]:
    """Return the summary with the axes of model risk, or, after Ctrl-C, as it is: the run itself is complete."""
    try:
        with shown(options, "model risk") as progress:
            found = model_risk(scenario, threads=options.threads, progress=progress)
        return summary.with_(model_risk=found), 0
    except KeyboardInterrupt:
        said = "interrupted; the run is complete, without its model risk and its figures"
        print(f"fundstress: {said}", file=sys.stderr)
        return summary, INTERRUPTED
    except (ScenarioError, OSError, MemoryError) as error:  # it costs the axes, not the answer
        print(f"fundstress: the run is complete, without its model risk: {error}", file=sys.stderr)
        return summary, FAILED


def _with_parameters(summary: Summary, folder: RunFolder, scenario: Scenario, options: Options) -> Summary:
    """Return the summary with the parameter interval of exactly this configuration, if one lies beside the run."""
    found = find_parameters(folder.path.parent, scenario.sha256)
    if found is None:
        return summary
    path, interval = found
    other = "" if made_with(path) == code_hash() else ", made with another version of the package: draw anew"
    options.log(f"parameter interval: {interval.n_draws:,} draws in {path}{other}")
    return summary.with_(parameters=interval)


@dataclass(frozen=True)
class Answer:
    """What a study found, as `print_result` takes it: as text and as JSON."""

    found: Any  # has a ``to_dict``
    lines: Callable[[Any], Iterable[str]]

    def to_json(self) -> str:
        """Return one JSON document."""
        return json.dumps(self.found.to_dict(), indent=2, allow_nan=False)

    def __str__(self) -> str:
        return "\n".join(self.lines(self.found))


def print_result(summary: Any, options: Any) -> None:
    """Print the page or the JSON document; a reader who closes the pipe early does not end the run."""
    if options.quiet and not options.json:
        return
    try:
        print(summary.to_json() if options.json else summary, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _draw(folder: RunFolder, scenario: Scenario, outcomes: Outcomes, summary: Summary, options: Options) -> None:
    from stress.figures import draw_figures, sweeps_too_long

    with _working("drawing figures", options):
        for name, axes in draw_figures(scenario, outcomes, summary, threads=options.threads):
            folder.write_figure(name, axes, options.figure_format)
    if sweeps_too_long(scenario) and not options.quiet:
        print(
            "figure reserve_by_leverage left out: it would take longer than the run; see `fundstress sweep`",
            file=sys.stderr,
        )


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
def shown(options: Any, description: str = "simulating") -> Iterator[Progress]:
    """Show progress on a terminal, unless `options` say no."""
    if not _is_interactive(options):
        yield Progress()
        return
    from stress.screen import progress_bar

    with progress_bar(description) as progress:
        yield progress


@contextmanager
def _working(text: str, options: Options) -> Iterator[None]:
    if not _is_interactive(options):
        yield
        return
    from stress.screen import spinner

    with spinner(text):
        yield


def _is_interactive(options: Any) -> bool:
    return options.progress and sys.stderr.isatty()


def _log_choices(options: Options, scenario: Scenario, population: Population) -> None:
    """Say which engine runs and why, and which shares of open interest the population has against the request."""
    choice = choose_engine(scenario)
    options.log(f"engine: {choice.name}, {choice.why}")
    for line in notices(scenario):
        options.log(line)
    if line := share_line(scenario, population):
        options.log(line)
    options.log(f"concentration: {concentration_of(holdings(scenario, population))}")
    for line in push_lines(scenario):
        options.log(line)
    off = [share for share in shares(scenario, population) if share.off]
    if off:
        names = ", ".join(f"{_name(share)} asked {percent(share.requested)}" for share in off)
        options.log(f"warning: open interest misses the request by more than 5 %: {names}")


def share_line(scenario: Scenario, population: Population) -> str:
    """Return one line with the achieved shares of open interest, cohort by cohort; empty if none was asked for."""
    found = [f"{_name(share)} {percent(share.achieved)}" for share in shares(scenario, population)]
    return f"open interest: {', '.join(found)}" if found else ""


def push_lines(scenario: Scenario) -> list[str]:
    """Return a line for everybody who pushes the index: how far, and what that takes."""
    money, lines = Money(), []
    for row in costs(scenario):
        walk = "" if row.walk_usd is None else f", a walk of the normal book {money(row.walk_usd)}"
        moved = f"moves the index by {percent(row.move)} within {row.minutes:g} minutes"
        lines.append(f"{row.name}: {moved}; the impact law takes {money(row.law_usd)} for that{walk}")
    return lines


def _name(share: Share) -> str:
    return f"{share.cohort} {share.side}"
