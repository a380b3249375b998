"""The default, frozen, on the bars of five storms: what is liquidated and what becomes of the fund, against the record.

    python benchmarks/hindcast.py --hours BTC_1h.parquet --half-hours BTC_30m.parquet [--write]

Prices are candles of BTC/USDT spot, which the project does not hold.  Nothing is fitted to a storm.  Beside each storm
in which the engine of a venue stood still is the same with those halts.  Every fund is one that nothing empties, so
that its change is what somebody has to bear.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from study import DEFAULT, ROOT, markdown, percent, write_blocks

import stress
from stress.candles import read_candles
from stress.launch_replay import ReplayOptions, replayed
from stress.variants import AMPLE

PAGE = ROOT / "docs" / "markets.md"
PATHS, EACH = 40, 2


@dataclass(frozen=True)
class Storm:
    """One storm: its window, halts as (hour of the window, minutes), and what is on record."""

    name: str
    hourly: bool
    since: str
    until: str
    record: str
    halts: tuple[tuple[float, float], ...] = ()


STORMS = (
    Storm(
        "12-13 March 2020",
        True,
        "2020-03-12",
        "2020-03-14",
        "funds: BitMEX -4.6 % at day end, -7.3 to -23 % within it; Binance -52 %, Deribit -53 %, OKEx -47 %; open "
        "interest: Binance -54 %, BitMEX -38 %",
        ((26.25, 30.0),),
    ),
    Storm(
        "18-19 May 2021",
        False,
        "2021-05-18T12:00",
        "2021-05-20",
        'open interest "more than halved" from the spring; Binance\'s fund -1.07 %, under an outage',
        ((24.0 + 2.0 / 3.0, 30.0), (25.5, 90.0)),
    ),
    Storm(
        "8-9 November 2022",
        False,
        "2022-11-08T12:00",
        "2022-11-10",
        "among the four largest one-day falls of open interest since March 2021; no fund on record",
    ),
    Storm("17 August 2023", False, "2023-08-17", "2023-08-18T12:00", "open interest -17.35 % in the day"),
    Storm("6-7 April 2025", False, "2025-04-06", "2025-04-08", "no figure found"),
)
HEAD = (
    "bars",
    "deepest mark",
    "liquidated / open interest",
    "fund at the end",
    "fund at its lowest",
    "per liquidated",
    "on record",
)


def scenario_of(storm: Storm, prices: Path, *, halted: bool) -> stress.Scenario:
    """Return the default on the bars of a storm."""
    base = stress.Scenario.load(DEFAULT)
    window = {"since": storm.since, "until": storm.until}
    options = ReplayOptions(config=DEFAULT, prices=prices, **window)
    changes = replayed(base, read_candles(prices, **window), options) | base.with_fund(AMPLE)
    halts = [{"at_hours": at, "minutes": minutes, "halt": True} for at, minutes in storm.halts if halted]
    return base.with_(**(changes | {"shock": halts, "run.n_paths": PATHS, "run.redraw_every": EACH}))


def interval(values: np.ndarray) -> str:
    """Return the mean, and 90 % of the values."""
    low, high = np.quantile(values, (0.05, 0.95))
    return f"{100 * values.mean():+.0f} % [{100 * low:+.0f}, {100 * high:+.0f}]"


def row(storm: Storm, prices: Path, fund: float, *, halted: bool) -> tuple[str, ...]:
    """Return one line of the table; amounts are shares of the default's fund."""
    scenario = scenario_of(storm, prices, halted=halted)
    run = stress.run(scenario)
    change = run.fund_end - run.facts.fund_initial
    return (
        f"{storm.name}, with the halts on record" if halted else storm.name,
        percent(run.price_min.mean() / scenario.market.price_usd - 1.0),
        percent(run.liquidated_notional.mean() / run.facts.open_interest),
        interval(change / fund),
        interval(-run.drawdown / fund),
        f"{100 * change.sum() / run.liquidated_notional.sum():+.2f} %",
        "" if halted else storm.record,
    )


def rows(hours: Path, half_hours: Path) -> Iterator[tuple[str, ...]]:
    fund = stress.Scenario.load(DEFAULT).fund_initial
    for storm in STORMS:
        prices = hours if storm.hourly else half_hours
        yield row(storm, prices, fund, halted=False)
        if storm.halts:
            yield row(storm, prices, fund, halted=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=Path, required=True, help="hourly candles that hold March 2020")
    parser.add_argument("--half-hours", type=Path, required=True, help="half-hourly candles from May 2021 on")
    parser.add_argument("--write", action="store_true", help="write the table of docs/markets.md")
    asked = parser.parse_args()
    table = markdown(HEAD, rows(asked.hours, asked.half_hours))
    print(table)
    if asked.write:
        write_blocks({"hindcast": table}, PAGE)


if __name__ == "__main__":
    main()
