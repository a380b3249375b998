"""The page about those who act lists them all, and its scenarios still say what it says."""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import stress
from stress.agents.base import Cohort

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")


@cache
def losses(name, **overrides):
    """Return the fund's loss on 400 paths of a scenario, shape (400,), USD."""
    scenario = stress.Scenario.load(ROOT / "configs" / f"{name}.toml")
    run = stress.run(scenario.with_(**{"run.n_paths": 400, "run.redraw_every": 20, **overrides}))
    return scenario.fund_initial - run.fund_end


def test_every_agent_type_is_on_the_page():
    listed = set(re.findall(r"^\| `(\w+)` \|", PAGE, flags=re.MULTILINE))
    assert {kind for kind, part in Cohort.family.items() if part.__module__.startswith("stress.")} <= listed


def test_the_loss_of_an_attack_like_jelly_is_within_what_was_reported():
    assert 10.6e6 <= np.median(losses("jelly_like")) <= 13.5e6


def test_the_loss_that_a_whale_of_eth_caused_is_an_ordinary_one_in_the_model():
    low, high = np.quantile(losses("whale_self_liquidation") / 306e6, (0.25, 0.95))
    assert low < 0.013 < high


def test_the_example_of_the_page_moves_the_index():
    names: dict = {}
    exec(re.search(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)[1], names)
    try:
        scenario = stress.Scenario.load(ROOT / "configs" / "tiny.toml")
        rumor = names["Rumor"](name="rumor", times_a_year=2_000.0)
        found = scenario.with_(population=[*scenario.tables()["population"], rumor.model_dump()])
        low = [stress.run(s, n_paths=12, engine="reference", rng=1).price_min for s in (scenario, found)]
    finally:
        del Cohort.family["rumor"]
    assert rumor.push.move == pytest.approx(-0.08)
    assert (low[1] < 0.99 * low[0]).mean() > 0.3  # 4 h are an attack on six paths of ten
