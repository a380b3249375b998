"""Market makers: they take the other side of every trade and hold the book's net position."""

import math

from pydantic import Field

from stress.agents.base import Cohort


class Maker(Cohort, kind="maker"):
    """The makers as one well-funded account.

    They start with what balances the traders, entered at today's price.  `deleverageable` says whether the
    ADL queue may close them.  Where depth is theirs (``liquidity.source = "makers"``), they quote in proportion to
    what is left of their margin, and, with an `inventory_limit_usd`, to what is left of that.
    """

    collateral_usd: float | None = Field(default=None, gt=0)
    collateral_coin: float | None = Field(default=None, gt=0)
    inventory_limit_usd: float | None = Field(default=None, gt=0)
    deleverageable: bool = True
    money = "collateral"

    is_maker = True

    @property
    def maker_collateral(self) -> float:
        """The makers' margin, quote."""
        return self.amount("collateral")

    @property
    def maker_limit_usd(self) -> float:
        """How much they hold before they stop quoting, USD."""
        return math.inf if self.inventory_limit_usd is None else self.inventory_limit_usd

    @property
    def makers_deleverage(self) -> bool:
        """Whether the ADL queue may close them."""
        return self.deleverageable
