"""A scenario from flat keyword arguments, as Mesa's `batch_run` and its dashboard pass them to a model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from stress.scenario import Scenario, ScenarioError
from stress.toml import hint

SMALL_VENUE = Path(__file__).with_name("small_venue.toml")


def _apportion(counts: list[int], total: int) -> list[int]:
    """Divide `total` in proportion to `counts`, by largest remainders."""
    exact = [total * count / sum(counts) for count in counts]
    parts = [int(part) for part in exact]
    behind = sorted(range(len(parts)), key=lambda i: parts[i] - exact[i])
    for i in behind[: total - sum(parts)]:
        parts[i] += 1
    return parts


def _n_traders(scenario: Scenario, total: Any) -> dict[str, Any]:
    crowd = {
        i: cohort.count for i, cohort in enumerate(scenario.population) if cohort.laws and hasattr(cohort, "count")
    }
    if not crowd or total != int(total):
        said = "no cohort is drawn by count" if not crowd else f"should be a whole number, got {total!r}"
        raise ScenarioError(f"n_traders: {said}")
    parts = _apportion(list(crowd.values()), int(total))
    return {f"population.{i}.count": part for i, part in zip(crowd, parts, strict=True)}


def _leverage_median(scenario: Scenario, median: Any) -> dict[str, Any]:
    levered = [i for i, cohort in enumerate(scenario.population) if hasattr(cohort, "leverage_median")]
    if not levered:
        raise ScenarioError("leverage_median: no cohort is drawn about a median leverage")
    return {f"population.{i}.leverage_median": median for i in levered}


def _key(name: str) -> Callable[[Scenario, Any], dict[str, Any]]:
    return lambda _, value: {name: value}


KEYWORDS: dict[str, Callable[[Scenario, Any], dict[str, Any]]] = {
    "n_traders": _n_traders,
    "leverage_median": _leverage_median,
    "open_interest_usd": _key("exchange.open_interest_usd"),
    "fund_usd": _key("fund.initial_usd"),
    "vol_annual": _key("market.vol_annual"),
    "volume_usd_per_day": _key("liquidity.volume_usd_per_day"),
    "horizon_hours": _key("run.horizon_hours"),
}


def scenario_of(given: Any = None, **flat: Any) -> Scenario:
    """Return a scenario with what flat keyword arguments change in it.

    Parameters
    ----------
    given : Scenario, path-like or mapping, optional
        A scenario, its file, or its tables; the small venue that ships with the package by default.
    **flat
        Names of `KEYWORDS`, tables, or dotted names of keys; None leaves the scenario's own.

    Raises
    ------
    ScenarioError
        If a value is not allowed, or the venue has several symbols.
    TypeError
        If a name is not known, or `given` is no scenario.
    """
    scenario = _load(given)
    if scenario.asset:
        raise ScenarioError("InsuranceFundModel: [[asset]]: several symbols are run by stress.run(engine='reference')")
    changes: dict[str, Any] = {}
    for name, value in flat.items():
        if value is not None:
            changes |= _change(name, scenario, value.item() if isinstance(value, np.generic) else value)
    return scenario.with_(**changes) if changes else scenario


def _load(given: Any) -> Scenario:
    if isinstance(given, Scenario):
        return given
    if isinstance(given, dict):
        return Scenario.from_tables(given)
    if given is None or isinstance(given, (str, Path)):
        return Scenario.load(given or SMALL_VENUE)
    raise TypeError(
        f"scenario is a stress.Scenario, a file or its tables, got {type(given).__name__}; "
        "batch_run iterates over what is not in a list: {'scenario': [scenario]}"
    )


def _change(name: str, scenario: Scenario, value: Any) -> dict[str, Any]:
    if name in KEYWORDS:
        return KEYWORDS[name](scenario, value)
    if "." in name or name in Scenario.model_fields:
        return {name: value}
    raise TypeError(f"InsuranceFundModel has no argument {name!r}{hint(name, KEYWORDS)}")


def from_mesa(scenario: Any, flat: dict[str, Any], rng: Any) -> tuple[Any, dict[str, Any], Any]:
    """Unpack a scenario of Mesa 3.5, whose parameters are our flat arguments; anything else is left as it is.

    Returns
    -------
    tuple
        Our scenario or where it is, the flat arguments, and the root of randomness; arguments given beside the
        scenario come first.
    """
    if not hasattr(scenario, "to_dict"):
        return scenario, flat, rng
    told = {name: value for name, value in scenario.to_dict().items() if name not in ("model", "_scenario_id")}
    root = told.pop("rng", None)
    given = {name: value for name, value in flat.items() if value is not None}
    return told.pop("fund_scenario", None), told | given, root if rng is None else rng


def to_mesa(family: type, scenario: Scenario, rng: Any) -> Any:
    """Return a scenario of Mesa 3.5 that carries ours: its dashboard makes it anew when it resets the model."""
    known = {"__annotations__": {"fund_scenario": Scenario}, "fund_scenario": scenario}
    return type("FundScenario", (family,), known)(rng=rng)
