"""Market makers: they take the other side of every trade and hold the book's net position."""

from pydantic import Field

from stress.agents.base import Cohort


class Maker(Cohort, kind="maker"):
    """The makers as one well-funded account.

    They start with what balances the traders, entered at today's price.  `deleverageable` says whether the
    ADL queue may close them.
    """

    collateral_usd: float = Field(gt=0)
    deleverageable: bool = True

    is_maker = True

    @property
    def maker_collateral(self) -> float:
        """The makers' margin, quote."""
        return self.collateral_usd

    @property
    def makers_deleverage(self) -> bool:
        """Whether the ADL queue may close them."""
        return self.deleverageable
