"""The insurance fund: where it starts and what feeds it besides liquidations."""

from pydantic import Field

from stress.registry import Settings


class FundSettings(Settings):
    """Table ``[fund]``.

    Shares of trading fees default to zero: no source gives a rate for a large venue (docs/method.md, section 11).
    """

    initial_usd: float = Field(ge=0)
    in_coin: float = Field(default=0.0, ge=0, le=1)  # share of it that is held in the coin and falls with the index
    share_of_fees: float = Field(default=0.0, ge=0, le=1)  # of the fees that the venue earns
    share_of_notional: float = Field(default=0.0, ge=0, le=0.01)  # of the notional traded
    top_up_usd: float = Field(default=0.0, ge=0)  # paid in by the operator each time that the fund is below its line
    top_up_below_usd: float | None = Field(default=None, ge=0)
    top_up_total_usd: float | None = Field(default=None, ge=0)  # absent: without end
    fee_rate: float = Field(default=7e-4, ge=0, le=0.01)  # maker plus taker, 2 + 5 bp (docs/method.md, section 11)

    def income_per_day(self, volume_usd_per_day: float) -> float:
        """Return the fund's fee income, USD a day."""
        return volume_usd_per_day * (self.share_of_fees * self.fee_rate + self.share_of_notional)
