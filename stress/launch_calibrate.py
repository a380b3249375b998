"""``fundstress calibrate``: models fitted to a price history, ranked by what matters here, and the best one kept."""

import json
import math
import sys
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from stress.calibration import FITTERS, Comparison, compare
from stress.calibration.barriers import Cell, Hits
from stress.calibration.comparison import FEWEST_HITS, Judged, check, market_of
from stress.calibration.likeness import likeness
from stress.calibration.writing import check_out, within, write_market
from stress.candles import read_candles
from stress.toml import ScenarioError

__all__ = ["CalibrateOptions", "launch_calibrate"]

ALL, WIDTH = "all", 200
SCHEMA = "fundstress.calibration/1"


@dataclass(frozen=True)
class CalibrateOptions:
    """What was typed."""

    prices: Path
    out: Path
    model: str = ALL
    base: Path = Path("configs/btc_perpetual.toml")
    symbol: str | None = None
    since: str | None = None
    until: str | None = None
    figures: bool = True
    json: bool = False
    quiet: bool = False

    def names(self) -> list[str]:
        """Return the models to fit.

        Raises
        ------
        ScenarioError
            If one is unknown.
        """
        if self.model == ALL:
            return list(FITTERS)
        for name in self.model.split(","):
            if name not in FITTERS:
                near = get_close_matches(name, FITTERS, n=1)
                meant = f"; did you mean {near[0]!r}?" if near else ""
                raise ScenarioError(f"--model {name}: unknown, known: all, {', '.join(sorted(FITTERS))}{meant}")
        return self.model.split(",")

    def source(self) -> dict[str, Any]:
        """Return the keys of a market that is made of these prices."""
        window = {"symbol": self.symbol, "since": self.since, "until": self.until}
        return {"file": str(self.prices)} | {key: value for key, value in window.items() if value is not None}


def launch_calibrate(options: CalibrateOptions) -> int:
    """Fit, print, write; return the exit code."""
    names = options.names()
    check_out(options.out, options.base)
    candles = read_candles(options.prices, symbol=options.symbol, since=options.since, until=options.until)
    check(candles)
    log = _silent if options.quiet else _log
    for line in (f"{len(candles):,} bars of {candles.seconds} s, {candles.span}", *candles.notes):
        log(line)
    found = compare(candles, names, source=options.source(), progress=lambda name: log(f"fitting {name}"))
    if options.json:
        print(json.dumps(to_dict(found), indent=2, allow_nan=False))
    elif not options.quiet:
        show(found)
    write_market(found, found.best, out=options.out, base=options.base, source=options.source())
    log(f"written: {options.out}, model {found.best.fit.name}")
    if options.figures:
        for path in draw(found, options):
            log(f"written: {path}")
    return 0


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _silent(line: str) -> None:
    pass


def draw(found: Comparison, options: CalibrateOptions) -> list[Path]:
    """Write the figures of the best model beside the scenario."""
    from stress import plots

    best = found.best
    alike = likeness(best.fit.name, market_of(best.fit, found.candles, options.source()), found.candles)
    shown = {"quantiles": plots.return_quantiles(alike), "memory": plots.memory_of_moves(alike)}
    cells = [cell for cell in to_cells(best.hits, found.history) if cell.count >= FEWEST_HITS and cell.model > 0.0]
    if cells:
        shown["barriers"] = plots.barrier_hits(cells)
    return [plots.save(ax, options.out.with_name(f"{options.out.stem}_{name}.png")) for name, ax in shown.items()]


@dataclass(frozen=True)
class TableCell:
    """One cell of the barrier table: shares in history, with its 95 % interval and number of hits, and in a model."""

    side: str
    leverage: int
    hours: int
    history: float
    low: float
    high: float
    count: int
    model: float


def to_cells(model: dict[Cell, Hits], history: dict[Cell, Hits]) -> list[TableCell]:
    """Set a model's hits beside history's."""
    return [TableCell(*cell, h.share, h.low, h.high, h.count, model[cell].share) for cell, h in history.items()]


