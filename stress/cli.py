"""The command ``fundstress``: what a user may type, and how errors become one line and an exit code.

Nothing heavy is imported before a command runs, so that ``--help`` is quick.  Exit codes: 0 ok, 1 run-time
failure, 2 usage or configuration, 3 a required level is not met, 4 points of a sweep failed, 130 interrupted.
"""

import sys
import traceback
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from stress import __version__

NAME = "fundstress"

app = typer.Typer(
    name=NAME,
    help="How likely is the ruin of an exchange's insurance fund, and how large must the reserve be?",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


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


Config = Annotated[Path, typer.Argument(metavar="CONFIG", help="Scenario file (TOML).", show_default=False)]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="TABLE.KEY=VALUE", help="Repeatable.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
RunDir = Annotated[Path, typer.Argument(metavar="RUN_DIR", help="Folder of a finished run.", show_default=False)]


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
    threads: Annotated[int | None, typer.Option(min=1, help="Worker threads; all cores by default.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="New folder; default runs/<name>-<hash8>.")] = None,
    overlay: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Apply an [[overlay]], before --set. Repeatable.")
    ] = None,
    setting: Settings = None,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON document.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only (and the JSON).")] = False,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="No progress bar.")] = False,
    no_figures: Annotated[bool, typer.Option("--no-figures", help="No figures.")] = False,
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
        model_risk=not no_model_risk,
        ledger=ledger,
    )
    if method is Method.crude:
        return launch(options)
    from stress.launch_rare import launch_weighted, wants_importance

    return launch_weighted(options) if wants_importance(options, method.value) else launch(options)


@app.command("uncertainty")
def _uncertainty(
    config: Config,
    draws: Annotated[int | None, typer.Option(min=2, help="Draws of the parameters; 200 by default.")] = None,
    paths: Annotated[
        int | None, typer.Option(min=2, help="Paths of each draw; by default as many as the error asks for.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Worker threads; all cores by default.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder; default runs/<name>-<hash8>-uncertainty.")
    ] = None,
    setting: Settings = None,
    json: Annotated[bool, typer.Option("--json", help="Print the interval as one JSON document.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only (and the JSON).")] = False,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="No progress bar.")] = False,
) -> int:
    """Draw the [[uncertain]] numbers of a scenario: how far does the answer move with them?"""
    from stress.launch_draws import DrawOptions, launch_draws

    return launch_draws(
        DrawOptions(
            config=config,
            settings=tuple(setting or ()),
            draws=draws,
            paths=paths,
            threads=threads,
            out=out,
            json=json,
            quiet=quiet,
            progress=not (no_progress or quiet),
        )
    )


@app.command("size")
def _size(
    config: Config,
    level: Annotated[float, typer.Option(help="No ruin with this probability, e.g. 0.995.")],
    horizon: Annotated[str | None, typer.Option(metavar="TIME", help="72h, 30d, 1y; the scenario's own.")] = None,
    paths: Annotated[int | None, typer.Option(min=1, help="Number of paths of each run.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Root of all randomness.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Worker threads; all cores by default.")] = None,
    setting: Settings = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as one JSON document.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only (and the JSON).")] = False,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="No progress bar.")] = False,
) -> int:
    """Solve for the reserve: how large must the fund be?"""
    from stress.launch_size import SizeOptions, launch_size

    overrides = {"run.n_paths": paths, "run.seed": seed}
    return launch_size(
        SizeOptions(
            config=config,
            level=level,
            horizon=horizon,
            settings=tuple(setting or ()),
            overrides={key: value for key, value in overrides.items() if value is not None},
            threads=threads,
            json=json,
            quiet=quiet,
            progress=not (no_progress or quiet),
        )
    )


class Workforce(StrEnum):
    """Executors that ``--executor`` knows."""

    threads = "threads"
    processes = "processes"
    dask = "dask"


