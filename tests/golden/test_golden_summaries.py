"""One committed summary per configuration: what a run of 200 paths said when it was last looked at.

A difference means that the model, a default or the random numbers have changed.  If that was meant, write the
files anew with

    FUNDSTRESS_UPDATE_GOLDEN=1 .venv/bin/pytest tests/golden

and look at the difference before committing it.
"""

import json
import os
from functools import cache
from pathlib import Path

import pytest

import stress

HERE = Path(__file__).parent
CONFIGS = sorted((HERE.parents[1] / "configs").glob("*.toml"))
SIZE = {"run.n_paths": 200, "run.redraw_every": 20}  # ten populations: a draw costs more than a path
LONGEST = 720.0  # hours: a month tells of a year's configuration
DIGITS, RELATIVE = 9, 1e-9
UPDATE = os.environ.get("FUNDSTRESS_UPDATE_GOLDEN") == "1"

# The run's circumstances, rounding errors, which no two machines share, and prose.
LEFT_OUT = {"elapsed_s", "conservation_error", "config_sha256"}
LEFT_OUT |= {"caveats", "curve_note", "engine_note", "reason", "result"}


def rounded(value):
    """Return a value with floats at nine significant digits, without what is left out."""
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items() if key not in LEFT_OUT}
    if isinstance(value, (list, tuple)):
        return [rounded(entry) for entry in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def flat(value, name=""):
    """Yield (dotted name, leaf) of nested tables and lists."""
    if isinstance(value, (dict, list)):
        for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
            yield from flat(entry, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


@cache
def summary(config):
    scenario = stress.Scenario.load(config, overrides=SIZE)
    if scenario.run.horizon_hours > LONGEST:
        scenario = scenario.with_(**{"run.horizon_hours": LONGEST})
    run = stress.run(scenario)
    return rounded(json.loads(stress.summarize(run).to_json()))


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_the_summary_is_the_committed_one(config):
    golden = HERE / f"{config.stem}.json"
    if UPDATE:
        golden.write_text(json.dumps(summary(config), indent=1) + "\n")
    expected, found = (dict(flat(table)) for table in (json.loads(golden.read_text()), summary(config)))
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        wanted = pytest.approx(value, rel=RELATIVE, abs=0.0) if isinstance(value, float) else value
        assert found[name] == wanted, name


def test_there_is_one_golden_file_per_config():
    assert {path.stem for path in HERE.glob("*.json")} == {path.stem for path in CONFIGS}
