"""Model risk, parameter interval and concentration as a run keeps them: from ``summary.json`` to dataclasses."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from stress.summary.concentration import Concentration
from stress.summary.model_risk import ModelRisk, ParameterInterval

__all__ = ["attached_from_dict", "model_risk_from_dict", "parameters_from_dict"]


def attached_from_dict(document: Mapping[str, Any]) -> dict[str, Any]:
    """Read what a ``fundstress.summary/1`` document carries beside the run's own numbers.

    Parameters
    ----------
    document : mapping
        What `Summary.to_dict` returned, read back from JSON or not.

    Returns
    -------
    dict
        ``model_risk``, ``parameters`` and ``concentration``, each None when it is null or absent: arguments of
        `Summary.with_`.

    Raises
    ------
    ValueError
        One line that names the place and what is expected there.
    """
    kinds = {"model_risk": ModelRisk, "parameters": ParameterInterval, "concentration": Concentration}
    given = {name: document.get(name) for name in kinds}
    return {name: None if given[name] is None else _record(kinds[name], given[name], name) for name in kinds}


def model_risk_from_dict(values: Any) -> ModelRisk:
    """Build a `ModelRisk` from its `to_dict`; a ValueError names what does not fit."""
    return _record(ModelRisk, values, "model_risk")


def parameters_from_dict(values: Any) -> ParameterInterval:
    """Build a `ParameterInterval` from its `to_dict`; a ValueError names what does not fit."""
    return _record(ParameterInterval, values, "parameters")


def _record(kind: Any, values: Any, where: str) -> Any:
    """Build a dataclass whose fields say by their types how to read the values."""
    names = {field.name for field in fields(kind)}
    if not isinstance(values, Mapping) or set(values) != names:
        raise ValueError(f"{where}: needs the keys {', '.join(sorted(names))}")
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], values[name], f"{where}.{name}") for name in names})


def _value(hint: Any, value: Any, where: str) -> Any:
    if is_dataclass(hint):
        return _record(hint, value, where)
    if get_origin(hint) is UnionType:  # only "or None" occurs
        return None if value is None else _value(get_args(hint)[0], value, where)
    if get_origin(hint) is tuple:
        return _sequence(get_args(hint), value, where)
    return _plain(hint, value, where)


def _sequence(kinds: tuple[Any, ...], values: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(values, (list, tuple)):
        raise ValueError(f"{where}: needs a list")
    kinds = kinds[:1] * len(values) if kinds[-1] is Ellipsis else kinds
    if len(kinds) != len(values):
        raise ValueError(f"{where}: needs {len(kinds)} entries, not {len(values)}")
    return tuple(
        _value(kind, value, f"{where}[{n}]") for n, (kind, value) in enumerate(zip(kinds, values, strict=True))
    )


def _plain(kind: Any, value: Any, where: str) -> Any:
    wanted = (int, float) if kind is float else kind
    if not isinstance(value, wanted) or isinstance(value, bool) or (kind is float and not math.isfinite(value)):
        raise ValueError(f"{where}: needs a {'number' if kind is float else kind.__name__}, not {value!r}")
    return float(value) if kind is float else value
