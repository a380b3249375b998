"""Does the reserve depend on the simulation step?

    python benchmarks/step.py [--write]

The default over its 72 hours at steps of 60, 15 and 5 s.  Populations and random numbers are common, and the price
at every full minute is the same: what differs is what the step does.  The rows below the line keep the risk check at
60 s and so tell the monitoring from the rest.
"""

from functools import cache

from study import (
    DEFAULT,
    by_population,
    markdown,
    millions,
    paired_ratio,
    percent,
    publish,
    quantile,
    simulate,
    with_interval,
)

N_PATHS = 100_000
BAR = 0.15
LEVELS = (0.99, 0.999)
RUNS = {
    "60 s": {"run.step_seconds": 60.0},
    "15 s": {"run.step_seconds": 15.0},
    "5 s": {"run.step_seconds": 5.0},
    "15 s, accounts checked every 60 s": {"run.step_seconds": 15.0, "exchange.check_seconds": 60.0},
    "5 s, accounts checked every 60 s": {"run.step_seconds": 5.0, "exchange.check_seconds": 60.0},
}
HEAD = ("step", "liquidated / open interest", "99 %, USD m", "over that at 60 s", "99.9 %, USD m", "over that at 60 s")


@cache
def run(name: str):
    return simulate(DEFAULT, **{"run.n_paths": N_PATHS, **RUNS[name]})


@cache
def ratio(name: str, level: float) -> tuple[float, float, float]:
    """Return the reserve over that at 60 s, with its interval."""
    found, base = run(name), run("60 s")
    return paired_ratio(by_population(found, found.drawdown), by_population(base, base.drawdown), level)


def row(name: str) -> list[str]:
    found = run(name)
    cells = [name, percent(found.liquidated_notional.mean() / found.facts.open_interest)]
    for level in LEVELS:
        compared = "1" if name == "60 s" else with_interval(ratio(name, level))
        cells += [millions(quantile(found.drawdown, level)), compared]
    return cells


def verdict() -> str:
    """Return the largest change among the plain steps, against the bar."""
    most = max(abs(ratio(name, level)[0] - 1.0) for name in ("15 s", "5 s") for level in LEVELS)
    word = "within" if most <= BAR else "**not within**"
    return f"Largest change of a reserve from 60 s to a finer step: {percent(most)}, {word} {percent(BAR)}."


def tables() -> dict[str, str]:
    return {"step": f"{markdown(HEAD, map(row, RUNS))}\n\n{verdict()} {N_PATHS:,} paths each."}


if __name__ == "__main__":
    publish(__doc__, tables)
