"""How a scenario file becomes tables: reading, ``extends``, presets, overrides, and errors in one line."""

import os
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeGuard, get_args

from pydantic import BaseModel, ValidationError

from stress.registry import Part

PRESETS = Path(__file__).parent / "exchange" / "presets"
FILE = "file"  # in every table the key of a file, relative to the scenario file


class ScenarioError(ValueError):
    """What a user typed cannot be run; the message is one line."""


def read(path: Path, *, seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Read one TOML file and, below it, what it ``extends``."""
    path = path.expanduser()
    if path.resolve() in seen:
        raise ScenarioError(f"{path}: 'extends' comes back to itself")
    try:
        tables = tomllib.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        raise ScenarioError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise ScenarioError(f"{path}: is a folder, not a scenario file") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}: is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path}: not valid TOML: {error}") from None
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}") from None
    if not tables:
        raise ScenarioError(f"{path}: is empty")
    tables = placed(tables, path.parent)
    base = tables.pop("extends", None)
    if base is None:
        return tables
    return merge(read(path.parent / str(base), seen=(*seen, path.resolve())), tables)


def placed(node: Any, folder: Path) -> Any:
    """Return tables in which every `file`, stated relative to a folder, is a path that any process finds."""
    if isinstance(node, list):
        return [placed(row, folder) for row in node]
    if not isinstance(node, dict):
        return node
    return {key: _absolute(value, folder) if key == FILE else placed(value, folder) for key, value in node.items()}


def _absolute(value: Any, folder: Path) -> Any:
    return os.path.abspath(folder / Path(value).expanduser()) if isinstance(value, str) and value else value


def without_places(node: Any) -> Any:
    """Return tables without the `file` of those that state its sha256: what it holds counts, not where it lies."""
    if isinstance(node, list):
        return [without_places(row) for row in node]
    if not isinstance(node, dict):
        return node
    return {key: without_places(value) for key, value in node.items() if key != FILE or "sha256" not in node}


def merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Lay tables over tables; anything that is not a table, arrays included, is replaced.

    A table with another ``kind`` replaces the whole table: its other keys belong to the old kind.  A value that has two
    forms (`rivals_of`): the one above takes the place of the other.
    """
    rivals = {other for key in above for other in rivals_of(key)}
    merged = {key: value for key, value in below.items() if key not in rivals}
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if _same_kind(old, value) else value
    return merged


def rivals_of(key: str) -> tuple[str, ...]:
    """Return the keys of the other form of a value.

    An amount is ``_usd`` or ``_coin``; a law is a table, or in its short form ``_median`` and ``_sigma``.
    """
    name, _, form = key.rpartition("_")
    forms = {"usd": (f"{name}_coin",), "coin": (f"{name}_usd",), "median": (name,), "sigma": (name,)}
    return forms.get(form, (f"{key}_median", f"{key}_sigma"))


def _same_kind(old: Any, new: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(old, dict) and isinstance(new, dict) and new.get("kind", old.get("kind")) == old.get("kind")


def with_preset(tables: dict[str, Any], source: str) -> dict[str, Any]:
    """Lay the scenario over the venue preset that ``exchange.preset`` names."""
    exchange: Any = tables.get("exchange")
    name = exchange.get("preset") if isinstance(exchange, dict) else None
    if name is None:
        return tables
    below = preset(str(name), f"{source}: exchange.preset")
    below.pop("about", None)
    return merge(below, tables)


def preset(name: str, where: str) -> dict[str, Any]:
    """Read a venue preset with its ``[about]``; `where` begins the message about an unknown name."""
    known = sorted(path.stem for path in PRESETS.glob("*.toml"))
    if name not in known:
        near = get_close_matches(name, known, n=1, cutoff=0.5)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise ScenarioError(f"{where}: unknown preset {name!r}, known: {', '.join(known)}{meant}")
    return read(PRESETS / f"{name}.toml")


def override(tables: dict[str, Any], overrides: dict[str, Any], source: str) -> dict[str, Any]:
    """Set dotted names; a number in the name selects a row of an array of tables."""
    for name, value in overrides.items():
        tables = _set(tables, name.split("."), value, name, source)
    return tables


def _set(node: Any, parts: list[str], value: Any, name: str, source: str) -> Any:
    if not parts:
        return value
    if isinstance(node, list):
        if not _is_row(node, parts[0]):
            raise ScenarioError(f"{source}: {name}: {parts[0]!r} is not a row of 0..{len(node) - 1}")
        i = int(parts[0])
        return [*node[:i], _set(node[i], parts[1:], value, name, source), *node[i + 1 :]]
    if isinstance(node, str):
        node = {"kind": node}
    table = dict(node) if isinstance(node, dict) else {}
    if parts[0] == "kind" and len(parts) == 1 and table.get("kind") != value:
        return {"kind": value, **{k: v for k, v in table.items() if k.endswith("_usd")}}
    for other in rivals_of(parts[0]):
        table.pop(other, None)
    table[parts[0]] = _set(table.get(parts[0], {}), parts[1:], value, name, source)
    return table


def value_at(tables: Any, name: str) -> Any:
    """Return the value of a dotted name; None where the tables hold none."""
    for part in name.split("."):
        if isinstance(tables, dict):
            tables = tables.get(part)
        else:
            tables = tables[int(part)] if isinstance(tables, list) and _is_row(tables, part) else None
    return tables


def _is_row(rows: list[Any], part: str) -> bool:
    return part.isdigit() and int(part) < len(rows)


def parse_setting(text: str) -> tuple[str, Any]:
    """Split ``table.key=value``; the value is TOML, a bare word is a string."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ScenarioError(f"--set {text}: expected table.key=value")
    try:
        return name.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return name.strip(), value.strip()


def each(name: str, rows: Any, family: type[Part]) -> tuple[Any, ...]:
    """Choose the class of every row of an array of tables, naming the row in errors."""
    if not isinstance(rows, Iterable) or isinstance(rows, (str, dict)):
        raise ValueError(f"expected an array of tables [[{name}]]")
    chosen = []
    for i, row in enumerate(rows):
        try:
            chosen.append(family.choose(row))
        except ValidationError as error:
            raise ValueError(f"row {i}: {_first(error, family, row)}") from None
        except ValueError as error:
            raise ValueError(f"row {i}: {error}") from None
    return tuple(chosen)


def chosen(source: str, table: dict[str, Any], family: type[Part]) -> Any:
    """Return one part of a table, or say in one line what `source` has that it may not have."""
    try:
        return family.choose(table)
    except ValidationError as error:
        raise ScenarioError(explain(error, source, family, table)) from None


def explain(error: ValidationError, source: str, model: type[BaseModel], tables: Any) -> str:
    """Say the first error in one line: file, key, value, allowed range, nearest key."""
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{source}: {_first(error, model, tables)}{more}"


def _first(error: ValidationError, model: type[BaseModel], value: Any) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    said = _say(first, _known_keys(first["loc"], model, value))
    return f"{key}: {said}" if key else said


def _say(first: Any, known: tuple[str, ...]) -> str:
    if first["type"] == "extra_forbidden":
        return f"unknown key{hint(str(first['loc'][-1]), known)}"
    if first["type"] == "missing":
        return "is required"
    if first["type"] == "too_short":
        return f"should have at least {first['ctx']['min_length']} entry, got {first['ctx']['actual_length']}"
    message = first["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    if first["type"] == "value_error" or isinstance(first["input"], (dict, list, tuple)):
        return message
    return f"{message.replace('input should', 'should')}, got {first['input']!r}"


def _known_keys(loc: tuple[Any, ...], model: Any, value: Any) -> tuple[str, ...]:
    """Return the keys of the table in which an error is; the kind that was typed decides them."""
    model = _typed(model, value)
    for part in loc[:-1]:
        if isinstance(part, str):
            annotation = model.model_fields[part].annotation if part in model.model_fields else None
            model = get_args(annotation)[0] if get_args(annotation) else annotation  # a table or an array of them
            model = getattr(model, "__origin__", model)  # without its annotations
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            value = None
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return ()
        model = _typed(model, value)
    return tuple(model.model_fields)


def _typed(model: type[BaseModel], value: Any) -> type[BaseModel]:
    kind = value.get("kind") if isinstance(value, dict) else value
    family = getattr(model, "family", {})
    return family.get(kind, model) if isinstance(kind, str) else model


def hint(word: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown word: the nearest known one, or all of them."""
    near = get_close_matches(word, list(known), n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    listed = ", ".join(sorted(known))
    return f"; known: {listed}" if listed else ""
