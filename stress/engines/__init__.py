"""How every account is moved through the rules: three engines of one model."""

from typing import Any

from stress.engines.base import run

__all__ = ["Population", "draw_population", "run", "trace"]


def __getattr__(name: str) -> Any:
    if name in ("Population", "draw_population"):
        from stress.engines import population

        return getattr(population, name)
    if name == "trace":
        from stress.engines.trace import trace

        return trace
    raise AttributeError(f"module 'stress.engines' has no attribute {name!r}")
