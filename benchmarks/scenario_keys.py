"""Every key of a scenario file, from the classes that validate it: ``--write`` makes docs/keys.md."""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic_core import PydanticUndefined

from stress.registry import Part, Settings
from stress.scenario import Run, Scenario

PAGE = Path(__file__).parents[1] / "docs" / "keys.md"
BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below", "min_length": "length at least"}
SOURCE = re.compile(r"\(?docs/\w+\.md, section \d+\)?|\billustrative\b")
HEAD = """# Every key of a scenario

Written by `benchmarks/scenario_keys.py --write`, from the classes that check a scenario: what is not here is an
error that names the nearest key. The unit is in the name (`_usd`, `_hours`, `_annual`, ...). A default is that of
the key, not of a venue: rules of venues, with their sources, are in [Presets](presets.md), where the numbers of the
default scenario come from is in [Method](method.md). A number of a key that cites nothing is illustrative; 0, 1 and
what is no number need no source, and how much is run is a choice. Keys that are required have no default.
"""


def page() -> str:
    """Return the page."""
    seen: set[type] = set()
    lines = [HEAD]
    for name, field in Scenario.model_fields.items():
        several = get_origin(field.annotation) is tuple
        title = f"[[{name}]]" if several else f"[{name}]"
        for kind in settings_in(field.annotation):
            lines += described(kind, f"`{title}`", 2, seen)
    return "\n".join(lines).rstrip() + "\n"


def settings_in(annotation: Any) -> list[type]:
    """Return the settings that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return [annotation]
    return [found for inner in get_args(annotation) for found in settings_in(inner)]


def described(kind: type, title: str, depth: int, seen: set[type]) -> Iterator[str]:
    """Yield a table of settings, or, of a family, one table a kind; then what lies inside."""
    if kind in seen:
        return
    seen.add(kind)
    yield f"\n{'#' * depth} {title}\n\n{summary(kind)}"
    if issubclass(kind, Part) and Part in kind.__bases__:
        for name in sorted(kind.family):
            if kind.family[name].__module__.startswith("stress."):
                yield from described(kind.family[name], f'`kind = "{name}"`', depth + 1, seen)
        return
    fields = {name: field for name, field in kind.model_fields.items() if name != "kind"}
    if fields:
        yield "\n| key | value | default | its source | |\n| --- | --- | --- | --- | --- |"
        notes = comments(kind)
        for name, field in fields.items():
            source, note = source_of(field, notes.get(name, "")) if kind is not Run else ("", notes.get(name, ""))
            cells = (f"`{name}`", value_of(field), default_of(field), source, note)
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    for name, field in fields.items():
        for inner in settings_in(field.annotation):
            yield from described(inner, f"`{name}`", min(depth + 1, 4), seen)


def summary(kind: type) -> str:
    """Return the first sentence of the class's docstring, without markup."""
    text = inspect.getdoc(kind) or ""
    return " ".join(text.split("\n\n")[0].split()).replace("``", "`")


def comments(kind: type) -> dict[str, str]:
    """Return what stands behind the fields in the source."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("stress."):
            found |= dict(re.findall(r"^    (\w+): .*?  # (.+)$", inspect.getsource(base), re.M))
    return {name: text for name, text in found.items() if not text.startswith(("type:", "noqa"))}


def source_of(field: Any, note: str) -> tuple[str, str]:
    """Return where a default comes from, and what else its comment says.

    A number that cites nothing is illustrative; nothing, one and what is not a number need no source.
    """
    found = SOURCE.search(note)
    if found and field.default is not PydanticUndefined:
        rest = SOURCE.sub("", note).strip(" ;,:()").replace("()", "").replace("  ", " ")
        return found.group().strip("()"), rest
    number = isinstance(field.default, (int, float)) and not isinstance(field.default, bool)
    return ("illustrative" if number and field.default not in (0, 1) else ""), note


def value_of(field: Any) -> str:
    """Return the type in words, with its bounds."""
    bounds = [
        f"{BOUNDS[key]} {getattr(rule, key):g}" for rule in field.metadata for key in BOUNDS if hasattr(rule, key)
    ]
    return ", ".join([words(field.annotation), *bounds])


def words(annotation: Any) -> str:
    """Return a type as somebody who writes TOML knows it."""
    simple = {float: "number", int: "whole number", str: "text", bool: "true or false", type(None): "absent"}
    if annotation in simple:
        return simple[annotation]
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f'"{value}"' if isinstance(value, str) else f"{value}" for value in inner)
    if origin is Annotated:
        return words(inner[0])
    if origin in (UnionType, Union):
        return " or ".join(dict.fromkeys(words(each) for each in inner if each is not type(None)))
    if origin in (tuple, list):
        return f"list of {words(inner[0])}"
    if settings_in(annotation):
        return "tables" if origin is tuple else "table"
    return "table" if origin is dict else "text"


def default_of(field: Any) -> str:
    """Return the default as TOML has it."""
    value = field.default
    if field.default_factory is not None:
        value = field.default_factory()
    if value is PydanticUndefined:
        return "required"
    if value is None:
        return ""
    if isinstance(value, Part):
        return f'`kind = "{value.kind}"`'
    if isinstance(value, Settings):
        return "see below"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return f'`"{value}"`'
    if isinstance(value, (int, float)):
        return f"`{value:_.10g}`" if isinstance(value, float) else f"`{value:_}`"
    return "" if isinstance(value, dict) else f"`{list(value)}`"


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        print(page())
