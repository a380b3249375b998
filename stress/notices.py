"""What a run is told once before it starts of its preset: what is unverified, replaced, or forbids a variant."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from stress import presets
from stress.exchange.margin import Tier
from stress.exchange.waterfall import Layer
from stress.registry import Settings
from stress.scenario import Scenario
from stress.toml import each

__all__ = ["notices"]

TABLES = ("exchange", "funding", "fund")  # of a preset, besides its tiers and layers


def notices(scenario: Scenario) -> list[str]:
    """Return the lines, none of them an error."""
    name = scenario.exchange.preset
    lines = (presets.notice(name, scenario.tables()), _overridden(scenario), _left_out(scenario))
    return [line for line in lines if line]


def _overridden(scenario: Scenario) -> str:
    """Say which of the preset's own values the scenario has replaced by others."""
    name = scenario.exchange.preset
    if name is None or not presets.load(name).is_a_venue:  # nobody could take these rules for a venue's
        return ""
    found = list(_differences(scenario, presets.load(name).tables))
    return f"warning: the scenario's own values replace those of preset {name}: {', '.join(found)}" if found else ""


def _differences(scenario: Scenario, tables: dict[str, Any]) -> Iterator[str]:
    for table in TABLES:
        ours: Settings = getattr(scenario, table)
        for key, value in tables.get(table, {}).items():
            theirs = _in_place(ours, key, value)
            if theirs != getattr(ours, key):
                yield f"{table}.{key} = {_said(getattr(ours, key))} instead of {_said(theirs)}"
    if scenario.tier != tuple(map(Tier.model_validate, tables["tier"])):
        yield f"tier: {len(scenario.tier)} tiers instead of {len(tables['tier'])}"
    layers = each("layer", tables["layer"], Layer)
    if scenario.layer != layers:
        yield f"layer = {_order(scenario.layer)} instead of {_order(layers)}"


def _in_place(settings: Settings, key: str, value: Any) -> Any:
    """Return a preset's value as the scenario's table understands it; as it is where that table cannot hold it."""
    try:
        return getattr(type(settings).model_validate({**settings.model_dump(), key: value}), key)
    except ValidationError:
        return value


def _said(value: Any) -> str:
    """Write a value as the page of a preset does."""
    if isinstance(value, Settings):
        return presets.said(value.model_dump(mode="json", exclude_none=True))
    if isinstance(value, tuple):
        return ", ".join(map(_said, value)) or "none"
    return str(value)


def _order(layers: tuple[Layer, ...]) -> str:
    return " > ".join(layer.kind for layer in layers)


def _left_out(scenario: Scenario) -> str:
    """Say which variants of the file this rulebook forbids."""
    reasons = "; ".join(scenario.left_out)
    return f"warning: left out, as preset {scenario.exchange.preset} forbids it: {reasons}" if reasons else ""
