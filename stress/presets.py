"""Rulebooks of venues as dated data files: what they hold, where it is from, and how sure it is.

A preset is a part of a scenario (``[exchange] [funding] [[tier]] [[layer]]``) with an ``[about]`` table, in which every
value has a label of confidence (docs/presets.md).
"""

import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from stress import toml

__all__ = ["LABELS", "Preset", "list_json", "list_text", "load", "names", "notice", "said"]

#: Label of confidence -> what it says of a value.
LABELS = {
    "C": "read in public source code",
    "D": "in the venue's documentation or API",
    "2": "from a secondary source",
    "U": "unverified or inferred",
    "N": "our choice, not a claim about the venue",
}
ARRAYS = ("tier", "layer")


@dataclass(frozen=True)
class Preset:
    """One rulebook.

    Parameters
    ----------
    name, venue, as_of, rules : str
        File stem, what it describes, when it was so (ISO date), and the rules in one or two sentences.
    sources : tuple of str
    confidence : dict of str to str
        Dotted key -> label; ``layer.adl.price`` is the price of the layer of that kind, ``tier`` all tiers.
    tables : dict
        The part of a scenario.
    """

    name: str
    venue: str
    as_of: str
    rules: str
    sources: tuple[str, ...]
    confidence: dict[str, str]
    tables: dict[str, Any]

    @property
    def contract(self) -> str:
        """Kind of the contract."""
        return str(self.tables["exchange"].get("contract", "linear"))

    @property
    def is_a_venue(self) -> bool:
        """Whether it describes a venue; the plain rulebook and the textbook's say "no venue"."""
        return not self.venue.startswith("no venue")

    @property
    def waterfall(self) -> str:
        """Who pays, in order."""
        return " > ".join(layer["kind"] for layer in self.tables["layer"])

    @property
    def unverified(self) -> tuple[str, ...]:
        """Keys of the values that are in the file and labeled U."""
        return tuple(key for key, label in self.confidence.items() if label == "U" and _holds(self.tables, key))

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready values."""
        return {
            "name": self.name,
            "venue": self.venue,
            "contract": self.contract,
            "as_of": self.as_of,
            "waterfall": [layer["kind"] for layer in self.tables["layer"]],
            "unverified": list(self.unverified),
            "rules": self.rules,
            "sources": list(self.sources),
            "confidence": dict(self.confidence),
            "values": self.tables,
        }

    def to_json(self) -> str:
        """Return `to_dict` as JSON text with its schema."""
        return json.dumps({"schema": "fundstress.preset/1", **self.to_dict()}, indent=2)

    def __str__(self) -> str:
        return "\n".join(_page(self))


def names() -> list[str]:
    """Return the names of all presets, sorted."""
    return sorted(path.stem for path in toml.PRESETS.glob("*.toml"))


@cache
def load(name: str) -> Preset:
    """Read a preset.

    Raises
    ------
    ScenarioError
        One line: for an unknown name, with the nearest; for a file without what every preset has.
    """
    tables = toml.preset(name, "presets")
    about = tables.pop("about", {})
    for key, message in _problems(about):
        raise toml.ScenarioError(f"preset {name}: about.{key}: {message}")
    sources = tuple(about["sources"])
    return Preset(name, about["venue"], about["as_of"], about["rules"], sources, about["confidence"], tables)


def _problems(about: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key in ("venue", "as_of", "rules", "sources", "confidence"):
        if not about.get(key):
            yield key, "is required"
    for key, label in about["confidence"].items():
        if label not in LABELS:
            yield f"confidence.{key}", f"should be one of {', '.join(LABELS)}, got {label!r}"


def notice(name: str | None, scenario: dict[str, Any] | None = None) -> str:
    """Return the line that a run prints once when values of its preset are unverified; empty if none is.

    `scenario`, the resolved tables, leaves out what the scenario says otherwise.
    """
    if name is None:
        return ""
    preset = load(name)
    unverified = [key for key in preset.unverified if scenario is None or _stands(preset.tables, scenario, key)]
    if not unverified:
        return ""
    what = f"{len(unverified)} value{'s are' if len(unverified) > 1 else ' is'} unverified"
    return f"warning: preset {name}: {what}: {', '.join(unverified)} (fundstress presets show {name})"


def list_json() -> str:
    """Return all presets as one JSON document, without their values."""
    listed = [load(name).to_dict() for name in names()]
    rows = [{key: value for key, value in row.items() if key != "values"} for row in listed]
    return json.dumps({"schema": "fundstress.presets/1", "presets": rows}, indent=2)


def list_text() -> str:
    """Return a table of all presets."""
    head = ("preset", "contract", "as of", "unverified", "who pays, in order", "venue")
    found = [load(name) for name in names()]
    rows = [(p.name, p.contract, p.as_of, str(len(p.unverified)), p.waterfall, p.venue) for p in found]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in (head, *rows))
    return "\n".join(line.rstrip() for line in lines)


def _page(preset: Preset) -> Iterator[str]:
    yield f"{preset.name}: {preset.venue}, as of {preset.as_of}"
    yield f"{preset.contract} contract; who pays: {preset.waterfall}"
    yield ""
    yield from _wrapped(preset.rules, "")
    yield ""
    yield "Values, each with its label (C code, D documents, 2 secondary, U unverified, N our choice)"
    for key, value in _values(preset.tables):
        yield f"  {_label(preset, key):<2} {key} = {said(value)}"
    unit = "USD" if "cap_usd" in preset.tables["tier"][0] else "coin"
    yield f"  {_label(preset, 'tier')}  tier: up to {unit}, highest leverage, maintenance margin rate"
    for tier in preset.tables["tier"]:
        rate = f"{100 * tier['maintenance_margin_rate']:.4g} %"
        yield f"       {tier[f'cap_{unit.lower()}']:>20,.0f}  {tier['max_leverage']:>6g}x  {rate:>7}"
    yield ""
    yield "Sources"
    for source in preset.sources:
        yield from _wrapped(source, "  - ")


def _wrapped(text: str, first: str) -> list[str]:
    return textwrap.wrap(text, 112, initial_indent=first, subsequent_indent=" " * len(first))


def _values(tables: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield (dotted key, value) of all tables, layers by their kind; tiers are left out."""
    for table, entries in tables.items():
        if table == "layer":
            for layer in entries:
                yield f"layer.{layer['kind']}", "in the waterfall"
                yield from ((f"layer.{layer['kind']}.{key}", entry) for key, entry in layer.items() if key != "kind")
        elif table != "tier":
            yield from ((f"{table}.{key}", entry) for key, entry in entries.items())