@app.command("sweep")
def _sweep(
    plan: Annotated[Path, typer.Argument(metavar="SWEEP", help="Sweep file (TOML).", show_default=False)],
    workers: Annotated[int | None, typer.Option(min=1, help="All cores by default.")] = None,
    executor: Annotated[Workforce, typer.Option(help="Who computes; the numbers are the same.")] = Workforce.threads,
    scheduler: Annotated[
        str | None, typer.Option(metavar="tcp://HOST:PORT", help="Running Dask scheduler, for --executor dask.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the unfinished sweep of this file.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print points, paths, time and disk, and stop.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder; default runs/<name>-<hash8>-sweep.")] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Of the sweep file, e.g. sweep.n_paths=1000.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the table as one JSON document.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only (and the JSON).")] = False,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="No progress bar.")] = False,
    no_figures: Annotated[bool, typer.Option("--no-figures", help="No figures.")] = False,
) -> int:
    """Run a scenario at many points: grids, samples, lists; it resumes."""
    from stress.launch_sweep import SweepOptions, launch_sweep

    return launch_sweep(
        SweepOptions(
            plan=plan,
            workers=workers,
            executor=executor.value,
            scheduler=scheduler,
            resume=resume,
            dry_run=dry_run,
            out=out,
            settings=tuple(setting or ()),
            json=json,
            quiet=quiet,
            progress=not (no_progress or quiet),
            figures=not no_figures,
        )
    )


@app.command("sensitivity")
def _sensitivity(
    sweep_dir: Annotated[Path, typer.Argument(metavar="SWEEP_DIR", help="Folder of a sweep.", show_default=False)],
    method: Annotated[str | None, typer.Option(help="sobol or morris; by default what the design is for.")] = None,
    level: Annotated[
        float | None, typer.Option(help="Level of the reserve; the highest that no point refused.")
    ] = None,
    figure: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the tornado (png, svg, pdf).")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Which inputs move the reserve? Sobol indices or elementary effects of log(reserve), with intervals."""
    from stress.launch_sweep import launch_sensitivity

    return launch_sensitivity(sweep_dir, method, level, figure, json=json)


@app.command("compare")
def _compare(
    config: Config,
    presets: Annotated[str, typer.Option("--presets", metavar="A,B,...", help="Rulebooks; the first is the measure.")],
    paths: Annotated[int | None, typer.Option(min=2, help="Number of paths of each.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Root of all randomness.")] = None,
    engine: Annotated[Engine | None, typer.Option(help="auto: the fastest that is exact, for each.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Worker threads; all cores by default.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="New folder; default runs/<name>-<hash8>-compare.")
    ] = None,
    setting: Settings = None,
    json: Annotated[bool, typer.Option("--json", help="Print the comparison as one JSON document.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only (and the JSON).")] = False,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="No progress bar.")] = False,
    no_figures: Annotated[bool, typer.Option("--no-figures", help="No figures.")] = False,
) -> int:
    """Run one population and market under the rulebooks of several presets."""
    from stress.launch_compare import CompareOptions, launch_compare

    overrides = {"run.n_paths": paths, "run.seed": seed, "run.engine": engine and engine.value}
    return launch_compare(
        CompareOptions(
            config=config,
            presets=tuple(name.strip() for name in presets.split(",") if name.strip()),
            settings=tuple(setting or ()),
            overrides={key: value for key, value in overrides.items() if value is not None},
            threads=threads,
            out=out,
            json=json,
            quiet=quiet,
            progress=not (no_progress or quiet),
            figures=not no_figures,
        )
    )


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


