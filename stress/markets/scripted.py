"""A price that only follows the scenario's ``[[shock]]`` tables: worked examples and stress paths."""

from stress.markets.base import Clock, Market
from stress.rules import kernel


@kernel
def no_increments(numbers, table, path, k0, k1, out):
    """Fill `out` with zeros."""
    out[:] = 0.0


class Scripted(Market, kind="scripted"):
    """No noise: every path is the same."""

    increments = no_increments

    def numbers(self, clock: Clock) -> dict[str, float]:
        """Return a record without content."""
        return {"none": 0.0}
