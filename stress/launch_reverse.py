"""``fundstress reverse``: what ruins the fund, of a scenario; how it was ruined, of a run."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stress.check import finished_run, is_weighted
from stress.launch import INTERRUPTED, Answer, print_result
from stress.launch_size import scenario_of
from stress.reverse import Breaker, Reverse, SmallestMove, reverse
from stress.scenario import Scenario, ScenarioError
from stress.summary import Story, tell_stories
from stress.summary.notation import Money, brackets, percent, share, wrapped

__all__ = ["ReverseOptions", "launch_reverse"]


@dataclass(frozen=True)
class ReverseOptions:
    """What ``fundstress reverse`` was asked for."""

    target: Path
    minutes: float = 60.0
    leverage: float = 10.0
    stories: int | None = None
    settings: tuple[str, ...] = ()  # table.key=value
    json: bool = False
    quiet: bool = False


def launch_reverse(options: ReverseOptions) -> int:
    """Search, or group the ruined paths of a run, and print; return the exit code."""
    if options.target.is_dir():
        print_result(_told(options), options)
        return 0
    scenario = scenario_of(options.target, options.settings)
    try:
        found = reverse(scenario, minutes=options.minutes, leverage=options.leverage)
        print_result(Answer(found, _searched_lines), options)
    except KeyboardInterrupt:
        print("fundstress: interrupted; a search keeps nothing", file=sys.stderr)
        return INTERRUPTED
    return 0


def _told(options: ReverseOptions) -> "_Told":
    if options.settings:
        raise ScenarioError("--set changes a scenario, and the run in this folder is finished")
    outcomes = finished_run(options.target)
    if is_weighted(outcomes):
        raise ScenarioError(f"{options.target}: weighted paths have no frequencies of their own; use a crude run")
    price = Scenario.load(options.target / "config.toml").market.price_usd
    try:
        stories = tell_stories(outcomes, price, n_stories=options.stories)
    except ValueError as error:
        raise ScenarioError(f"{options.target}: {error}") from None
    return _Told(options.target, int((outcomes.ruin_step >= 0).sum()), stories)


@dataclass(frozen=True)
class _Told:
    """Stories, as text and as JSON."""

    folder: Path
    n_ruined: int
    stories: tuple[Story, ...]

    def to_json(self) -> str:
        """Return one JSON document."""
        document: dict[str, Any] = {"schema": "fundstress.stories/1", "n_ruined": self.n_ruined}
        return json.dumps(document | {"stories": [s.to_dict() for s in self.stories]}, indent=2, allow_nan=False)

    def __str__(self) -> str:
        lines = [f"{self.n_ruined:,} ruined paths in {len(self.stories)} stories (medians; share of the ruined)"]
        for story in self.stories:
            lines += wrapped(_told_line(story), first="  - ")
        return "\n".join([*lines, f"Look at one: fundstress replay {self.folder} --path {self.stories[0].path}"])


def _told_line(story: Story) -> str:
    often = f"{share(round(story.share.value, 2))} {brackets(story.share.low, story.share.high, share)}"
    parts = [
        f"{often}: lowest price {100 * story.fall:+.0f} %, highest {100 * story.rise:+.0f} %",
        f"ruin at hour {story.hour:.1f}",
        "" if story.liquidated is None else f"{share(story.liquidated)} of open interest liquidated",
        f"{percent(round(story.bad_debt_share, 2))} of the loss bad debt, the rest of positions taken over",
        f"{story.cohort} {percent(round(story.cohort_share or 0.0, 2))}" if story.cohort else "",
    ]
    return f"{', '.join(part for part in parts if part)} (path {story.path})"


def _searched_lines(found: Reverse) -> Iterator[str]:
    money = Money(found.unit)
    yield f"{found.scenario}: what ruins a fund of {money(found.fund)} on half of the populations"
    yield ""
    yield f"{f'Smallest move within {found.minutes:g} minutes':<44}{'fall':>12}{'rise':>12}"
    for row in found.moves:
        yield _move_line(row)
    yield ""
    yield f"{f'Smallest position at {found.leverage:g}x, with a move':<44}{'of its side':>12}{'notional':>16}"
    for line in found.breakers:
        yield _breaker_line(line, money)
    yield ""
    yield from _ways_lines(found)
    yield ""
    yield "A single straight move and a day of rest: what the fund takes over is sold meanwhile. No rule prescribes it."


def _ways_lines(found: Reverse) -> Iterator[str]:
    """Yield the most likely ways to ruin."""
    yield f"{'Most likely way to ruin, by what drives it':<44}{'beta':>12}{'chance':>16}"
    if found.not_sought:
        yield f"  not sought: {found.not_sought}"
    for way in found.likeliest:
        driver = way.driver if way.acting is None else f"{way.driver}; {way.acting} acts"
        if way.beta is None or way.chance is None:
            yield f"  {driver:<42}{'none':>12}"
            continue
        yield f"  {driver:<42}{way.beta:>12.2f}{way.chance:>16.1g}"
        yield from wrapped(way.words, first="    ", then="    ")
    if found.likeliest:
        yield "  Standard deviations from the usual, and what follows to first order; quote a run for probabilities."


def _move_line(row: SmallestMove) -> str:
    label = f"  leverage x {row.leverage_factor:g}"
    if row.reason:
        return f"{label:<44}cannot be had: {row.reason}"
    cells = ["none" if move is None else f"{100 * move:+.1f} %" for move in (row.fall, row.rise)]
    return f"{label:<44}{cells[0]:>12}{cells[1]:>12}"


def _breaker_line(row: Breaker, money: Money) -> str:
    label = f"  {'long' if row.move < 0 else 'short'}, price {100 * row.move:+.1f} %"
    if row.reason:
        return f"{label:<44}cannot be had: {row.reason}"
    if row.share is None or row.notional is None:
        return f"{label:<44}{'none':>12}"
    if row.share == 0.0:
        return f"{label:<44}{'none needed':>12}"
    return f"{label:<44}{100 * row.share:>10.1f} %{money(row.notional):>16}"