@app.command("import")
def _import(
    positions: Annotated[Path, typer.Argument(metavar="POSITIONS", help="CSV or Parquet.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="TOML", help="New scenario; the book goes beside it.")],
    mark: Annotated[list[str] | None, typer.Option(metavar="SYMBOL=PRICE", help="Mark, USD. Repeatable.")] = None,
    as_of: Annotated[str | None, typer.Option(metavar="TIME", help="When the book was taken, ISO 8601.")] = None,
    base: Annotated[
        Path, typer.Option(metavar="CONFIG", help="Scenario with market, rules, liquidity and fund.")
    ] = Path("configs/btc_perpetual.toml"),
    symbol: Annotated[str | None, typer.Option(help="Which of several; or of all rows, without such a column.")] = None,
    mode: Annotated[Mode | None, typer.Option(help="Margin mode of all rows, without such a column.")] = None,
    qty_unit: Annotated[QtyUnit, typer.Option(help="usd: quantities are notionals.")] = QtyUnit.base,
    decimal: Annotated[Decimal | None, typer.Option(help="Decimal mark of numbers.")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out rows with errors.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse sides that differ by more than 0.1 %.")] = False,
    cross_wallet: Annotated[
        CrossWallet | None, typer.Option(help="Cross rows of an account: parts of its wallet, or each the whole.")
    ] = None,
    setting: Settings = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON document.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only (and the JSON).")] = False,
) -> int:
    """Check a venue's own positions and make them a scenario."""
    from stress.launch_import import ImportOptions, launch_import

    return launch_import(
        ImportOptions(
            source=positions,
            out=out,
            base=base,
            marks=tuple(mark or ()),
            as_of=as_of,
            symbol=symbol,
            mode=mode and mode.value,
            qty_unit=qty_unit.value,
            decimal=decimal and decimal.value,
            skip_bad=skip_bad,
            strict=strict,
            cross_wallet=cross_wallet and cross_wallet.value,
            settings=tuple(setting or ()),
            json=json,
            quiet=quiet,
        )
    )


@app.command("calibrate")
def _calibrate(
    prices: Annotated[Path, typer.Argument(metavar="PRICES", help="Candles, CSV or Parquet.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="TOML", help="New scenario; figures go beside it.")],
    model: Annotated[str, typer.Option(metavar="KIND|all", help="What to fit; several with commas.")] = "all",
    symbol: Annotated[str | None, typer.Option(help="Which of several.")] = None,
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="First bar, ISO 8601, UTC.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="End, ISO 8601, UTC.")] = None,
    base: Annotated[Path, typer.Option(metavar="CONFIG", help="Scenario that the market is put into.")] = Path(
        "configs/btc_perpetual.toml"
    ),
    json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only (and the JSON).")] = False,
    no_figures: Annotated[bool, typer.Option("--no-figures", help="No figures.")] = False,
) -> int:
    """Fit price models to candles and keep the one whose barrier hits are nearest to history."""
    from stress.launch_calibrate import CalibrateOptions, launch_calibrate

    return launch_calibrate(
        CalibrateOptions(prices, out, model, base, symbol, since, until, not no_figures, json, quiet)
    )


@app.command("replay")
def _replay(
    target: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG|RUN_DIR", help="Scenario file, or folder of a finished run.", show_default=False
        ),
    ],
    prices: Annotated[Path | None, typer.Option(metavar="FILE", help="With CONFIG: candles to replay.")] = None,
    path: Annotated[int | None, typer.Option(min=0, help="With RUN_DIR: the path whose story is told.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Which of several in FILE.")] = None,
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="First bar, ISO 8601, UTC.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="End, ISO 8601, UTC.")] = None,
    paths: Annotated[int | None, typer.Option(min=1, help="Replications of CONFIG; 200 by default.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Root of all randomness.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Worker threads; all cores by default.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="New folder; default runs/<name>-<hash8>.")] = None,
    resume: Annotated[Path | None, typer.Option(metavar="DIR", help="Finish the interrupted replay in DIR.")] = None,
    setting: Settings = None,
    top: Annotated[int, typer.Option(min=1, help="Liquidations that the story lists.")] = 20,
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the path's timeline (png, svg, pdf).")
    ] = None,
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only (and the JSON).")] = False,
    no_figures: Annotated[bool, typer.Option("--no-figures", help="No figures.")] = False,
) -> int:
    """Run history through a venue, or tell the story of one path of a run."""
    from stress.launch_replay import ReplayOptions, StoryOptions, launch_replay, launch_story

    if (prices is None) == (path is None):
        raise typer.BadParameter("one of --prices (with CONFIG) and --path (with RUN_DIR) is needed")
    if path is not None:
        return launch_story(StoryOptions(target, path, top, figure, json))
    overrides = {"run.n_paths": paths, "run.seed": seed}
    return launch_replay(
        ReplayOptions(
            config=target,
            settings=tuple(setting or ()),
            overrides={key: value for key, value in overrides.items() if value is not None},
            threads=threads,
            out=out,
            resume=resume,
            json=json,
            quiet=quiet,
            progress=not quiet,
            figures=not no_figures,
            prices=prices or Path(),
            symbol=symbol,
            since=since,
            until=until,
        )
    )


@app.command("population")
def _population(
    config: Config,
    populations: Annotated[int, typer.Option(min=1, max=10_000, help="Populations to draw.")] = 20,
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw leverage, sizes and the liquidation map (png, svg, pdf).")
    ] = None,
    setting: Settings = None,
    json: Json = False,
) -> int:
    """Count who is in the book: cohorts, leverage, concentration, distance to liquidation."""
    from stress.launch_population import PopulationOptions, launch_population

    return launch_population(PopulationOptions(config, tuple(setting or ()), populations, figure, json))


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
