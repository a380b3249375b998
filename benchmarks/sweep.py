"""How does the reserve rise with the leverage of the crowd, and with the share of the largest account?

    python benchmarks/sweep.py [--write]

Both sweeps keep all else as it is, draw the same random numbers at every point, and are of 8 hours: over a day, books
of 30x and more lose their accounts before the crash comes.  Leverage is that
of a crowd alone, in one tier, whatever the size of an account.  The largest account is that of `whale`, beside a crowd
that no crash reaches, always in 100 wallets at the same leverage and distance.  Bars are 95 % intervals by population.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from study import BOTTOMLESS, CONFIGS, DEFAULT, ROOT, markdown, publish, with_interval

import stress
from stress.census import mean_leverage
from stress.engines.population import draw_population
from stress.plots import save

PAGE, FIGURE = ROOT / "docs" / "agents.md", ROOT / "docs" / "img" / "sweep.png"
N_PATHS = 40_000
LEVELS = (0.99, 0.999)
LEVERAGES = (2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 70.0)
SHARES = (0.01, 0.02, 0.05, 0.10, 0.20, 0.30, 0.40, 0.50)
SHORT = {"run.horizon_hours": 8.0, "run.n_paths": N_PATHS, "fund.initial_usd": BOTTOMLESS, "reserve.levels": LEVELS}
SPREAD = 0.3  # deviation of log leverage
CROWD = {"kind": "trader", "name": "crowd", "count": 10_000, "long_share": 1.0, "short_share": 0.75}
CROWD |= {"leverage_sigma": SPREAD, "leverage_max": 125.0, "cap_exponent": 0.0, "largest_share": 0.01}
MAKERS = {"kind": "maker", "name": "makers", "collateral_usd": 1.0e9}
ONE_TIER = [{"cap_usd": 1.0e10, "max_leverage": 125, "maintenance_margin_rate": 0.004}]


@dataclass(frozen=True)
class Point:
    """One reserve: what was varied, to which value, at which level, and its interval; USD."""

    swept: str
    at: float
    level: float
    value: float
    low: float
    high: float


def points(swept: str, at: float, scenario: stress.Scenario) -> Iterator[Point]:
    """Yield the reserves of one scenario."""
    for row in stress.summarize(stress.run(scenario)).reserves:
        if row.kind == "net":
            yield Point(swept, at, row.level, row.value, row.low, row.high)


def by_leverage() -> Iterator[Point]:
    """Yield the reserves over the mean leverage of the crowd."""
    base = stress.Scenario.load(DEFAULT).plain(**SHORT, tier=ONE_TIER)
    for leverage in LEVERAGES:
        crowd = {**CROWD, "leverage_median": leverage}
        scenario = base.with_(population=[crowd, MAKERS])
        yield from points("leverage", mean_leverage(draw_population(scenario, 0)), scenario)


def by_share() -> Iterator[Point]:
    """Yield the reserves over the share of the largest account in the long side."""
    base = stress.Scenario.load(CONFIGS / "whale.toml").plain(**SHORT)
    for share in SHARES:
        scenario = base.with_(**{"population.1.share": share, "population.1.accounts": 100})
        yield from points("share", share, scenario)


def draw(ax: Axes, found: list[Point], label: str, scale: float) -> None:
    """Draw one sweep."""
    for level in LEVELS:
        line = [point for point in found if point.level == level]
        x, y = [scale * point.at for point in line], [point.value / 1e6 for point in line]
        error = [[(p.value - p.low) / 1e6 for p in line], [(p.high - p.value) / 1e6 for p in line]]
        ax.errorbar(x, y, error, marker="o", markersize=4, capsize=2, linewidth=1.4, label=f"{100 * level:g} %")
    ax.set(xlabel=label, xscale="log", yscale="log")
    ax.set_xticks(ticks := sorted({scale * point.at for point in found}), [f"{tick:.2g}" for tick in ticks])
    ax.minorticks_off()
    ax.grid(alpha=0.3)


def figure(leverage: list[Point], share: list[Point]) -> Figure:
    """Draw both sweeps side by side."""
    whole = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = whole.subplots(1, 2)
    draw(left, leverage, "Mean leverage of the crowd", 1.0)
    draw(right, share, "Share of the largest account in the long side, %", 100.0)
    left.set_ylabel("Reserve over 8 h, USD m")
    left.legend(frameon=False)
    return whole


def table(found: list[Point], form: str) -> str:
    """Return one sweep as a table of Markdown."""
    rows = []
    for level in LEVELS:
        line = [point for point in found if point.level == level]
        values = [point.value for point in line]
        cells = [with_interval((p.value / 1e6, p.low / 1e6, p.high / 1e6), ".3g") for p in line]
        rows.append((f"{100 * level:g} %", *cells, "yes" if values == sorted(values) else "**no**"))
    heads = [format(point.at, form) for point in found if point.level == LEVELS[0]]
    return markdown(("reserve, USD m", *heads, "never falls"), rows)


def tables() -> dict[str, str]:
    """Run both sweeps and draw them."""
    leverage, share = list(by_leverage()), list(by_share())
    save(figure(leverage, share).axes[0], FIGURE)
    return {"sweep_leverage": table(leverage, ".1f"), "sweep_share": table(share, ".0%")}


if __name__ == "__main__":
    publish(__doc__, tables, PAGE)
