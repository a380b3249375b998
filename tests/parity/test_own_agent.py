"""An agent type that is written in a session: a dozen lines, every engine, and its cell may run again."""

import subprocess
import sys
from pathlib import Path

TINY = Path(__file__).parents[2] / "configs" / "tiny.toml"

SESSION = '''
import numpy as np
import stress

CELL = """
class Grid(stress.Cohort, kind="grid"):
    'Bots that bought a little lower each time: equal longs, entered on a ladder of prices.'

    count: int = 40
    share: float = 0.2  # of what the whales leave of the long side
    leverage: float = 15.0
    spacing: float = 0.05

    def shares(self):
        return self.share, 0.0

    def draw(self, rng, venue):
        qty = np.full(self.count, self.share * venue.crowd_long / venue.price / self.count)
        entry = venue.price * (1.0 {sign} self.spacing * np.linspace(0.0, 1.0, self.count))
        return stress.build_accounts(venue, qty, entry, self.leverage, "isolated")
"""


class Levered(stress.Trader, kind="levered"):
    """Traders who know one leverage."""

    leverage_sigma: float = 0.0


def ledgers(scenario):
    runs = [stress.run(scenario, engine=e, threads=1, ledger=True) for e in ("ladder", "loop", "reference")]
    found = [np.sort(run.ledger, order=["path", "step", "round", "account"]) for run in runs]
    assert all(np.array_equal(found[0], ledger) for ledger in found)
    assert all(np.allclose(runs[0].drawdown, run.drawdown, rtol=1e-9, atol=1e-6) for run in runs)
    return found[0]


exec(CELL.format(sign="+"))
population = [
    dict(kind="levered", name="crowd", count=100, long_share=0.8, short_share=1.0)
    | dict(leverage_median=15.0, largest_share=0.1),
    dict(kind="grid", name="bots"),
    dict(kind="maker", name="makers", collateral_usd=20.0e6),
]
overrides = {"run.n_paths": 4, "run.redraw_every": 2, "run.horizon_hours": 2.0, "population": population}
scenario = stress.Scenario.load(sys.argv[1], overrides=overrides)
with open("own.toml", "w") as file:
    file.write(scenario.to_toml())
assert stress.Scenario.load("own.toml") == scenario
before = ledgers(scenario)
model = stress.InsuranceFundModel(scenario, path=3)
assert model.agents.groupby("cohort_name").count() == {"crowd": 100, "bots": 40}

exec(CELL.format(sign="-"))  # the cell, edited and run again
after = ledgers(scenario)
assert after.size > 0
assert not np.array_equal(before, after)
try:
    class Trader(stress.Cohort, kind="trader"):
        pass
except ValueError as error:
    print(error)
'''


def test_an_agent_written_in_a_session_runs_in_every_engine(tmp_path):
    script = tmp_path / "session.py"
    script.write_text("import sys\n" + SESSION)
    command = [sys.executable, "-W", "error", script, TINY]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    said = "kind 'trader' is taken by stress.agents.trader.Trader: __main__.Trader needs another kind\n"
    assert (done.stderr, done.stdout) == ("", said)
