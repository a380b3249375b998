"""``fundstress run --method importance``: weighted paths into a run folder, for ruin that counting does not reach."""

import json
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from stress.launch import INTERRUPTED, Options, print_result, shown
from stress.manifest import describe_run, now
from stress.notices import notices
from stress.rare import WeightedRun, importance, is_rare
from stress.rundir import RunFolder
from stress.scenario import Scenario, ScenarioError
from stress.summary import WeightedSummary, summarize_weighted
from stress.toml import parse_setting

__all__ = ["launch_weighted", "wants_importance"]

REFUSED = 1


@dataclass(frozen=True)
class _Answer:
    """A weighted summary with its pilot."""

    summary: WeightedSummary
    run: WeightedRun

    def to_json(self) -> str:
        """Return one JSON document."""
        stages = [{"drawdown": s.drawdown, "probability": s.probability} for s in self.run.stages]
        pilot = {
            "n_paths": self.run.n_pilot,
            "stages": stages,
            "laws": [_plain(law) for s in self.run.stages for law in s.laws],
        }
        return json.dumps({**self.summary.to_dict(), "pilot": pilot}, indent=2, allow_nan=False)

    def __str__(self) -> str:
        stages = ", ".join(f"{stage.probability:.2g}" for stage in self.run.stages)
        return f"{self.summary}\nPilot: {self.run.n_pilot:,} paths, down to probabilities of {stages}."


def _plain(law: Any) -> dict[str, Any]:
    return {"numbers": dict(law.numbers), "acts_per_step": np.asarray(law.acts_per_step).tolist()}


def wants_importance(options: Options, method: str) -> bool:
    """Say whether a run is weighted: as asked for, or, for ``auto``, if a crude pilot promises too few ruined paths."""
    if method != "auto":
        return method == "importance"
    scenario = _scenario(options)
    rare, why = is_rare(scenario, threads=options.threads)
    options.log(f"method: {'importance' if rare else 'crude'}, {why}")
    return rare


def _scenario(options: Options) -> Scenario:
    overrides = dict(map(parse_setting, options.settings)) | options.overrides
    return Scenario.load(options.config, overlay=options.overlay, overrides=overrides)


def launch_weighted(options: Options) -> int:
    """Run a scenario with weighted paths into its folder and print the result; return the exit code."""
    if options.resume or options.ledger:
        raise ScenarioError("--method importance: neither --resume nor --ledger goes with weighted paths")
    scenario, started, clock = _scenario(options), now(), time.perf_counter()
    for line in notices(scenario):
        options.log(line)
    with RunFolder.claim(scenario, options.out) as folder:
        try:
            with shown(options, "weighted paths") as progress:
                found = importance(scenario, threads=options.threads, progress=progress)
        except KeyboardInterrupt:
            print("fundstress: interrupted; nothing is kept of weighted paths", file=sys.stderr)
            return INTERRUPTED
        answer = _Answer(summarize_weighted(found.outcomes), found)
        folder.write_text("config.toml", scenario.to_toml())
        folder.write_outcomes(found.outcomes)
        folder.write_text("summary.json", answer.to_json() + "\n")
        print_result(answer, options)
        about: dict[str, Any] = {
            "started": started,
            "finished": now(),
            "elapsed_s": {"command": time.perf_counter() - clock},
        }
        about |= {"command": [*options.words(), "--method", "importance"], "n_pilot": found.n_pilot}
        folder.finish(describe_run(scenario, found.outcomes, threads=options.threads, n_resumed=0, **about))
    options.log(f"saved in {folder.path}")
    return _code(answer.summary)


def _code(summary: WeightedSummary) -> int:
    """Return 1, with one line, when the weights cannot be trusted or too few paths are ruined; 0 otherwise."""
    if not summary.weights_agree:
        print(f"fundstress: the mean weight is {summary.mean_weight:.4f}, not 1: refused", file=sys.stderr)
        return REFUSED
    if summary.ruin.value is None:
        print(f"fundstress: ruin probability refused: {summary.ruin.reason}", file=sys.stderr)
        return REFUSED
    return 0
