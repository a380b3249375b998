"""What the studies of docs/believable.md share: scenarios, reserves, paired ratios, and tables of Markdown.

A study is a script that returns its tables by the mark of their block in the page; `publish` prints them and, with
``--write``, writes them between the marks.
"""

import argparse
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

import stress

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / "configs"
DEFAULT = CONFIGS / "btc_perpetual.toml"
BELIEVABLE = ROOT / "docs" / "believable.md"
BOTTOMLESS = 1e10  # a fund that no path empties: reserves do not depend on it, and no path is run twice
N_RESAMPLES = 500


def variant(config: Path, **overrides) -> stress.Scenario:
    """Load a scenario with a fund that nothing empties, unless told otherwise."""
    return stress.Scenario.load(config).with_(**{"fund.initial_usd": BOTTOMLESS, **overrides})


def simulate(config: Path, **overrides) -> stress.Outcomes:
    return stress.run(variant(config, **overrides))


def quantile(values: np.ndarray, level: float) -> float:
    """Return the least value that suffices at the level, as the summary does."""
    return float(np.quantile(values, level, method="inverted_cdf"))


def by_population(run: stress.Outcomes, values: np.ndarray) -> np.ndarray:
    """Return one row a population, shape (n_populations, paths of each)."""
    return values.reshape(int(run.population.max()) + 1, -1)


def paired_ratio(x: np.ndarray, y: np.ndarray, level: float) -> tuple[float, float, float]:
    """Return the ratio of two quantiles and its 95 % interval.

    `x` and `y` (n_populations, n) are of the same populations and random numbers; the interval is of the bootstrap
    that draws whole populations, the same for both (Efron 1979).
    """
    return bootstrap(lambda r: quantile(x[r], level) / quantile(y[r], level), len(x))


def paired_difference(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Return the mean of x - y and its 95 % interval, as `paired_ratio` does."""
    each = (x - y).mean(axis=1)
    return bootstrap(lambda r: float(each[r].mean()), len(x))


def bootstrap(statistic: Callable[[np.ndarray], float], n: int) -> tuple[float, float, float]:
    """Return a statistic of the rows 0..n-1 and its 95 % interval over resamples of the rows."""
    draws = np.random.default_rng(7).integers(n, size=(N_RESAMPLES, n))
    low, high = np.quantile([statistic(rows) for rows in draws], (0.025, 0.975))
    return statistic(np.arange(n)), float(low), float(high)


def percent(value: float) -> str:
    return f"{100.0 * value:.{1 if abs(value) < 0.1 else 0}f} %"


def millions(value: float) -> str:
    return f"{value / 1e6:.3g}"


def with_interval(estimate: Iterable[float], form: str = ".2f") -> str:
    value, low, high = estimate
    return f"{value:{form}} [{low:{form}}, {high:{form}}]"


def markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table of Markdown."""
    head = tuple(head)
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ("---",) * len(head), *rows])


def between_marks(text: str, mark: str, new: str) -> str:
    """Replace what stands between ``<!-- mark -->`` and ``<!-- /mark -->``."""
    before, rest = text.split(f"<!-- {mark} -->\n", 1)
    _, after = rest.split(f"<!-- /{mark} -->", 1)
    return f"{before}<!-- {mark} -->\n{new}\n<!-- /{mark} -->{after}"


def write_blocks(tables: Mapping[str, str], page: Path = BELIEVABLE) -> None:
    """Write tables into their blocks of a page."""
    text = page.read_text(encoding="utf-8")
    for mark, new in tables.items():
        text = between_marks(text, mark, new)
    page.write_text(text, encoding="utf-8")


def publish(about: str | None, tables: Callable[[], Mapping[str, str]], page: Path = BELIEVABLE) -> None:
    """Print a study's tables and, with ``--write``, write them into its page."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"write the tables of docs/{page.name}")
    asked = parser.parse_args()
    found = tables()
    print("\n\n".join(found.values()))
    if asked.write:
        write_blocks(found, page)
