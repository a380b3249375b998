"""Bates's price: Heston's stochastic variance with Poisson jumps of normal log size."""

from stress.markets.base import Clock
from stress.markets.heston import Heston, heston_increments
from stress.markets.jumps import NormalJumps, adding, normal_size
from stress.rules import rule

add_jumps = adding(normal_size)


@rule
def bates_increments(numbers, table, path, k0, k1, out):
    """Fill `out` with Heston's log-returns, then add the jumps."""
    heston_increments(numbers, table, path, k0, k1, out)
    add_jumps(numbers, path, k0, k1, out)


class Bates(NormalJumps, Heston, kind="bates"):
    """Bates (1996), Review of Financial Studies 9, 69-107; in the scheme of `heston`."""

    jumps_per_year: float = 50.0  # hourly BTC jumps a year, 39-69 (docs/method.md, section 11)
    increments = staticmethod(bates_increments)

    def problems(self, clock: Clock) -> list[tuple[str, str]]:
        """Refuse a clock that does not fit and more jumps than are drawn."""
        return Heston.problems(self, clock) + self.jump_problems(clock)

    def numbers(self, clock: Clock) -> dict[str, float]:
        """Return Heston's coefficients and the jumps, with the drift that makes up for them."""
        numbers = Heston.numbers(self, clock)
        drift = self.jump_drift() * self.bar_years / numbers["steps_per_bar"]
        return numbers | {"drift": drift} | self.jump_numbers(clock)
