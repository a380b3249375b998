"""How a model is added by one file: parts register themselves under a ``kind``.

``class Gbm(Market, kind="gbm")`` enters the family `Market` when its file is imported; the family's package
imports every file beside it.  An unknown kind is an error that names the known ones and the nearest.
"""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

NUMBERS = (bool, int, float, int | None, float | None)


class Settings(BaseModel):
    """A frozen table of a scenario: unknown keys and non-finite numbers are errors; parts are chosen by kind."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_and_parts(cls, value: Any, info: ValidationInfo) -> Any:
        wanted = cls.model_fields[str(info.field_name)].annotation
        for family in (wanted, *(get_args(wanted) if isinstance(wanted, UnionType) else ())):
            if isinstance(family, type) and issubclass(family, Part) and not (value is None and family is not wanted):
                return family.choose(value)
        if isinstance(value, (bool, str)) and wanted in NUMBERS[1:]:
            raise ValueError(f"should be a valid number, got {value!r}")
        return value

    def amount(self, name: str) -> float:
        """Return the amount of money that has two keys, `<name>_usd` and `<name>_coin`, whichever was given."""
        usd, coin = getattr(self, f"{name}_usd"), getattr(self, f"{name}_coin")
        return float((coin if usd is None else usd) or 0.0)


class Part(Settings):
    """Base of everything that a scenario chooses by ``kind``."""

    kind: str = ""
    family: ClassVar[dict[str, type["Part"]]]

    @classmethod
    def __pydantic_init_subclass__(cls, *, kind: str | None = None, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if Part in cls.__bases__:
            cls.family = {}
        if kind is not None:
            cls._take(kind)
            cls.model_fields["kind"].default = kind
            cls.model_rebuild(force=True)

    def __init_subclass__(cls, *, kind: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)

    @classmethod
    def _take(cls, kind: str) -> None:
        """Enter the family; only the same class, defined anew (a notebook cell run again), is replaced."""
        holder = cls.family.get(kind, cls)
        if definition(holder) != definition(cls):
            raise ValueError(f"kind {kind!r} is taken by {definition(holder)}: {definition(cls)} needs another kind")
        cls.family[kind] = cls

    @classmethod
    def choose(cls, value: Any) -> Self:
        """Build the member of this family that ``value["kind"]`` names."""
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            value = {"kind": value}
        if not isinstance(value, dict):
            raise ValueError(f"expected a table with a 'kind', got {value!r}")
        if "kind" not in value:
            raise ValueError(cls._no_kind(value))
        return cls.member(value["kind"]).model_validate(value)  # type: ignore[return-value]

    @classmethod
    def _no_kind(cls, table: dict[str, Any]) -> str:
        """Say that a table has keys and no kind, which kinds there are, and which have these keys."""
        said = f"needs a 'kind', known: {', '.join(sorted(cls.family))}"
        having = [kind for kind in sorted(cls.family) if table and set(table) <= set(cls.family[kind].model_fields)]
        return f"{said}; {' and '.join(table)} would be of {', '.join(having)}" if having else said

    @classmethod
    def known(cls, kind: str) -> str:
        """Return `kind` if the family has it; for settings that are names of parts."""
        cls.member(kind)
        return kind

    @classmethod
    def rules(cls, name: str) -> list[Any]:
        """Return what every member of the family defines as `name`, in the order of their codes."""
        return [getattr(cls.family[kind], name) for kind in sorted(cls.family)]

    @property
    def code(self) -> int:
        """Number of this kind among those of its family: how kernels know it (`stress.rules.one_of`)."""
        return sorted(type(self).family).index(self.kind)

    def as_numbers(self) -> dict[str, Any]:
        """Return the code and the numeric settings, the same names for every kind, so that none compiles anew.

        Settings that are absent, or that only other kinds have, are zero.
        """
        members = type(self).family.values()
        names = {
            name for member in members for name, field in member.model_fields.items() if field.annotation in NUMBERS
        }
        return {"code": self.code} | {name: float(getattr(self, name, 0.0) or 0.0) for name in sorted(names)}

    @classmethod
    def member(cls, kind: str) -> type["Part"]:
        """Return the class registered as `kind`, or say which kinds there are."""
        if isinstance(kind, str) and kind in cls.family:
            return cls.family[kind]
        known = sorted(cls.family)
        near = get_close_matches(str(kind), known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"unknown kind {kind!r}, known: {', '.join(known)}{hint}")


def parts_within(settings: Any, key: str = "") -> Iterator[tuple[str, Part]]:
    """Yield every part of nested settings that was chosen by kind, under its dotted key."""
    if isinstance(settings, Part):
        yield key, settings
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(settings, Settings):
        inner = ((name, getattr(settings, name)) for name in type(settings).model_fields)
    elif isinstance(settings, (list, tuple)):
        inner = enumerate(settings)
    for name, value in inner:
        yield from parts_within(value, f"{key}.{name}" if key else f"{name}")


def definition(part: type) -> str:
    """Return where a class is defined; a worker process calls its script ``__mp_main__``."""
    return f"{part.__module__.replace('__mp_main__', '__main__')}.{part.__qualname__}"


def import_siblings(package: str, init_file: str) -> None:
    """Import every module beside a package's ``__init__`` so that its parts register themselves."""
    for path in sorted(Path(init_file).parent.glob("*.py")):
        if path.stem != "__init__":
            import_module(f"{package}.{path.stem}")
