"""One explicit large holder, outside the laws: broad crashes rarely ruin a fund, concentration does."""

from pydantic import Field

from stress.agents.holder import Holder


class Whale(Holder, kind="whale"):
    """A large holder who may go on purpose.

    At random times, `exits_per_year` on average, it withdraws all margin above maintenance and so lets itself be
    liquidated at the mark.
    """

    exits_per_year: float = Field(default=0.0, ge=0, le=100_000)

    @property
    def act_rate(self) -> float:
        """How often it leaves, a year."""
        return self.exits_per_year

    @property
    def n_leavers(self) -> int:
        """How many accounts leave together."""
        return self.accounts if self.exits_per_year > 0.0 else 0
