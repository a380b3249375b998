"""The house has rooms: who may import whom (docs/method.md, "Architecture"), and every public name is explained."""

import ast
import sys
from pathlib import Path

import pytest

import stress
from stress.agents.base import Cohort
from stress.engines.steps import LEDGER
from stress.exchange.impact import ImpactLaw
from stress.exchange.liquidation import FeeModel
from stress.markets.base import Market

PACKAGE = Path(stress.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))

# What a room may import besides itself.  Arrows point down: no room is listed below one that lists it.
BASE = {"rules", "registry", "tables", "toml"}
MODEL = {"scenario", "overlays", "symbols", "accounts", "agents", "exchange", "markets", "candles", "randomness", *BASE}
ARROWS = {
    "rules": set(),
    "registry": set(),
    "toml": {"registry"},
    "overlays": {"registry", "toml"},
    "presets": {"toml"},
    "randomness": {"rules"},
    "accounts": {"rules"},
    "agents": {"accounts", "rules", "registry"},
    "exchange": {"accounts", "rules", "registry"},
    "tables": {"toml"},
    "candles": {"tables", "toml"},
    "markets": {"candles", "randomness", "rules", "registry"},
    "symbols": {"agents", "exchange", "markets"},
    "scenario": MODEL - {"scenario", "randomness"},
    "outcomes": set(),
    "engines": {*MODEL, "outcomes"},
    "summary": {"outcomes"},
    "size": {*MODEL, "engines", "outcomes", "summary", "variants"},
    "coalitions": {*MODEL, "engines", "outcomes", "size", "summary", "variants"},
    "holders": {*MODEL, "census", "coalitions", "engines", "outcomes", "summary", "variants"},
    "reverse": {*MODEL, "engines", "likeliest", "outcomes", "summary", "variants"},
    "likeliest": {*MODEL, "engines", "variants"},
    "rare": {*MODEL, "engines", "outcomes", "summary", "variants"},
    "claims": {*MODEL, "engines", "outcomes", "summary"},
    "sweeps": {*MODEL, "engines", "outcomes", "summary", "variants"},
    "variants": {*MODEL, "engines", "outcomes", "summary"},
    "draws": {*MODEL, "engines", "outcomes", "summary", "sweeps", "variants"},
    "compare": {*MODEL, "presets", "engines", "outcomes", "summary", "variants"},
    "census": {*MODEL, "engines", "outcomes", "summary"},
    "snapshot": {*MODEL},
    "calibration": {"candles", "markets", "randomness", *BASE},
    "disclosure": {"outcomes", "toml"},
    "plots": {"outcomes", "summary", "sweeps"},
}
# Above all of them: what a user sees.  They may import anything, and nothing below may import them.
TOP = {
    "__init__",
    "__main__",
    "ahead",
    "check",
    "cli",
    "doctor",
    "figures",
    "launch",
    "manifest",
    "notices",
    "report",
    "rundir",
    "screen",
}
TOP |= {
    "census_page",
    "drawdir",
    "launch_calibrate",
    "launch_attribute",
    "launch_backtest",
    "launch_reverse",
    "launch_claims",
    "launch_compare",
    "launch_dashboard",
    "launch_disclose",
    "launch_draws",
    "launch_import",
}
TOP |= {
    "cli_data",
    "cli_documents",
    "cli_options",
    "cli_studies",
    "launch_population",
    "launch_rare",
    "launch_replay",
    "launch_report",
    "launch_size",
    "launch_sweep",
    "sweepdir",
    "viz",
}

# Packages that only some rooms may know.
PRIVATE = {
    "mesa": {"engines/reference.py", "engines/mesa_model.py", "engines/portfolio_model.py", "viz"},
    "numba": {"rules.py", "randomness.py", "engines"},
    "llvmlite": {"rules.py", "randomness.py", "engines"},
    "matplotlib": {"plots"},
    "typer": {"cli.py", "cli_data.py", "cli_documents.py", "cli_options.py", "cli_studies.py"},
    "jinja2": {"report"},
    "openpyxl": {"report"},
    "weasyprint": {"report"},
    "PIL": {"plots"},
    "solara": {"viz"},
    "pydantic": {
        "scenario.py",
        "overlays.py",
        "notices.py",
        "toml.py",
        "registry.py",
        "agents",
        "claims",
        "exchange",
        "markets",
        "sweeps",
    },
    "distributed": {"sweeps"},
    "SALib": {"sweeps"},
    "sklearn": {"sweeps"},
}
# Rooms that may know few packages besides the standard library.
FRUGAL = {"outcomes": {"numpy", "pyarrow"}, "summary": {"numpy", "scipy"}, "accounts": {"numpy"}}


