"""Commands that make documents of finished runs (registered in `stress.cli`)."""

from pathlib import Path
from typing import Annotated

import typer

from stress.cli_options import Quiet, RunDir

Formats = Annotated[str, typer.Option("--format", metavar="html|pdf|xlsx|md", help="Or several with commas.")]


def report(
    run_dirs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN_DIR...", help="Finished runs; the first is the measure.", show_default=False),
    ],
    formats: Annotated[
        str, typer.Option("--format", metavar="html|pdf|xlsx|md", help="Or several with commas.")
    ] = "html",
    lang: Annotated[str, typer.Option(metavar="en|zh", help="Language.")] = "en",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="New file; default report.<format> in the first RUN_DIR.")
    ] = None,
    sweep: Annotated[Path | None, typer.Option(metavar="DIR", help="Sweep, for what moves the reserve.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> int:
    """Write the report of a finished run, or of several side by side, as one file."""
    from stress.launch_report import ReportOptions, launch_report

    return launch_report(ReportOptions(run_dirs, formats, lang, out, quiet, sweep=sweep))


def model_risk(
    run_dir: RunDir,
    formats: Annotated[
        str, typer.Option("--format", metavar="md|html|pdf|xlsx", help="Or several with commas.")
    ] = "md",
    lang: Annotated[str, typer.Option(metavar="en|zh", help="Language.")] = "en",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="New file; default model-risk.<format> in RUN_DIR.")
    ] = None,
    quiet: Quiet = False,
) -> int:
    """Write the model-risk document of a finished run: twelve sections, with places to sign."""
    from stress.launch_report import ReportOptions, launch_report
    from stress.report import dossier

    return launch_report(ReportOptions([run_dir], formats, lang, out, quiet, dossier, "model-risk"))


def disclose(
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="Month to disclose, UTC.")],
    run_dirs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[RUN_DIR...]", help="Simulated months; with --ledger the run of the coverage ratio."),
    ] = None,
    ledger: Annotated[
        Path | None, typer.Option(metavar="CSV", help="The venue's own entries: time, kind, amount.")
    ] = None,
    unit: Annotated[str, typer.Option(help="Money of the ledger.")] = "USD",
    lang: Annotated[str, typer.Option(metavar="en|zh", help="Language.")] = "en",
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="New folder; default disclosure-<month>.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> int:
    """Write a public page of a month of the fund, with its data as CSV and JSON."""
    from stress.launch_disclose import DiscloseOptions, launch_disclose

    return launch_disclose(DiscloseOptions(run_dirs or [], month, ledger, unit, lang, out, quiet))


def dashboard(
    config: Annotated[
        Path | None, typer.Argument(metavar="[CONFIG]", help="Scenario to watch; a small venue by default.")
    ] = None,
    run: Annotated[Path | None, typer.Option(metavar="RUN_DIR", help="Finished run of the second page.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="On this machine only.")] = 8765,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open a browser.")] = False,
) -> int:
    """Watch one path agent by agent in a browser, push its price, and open finished runs."""
    from stress.launch_dashboard import DashboardOptions, launch_dashboard

    return launch_dashboard(DashboardOptions(config, run, port, not no_open))
