"""Commands about data: a venue's positions, prices, and who is in the book (registered in `stress.cli`)."""

from pathlib import Path
from typing import Annotated

import typer

from stress.cli_options import Config, CrossWallet, Decimal, Json, Mode, QtyUnit, Quiet, Settings, Threads


def import_(
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
    quiet: Quiet = False,
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


def calibrate(
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
    quiet: Quiet = False,
    no_figures: Annotated[bool, typer.Option("--no-figures", help="No figures.")] = False,
) -> int:
    """Fit price models to candles and keep the one whose barrier hits are nearest to history."""
    from stress.launch_calibrate import CalibrateOptions, launch_calibrate

    return launch_calibrate(
        CalibrateOptions(prices, out, model, base, symbol, since, until, not no_figures, json, quiet)
    )


def replay(
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
    threads: Threads = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="New folder; default runs/<name>-<hash8>.")] = None,
    resume: Annotated[Path | None, typer.Option(metavar="DIR", help="Finish the interrupted replay in DIR.")] = None,
    setting: Settings = None,
    top: Annotated[int, typer.Option(min=1, help="Liquidations that the story lists.")] = 20,
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the path's timeline (png, svg, pdf).")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
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


def population(
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


def claims(
    source: Annotated[
        Path, typer.Argument(metavar="LOSSES|CONFIG", help="Losses (CSV, Parquet), or laws (TOML).", show_default=False)
    ],
    level: Annotated[float, typer.Option(help="No ruin with this probability.")] = 0.995,
    horizon: Annotated[str | None, typer.Option(metavar="TIME", help="72h, 30d, 1y; a year by default.")] = None,
    premium: Annotated[float | None, typer.Option(metavar="USD", help="Steady income in a year.")] = None,
    noise: Annotated[float | None, typer.Option(metavar="USD", help="Standard deviation of other income.")] = None,
    limit: Annotated[float | None, typer.Option(metavar="USD", help="The most that one loss can cost.")] = None,
    fund: Annotated[float | None, typer.Option(metavar="USD", help="Fund whose ruin is asked for, too.")] = None,
    draws: Annotated[int, typer.Option(min=0, help="Refits, for the parameter interval.")] = 200,
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Watched since, ISO 8601, UTC.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Watched until, ISO 8601, UTC.")] = None,
    paths: Annotated[int | None, typer.Option(min=1, help="Number of paths.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Root of all randomness.")] = None,
    method: Annotated[str, typer.Option(help="crude, or conditional: for levels that no count reaches.")] = "crude",
    setting: Settings = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Size a fund from its history of losses alone."""
    from stress.launch_claims import ClaimsOptions, launch_claims

    overrides = {
        "income.premium_usd_per_year": premium,
        "income.noise_usd": noise,
        "fund.initial_usd": fund,
        "run.n_paths": paths,
        "run.seed": seed,
    }
    given = {key: value for key, value in overrides.items() if value is not None}
    asked = source, level, horizon, limit, draws, since, until, method, tuple(setting or ())
    return launch_claims(ClaimsOptions(*asked, given, json, quiet))


def backtest(
    series: Annotated[
        Path, typer.Argument(metavar="SERIES", help="Losses and forecasts (CSV, Parquet).", show_default=False)
    ],
    level: Annotated[float, typer.Option(help="Level of the forecast quantiles.")] = 0.99,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Test forecasts of losses against what came: number, independence and size of the exceptions."""
    from stress.launch_backtest import BacktestOptions, launch_backtest

    return launch_backtest(BacktestOptions(series, level, json, quiet))
