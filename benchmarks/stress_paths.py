"""Every stress path of configs/stress: what is liquidated of open interest, and what becomes of the fund.

python benchmarks/stress_paths.py [--write]
"""

from pathlib import Path

import numpy as np
from study import CONFIGS, ROOT, markdown, percent, publish

import stress

PAGE = ROOT / "docs" / "markets.md"
PATHS = 20
HEAD = (
    "scenario",
    "path",
    "liquidated / open interest",
    "fund at its lowest",
    "fund at the end",
    "exhausted on the way",
)


def title(path: Path) -> str:
    """Return the first line of a file, which says what it is."""
    return path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").rstrip(".")


def row(path: Path) -> tuple[str, ...]:
    run = stress.run(stress.Scenario.load(path), n_paths=PATHS)
    fund = run.facts.fund_initial
    return (
        f"[`{path.stem}`](../configs/stress/{path.name})",
        title(path),
        percent(run.liquidated_notional.mean() / run.facts.open_interest),
        percent(-np.minimum(run.drawdown, fund).mean() / fund),
        percent((run.fund_end - fund).mean() / fund),
        percent((run.drawdown > fund).mean()),
    )


def tables() -> dict[str, str]:
    return {"stress_paths": markdown(HEAD, map(row, sorted((CONFIGS / "stress").glob("*.toml"))))}


if __name__ == "__main__":
    publish(__doc__, tables, PAGE)