def said(value: Any) -> str:
    """Write a value of a table: a part by its kind and numbers, other tables as TOML."""
    if isinstance(value, dict) and "kind" in value:
        more = ", ".join(f"{key} {said(entry)}" for key, entry in value.items() if key != "kind")
        return f"{value['kind']} ({more})" if more else str(value["kind"])
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {json.dumps(entry)}" for key, entry in value.items()) + " }"
    if isinstance(value, list):
        words = ", ".join(map(said, value))
        return f"[{words}]" if any(isinstance(row, dict) and "kind" not in row for row in value) else words
    return str(value).lower() if isinstance(value, bool) else str(value)


def _holds(tables: dict[str, Any], key: str) -> bool:
    return key in ARRAYS or any(key == found for found, _ in _values(tables))


def _stands(tables: dict[str, Any], scenario: dict[str, Any], key: str) -> bool:
    """Say whether a scenario still has what the preset says under `key`."""
    table, *path = key.split(".")
    said, found = tables.get(table), scenario.get(table)
    if table == "layer" and path:
        said, found = ({row["kind"]: row for row in rows or ()}.get(path[0]) for rows in (said, found))
        path = path[1:]
    for step in path:
        said, found = (entry.get(step) if isinstance(entry, dict) else None for entry in (said, found))
    return _agrees(said, found)


def _agrees(said: Any, found: Any) -> bool:
    """Say whether a resolved value is what a file says, with defaults beside it; a kind may stand for its table."""
    if isinstance(said, dict) and isinstance(found, dict):
        return all(_agrees(value, found.get(key)) for key, value in said.items())
    if isinstance(said, list) and isinstance(found, list):
        return len(said) == len(found) and all(map(_agrees, said, found))
    if isinstance(said, str) and isinstance(found, dict):
        return bool(found.get("kind") == said)
    return bool(said == found)


def _label(preset: Preset, key: str) -> str:
    """Return the label of a key or of the nearest above it: a layer's stands for its keys, ``layer`` for all layers."""
    while key and key not in preset.confidence:
        key = key.rpartition(".")[0]
    return preset.confidence.get(key, "-")
