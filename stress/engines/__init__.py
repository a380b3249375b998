"""How every account is moved through the rules: three engines of one model."""

from typing import Any

from stress.engines.base import run

__all__ = ["Population", "draw_population", "run"]


def __getattr__(name: str) -> Any:
    if name in ("Population", "draw_population"):
        from stress.engines import population

        return getattr(population, name)
    raise AttributeError(f"module 'stress.engines' has no attribute {name!r}")
