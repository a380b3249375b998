"""``fundstress compare``: several rulebooks on one scenario, into a folder that is never overwritten."""

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stress import presets
from stress.compare import check_settings, compare, contenders
from stress.launch import INTERRUPTED, print_result, shown
from stress.manifest import SCHEMA, circumstances, now
from stress.outcomes import Outcomes
from stress.rundir import RunFolder
from stress.scenario import Scenario
from stress.summary import Comparison
from stress.toml import parse_setting

__all__ = ["CompareOptions", "launch_compare"]

KIND, FOUND = "-compare", "comparison.json"


@dataclass(frozen=True)
class CompareOptions:
    """What ``fundstress compare`` was asked for; `settings` and `overrides` change the scenario in turn."""

    config: Path
    presets: tuple[str, ...]
    settings: tuple[str, ...] = ()  # table.key=value
    overrides: dict[str, Any] = field(default_factory=dict)
    threads: int | None = None
    out: Path | None = None
    json: bool = False
    quiet: bool = False
    progress: bool = True
    figures: bool = True

    def words(self) -> list[str]:
        """Return the command line."""
        flags = {"run.n_paths": "--paths", "run.seed": "--seed", "run.engine": "--engine"}
        given = {"--presets": ",".join(self.presets), "--out": self.out, "--threads": self.threads}
        given |= {flags[key]: value for key, value in self.overrides.items()}
        words = ["fundstress", "compare", str(self.config)]
        words += [word for flag, value in given.items() if value is not None for word in (flag, str(value))]
        words += [word for setting in self.settings for word in ("--set", setting)]
        switches = {"--json": self.json, "--quiet": self.quiet, "--no-figures": not self.figures}
        return words + [switch for switch, on in switches.items() if on]


def launch_compare(options: CompareOptions) -> int:
    """Run the rulebooks and print what they make of the scenario; return the exit code."""
    given = dict(map(parse_setting, options.settings))
    scenario = Scenario.load(options.config, overrides=given | options.overrides)
    found = contenders(scenario, options.presets)  # what cannot be run is found before a folder is made
    check_settings(scenario, found, tuple(given))
    for name in options.presets:
        if (line := presets.notice(name)) and not options.quiet:
            print(line, file=sys.stderr)
    with RunFolder.claim(scenario, options.out, kind=KIND) as folder:
        try:
            _compare_into(folder, scenario, options)
        except KeyboardInterrupt:
            print("fundstress: interrupted; a comparison keeps nothing", file=sys.stderr)
            return INTERRUPTED
    if not options.quiet:
        print(f"saved in {folder.path}", file=sys.stderr)
    return 0


def _compare_into(folder: RunFolder, scenario: Scenario, options: CompareOptions) -> None:
    started, clock = now(), time.perf_counter()
    with shown(options, "comparing") as progress:
        found, outcomes = compare(scenario, options.presets, threads=options.threads, progress=progress)
    try:
        folder.write_text("config.toml", scenario.to_toml())
        folder.write_text(FOUND, found.to_json() + "\n")
        for name, rows in zip(options.presets, outcomes, strict=True):
            folder.write_outcomes(rows, f"{name}.parquet")
    finally:  # a full disk does not cost the answer
        print_result(found, options)
    if options.figures:
        _draw(folder, found)
    elapsed = {"command": time.perf_counter() - clock}
    folder.finish(_manifest(scenario, options, outcomes, started=started, finished=now(), elapsed_s=elapsed))


def _draw(folder: RunFolder, found: Comparison) -> None:
    from stress import plots

    folder.write_figure("reserves", plots.compared_reserves(found))
    folder.write_figure("who_pays", plots.who_pays(found))


def _manifest(scenario: Scenario, options: CompareOptions, outcomes: list[Outcomes], **more: Any) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "kind": "comparison",
        "name": scenario.run.name,
        "config_sha256": scenario.sha256,
        "seed": scenario.run.seed,
        "presets": list(options.presets),
        "engines": [rows.facts.engine for rows in outcomes],
        "n_paths": outcomes[0].n_paths,
        "outcomes_digest": [rows.digest() for rows in outcomes],
        **circumstances(),
        **more,
        "command": options.words(),
        "config": scenario.tables(),
    }
