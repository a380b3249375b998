"""Commands that run a scenario many times, or solve for its reserve (registered in `stress.cli`)."""

from pathlib import Path
from typing import Annotated

import typer

from stress.cli_options import Config, Engine, Executor, NoProgress, Quiet, Scheduler, Settings, Threads, Workforce


def uncertainty(
    config: Config,
    draws: Annotated[int | None, typer.Option(min=2, help="Draws of the parameters; 200 by default.")] = None,
    paths: Annotated[
        int | None, typer.Option(min=2, help="Paths of each draw; by default as many as the error asks for.")
    ] = None,
    threads: Threads = None,
    executor: Executor = Workforce.threads,
    scheduler: Scheduler = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder; default runs/<name>-<hash8>-uncertainty.")
    ] = None,
    setting: Settings = None,
    json: Annotated[bool, typer.Option("--json", help="Print the interval as one JSON document.")] = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
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
            executor=executor.value,
            scheduler=scheduler,
            out=out,
            json=json,
            quiet=quiet,
            progress=not (no_progress or quiet),
        )
    )


def size(
    config: Config,
    level: Annotated[float, typer.Option(help="No ruin with this probability, e.g. 0.995.")],
    horizon: Annotated[str | None, typer.Option(metavar="TIME", help="72h, 30d, 1y; the scenario's own.")] = None,
    paths: Annotated[int | None, typer.Option(min=1, help="Number of paths of each run.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Root of all randomness.")] = None,
    threads: Threads = None,
    setting: Settings = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as one JSON document.")] = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
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


def sweep(
    plan: Annotated[Path, typer.Argument(metavar="SWEEP", help="Sweep file (TOML).", show_default=False)],
    workers: Annotated[int | None, typer.Option(min=1, help="All cores by default.")] = None,
    executor: Executor = Workforce.threads,
    scheduler: Scheduler = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the unfinished sweep of this file.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print points, paths, time and disk, and stop.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder; default runs/<name>-<hash8>-sweep.")] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Of the sweep file, e.g. sweep.n_paths=1000.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the table as one JSON document.")] = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
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


def sensitivity(
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


def compare(
    config: Config,
    presets: Annotated[str, typer.Option("--presets", metavar="A,B,...", help="Rulebooks; the first is the measure.")],
    paths: Annotated[int | None, typer.Option(min=2, help="Number of paths of each.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Root of all randomness.")] = None,
    engine: Annotated[Engine | None, typer.Option(help="auto: the fastest that is exact, for each.")] = None,
    threads: Threads = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="New folder; default runs/<name>-<hash8>-compare.")
    ] = None,
    setting: Settings = None,
    json: Annotated[bool, typer.Option("--json", help="Print the comparison as one JSON document.")] = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
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


def attribute(
    config: Config,
    level: Annotated[float, typer.Option(help="The worst 1 - level of the paths are shared.")] = 0.99,
    by: Annotated[str, typer.Option(help="cohort, account (by size), leverage or symbol.")] = "cohort",
    paths: Annotated[int | None, typer.Option(min=2, help="Paths of each run: 2,000, or 20,000.")] = None,
    shapley: Annotated[bool, typer.Option("--shapley", help="Every combination of at most 8 cohorts.")] = False,
    threads: Threads = None,
    setting: Settings = None,
    json: Annotated[bool, typer.Option("--json", help="Print the table as one JSON document.")] = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> int:
    """Leave out cohorts, or share the losses among positions: who makes the fund need what it needs?"""
    from stress.launch_attribute import AttributeOptions, launch_attribute

    asked = config, level, paths, by, shapley, tuple(setting or ())
    return launch_attribute(AttributeOptions(*asked, threads, json, quiet, progress=not (no_progress or quiet)))


def reverse(
    target: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG|RUN_DIR", help="Scenario file, or folder of a finished run.", show_default=False
        ),
    ],
    minutes: Annotated[float, typer.Option(help="With CONFIG: how long the move takes.")] = 60.0,
    leverage: Annotated[float, typer.Option(min=1, help="With CONFIG: of the position that is added.")] = 10.0,
    stories: Annotated[
        int | None, typer.Option(min=3, max=5, help="With RUN_DIR: how many; where they are clearest.")
    ] = None,
    setting: Settings = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    quiet: Quiet = False,
) -> int:
    """Ask what would ruin the fund of a scenario, or how that of a run was ruined."""
    from stress.launch_reverse import ReverseOptions, launch_reverse

    return launch_reverse(ReverseOptions(target, minutes, leverage, stories, tuple(setting or ()), json, quiet))
