"""Market makers: they take the other side of every trade and hold the book's net position."""

from pydantic import Field

from stress.agents.base import Cohort


class Maker(Cohort, kind="maker"):
    """The makers as one well-funded account.

    They start with what balances the traders, entered at today's price.  `deleverageable` says whether the
    ADL queue may close them.
    """

    collateral_usd: float | None = Field(default=None, gt=0)
    collateral_coin: float | None = Field(default=None, gt=0)
    deleverageable: bool = True
    money = "collateral"

    is_maker = True

    @property
    def maker_collateral(self) -> float:
        """The makers' margin, quote."""
        return self.amount("collateral")

    @property
    def makers_deleverage(self) -> bool:
        """Whether the ADL queue may close them."""
        return self.deleverageable
