"""``fundstress replay``: history through the venue, or one path of a run told as a story."""

import json
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from stress.candles import Candles, read_candles
from stress.check import finished_run
from stress.engines.timeline import Event, Timeline, timeline
from stress.launch import Options, launch
from stress.manifest import code_hash
from stress.scenario import Scenario, ScenarioError
from stress.toml import parse_setting

__all__ = ["ReplayOptions", "StoryOptions", "launch_replay", "launch_story"]

PATHS = 200
LONGEST_HOURS = 24 * 366
WIDTH = 112


@dataclass(frozen=True)
class ReplayOptions(Options):
    """What ``fundstress replay CONFIG --prices FILE`` was asked for."""

    prices: Path = Path()
    symbol: str | None = None
    since: str | None = None
    until: str | None = None

    def source(self) -> dict[str, Any]:
        """Return the keys of the market that say which prices."""
        window = {"symbol": self.symbol, "since": self.since, "until": self.until}
        return {"file": str(self.prices)} | {key: value for key, value in window.items() if value is not None}

    def words(self, *, resume: Path | None = None) -> list[str]:
        """Return the command line."""
        typed = {key: value for key, value in self.overrides.items() if key in ("run.n_paths", "run.seed")}
        words = replace(self, overrides=typed).run_words(resume=resume)
        given = {"--prices": self.prices, "--symbol": self.symbol, "--from": self.since, "--to": self.until}
        more = [word for flag, value in given.items() if value is not None for word in (flag, str(value))]
        return [words[0], "replay", words[2], *more, *words[3:]]

    def run_words(self, *, resume: Path | None = None) -> list[str]:
        """Return the command line as that of a run."""
        return super().words(resume=resume)


def launch_replay(options: ReplayOptions) -> int:
    """Run the prices of a file through a venue into a run folder; return the exit code."""
    candles = read_candles(options.prices, symbol=options.symbol, since=options.since, until=options.until)
    for line in candles.notes:
        options.log(line)
    base = Scenario.load(options.config, overrides=dict(map(parse_setting, options.settings)))
    return launch(replace(options, overrides=replayed(base, candles, options) | options.overrides))


def replayed(base: Scenario, candles: Candles, options: ReplayOptions) -> dict[str, Any]:
    """Return the overrides that put history in the place of a scenario's market.

    Scripted moves go with the market; scripted halts stay.  Where several symbols have prices, they stay: the bars move
    the first by as much as they moved their own, and the others with it.

    Raises
    ------
    ScenarioError
        If the window is longer than a run may be.
    """
    hours = float(candles.time[-1] - candles.time[0] + candles.seconds) / 3600.0
    if hours > LONGEST_HOURS:
        said = f"covers {hours:,.0f} h, at most {LONGEST_HOURS:,} are replayed; choose --from and --to"
        raise ScenarioError(f"{options.prices}: {said}")
    halts = [shock.model_copy(update={"move": 0.0}) for shock in base.shock if shock.halt and shock.at_hours < hours]
    usual = base.liquidity.vol_annual or getattr(base.market, "vol_annual", None)
    price = base.market.price_usd if base.asset else float(candles.open[0])
    realized = float(np.sqrt(np.mean(candles.returns**2) * 365.0 * 86400.0 / candles.seconds))
    return {
        "market": {"kind": "replay", "price_usd": price, **options.source()},
        "liquidity.vol_annual": usual or realized,
        "shock": [halt.model_dump(exclude_none=True) for halt in halts],
        "overlay": [],
        "uncertain": [],
        "run.horizon_hours": hours,
        "run.n_paths": PATHS,
        "run.redraw_every": None if base.conditional_on_book else 2,
    }


@dataclass(frozen=True)
class StoryOptions:
    """What ``fundstress replay RUN_DIR --path N`` was asked for."""

    folder: Path
    path: int
    top: int = 20
    figure: Path | None = None
    json: bool = False


def launch_story(options: StoryOptions) -> int:
    """Run one path of a finished run again and tell who was liquidated when; return the exit code."""
    outcomes = finished_run(options.folder)
    scenario = Scenario.load(options.folder / "config.toml")
    found = timeline(scenario, [options.path])
    same = bool(found.drawdown[0] == outcomes.drawdown[options.path])
    if not same:
        made = json.loads((options.folder / "manifest.json").read_text(encoding="utf-8")).get("code")
        why = "the run was made with another version of the package" if made != code_hash() else "not the same numbers"
        print(f"fundstress: the path's drawdown differs from the run's: {why}", file=sys.stderr)
    if options.figure is not None:
        from stress import plots

        plots.save(plots.anatomy(found), options.figure)
    if options.json:
        print(json.dumps(to_dict(found, options.path, same=same), indent=2, allow_nan=False))
    else:
        tell(found, options, int(outcomes.population[options.path]))
    return 0


def to_dict(found: Timeline, path: int, *, same: bool) -> dict[str, Any]:
    """Return one path as a JSON document."""
    series = ("price", "mark", "open_interest", "liquidated_long", "liquidated_short", "inventory", "fund")
    return {
        "schema": "fundstress.replay/1",
        "path": path,
        "same_as_run": same,
        "unit": found.unit,
        "drawdown": float(found.drawdown[0]),
        "deleveraged": float(found.deleveraged[0, -1]),
        "hours": found.hours.tolist(),
        **{name: getattr(found, name)[0].tolist() for name in series},
        "liquidations": [asdict(event) for event in found.events[0]],
    }


def tell(found: Timeline, options: StoryOptions, population: int) -> None:
    """Print the story: the path in a few lines, hour by hour, and the largest liquidations in their order."""
    from rich.console import Console

    from stress.summary.notation import Money

    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    events, money = found.events[0], Money(found.unit)
    price, fund = found.price[0], found.fund[0] / money.scale
    low, high = int(price.argmin()), int(price.argmax())
    console.print(f"{found.label}, path {options.path:,}, population {population}")
    console.print(f"index      {price[0]:,.6g} USD; low {price[low]:,.6g} at {found.hours[low]:.1f} h, "
                  f"high {price[high]:,.6g} at {found.hours[high]:.1f} h")  # fmt: skip
    console.print(f"fund       {fund[0]:,.4g} to {fund[-1]:,.4g}, lowest {fund.min():,.4g} {money.axis}; "
                  f"the path would have needed {found.drawdown[0] / money.scale:,.4g}")  # fmt: skip
    accounts = len({event.account for event in events})
    total = sum(event.notional_usd for event in events) / 1e6
    console.print(f"liquidated {accounts:,} accounts in {len(events):,} orders, {total:,.4g} million USD; "
                  f"auto-deleveraged {found.deleveraged[0, -1] / money.scale:,.4g} {money.axis}")  # fmt: skip
    if events:
        console.print(_table_of(largest(events, options.top), f"The {min(options.top, len(events))} largest"))


def largest(events: tuple[Event, ...], n: int) -> list[Event]:
    """Return the `n` largest liquidations in the order in which they happened."""
    chosen = sorted(events, key=lambda event: -event.notional_usd)[:n]
    return sorted(chosen, key=lambda event: (event.hours, event.round))


def _table_of(events: list[Event], title: str) -> Any:
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, padding=(0, 2), title_style="bold")
    for name in ("hours", "index USD", "account", "cohort", "side", "million USD", "round"):
        table.add_column(name, justify="left" if name in ("cohort", "side") else "right")
    for e in events:
        size = f"{e.notional_usd / 1e6:,.3f}"
        table.add_row(f"{e.hours:.2f}", f"{e.index_usd:,.6g}", f"{e.account}", e.cohort, e.side, size, f"{e.round}")
    return table
