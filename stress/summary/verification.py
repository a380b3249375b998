"""Does the package find what is known exactly: answers of theory against its own simulations.

The figures are data, ``verification.toml`` beside this file: they are about the package, not about a run.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["Verification", "Verified", "shipped_verification"]

SHIPPED = Path(__file__).with_name("verification.toml")


@dataclass(frozen=True)
class Verified:
    """One known answer.

    Parameters
    ----------
    law, quantity, source : str
        The model, what is asked of it, and who has the answer.
    exact, simulated : float
        The answer, and the package's.
    standard_error : float
        Of the simulation.
    """

    law: str
    quantity: str
    source: str
    exact: float
    simulated: float
    standard_error: float

    @property
    def z(self) -> float:
        """How many standard errors they are apart."""
        return (self.simulated - self.exact) / self.standard_error


@dataclass(frozen=True)
class Verification:
    """All known answers, and when they were simulated."""

    as_of: str
    answers: tuple[Verified, ...]


@cache
def shipped_verification() -> Verification:
    """Return the known answers of this version of the package."""
    table = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    return Verification(table["as_of"], tuple(Verified(**row) for row in table["answer"]))