def to_dict(found: Comparison) -> dict[str, Any]:
    """Return everything as one JSON document; best model first."""
    candles = found.candles
    return {
        "schema": SCHEMA,
        "prices": {"bars": len(candles), "bar_seconds": candles.seconds, "span": candles.span,
                   "sha256": candles.sha256, "notes": list(candles.notes)},
        "tail_index": _finite(found.tail),
        "models": [_model(found, judged) for judged in found.models],
        "refused": list(found.refused),
    }  # fmt: skip


def _model(found: Comparison, judged: Judged) -> dict[str, Any]:
    fit = judged.fit
    return {
        "name": fit.name,
        "market": fit.market,
        "standard_errors": {key: float(error) for key, error in fit.errors.items()},
        "log_likelihood": fit.log_likelihood,
        "aic": fit.aic,
        "flags": list(fit.flags),
        "held_back_error": _finite([judged.error])[0],
        "barrier_hits": _document(judged.hits, found.history),
        "barrier_hits_held_back": _document(judged.held_back, found.held_back),
    }


def _document(model: dict[Cell, Hits], history: dict[Cell, Hits]) -> list[dict[str, Any]]:
    """Return the cells that history has anything to say about."""
    rows = [asdict(cell) for cell in to_cells(model, history) if math.isfinite(cell.history)]
    return [row | dict(zip(("low", "high"), _finite([row["low"], row["high"]]), strict=True)) for row in rows]


def _finite(values: Any) -> list[float | None]:
    return [float(value) if math.isfinite(value) else None for value in values]


def show(found: Comparison) -> None:
    """Print the model table and, for each model, the barrier hits over history's."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    console.print(_models(found))
    console.print(_hits("All bars: model / history", found, "hits", found.history))
    console.print(_hits("Last third, fitted to the first two: model / history", found, "held_back", found.held_back))
    for model in found.models:
        for flag in model.fit.flags:
            console.print(f"{model.fit.name}: {flag}")
    for line in found.refused:
        console.print(line)


def _models(found: Comparison) -> Any:
    table = _table("Models, nearest barrier hits on the last third first")
    for name in ("model", "off by, last third", "within 1.5", "log-likelihood", "AIC", "tail left, right"):
        table.add_column(name, justify="left" if name == "model" else "right")
    for model in found.models:
        fit = model.fit
        judged = [cell for cell, hits in found.history.items() if hits.count >= FEWEST_HITS]
        near = sum(within(model.hits[cell].share, found.history[cell]) for cell in judged)
        likelihood = ("-", "-") if fit.log_likelihood is None else (f"{fit.log_likelihood:,.0f}", f"{fit.aic:,.0f}")
        tails = f"{model.tail[0]:.2f}, {model.tail[1]:.2f}"
        error = "-" if math.isnan(model.error) else f"x{math.exp(model.error):.2f}"
        table.add_row(fit.name, error, f"{near} of {len(judged)}", *likelihood, tails)
    table.add_row("history", "", "", "", "", f"{found.tail[0]:.2f}, {found.tail[1]:.2f}")
    return table


def _hits(title: str, found: Comparison, which: str, history: dict[Cell, Hits]) -> Any:
    table = _table(title)
    table.add_column("position", no_wrap=True)
    for name in ("history", "95 % interval", "hits", *(model.fit.name for model in found.models)):
        table.add_column(name, justify="right", no_wrap=True)
    for cell, hits in history.items():
        if hits.count > 0:
            side, leverage, hours = cell
            ratios = (f"{getattr(model, which)[cell].share / hits.share:.2f}" for model in found.models)
            interval = f"{100 * hits.low:.2g} - {100 * hits.high:.2g}" if math.isfinite(hits.low) else "too short"
            few = "" if hits.count >= FEWEST_HITS else " (few)"
            seen = (f"{100 * hits.share:.2g} %", interval, f"{hits.count:,}{few}")
            table.add_row(f"{side} {leverage}x {hours} h", *seen, *ratios)
    return table


def _table(title: str) -> Any:
    from rich.table import Table

    return Table(title=title, title_justify="left", box=None, padding=(0, 1), title_style="bold")
