"""The tables of docs/markets.md on how well each price model fits, from documents of ``fundstress calibrate --json``.

    fundstress calibrate BTC.parquet --json --out btc.toml > btc.json
    fundstress calibrate ETH.parquet --json --out eth.toml > eth.json
    python benchmarks/price_models.py btc=btc.json eth=eth.json [--write]

Model over history, in bold outside a factor of 1.5; cells with fewer than 30 hits in history are left out.
"""

import argparse
import json
import math
from collections.abc import Iterator
from pathlib import Path

from study import ROOT, markdown, write_blocks

PAGE = ROOT / "docs" / "markets.md"
SHOWN = ("filtered", "garch_qml", "garch", "volatility_clock", "bates", "regime", "gbm")
FEWEST, FACTOR = 30, 1.5
ALL, LAST = "barrier_hits", "barrier_hits_held_back"


def judged(model: dict, key: str) -> list[dict]:
    """Return the cells of a model in which history says enough."""
    return [cell for cell in model[key] if cell["count"] >= FEWEST]


def is_near(cell: dict) -> bool:
    return 1.0 / FACTOR <= cell["model"] / cell["history"] <= FACTOR


def near(model: dict, key: str) -> str:
    cells = judged(model, key)
    return f"{sum(map(is_near, cells))} of {len(cells)}"


def ranks(document: dict) -> str:
    """Return the models in the order of the last third, which their fit has not seen."""
    head = ("model", "off by, last third", "within 1.5, all bars", "within 1.5, last third", "log-likelihood", "doubts")
    return markdown(head, map(rank, document["models"]))


def rank(model: dict) -> tuple[str, ...]:
    likelihood = "-" if model["log_likelihood"] is None else f"{model['log_likelihood']:,.0f}"
    off = f"x{math.exp(model['held_back_error']):.2f}"
    doubts = "; ".join(flag.partition(":")[0] for flag in model["flags"]) or "-"
    return f"`{model['name']}`", off, near(model, ALL), near(model, LAST), likelihood, doubts


def positions(document: dict, key: str) -> str:
    """Return how often positions are hit, model over history."""
    by_name = {model["name"]: model for model in document["models"]}
    head = ("position", "history, % of starts", *(f"`{name}`" for name in SHOWN))
    return markdown(head, rows([judged(by_name[name], key) for name in SHOWN]))


def rows(models: list[list[dict]]) -> Iterator[list[str]]:
    for cells in zip(*models, strict=True):
        one = cells[0]
        history = "{:.2g} [{:.2g}, {:.2g}]".format(*(100.0 * one[name] for name in ("history", "low", "high")))
        yield [f"{one['side']} {one['leverage']}x {one['hours']} h", history, *map(ratio, cells)]


def ratio(cell: dict) -> str:
    text = f"{cell['model'] / cell['history']:.2f}"
    return text if is_near(cell) else f"**{text}**"


def tables(name: str, document: dict) -> dict[str, str]:
    """Return the blocks of one asset, by their marks."""
    return {
        f"{name}_ranks": ranks(document),
        f"{name}_all": positions(document, ALL),
        f"{name}_last": positions(document, LAST),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", nargs="+", metavar="NAME=JSON")
    parser.add_argument("--write", action="store_true", help="write the tables of docs/markets.md")
    asked = parser.parse_args()
    found: dict[str, str] = {}
    for name, _, path in (word.partition("=") for word in asked.documents):
        found |= tables(name, json.loads(Path(path).read_text(encoding="utf-8")))
    print("\n\n".join(found.values()))
    if asked.write:
        write_blocks(found, PAGE)


if __name__ == "__main__":
    main()