def room_of(source):
    """Return the top-level part of the package that a file belongs to."""
    return source.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(source):
    """Yield the dotted name of everything that a file imports, inside functions and for type checkers too."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_imported(source):
    for name in imports_of(source):
        first, *rest = name.split(".")
        if first == "stress":
            yield rest[0] if (PACKAGE / rest[0]).is_dir() or (PACKAGE / f"{rest[0]}.py").exists() else "__init__"


def packages_imported(source):
    names = {name.split(".")[0] for name in imports_of(source)}
    return names - set(sys.stdlib_module_names) - {"stress"}


def named(sources):
    return pytest.mark.parametrize("source", sources, ids=[s.relative_to(PACKAGE).as_posix() for s in sources])


def test_every_room_has_its_place():
    assert {room_of(source) for source in SOURCES} - set(ARROWS) - TOP == set()


def test_arrows_have_no_circle():
    done = set()
    while set(ARROWS) - done:
        free = {room for room in set(ARROWS) - done if ARROWS[room] <= done}
        assert free, f"circle among {set(ARROWS) - done}"
        done |= free


@pytest.mark.parametrize("room", ["agents", "markets", "exchange"])
def test_agents_markets_and_exchange_may_not_know_each_other(room):
    assert not ARROWS[room] & {"agents", "markets", "exchange"}


@named([source for source in SOURCES if room_of(source) in ARROWS])
def test_imports_point_down(source):
    room = room_of(source)
    assert set(rooms_imported(source)) - ARROWS[room] - {room} == set()


@named(SOURCES)
def test_packages_are_known_only_where_they_belong(source):
    place = source.relative_to(PACKAGE).as_posix()
    for package in packages_imported(source) & set(PRIVATE):
        allowed = PRIVATE[package]
        assert place in allowed or room_of(source) in allowed, f"{place} imports {package}"


@named([source for source in SOURCES if room_of(source) in FRUGAL])
def test_outcomes_and_summary_need_few_packages(source):
    assert packages_imported(source) - FRUGAL[room_of(source)] == set()


def test_there_is_no_module_of_odds_and_ends():
    odd = {"utils", "util", "helpers", "helper", "misc", "common", "tools"}
    assert {source.stem for source in SOURCES} & odd == set()


def public_definitions(body, prefix=""):
    """Yield (name, node) of public classes, functions and methods."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node.body, f"{prefix}{node.name}.")


@named(SOURCES)
def test_every_module_and_public_name_has_a_docstring(source):
    tree = ast.parse(source.read_text())
    silent = [name for name, node in public_definitions(tree.body) if not ast.get_docstring(node)]
    assert ast.get_docstring(tree)
    assert silent == []


def literals(source):
    """Return the string literals of a file, docstrings left out."""
    tree = ast.parse(source.read_text())
    scopes = [n for n in ast.walk(tree) if isinstance(n, (ast.Module, ast.ClassDef, ast.FunctionDef))]
    docs = {id(n.body[0].value) for n in scopes if n.body and isinstance(n.body[0], ast.Expr)}
    strings = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    return {n.value for n in strings if id(n) not in docs}


@named([source for source in SOURCES if room_of(source) == "engines"])
def test_engines_know_no_model_by_name(source):
    kinds = {kind for family in (Market, Cohort, FeeModel, ImpactLaw) for kind in family.family}
    columns = set(LEDGER.names)  # a liquidation's "account" is a column, not a kind of agent
    assert literals(source) & (kinds - columns) == set()


@named([source for source in SOURCES if room_of(source) == "engines"])
def test_engines_import_no_single_model(source):
    models = {part.__module__ for family in (Market, Cohort) for part in family.family.values()}
    for name in imports_of(source):
        assert name.rpartition(".")[0] not in models | {"stress.agents", "stress.markets"}, name
