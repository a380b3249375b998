"""The command ``fundstress``: what a user may type, and how errors become one line and an exit code.

Nothing heavy is imported before a command runs, so that ``--help`` is quick.  Exit codes: 0 ok, 1 run-time
failure, 2 usage or configuration, 3 a required level is not met, 4 points of a sweep failed, 130 interrupted.
"""

import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from stress import __version__, cli_data, cli_documents, cli_studies
from stress.cli_options import Config, Engine, FigureFormat, Json, Method, NoProgress, Quiet, RunDir, Settings, Threads

NAME = "fundstress"

app = typer.Typer(
    name=NAME,
    help="How likely is the ruin of an exchange's insurance fund, and how large must the reserve be?",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments after the command's name; those of the process by default.

    Returns
    -------
    int
        0 ok, 1 run-time failure, 2 usage or configuration, 3 a required level is not met, 4 points of a sweep
        failed, 130 interrupted.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    words = [word for word in given if word != "--debug"]  # wherever it stands
    try:
        command = typer.main.get_command(app)
        return int(command.main(words, prog_name=NAME, standalone_mode=False) or 0)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except Exception as error:
        if "--debug" in given:
            traceback.print_exc()
        message, code = describe(error)
        print(f"{NAME}: {' '.join(message.split())}", file=sys.stderr)
        return code


def describe(error: Exception) -> tuple[str, int]:
    """Return what to tell the user about an error, and the exit code."""
    from stress.toml import ScenarioError

    if isinstance(error, ScenarioError):
        return str(error), 2
    if hasattr(error, "format_message"):  # typer's own usage errors, whichever click it carries
        return f"{error.format_message().rstrip('.')}; see '{NAME} --help'", 2
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or ' '.join(map(str, error.args))}", 1
    if isinstance(error, MemoryError):
        return f"not enough memory: {error}", 1
    return f"internal error: {type(error).__name__}: {error} (--debug shows the traceback)", 1


@app.callback(invoke_without_command=True)
def _globals(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    if version:
        print(f"{NAME} {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        context.fail("Missing command.")


@app.command("run")
def _run(
    config: Config,
    paths: Annotated[int | None, typer.Option(min=1, help="Number of paths.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Root of all randomness.")] = None,
    engine: Annotated[Engine | None, typer.Option(help="auto: the fastest that is exact.")] = None,
    threads: Threads = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="New folder; default runs/<name>-<hash8>.")] = None,
    overlay: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Apply an [[overlay]], before --set. Repeatable.")
    ] = None,
    setting: Settings = None,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON document.")] = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
    no_figures: Annotated[bool, typer.Option("--no-figures", help="No figures.")] = False,
    figure_format: Annotated[FigureFormat, typer.Option(help="svg and pdf for print.")] = FigureFormat.png,
    no_model_risk: Annotated[bool, typer.Option("--no-model-risk", help="Do not run the overlays.")] = False,
    ledger: Annotated[bool, typer.Option("--ledger", help="Write every liquidation to ledger.parquet.")] = False,
    resume: Annotated[Path | None, typer.Option(metavar="DIR", help="Finish the interrupted run in DIR.")] = None,
    method: Annotated[
        Method, typer.Option(help="importance: weighted paths, for ruin too rare to count.")
    ] = Method.crude,
) -> int:
    """Simulate a scenario into a new run folder."""
    from stress.launch import Options, launch

    overrides = {"run.n_paths": paths, "run.seed": seed, "run.engine": engine and engine.value}
    options = Options(
        config=config,
        overlay=tuple(overlay or ()),
        settings=tuple(setting or ()),
        overrides={key: value for key, value in overrides.items() if value is not None},
        threads=threads,
        out=out,
        resume=resume,
        json=json,
        quiet=quiet,
        progress=not (no_progress or quiet),
        figures=not no_figures,
        figure_format=figure_format.value,
        model_risk=not no_model_risk,
        ledger=ledger,
    )
    if method is Method.crude:
        return launch(options)
    from stress.launch_rare import launch_weighted, wants_importance

    return launch_weighted(options) if wants_importance(options, method.value) else launch(options)


COMMANDS: tuple[Callable[..., int], ...] = (
    cli_studies.uncertainty,
    cli_studies.size,
    cli_studies.attribute,
    cli_studies.reverse,
    cli_studies.sweep,
    cli_studies.sensitivity,
    cli_studies.compare,
    cli_data.calibrate,
    cli_data.replay,
    cli_data.population,
    cli_data.claims,
    cli_data.backtest,
    cli_documents.report,
    cli_documents.model_risk,
    cli_documents.disclose,
    cli_documents.dashboard,
)
for command in COMMANDS:
    app.command()(command)
app.command("import")(cli_data.import_)

shelf = typer.Typer(help="Rulebooks of venues, as dated data files.", rich_markup_mode=None)
app.add_typer(shelf, name="presets")


@shelf.callback(invoke_without_command=True)
def _presets(context: typer.Context, json: Json = False) -> None:
    from stress import presets

    if context.invoked_subcommand is None:
        print(presets.list_json() if json else presets.list_text())


@shelf.command("show")
def _presets_show(name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)], json: Json = False) -> None:
    """Print the rules of a preset in words, its values with their labels of confidence, and its sources."""
    from stress import presets

    found = presets.load(name)
    print(found.to_json() if json else found)


@app.command("check")
def _check(
    target: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG|RUN_DIR", help="Scenario file, or folder of a finished run.", show_default=False
        ),
    ],
    require: Annotated[
        float | None, typer.Option(metavar="LEVEL", help="Exit 3 unless the fund meets this level, e.g. 0.999.")
    ] = None,
    setting: Settings = None,
) -> int:
    """Validate a scenario; or: does a run's fund meet a level?"""
    from stress import check

    if require is None:
        return check.check_config(target, tuple(setting or ()))
    if setting:
        raise typer.BadParameter("changes a scenario, and --require asks about a finished run", param_hint="--set")
    return check.check_level(target, require)


@app.command("show")
def _show(run_dir: RunDir) -> None:
    """Print the summary of a finished run."""
    from stress.check import finished_page

    print(finished_page(run_dir))


@app.command("doctor")
def _doctor(
    configs: Annotated[
        list[Path] | None, typer.Argument(metavar="CONFIG", help="For --warm.", show_default=False)
    ] = None,
    warm: Annotated[
        bool, typer.Option("--warm", help="Compile the kernels of CONFIG..., by default configs/*.toml.")
    ] = False,
) -> None:
    """Print versions, threads and the cache folder."""
    from stress import doctor

    found: Any = doctor.facts()
    width = max(map(len, found))
    for name, value in found.items():
        print(f"{name:<{width}}  {value}")
    if warm:
        doctor.warm(configs or [])
